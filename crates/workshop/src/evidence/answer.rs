//! A right answer: its status, and how much of it variants must have in common.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::ensure;

/// Error of a sum of shares: 0.7, 0.2 and 0.1 are a little less than 1.
const ROUNDING: f64 = 1e-9;

/// Answers that are right. Any other status is a failure.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Statuses, each with its share of a run's answers.
    pub statuses: BTreeMap<u16, Share>,
    /// Fields of the JSON, at any depth, whose values may differ between variants.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub may_differ: BTreeSet<String>,
    /// Requests from a fresh start whose answers are compared: enough to show each status.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub requests: usize,
}

/// Most requests whose answers are compared: a learner waits for all of them after each save.
const MOST_COMPARED: usize = 20;

fn one() -> usize {
    1
}

fn is_one(requests: &usize) -> bool {
    *requests == 1
}

/// Share of the answers, 0 to 1. One end may be open.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl Answer {
    /// True if an answer may have this status.
    pub fn allows(&self, status: u16) -> bool {
        self.statuses.contains_key(&status)
    }

    /// The statuses for people: `200 or 503`.
    pub fn allowed(&self) -> String {
        self.statuses.keys().map(u16::to_string).collect::<Vec<_>>().join(" or ")
    }

    /// Thresholds that k6 adds to those of the gate, as `metric: expression`. A status that is the
    /// only one needs none: the checks demand it of every answer.
    pub fn thresholds(&self) -> impl Iterator<Item = String> {
        let shared = self.statuses.iter().filter(|_| self.statuses.len() > 1);
        shared.flat_map(|(status, share)| {
            let ends = [(">=", share.min), ("<=", share.max)];
            ends.into_iter().filter_map(move |(sign, end)| {
                end.map(|end| format!("status_{status}: rate{sign}{end}"))
            })
        })
    }

    /// The JSON without the values that may differ, so that answers of variants can be compared.
    pub fn comparable(&self, mut json: Value) -> Value {
        self.blank(&mut json);
        json
    }

    fn blank(&self, json: &mut Value) {
        match json {
            Value::Array(items) => items.iter_mut().for_each(|item| self.blank(item)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    if self.may_differ.contains(name) {
                        *value = Value::Null;
                    } else {
                        self.blank(value);
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let key = "answer.statuses";
        for (status, share) in &self.statuses {
            ensure((200..=599).contains(status), || {
                format!("{key}.{status}: a status of an answer is 200 to 599")
            })?;
            share.check().map_err(|reason| format!("{key}.{status}: {reason}"))?;
        }
        let least: f64 = self.statuses.values().filter_map(|share| share.min).sum();
        ensure(least > 0.0, || {
            format!(
                "{key}: no status has a min, so no answer is needed; give the right one its share"
            )
        })?;
        ensure(least <= 1.0 + ROUNDING, || {
            format!("{key}: the mins are {least} together, and may be 1")
        })?;
        let most: f64 = self.statuses.values().map(|share| share.max.unwrap_or(1.0)).sum();
        ensure(most >= 1.0 - ROUNDING, || {
            format!("{key}: the maxes are {most} together, and every run has 1; raise one")
        })?;
        let mut all = self.statuses.iter();
        if let (Some((status, share)), None) = (all.next(), all.next()) {
            ensure(*share == Share { min: Some(1.0), max: None }, || {
                format!("{key}.{status}: it is the only status, so {{ \"min\": 1 }} is right")
            })?;
        }
        ensure((1..=MOST_COMPARED).contains(&self.requests), || {
            format!("answer.requests is {}; 1 to {MOST_COMPARED} are compared", self.requests)
        })?;
        ensure(self.may_differ.iter().all(|name| !name.is_empty()), || {
            "answer.may_differ: a field has no name".to_owned()
        })
    }
}

impl Share {
    fn check(self) -> Result<(), String> {
        ensure(self.min.is_some() || self.max.is_some(), || {
            "a share needs min or max, from 0 to 1".to_owned()
        })?;
        let (min, max) = (self.min.unwrap_or(0.0), self.max.unwrap_or(1.0));
        ensure((0.0..=1.0).contains(&min) && (min..=1.0).contains(&max), || {
            format!("{min} to {max} is impossible; a share is from 0 to 1")
        })?;
        ensure(min > 0.0 || max < 1.0, || {
            format!("every share is in {min} to {max}; raise min or lower max")
        })
    }
}
