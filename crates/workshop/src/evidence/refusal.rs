//! A request that every variant must refuse: a fix that is quick because it lets everybody in is none.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, Request, check::ensure, template};

/// The lab's request with another session or another body, and the status of its answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// What is wrong with it, for the end of a sentence: `without a session`.
    pub name: String,
    #[serde(default, skip_serializing_if = "Session::is_valid")]
    pub session: Session,
    /// JSON to send in place of the request's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    pub status: u16,
}

/// Access token of a request to a lab that logs in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Session {
    #[default]
    Valid,
    None,
    /// The claims of the user's own token, under a signature that is not the server's.
    Forged,
}

impl Session {
    fn is_valid(&self) -> bool {
        *self == Self::Valid
    }
}

impl Refusal {
    pub(super) fn check(&self, request: &Request, answer: &Answer) -> Result<(), String> {
        ensure(!self.name.trim().is_empty(), || {
            "name is empty; it needs words such as \"without a session\"".to_owned()
        })?;
        ensure((400..=499).contains(&self.status) && !answer.allows(self.status), || {
            format!("status {} is no refusal; 400 to 499, and no status of answer", self.status)
        })?;
        ensure(request.log_in || self.session.is_valid(), || {
            "session: the request has none to replace; it needs \"log_in\": true".to_owned()
        })?;
        ensure(self.body.is_none() || request.body.is_some(), || {
            "body: the request has none to replace".to_owned()
        })?;
        ensure(self.body.is_some() || !self.session.is_valid(), || {
            "it is the request itself; it needs another session or another body".to_owned()
        })?;
        let checked = self.body.as_ref().map_or(Ok(()), template::check_json);
        checked.map_err(|reason| format!("body: {reason}"))
    }
}
