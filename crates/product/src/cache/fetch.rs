//! What is cached, else what the database says: loaded once however many ask, and cached.

use std::time::Duration;

use bytes::Bytes;

use super::{Answer, Cache, Call, Name, Store, redis::Token};
use crate::error::Error;
use observe::traces;

/// How long a copy is kept.
const TTL: Duration = Duration::from_hours(1);

/// At most so much more, by chance, so that what was filled together does not end together.
const JITTER: Duration = Duration::from_mins(5);

/// How long it is remembered that there is nothing.
const ABSENCE_TTL: Duration = Duration::from_mins(5);

/// How long a load of another instance is waited for: much longer than one takes, and short enough
/// for a client. Then this instance loads for itself.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked whether that load has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What the second look found.
pub(super) enum Look<Right = u64> {
    Found(Answer),
    /// Nothing, and the right to fill, which a write takes away.
    Mine(Right),
    /// Another instance is loading.
    Elsewhere,
    /// A write is under way, so nothing may be filled.
    Written,
}

enum Right {
    Memory(u64),
    Redis(Token),
}

impl Cache {
    /// The copy of what `load` reads from the database; `None` if there is no such thing.
    ///
    /// `load` must read what is committed when it runs, and the key must be among those that every
    /// `commit` of a change to it names.
    pub async fn fetch(
        &self,
        name: Name,
        key: &str,
        load: impl Future<Output = Result<Answer, Error>>,
    ) -> Result<Answer, Error> {
        let copy = async {
            match &self.0.store {
                Store::Memory(memory) => Ok(memory.copy(key).await),
                Store::Redis(redis) => redis.copy(key).await,
            }
        };
        let copy = self.look_up(Call::Get, name, copy).await.ok().flatten();
        if let Some(answer) = copy {
            if answer.is_none() {
                self.counters(name).absences.increment(1);
            }
            return Ok(answer);
        }
        let waits = || self.counters(name).lock_waits.increment(1);
        self.0.flights.run(key, waits, self.load(name, key, load)).await
    }

    async fn load(
        &self,
        name: Name,
        key: &str,
        load: impl Future<Output = Result<Answer, Error>>,
    ) -> Result<Answer, Error> {
        let right = match self.look_again(name, key).await {
            Ok(answer) => return Ok(answer),
            Err(right) => right,
        };
        self.counters(name).loads.increment(1);
        // If `load` fails or its request goes away, dropping the right gives it back.
        let answer = load.await?;
        if let Some(right) = right {
            let ttl = ttl(&answer);
            let fill = async {
                match (&self.0.store, right) {
                    (Store::Memory(memory), Right::Memory(right)) => {
                        memory.fill(key, right, &answer, ttl).await;
                        Ok(())
                    }
                    (Store::Redis(redis), Right::Redis(token)) => {
                        redis.fill(token, &answer, ttl).await
                    }
                    _ => Ok(()),
                }
            };
            // The answer is right all the same.
            let _ = self.call(Call::Fill, name, fill).await;
        }
        Ok(answer)
    }

    /// What is cached by now, or the right to fill it if that can be had.
    async fn look_again(&self, name: Name, key: &str) -> Result<Answer, Option<Right>> {
        let started = tokio::time::Instant::now();
        let mut waiting = None;
        loop {
            let reserve = async {
                match &self.0.store {
                    Store::Memory(memory) => Ok(memory.reserve(key).await.map(Right::Memory)),
                    Store::Redis(redis) => Ok(redis.reserve(key).await?.map(Right::Redis)),
                }
            };
            let Ok(look) = self.call(Call::Reserve, name, reserve).await else { return Err(None) };
            match look {
                Look::Found(answer) => return Ok(answer),
                Look::Mine(right) => return Err(Some(right)),
                Look::Written => return Err(None),
                Look::Elsewhere if started.elapsed() > PATIENCE => {
                    self.counters(name).lock_failures.increment(1);
                    return Err(None);
                }
                Look::Elsewhere => {
                    waiting.get_or_insert_with(|| {
                        self.counters(name).lock_waits.increment(1);
                        traces::waiting("lock wait")
                    });
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        }
    }
}

impl<A> Look<A> {
    fn map<B>(self, f: impl FnOnce(A) -> B) -> Look<B> {
        match self {
            Self::Found(answer) => Look::Found(answer),
            Self::Mine(right) => Look::Mine(f(right)),
            Self::Elsewhere => Look::Elsewhere,
            Self::Written => Look::Written,
        }
    }
}

fn ttl(answer: &Option<Bytes>) -> Duration {
    let jitter = u64::try_from(JITTER.as_millis()).unwrap_or(u64::MAX);
    match answer {
        Some(_) => TTL + Duration::from_millis(fastrand::u64(0..=jitter)),
        None => ABSENCE_TTL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_live_an_hour_and_up_to_five_minutes_more_by_chance() {
        let ttls: Vec<_> = (0..1_000).map(|_| ttl(&Some(Bytes::from_static(b"[]")))).collect();
        assert!(ttls.iter().all(|ttl| (TTL..=TTL + JITTER).contains(ttl)));
        let spread = *ttls.iter().max().unwrap() - *ttls.iter().min().unwrap();
        assert!(spread > JITTER / 2, "{spread:?}");
        assert_eq!(ttl(&None), ABSENCE_TTL);
    }
}
