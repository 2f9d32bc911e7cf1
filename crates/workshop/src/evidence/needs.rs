//! Requirements of a lab: on the machine and its services, and settings of the server.

use std::collections::BTreeMap;

use product::config::Config;
use serde::{Deserialize, Serialize};

use super::check::ensure;

/// Requirements for the symptom to show.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<usize>,
    /// True if the symptom is one of PostgreSQL.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub postgres: bool,
    /// True if the symptom is one of Redis.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redis: bool,
    /// True if the lab calls the second service of this program.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub upstream: bool,
}

impl Needs {
    /// Reason that the symptom can't show on this machine, if there is one.
    pub fn missing(&self) -> Option<String> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = self.cores.filter(|wanted| *wanted > cores)?;
        Some(format!("needs {wanted} cores to show its symptom, and this machine has {cores}"))
    }

    /// Services that a server with these settings does not have, with the way to get each.
    pub fn missing_services(&self, config: &Config) -> Option<String> {
        let is_postgres = config.database.file().is_none();
        let redis = config.cache.redis_url();
        if self.postgres && !is_postgres {
            return Some("needs PostgreSQL: set DATABASE_URL to postgres://…".to_owned());
        }
        (self.redis && redis.is_none()).then(|| "needs Redis: set REDIS_URL".to_owned())
    }

    /// All of them, for people.
    pub fn listed(&self) -> Vec<String> {
        let cores = self.cores.map(|cores| format!("{cores} cores"));
        let services = [
            (self.postgres, "PostgreSQL"),
            (self.redis, "Redis"),
            (self.upstream, "the labs' upstream service"),
        ];
        let services = services.into_iter().filter(|(is_needed, _)| *is_needed);
        cores.into_iter().chain(services.map(|(_, name)| name.to_owned())).collect()
    }
}

/// Settings of a server for a lab, as environment variables: `DB_POOL_SIZE` and so on.
pub type Settings = BTreeMap<String, String>;

/// Variables that belong to whoever starts the server: where it listens, who may call it, and where
/// its data are.
const OF_THE_CALLER: [&str; 15] = [
    "BARE",
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "JWT_SECRET",
    "JWT_SECRET_FILE",
    "LISTEN",
    "LOG_FORMAT",
    "OPS_HOSTS",
    "OPS_LISTEN",
    "OPS_PUBLIC_URL",
    "OPS_TOKEN",
    "OPS_TOKEN_FILE",
    "REDIS_URL",
    "REDIS_URL_FILE",
    "UPSTREAM_LISTEN",
];

pub(super) fn check_settings(settings: &Settings) -> Result<(), String> {
    settings.iter().try_for_each(|(name, value)| {
        ensure(!OF_THE_CALLER.contains(&name.as_str()), || {
            "belongs to whoever starts the server; remove it".to_owned()
        })
        .and_then(|()| Config::check_variable(name, value))
        .map_err(|reason| format!("settings.{name}: {reason}"))
    })
}
