//! Drains request bodies that nobody reads. If the server closes a connection while the client is
//! sending, the answer may be lost, and the client sees a broken pipe instead of the reason.

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

/// Most bytes to drain: eight times the largest body. A client that sends more is cut off.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Longest time to drain a body. A slower client is cut off.
const WITHIN: Duration = Duration::from_secs(5);

/// Returns the request with a body that is drained, within limits, even if no handler reads it.
pub fn drain_body(request: Request) -> Request {
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
    /// True until the first read of the body, which sends 100: before it the client sends nothing.
    is_held_back: bool,
    /// Runtime for draining: the handler may drop the body on a thread that has none.
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

    /// A request whose body reports each read.
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
        let unread = drain_body(request(read));
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
        drop(drain_body(held_back));
        assert!(reads.recv().await.is_none());
    }
}
