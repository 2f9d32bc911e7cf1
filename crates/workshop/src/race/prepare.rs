//! Before a lane: accounts, the lab's data, and the wait until the app is quiet.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::time::{sleep, timeout};

use super::{
    book::millis,
    conductor::Stage,
    lane::Lane,
    neighbour::QUIET_BELOW_MS,
    plan::Mode,
    record::{Kind, LaneState},
};
use crate::request::Caller;

/// Longest wait until nothing is in flight and the neighbour is quick.
const QUIET_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Longest wait for the first request, which makes a lab's data.
const FIRST_WITHIN: Duration = Duration::from_secs(30);

/// Most accounts: each costs a password hash, and a server registers 30 of an address in a minute.
const MOST_ACCOUNTS: u32 = 20;

impl Stage<'_> {
    /// Logs the virtual users in, and sends the first request, which makes the lab's data.
    pub(super) async fn prepare(&self) -> Result<(), String> {
        let log_in = self.loaded.evidence.request.log_in;
        let accounts = if log_in { self.plan.visitors.min(MOST_ACCOUNTS) } else { 0 };
        let text = match accounts {
            0 => "the first request makes the lab's data".to_owned(),
            n => format!("{n} users log in, and the first request makes the lab's data"),
        };
        self.race.note(None, Kind::Preparing, text);
        let kept = self.kept_caller(accounts);
        let (caller, first) = match &kept {
            Some(caller) => (caller.clone(), self.first_request(caller).await),
            None => (self.new_caller(accounts).await?, Ok(())),
        };
        // Tokens of an earlier race may have expired.
        let caller = if first.is_err() { self.new_caller(accounts).await? } else { caller };
        if kept.is_none() || first.is_err() {
            self.first_request(&caller).await?;
        }
        self.lanes.iter().for_each(|lane| lane.set_caller(caller.clone()));
        Ok(())
    }

    fn kept_caller(&self, accounts: u32) -> Option<Caller> {
        let tokens = self.races.tokens(usize::try_from(accounts).unwrap_or(usize::MAX))?;
        let (http, base) = (self.http.clone(), self.races.base_url());
        Some(Caller::with_tokens(http, base, &self.loaded.evidence, tokens))
    }

    async fn new_caller(&self, accounts: u32) -> Result<Caller, String> {
        let (http, base) = (self.http.clone(), self.races.base_url());
        let caller = Caller::new(http, base, &self.loaded.evidence, accounts).await?;
        if accounts > 0 {
            self.races.keep_tokens(caller.tokens().to_vec());
        }
        Ok(caller)
    }

    async fn first_request(&self, caller: &Caller) -> Result<(), String> {
        let first = async {
            let answer = caller.request("fast", 1)?.send().await.map_err(|e| e.to_string())?;
            let status = answer.status().as_u16();
            let body = answer.text().await.map_err(|e| e.to_string())?;
            if self.loaded.evidence.answer.allows(status) {
                return Ok(());
            }
            let problem: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
            let detail = problem["detail"].as_str().unwrap_or("it has no reason");
            Err(format!("the first request, to fast, was answered with {status}: {detail}"))
        };
        let late = || format!("the first request got no answer within {FIRST_WITHIN:?}");
        timeout(FIRST_WITHIN, first).await.unwrap_or_else(|_| Err(late()))
    }

    /// Waits until the app is quiet. Every lane meets the same data, and the same faults.
    pub(super) async fn settle(&self, lanes: &[&Rc<Lane>]) -> Result<(), String> {
        self.loaded.reset_data().await.map_err(|e| e.to_string())?;
        let index = if let [lane] = lanes { Some(lane.index) } else { None };
        for lane in lanes {
            self.set_state(lane, LaneState::Settling);
        }
        let what = format!("nothing is in flight and the neighbour is below {QUIET_BELOW_MS} ms");
        self.race.note(index, Kind::Settling, format!("waits until {what}"));
        let began = Instant::now();
        let live = &self.races.around.live;
        let mut is_quiet = false;
        while !is_quiet && began.elapsed() < QUIET_WITHIN {
            sleep(LOOK_EVERY).await;
            is_quiet = live.count() == 0 && self.neighbour.is_quiet(began);
        }
        self.neighbour.forget();
        let waited = millis(began, Instant::now());
        for lane in lanes {
            self.race.change_lane(lane.index, |out| {
                out.quiet = Some(is_quiet);
                out.waited_ms = Some(waited);
            });
        }
        if is_quiet {
            return Ok(());
        }
        let text = format!("the app did not come to rest within {} s", QUIET_WITHIN.as_secs());
        if self.plan.mode == Mode::Gate {
            return Err(format!("{text}, so there is no verdict"));
        }
        self.race.note(index, Kind::NotQuiet, text);
        Ok(())
    }
}
