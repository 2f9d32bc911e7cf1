//! Body of an answer that is made while it is sent: what making it costs is the request's cost too.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tracing::Span;

use super::Finish;
use crate::{
    cost::Counter,
    request_cost::{self, RequestCost},
};

/// Body of unknown size. The request ends when it does.
pub(super) struct ObservedBody {
    inner: Body,
    request_cost: Arc<RequestCost>,
    status: u16,
    finish: Option<Finish>,
}

impl ObservedBody {
    pub fn new(inner: Body, request_cost: Arc<RequestCost>, status: u16, finish: Finish) -> Self {
        Self { inner, request_cost, status, finish: Some(finish) }
    }

    fn end(&mut self) {
        if let Some(finish) = self.finish.take() {
            finish.record(self.status, &self.request_cost, &self.request_cost.cost());
        }
    }
}

impl HttpBody for ObservedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let span = this.finish.as_ref().map_or_else(Span::none, |finish| finish.span.clone());
        let inner = Pin::new(&mut this.inner);
        let polled =
            request_cost::metered(&this.request_cost, || span.in_scope(|| inner.poll_frame(cx)));
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                this.request_cost.put(Counter::Bytes, bytes as u64);
            }
            Poll::Ready(_) => this.end(),
            Poll::Pending => {}
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for ObservedBody {
    /// Records a request whose client left before the end of the answer.
    fn drop(&mut self) {
        self.end();
    }
}
