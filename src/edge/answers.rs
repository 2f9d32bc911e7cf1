//! Answers that wait for their client. Large ones take room until the last of their bytes is sent: who
//! reads nothing fills that room, and not the memory.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::Version,
    response::{IntoResponse, Response},
};
use http_body::{Frame, SizeHint};

use crate::{
    held_bytes::{ConnectionBytes, SMALL, Taken},
    telemetry::{budget, route_metrics::Route},
};

/// The request, whose budget knows from now on which connection it came on.
pub fn on_its_connection(request: Request) -> Request {
    if let Some(connection) = request.extensions().get::<ConnectionBytes>() {
        let is_http2 = request.version() == Version::HTTP_2;
        budget::with(|b| b.holds.came_on(connection, is_http2));
    }
    request
}

/// The answer, whose body holds room until it is sent, or 503 if there is none. Those of labs are
/// what they are: a lab may be about their size.
pub fn held_until_sent(response: Response) -> Response {
    // A body without a size is made as it is sent.
    let size = response.body().size_hint().exact().unwrap_or_default();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    // A connection of HTTP/2 may have hundreds of small ones that wait.
    let mut is_http2 = false;
    budget::with(|b| is_http2 = b.holds.is_http2());
    if size == 0 || size <= SMALL && !is_http2 {
        return response;
    }
    let Some(budget) = budget::current() else { return response };
    if budget.route().is_some_and(Route::is_of_lab) {
        return response;
    }
    match budget.holds.take_answer(size) {
        Ok(room) => response.map(|body| Body::new(Held { body, room: Arc::new(room) })),
        Err(error) => error.into_response(),
    }
}

/// A body with its room.
struct Held {
    body: Body,
    room: Arc<Taken>,
}

/// A part of it. Connections queue parts when the body itself is gone, so each holds the room.
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
