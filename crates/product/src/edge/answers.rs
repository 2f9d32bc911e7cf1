//! Answers that wait for their client. A large one takes room until its last byte is sent, so that
//! clients that read nothing fill that room, and not the memory.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::Version,
    response::{IntoResponse, Response},
};
use http_body::{Frame, SizeHint};
use tower::{Layer, Service};

use crate::held_bytes::{RequestBytes, SMALL, Taken};
use observe::{request_cost, route_metrics::Route};

/// Layer that holds room for the body of a large answer until it is sent.
#[derive(Clone, Copy)]
pub struct HoldAnswers;

impl<S> Layer<S> for HoldAnswers {
    type Service = Holding<S>;

    fn layer(&self, inner: S) -> Holding<S> {
        Holding(inner)
    }
}

#[derive(Clone)]
pub struct Holding<S>(S);

impl<S: Service<Request, Response = Response>> Service<Request> for Holding<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = HoldingFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let bytes = request.extensions().get().cloned();
        let is_http2 = request.version() == Version::HTTP_2;
        HoldingFuture { answer: self.0.call(request), bytes, is_http2 }
    }
}

pin_project_lite::pin_project! {
    /// Keeps the room of a request's body until there is an answer.
    pub struct HoldingFuture<F> {
        #[pin]
        answer: F,
        bytes: Option<RequestBytes>,
        is_http2: bool,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for HoldingFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(cx));
        let bytes = this.bytes.take();
        Poll::Ready(answer.map(|response| held_until_sent(response, bytes, *this.is_http2)))
    }
}

/// Gives the answer, whose body holds room until it is sent, or 503 if there is no room. Measured
/// routes take none: a lab may be about their size.
fn held_until_sent(response: Response, bytes: Option<RequestBytes>, is_http2: bool) -> Response {
    // A body without a size is made while it is sent.
    let size = response.body().size_hint().exact().unwrap_or_default();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    // A connection of HTTP/2 may have hundreds of small answers that wait.
    if size == 0 || size <= SMALL && !is_http2 {
        return response;
    }
    if request_cost::current().is_some_and(|b| b.route().is_some_and(Route::is_measured)) {
        return response;
    }
    match bytes.unwrap_or_default().take_answer(size) {
        Ok(room) => response.map(|body| Body::new(Held { body, room: Arc::new(room) })),
        Err(error) => error.into_response(),
    }
}

/// A body with its room.
struct Held {
    body: Body,
    room: Arc<Taken>,
}

/// A part of it. Connections queue parts after the body is dropped, so each holds the room.
struct Part(Bytes, #[expect(dead_code, reason = "it is held")] Arc<Taken>);

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        let part = |bytes| Bytes::from_owner(Part(bytes, self.room.clone()));
        frame.map_ok(|frame| frame.map_data(part))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
