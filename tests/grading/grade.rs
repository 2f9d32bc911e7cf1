//! Grades a solution as `prove --yours` does, on a real server, but for what needs k6: the answers,
//! before and after a change of the rows, the refusals, and every count.

use std::{
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use axum::routing::MethodRouter;
use observe::cost::Counter;
use product::api::state::SharedState;
use reqwest::Method;
use serde_json::Value;
use workshop::{
    Handlers, Lab, Labs, LoadedLab,
    evidence::Evidence,
    judge::{
        self, Totals, answers,
        bounds::{self, Measured},
    },
    prove::changed_rows,
    request::Caller,
};

use crate::support::TestApp;

/// Totals are those of the process, so one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Requests of the load. More would make no difference to a count.
const REQUESTS: u64 = 10;
/// The same for a mean.
const REQUESTS_FOR_A_MEAN: u64 = 100;

/// Answer that is made once; a cheat of its own in each lab.
pub type Constant = OnceLock<Value>;

/// Fails as `prove --yours` would; nothing if the solution is right.
pub fn grade(lab: Lab) -> Vec<String> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let lab: &'static Lab = Box::leak(Box::new(lab));
    let labs = || Labs::load(&[lab]).unwrap();
    let app = TestApp::start_with_labs(labs());
    let (id, labs) = (lab.id, labs());
    let loaded = labs.get(id).unwrap();
    let evidence = &loaded.evidence;
    app.run(async {
        let mut failures = parity(&app, loaded).await;
        changed_rows::change(&app.db().await, lab).await.unwrap();
        let changed = parity(&app, loaded).await.into_iter();
        failures.extend(changed.map(|f| format!("after a change of the rows, {f}")));

        // It logs in now, if the lab needs that: the totals below are those of the load alone.
        let caller = Caller::new(app.http.clone(), app.url(), evidence, 1).await.unwrap();
        for refusal in &evidence.refusals {
            let answer = caller.refused("yours", 1, refusal).unwrap().send().await.unwrap();
            failures.extend(answers::refused("yours", refusal, answer.status().as_u16()));
        }
        app.ops(Method::POST, &format!("/labs/{id}/reset")).send().await.unwrap();
        let bounds = counts(evidence);
        let needs_load = bounds.iter().any(bounds::Bound::needs_load);
        let requests = if needs_load { REQUESTS_FOR_A_MEAN } else { REQUESTS };
        let before = at_rest(&app).await;
        for _ in 0..requests {
            let answer = caller.request("yours", 1).unwrap().send().await;
            answer.unwrap().bytes().await.unwrap();
        }
        let totals = judge::difference(&before, &at_rest(&app).await);
        let summary = app.measured(id, "yours").await;
        let measured = Measured { summary: &summary, totals: &totals, requests };
        failures.extend(bounds::grade(evidence, &bounds, &measured));
        failures
    })
}

/// Bounds on counts: a time says nothing on a machine that runs other tests.
fn counts(evidence: &Evidence) -> Vec<bounds::Bound> {
    let is_count = |bound: &bounds::Bound| {
        use Counter::{
            AllocatedBytes, Hashes, LogBytes, LogLines, Own, Queries, Rows, Switches, UpstreamCalls,
        };
        matches!(
            bound.counter,
            AllocatedBytes
                | Hashes
                | LogBytes
                | LogLines
                | Own(_)
                | Queries
                | Rows
                | Switches
                | UpstreamCalls
        )
    };
    bounds::of(evidence).into_iter().filter(is_count).collect()
}

async fn parity(app: &TestApp, loaded: &LoadedLab) -> Vec<String> {
    let right = &loaded.evidence.answer;
    let mut failures = Vec::new();
    for _ in 0..right.requests {
        let mut bodies = Vec::new();
        for variant in ["fast", "yours"] {
            let answer = app.ask(loaded, variant).await;
            assert!(right.allows(answer.status().as_u16()), "{variant}: {}", answer.status());
            bodies.push(right.comparable(answer.json().await.unwrap()));
        }
        failures.extend(answers::difference(&bodies[0], &bodies[1]));
    }
    failures
}

async fn totals(app: &TestApp) -> Totals {
    app.get_ops("/debug/totals").await.json().await.unwrap()
}

/// Totals once no more work is done.
async fn at_rest(app: &TestApp) -> Totals {
    let mut before = totals(app).await;
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let after = totals(app).await;
        if judge::is_at_rest(&before, &after) {
            return after;
        }
        before = after;
    }
}

/// Handlers of a lab with another yours.
pub fn with_yours(of: &Lab, state: &SharedState, yours: MethodRouter<SharedState>) -> Handlers {
    Handlers { yours, ..(of.handlers)(state) }
}

/// Handlers of a lab with one of its wrong fixes as yours.
pub fn wrong_as_yours(of: &Lab, state: &SharedState, name: &str) -> Handlers {
    let handlers = (of.handlers)(state);
    let (_, wrong) = handlers.wrong.iter().find(|(known, _)| *known == name).unwrap();
    Handlers { yours: wrong.clone(), ..handlers }
}

/// Checks that a cheat is refused, and that the refusal says so.
#[track_caller]
pub fn assert_refused(failures: &[String], words: &str) {
    assert!(failures.iter().any(|failure| failure.contains(words)), "{failures:#?}");
}

/// Checks that a lab's yours is refused by this one number, and by no other.
#[track_caller]
pub fn assert_refused_by_one(lab: Lab, words: &str) {
    let failures = grade(lab);
    assert_refused(&failures, words);
    assert_eq!(failures.iter().filter(|f| f.contains("at most")).count(), 1, "{failures:#?}");
}
