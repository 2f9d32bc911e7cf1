//! One request to a variant, and what it cost.

use std::time::{Duration, SystemTime};

use super::grade::Asked;
use crate::{judge::Totals, prove::client::Client};

/// Time for an answer: slow needs some seconds, and a learner who waits longer is lost.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);

/// Interval between two looks at the totals of the process: longer than the waits of the labs.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Looks at the totals, after which they count even if they still change.
const LOOKS: usize = 20;

/// Asks a variant once.
///
/// # Errors
/// No answer, or none that could be read, in words for the learner.
pub async fn ask(client: &Client<'_>, variant: &str) -> Result<Asked, String> {
    let since = SystemTime::now();
    let answer = tokio::time::timeout(ANSWER_WITHIN, client.ask(variant)).await;
    let answer = answer
        .map_err(|_| format!("{variant} did not answer within {} s", ANSWER_WITHIN.as_secs()))??;
    let measured = client.measured(variant, since).await?;
    let numbers: super::grade::Numbers =
        measured.counters.iter().map(|(counter, figures)| (*counter, figures.max)).collect();
    if numbers.is_empty() {
        return Err(format!("the request to {variant} was not measured"));
    }
    Ok(Asked { status: answer.status, body: answer.body, numbers })
}

/// Totals of the process once its counts stand still: what a spawned task does goes on after the
/// answer.
///
/// # Errors
/// The ops port did not answer.
pub async fn settled(client: &Client<'_>) -> Result<Totals, String> {
    let mut last = client.totals().await?;
    for _ in 0..LOOKS {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = client.totals().await?;
        if now.get("queries") == last.get("queries") {
            return Ok(now);
        }
        last = now;
    }
    Ok(last)
}
