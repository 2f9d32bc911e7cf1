//! Error of a server that does not start.

/// The setting to check, and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {reason}")]
pub struct StartError {
    pub setting: String,
    pub reason: String,
}

impl StartError {
    pub fn new(setting: impl Into<String>, reason: impl ToString) -> Self {
        Self { setting: setting.into(), reason: reason.to_string() }
    }

    /// Makes the function for `map_err`.
    pub fn of<E: ToString>(setting: &str) -> impl FnOnce(E) -> Self {
        move |reason| Self::new(setting, reason)
    }
}
