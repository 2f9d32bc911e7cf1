//! What a client still sends after its answer: whoever closes a connection on a client that is
//! sending may take the answer away with it, and the client sees a broken pipe instead of the reason.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{Version, header::EXPECT},
};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use tokio::{runtime::Handle, time::timeout};

/// Eight times the largest body that is taken. Who sends more is cut off.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Who is slower is cut off.
const WITHIN: Duration = Duration::from_secs(5);

/// The request with a body that is received to its end, within limits, even if no handler reads it.
pub fn receive_to_the_end(request: Request) -> Request {
    // HTTP/2 ends one stream and keeps the connection.
    if request.body().is_end_stream() || request.version() == Version::HTTP_2 {
        return request;
    }
    let is_held_back = request.headers().contains_key(EXPECT);
    let runtime = Handle::current();
    request.map(|body| Body::new(Received { body, has_ended: false, is_held_back, runtime }))
}

struct Received {
    body: Body,
    has_ended: bool,
    /// The client sends nothing before it gets 100, which it does when the body is first asked for.
    is_held_back: bool,
    /// The handler that drops the body may be on a thread that has none.
    runtime: Handle,
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_held_back = false;
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.has_ended |= matches!(frame, Poll::Ready(None | Some(Err(_))));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if self.has_ended || self.is_held_back || self.body.is_end_stream() {
            return;
        }
        let rest = Limited::new(std::mem::take(&mut self.body), MAX_BYTES);
        // The timer is made inside, where there is a runtime.
        self.runtime.spawn(async { timeout(WITHIN, discarded(rest)).await });
    }
}

async fn discarded(mut rest: Limited<Body>) {
    while let Some(Ok(_)) = rest.frame().await {}
}

#[cfg(test)]
mod tests {
    use std::thread;

    use futures_util::{StreamExt, stream};
    use tokio::sync::mpsc;

    use super::*;

    /// A request whose body says each time that more of it is read.
    fn request(read: mpsc::UnboundedSender<()>) -> Request {
        let pieces = stream::iter(0..3).map(move |_| {
            read.send(()).unwrap();
            Ok::<_, std::io::Error>(Bytes::from_static(b"piece"))
        });
        Request::new(Body::from_stream(pieces))
    }

    #[tokio::test]
    async fn what_nobody_reads_is_received_wherever_it_is_dropped() {
        let (read, mut reads) = mpsc::unbounded_channel();
        let unread = receive_to_the_end(request(read));
        thread::spawn(|| drop(unread)).join().unwrap();
        for _ in 0..3 {
            reads.recv().await.unwrap();
        }
        assert!(reads.recv().await.is_none());
    }

    #[tokio::test]
    async fn what_a_client_holds_back_is_not_asked_for() {
        let (read, mut reads) = mpsc::unbounded_channel();
        let mut held_back = request(read);
        held_back.headers_mut().insert(EXPECT, "100-continue".parse().unwrap());
        drop(receive_to_the_end(held_back));
        assert!(reads.recv().await.is_none());
    }
}
