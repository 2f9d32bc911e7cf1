//! The client of the tag service, as its team ships it: a call that fails is repeated at once, for
//! most failures are over by then.

use product::error::Error;
use workshop::upstream::Upstream;

/// Attempts of a client that nobody told otherwise.
const ATTEMPTS: u32 = 5;

/// Client of the tag service.
pub struct TagClient {
    upstream: Upstream,
    attempts: u32,
}

impl TagClient {
    pub fn of(upstream: &Upstream) -> Self {
        Self { upstream: upstream.clone(), attempts: ATTEMPTS }
    }

    /// The client with another number of attempts, the first one included.
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// Tags of a todo, in alphabetical order.
    pub async fn tags_of(&self, todo_id: i64) -> Result<Vec<String>, Error> {
        let mut attempt = 1;
        loop {
            match self.upstream.tags_of(todo_id).await {
                Err(_) if attempt < self.attempts => attempt += 1,
                answered => return answered,
            }
        }
    }
}
