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
    http::header::EXPECT,
};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use tokio::runtime::Handle;

/// Eight times the largest body that is taken. Who sends more is cut off.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Who is slower is cut off.
const WITHIN: Duration = Duration::from_secs(5);

/// The request with a body that is received to its end, within limits, even if no handler reads it.
pub fn receive_to_the_end(request: Request) -> Request {
    // Who expects 100 sends no body before it, and a refusal comes without one.
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return request;
    }
    request.map(|body| Body::new(Received { body, has_ended: false, runtime: Handle::current() }))
}

struct Received {
    body: Body,
    has_ended: bool,
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
        if self.has_ended || self.body.is_end_stream() {
            return;
        }
        let rest = Limited::new(std::mem::take(&mut self.body), MAX_BYTES);
        self.runtime.spawn(tokio::time::timeout(WITHIN, discarded(rest)));
    }
}

async fn discarded(mut rest: Limited<Body>) {
    while let Some(Ok(_)) = rest.frame().await {}
}
