//! The requests to a variant, and what they cost: one, or as many as it takes to see each status.

use std::time::{Duration, SystemTime};

use super::grade::Asked;
use crate::prove::client::{Answer, Client};

/// Time for an answer: slow needs some seconds, and a learner who waits longer is lost.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);

/// Asks a variant as often as answers are compared.
///
/// # Errors
/// No answer, or none that could be read, in words for the learner.
pub async fn ask(client: &Client<'_>, variant: &str, requests: usize) -> Result<Asked, String> {
    let since = SystemTime::now();
    let mut answers = Vec::new();
    for _ in 0..requests {
        let answer = tokio::time::timeout(ANSWER_WITHIN, client.ask(variant)).await;
        let late = |_| format!("{variant} did not answer within {} s", ANSWER_WITHIN.as_secs());
        let Answer { status, body, .. } = answer.map_err(late)??;
        answers.push((status, body));
    }
    let summary = client.measured(variant, since).await?;
    if summary.count == 0 {
        let said = answers.iter().map(|(status, body)| format!("status {status}: {body}"));
        let said = said.collect::<Vec<_>>().join("; ");
        return Err(format!("{variant} was not measured; {said}"));
    }
    Ok(Asked { answers, summary })
}
