//! One call of the cache, whichever it is: at its distance, counted if it fails, and with a span.

use tracing::{Instrument, Span, field::Empty};

use super::{Cache, Down, Name, Store};

#[derive(Clone, Copy)]
pub(super) enum Call {
    Get,
    GetMany,
    Set,
    Delete,
    /// The second look, which may give the right to fill.
    Reserve,
    Fill,
    Announce,
    Written,
}

impl Call {
    /// What it is called here, and as a command of Redis.
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
        let at_its_distance = async {
            if !self.0.distance.is_zero() {
                tokio::time::sleep(self.0.distance).await;
            }
            work.await
        };
        let result = at_its_distance.instrument(span.clone()).await;
        if result.is_err() {
            span.record("otel.status_code", "ERROR").record("error.type", "unavailable");
            self.counters(name).errors.increment(1);
        }
        result
    }

    /// Of a look-up: whether it found something is on the span, too.
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

    /// Redis is a database that somebody asks; this process's own memory is nobody else.
    fn span(&self, call: Call, name: Name) -> Span {
        let (call, command) = call.names();
        let redis = match &self.0.store {
            Store::Memory(_) => None,
            Store::Redis(_) => Some(command),
        };
        tracing::info_span!(
            "cache",
            otel.name = format!("cache {call} {}", name.label()),
            otel.kind = redis.map(|_| "client"),
            otel.status_code = Empty,
            "error.type" = Empty,
            db.system.name = redis.map(|_| "redis"),
            db.operation.name = redis,
            chokepoint.cache.name = name.label(),
            chokepoint.cache.hit = Empty,
        )
    }
}
