//! One call of the cache, of any kind: with injected latency, a count of failures, and a span.

use tracing::{Instrument, Span, field::Empty};

use super::{Cache, Down, Name, Store, redis::span};

#[derive(Clone, Copy)]
pub(super) enum Call {
    Get,
    GetMany,
    Set,
    Delete,
    /// Second look-up, which may give a lease to fill.
    Reserve,
    Fill,
    Announce,
    Written,
}

impl Call {
    /// Name of the call here, and of its Redis command.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Get => ("get", "GET"),
            Self::GetMany => ("get many", "MGET"),
            Self::Set => ("set", "SET"),
            Self::Delete => ("delete", "DEL"),
            Self::Reserve => ("reserve", "EVALSHA"),
            Self::Fill => ("fill", "EVALSHA"),
            Self::Announce => ("announce", "EVALSHA"),
            Self::Written => ("written", "EVALSHA"),
        }
    }
}

impl Cache {
    pub(super) async fn call<T>(
        &self,
        call: Call,
        name: Name,
        work: impl Future<Output = Result<T, Down>>,
    ) -> Result<T, Down> {
        let span = self.span(call, name);
        let after_latency = async {
            if !self.0.latency.is_zero() {
                tokio::time::sleep(self.0.latency).await;
            }
            work.await
        };
        let result = after_latency.instrument(span.clone()).await;
        if result.is_err() {
            span::failed(&span);
            self.counters(name).errors.increment(1);
        }
        result
    }

    /// Runs a look-up. Its span also records if it found something.
    pub(super) async fn look_up<T>(
        &self,
        call: Call,
        name: Name,
        work: impl Future<Output = Result<Option<T>, Down>>,
    ) -> Result<Option<T>, Down> {
        let work = async {
            let found = work.await;
            Span::current().record("chokepoint.cache.hit", matches!(found, Ok(Some(_))));
            found
        };
        let found = self.call(call, name, work).await;
        self.count_look_up(name, matches!(found, Ok(Some(_))));
        found
    }

    /// Span of a call: a database call on Redis, internal work in this process's memory.
    fn span(&self, call: Call, name: Name) -> Span {
        let (call, command) = call.names();
        let name = name.label();
        match &self.0.store {
            Store::Redis(redis) => {
                let called = format_args!("cache {call} {name}");
                let span = span::of_command(redis.link(), called, command);
                span.record("chokepoint.cache.name", name);
                span
            }
            Store::Memory(_) => tracing::info_span!(
                "cache",
                otel.name = format_args!("cache {call} {name}"),
                chokepoint.cache.name = name,
                chokepoint.cache.hit = Empty,
            ),
        }
    }
}
