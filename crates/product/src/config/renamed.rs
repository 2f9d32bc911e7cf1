//! Variables by the names that they had before. They are still read, with a warning.

use std::env;

/// Old names, each with the new one.
const RENAMED: [(&str, &str); 2] =
    [("DISTANCE_DB", "LATENCY_DB"), ("DISTANCE_CACHE", "LATENCY_CACHE")];

/// Value under the old name of a setting, which is its default then, or else the usual default.
pub fn renamed(old: &str, default: &'static str) -> &'static str {
    // Once for each setting: the command line is read once.
    env::var(old).map_or(default, |value| Box::leak(value.into_boxed_str()))
}

/// Logs a warning for each variable that is set under its old name.
pub fn warn_of_old_names() {
    for (old, new) in RENAMED {
        if env::var_os(old).is_some() {
            tracing::warn!("{old} is now {new}; the old name will not be read for ever");
        }
    }
}
