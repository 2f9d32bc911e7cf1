//! Services for tests that the caller names. None is found in any other way, so what is proven does
//! not depend on who proves it.

use reqwest::Url;

use super::stores::{Database, RedisDatabase, Stores};
use crate::evidence::Needs;

/// Services that the caller named.
#[derive(Debug, Clone, Default)]
pub struct Services {
    pub postgres: Option<Url>,
    pub redis: Option<Url>,
    /// True if labs that do without them get them too.
    pub for_all: bool,
}

/// Parses the URL of a PostgreSQL.
///
/// # Errors
/// A text that is none.
pub fn postgres_url(text: &str) -> Result<Url, String> {
    url(text, &["postgres", "postgresql"], "postgres://user:password@127.0.0.1:5432/postgres")
}

/// Parses the URL of a Redis.
///
/// # Errors
/// A text that is none.
pub fn redis_url(text: &str) -> Result<Url, String> {
    url(text, &["redis"], "redis://127.0.0.1:6379/1")
}

fn url(text: &str, schemes: &[&str], example: &str) -> Result<Url, String> {
    let parsed = Url::parse(text).ok().filter(|url| schemes.contains(&url.scheme()));
    parsed.ok_or_else(|| format!("a URL such as {example} is needed"))
}

impl Services {
    /// Reason that a lab can't be shown with these, with the way to name what it needs.
    pub fn missing(&self, needs: Needs) -> Option<String> {
        let missing = |name, option, variable| {
            format!("needs {name}: name a server for tests with --{option} URL or {variable}")
        };
        if needs.postgres && self.postgres.is_none() {
            return Some(missing("PostgreSQL", "postgres", "PROVE_POSTGRES_URL"));
        }
        let is_missing = needs.redis && self.redis.is_none();
        is_missing.then(|| missing("Redis", "redis", "PROVE_REDIS_URL"))
    }

    /// Makes the stores of one server for a lab with these needs.
    ///
    /// # Errors
    /// A service that is needed and not named, that does not answer, or that refuses.
    pub async fn stores(&self, needs: Needs) -> Result<Stores, String> {
        self.missing(needs).map_or(Ok(()), Err)?;
        let postgres = self.postgres.as_ref().filter(|_| needs.postgres || self.for_all);
        let database = match postgres {
            Some(server) => Some(Database::make(server).await.map_err(of("--postgres"))?),
            None => None,
        };
        let redis = match self.redis.as_ref().filter(|_| needs.redis || self.for_all) {
            Some(url) => Some(RedisDatabase::empty(url).await.map_err(of("--redis"))?),
            None => None,
        };
        Ok(Stores::on(database, redis))
    }
}

fn of(option: &str) -> impl Fn(String) -> String {
    move |reason| format!("the server of {option}: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(postgres: bool, redis: bool) -> Needs {
        Needs { postgres, redis, ..Needs::default() }
    }

    #[tokio::test]
    async fn what_a_lab_needs_and_nobody_named_is_missing_with_its_option() {
        let none = Services::default();
        let error = none.stores(needs(true, true)).await.unwrap_err();
        assert_eq!(
            error,
            "needs PostgreSQL: name a server for tests with --postgres URL or PROVE_POSTGRES_URL"
        );
        let postgres = Some(postgres_url("postgresql://127.0.0.1:1/x").unwrap());
        let one = Services { postgres, ..Services::default() };
        let error = one.missing(needs(true, true)).unwrap();
        assert!(error.starts_with("needs Redis: ") && error.contains("PROVE_REDIS_URL"), "{error}");
        assert_eq!(one.missing(needs(true, false)), None);
        // Named, but not for a lab that does without it.
        let stores = one.stores(needs(false, false)).await.unwrap();
        assert_eq!((stores.in_words().as_str(), stores.database_url()), ("SQLite", None));
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_is_an_error_that_names_its_option() {
        let services = Services {
            postgres: Some(postgres_url("postgres://a:secret@127.0.0.1:1/x").unwrap()),
            redis: Some(redis_url("redis://127.0.0.1:1").unwrap()),
            for_all: true,
        };
        let error = services.stores(Needs::default()).await.unwrap_err();
        assert!(error.starts_with("the server of --postgres: "), "{error}");
        assert!(!error.contains("secret"), "{error}");
        let services = Services { postgres: None, ..services };
        let error = services.stores(Needs::default()).await.unwrap_err();
        assert!(error.starts_with("the server of --redis: "), "{error}");
    }

    #[test]
    fn other_urls_are_refused_with_an_example() {
        for text in ["", "127.0.0.1", "mysql://127.0.0.1", "redis://127.0.0.1"] {
            assert!(postgres_url(text).unwrap_err().contains("postgres://user:"), "{text}");
        }
        assert!(
            redis_url("postgres://127.0.0.1").unwrap_err().contains("redis://127.0.0.1:6379/1")
        );
    }
}
