//! Router as hyper calls it. Counts each request and each piece of an answer.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::ConnectInfo,
    http::{HeaderValue, Request, Response, Version, header::CONNECTION},
    routing::future::RouteFuture,
};
use bytes::Buf;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tower::Service as _;

use product::edge::RequestBytes;

use super::Connection;

/// Router for one connection.
pub struct Service {
    pub router: Router,
    pub connection: Arc<Connection>,
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let connection = &self.connection;
        let version = request.version();
        if version == Version::HTTP_2 {
            connection.speaks_http2();
        }
        let in_flight = InFlight::new(connection);
        let mut request = request.map(|body| {
            if body.is_end_stream() {
                Body::empty()
            } else {
                Body::new(Question::new(body, connection))
            }
        });
        // Extensions that depend on the connection are added here.
        request.extensions_mut().insert(ConnectInfo(connection.peer));
        request.extensions_mut().insert(RequestBytes::on(&connection.bytes));
        let answer = self.router.clone().call(request);
        Answering { answer, in_flight: Some(in_flight), is_http2: version == Version::HTTP_2 }
    }
}

/// A request, until hyper has its whole answer or drops it.
struct InFlight(Arc<Connection>);

impl InFlight {
    fn new(connection: &Arc<Connection>) -> Self {
        connection.asks();
        Self(connection.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.is_answered();
    }
}

pin_project_lite::pin_project! {
    pub struct Answering {
        #[pin]
        answer: RouteFuture<Infallible>,
        in_flight: Option<InFlight>,
        is_http2: bool,
    }
}

impl Future for Answering {
    type Output = Result<Response<Answer>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.answer.poll(cx))?;
        // A future is not polled after it is ready.
        let Some(in_flight) = this.in_flight.take() else { return Poll::Pending };
        if in_flight.0.answers_are_last() && !*this.is_http2 {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(response.map(|body| Answer::new(body, in_flight))))
    }
}

/// Body of a request.
struct Question {
    body: Incoming,
    connection: Arc<Connection>,
    is_under_way: bool,
}

impl Question {
    fn new(body: Incoming, connection: &Arc<Connection>) -> Self {
        connection.sends_body();
        Self { body, connection: connection.clone(), is_under_way: true }
    }

    fn ends(&mut self) {
        if std::mem::take(&mut self.is_under_way) {
            self.connection.body_ends();
        }
    }
}

impl HttpBody for Question {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.ends();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.ends();
    }
}

/// Body of an answer. Counts as waiting for the client, except while it is pending itself.
pub struct Answer {
    body: Body,
    is_unsent: bool,
    in_flight: InFlight,
}

impl Answer {
    fn new(body: Body, in_flight: InFlight) -> Self {
        in_flight.0.answer_begun();
        Self { body, is_unsent: true, in_flight }
    }

    fn set_unsent(&mut self, is_unsent: bool) {
        if std::mem::replace(&mut self.is_unsent, is_unsent) != is_unsent {
            if is_unsent { self.in_flight.0.answer_begun() } else { self.in_flight.0.answer_sent() }
        }
    }
}

impl HttpBody for Answer {
    type Data = Piece;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.set_unsent(frame.is_ready());
        frame.map_ok(|frame| frame.map_data(|bytes| Piece::new(bytes, &self.in_flight.0)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.set_unsent(false);
    }
}

/// Bytes of an answer, until they are written.
pub struct Piece {
    bytes: Bytes,
    connection: Arc<Connection>,
}

impl Piece {
    fn new(bytes: Bytes, connection: &Arc<Connection>) -> Self {
        connection.answer_begun();
        Self { bytes, connection: connection.clone() }
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.connection.moves();
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.connection.answer_sent();
    }
}
