//! One lane on the generator's thread: it sends the lab's request to its variant, and keeps the log.

use std::{
    cell::{Cell, OnceCell, RefCell},
    time::{Instant, SystemTime},
};

use axum::body::Bytes;
use observe::request_id::TRACE_ID;

use super::{
    log::Log,
    record::{LaneState, LaneTick, ServerNow},
    samples::{Samples, Seen},
};
use crate::{lab::LoadedLab, request::Caller};

pub struct Lane {
    pub index: usize,
    pub variant: String,
    pub route: String,
    pub state: Cell<LaneState>,
    pub started: Cell<Option<SystemTime>>,
    pub log: RefCell<Log>,
    /// Samples for a verdict; None if there will be none.
    pub samples: Option<RefCell<Samples>>,
    /// Set before the first request.
    caller: OnceCell<Caller>,
    /// First reason of a request without an answer.
    trouble: RefCell<Option<String>>,
}

struct Answered {
    status: u16,
    trace_id: String,
    server_timing: Option<String>,
    body: Bytes,
}

impl Lane {
    pub fn new(
        index: usize,
        loaded: &LoadedLab,
        variant: &str,
        race_began: Instant,
        is_judged: bool,
    ) -> Self {
        Self {
            index,
            variant: variant.to_owned(),
            route: loaded.evidence.route(variant),
            state: Cell::new(LaneState::Waiting),
            started: Cell::new(None),
            log: RefCell::new(Log::new(loaded.evidence.answer.clone(), race_began)),
            samples: is_judged.then(|| RefCell::new(Samples::of(loaded))),
            caller: OnceCell::new(),
            trouble: RefCell::default(),
        }
    }

    pub fn set_caller(&self, caller: Caller) {
        // The first one stays; there is only one.
        let _ = self.caller.set(caller);
    }

    /// Sends one request as this user, from 0 on, and waits for its answer. Users share accounts if
    /// there are more of them.
    pub async fn ask(&self, user: u32) {
        let Some(caller) = self.caller.get() else { return };
        let accounts = u32::try_from(caller.tokens().len()).unwrap_or(u32::MAX);
        let user = 1 + user.checked_rem(accounts).unwrap_or(user);
        let (number, _) = self.log.borrow_mut().sends();
        match asked(caller, &self.variant, user).await {
            Ok(answered) => {
                let Answered { status, trace_id, server_timing, body } = answered;
                let ms = self.log.borrow_mut().answered(number, status, &trace_id);
                let server_timing = server_timing.as_deref();
                self.sample(ms, |ms| Seen { status, ms, server_timing, body: &body });
            }
            Err(reason) => {
                self.trouble.borrow_mut().get_or_insert(reason);
                let ms = self.log.borrow_mut().failed(number);
                self.sample(ms, |ms| Seen { status: 0, ms, server_timing: None, body: &[] });
            }
        }
    }

    fn sample<'a>(&self, ms: Option<f64>, seen: impl FnOnce(f64) -> Seen<'a>) {
        if let (Some(samples), Some(ms)) = (&self.samples, ms) {
            samples.borrow_mut().add(&seen(ms));
        }
    }

    /// Counts a request for which there was no user.
    pub fn drop_one(&self) {
        self.log.borrow_mut().dropped();
        if let Some(samples) = &self.samples {
            samples.borrow_mut().dropped += 1;
        }
    }

    pub fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    pub fn tick(&self, server: ServerNow) -> LaneTick {
        let mut log = self.log.borrow_mut();
        let now = log.now();
        let last = log.take_last().into_iter().collect();
        let requests = log.requests();
        LaneTick {
            variant: self.variant.clone(),
            state: self.state.get(),
            sent: requests.sent,
            answered: requests.answered,
            failed: requests.failed,
            dropped: requests.dropped,
            in_flight: now.in_flight,
            oldest_ms: now.oldest_ms,
            p50_ms: now.p50_ms,
            p95_ms: now.p95_ms,
            last,
            server,
        }
    }
}

async fn asked(caller: &Caller, variant: &str, user: u32) -> Result<Answered, String> {
    let answer = caller.request(variant, user)?.send().await.map_err(|e| e.to_string())?;
    let header = |name: &str| {
        let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let (status, server_timing) = (answer.status().as_u16(), header("server-timing"));
    let trace_id = header(TRACE_ID.as_str()).unwrap_or_default();
    let body = answer.bytes().await.map_err(|e| e.to_string())?;
    Ok(Answered { status, trace_id, server_timing, body })
}
