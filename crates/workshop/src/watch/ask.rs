//! One request to a variant, and what it cost.

use std::time::{Duration, SystemTime};

use super::grade::Asked;
use crate::prove::client::{Answer, Client};

/// Time for an answer: slow needs some seconds, and a learner who waits longer is lost.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);

/// Asks a variant once.
///
/// # Errors
/// No answer, or none that could be read, in words for the learner.
pub async fn ask(client: &Client<'_>, variant: &str) -> Result<Asked, String> {
    let since = SystemTime::now();
    let answer = tokio::time::timeout(ANSWER_WITHIN, client.ask(variant)).await;
    let Answer { status, body, .. } = answer
        .map_err(|_| format!("{variant} did not answer within {} s", ANSWER_WITHIN.as_secs()))??;
    let summary = client.measured(variant, since).await?;
    if summary.count == 0 {
        return Err(format!("{variant} was not measured; status {status}: {body}"));
    }
    Ok(Asked { status, body, summary })
}
