//! What a race is to do, as a client asks for it, and the reasons to refuse it.

use serde::Serialize;

use super::verdict;
use crate::{
    evidence::{Evidence, Profile},
    lab::LoadedLab,
};

pub const MOST_VISITORS: u32 = 50;
pub const MOST_SECONDS: u32 = 60;
const VISITORS: u32 = 10;
const SECONDS: u32 = 20;

/// Think time without one in lab.json, and its bounds, in milliseconds.
const THINK_MS: f64 = 1_000.0;
const LEAST_THINK_MS: f64 = 100.0;
const MOST_THINK_MS: f64 = 10_000.0;

/// Longest wait for answers after the end of the load, in seconds.
const MOST_GRACE: u32 = 15;

/// How the lanes share the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One after the other, with the same arrivals.
    Turns,
    /// At the same time: each is the other's neighbour.
    Both,
    /// The proof's load on each in turn, by k6's rules, with a verdict.
    Gate,
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Turns, Self::Both, Self::Gate];

    pub fn name(self) -> &'static str {
        match self {
            Self::Turns => "turns",
            Self::Both => "both",
            Self::Gate => "gate",
        }
    }
}

/// Fields of a request for a race. None is a field that was left out.
pub struct Wish {
    pub lanes: Vec<String>,
    pub mode: Mode,
    pub visitors: Option<u32>,
    pub seconds: Option<u32>,
    pub captures: Option<bool>,
}

/// Field of a wish that can't be met, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub field: &'static str,
    pub reason: String,
}

/// A race that can be run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub lanes: [String; 2],
    pub mode: Mode,
    /// Visitors, or the most users of the proof's load.
    pub visitors: u32,
    /// Duration of a lane, without the wait for its last answers.
    pub seconds: u32,
    /// Time between an answer and the same visitor's next request.
    pub think_ms: f64,
    /// Longest wait for the last answers, in seconds.
    pub grace: u32,
    /// Requests per second; None without a fixed rate.
    pub rate: Option<u32>,
    pub captures: bool,
    /// The load for people.
    pub load: String,
}

impl Plan {
    /// Checks a wish against its lab.
    ///
    /// # Errors
    /// Every field that can't be met.
    pub fn of(wish: Wish, loaded: &LoadedLab) -> Result<Self, Vec<Refused>> {
        let mut refused = Vec::new();
        let mut refuse = |field, reason| refused.push(Refused { field, reason });
        let known: Vec<_> = loaded.evidence.variants().collect();
        let lanes = match <[String; 2]>::try_from(wish.lanes) {
            Ok(lanes) => Some(lanes),
            Err(_) => {
                refuse("lanes", "two variants are needed".to_owned());
                None
            }
        };
        if let Some([a, b]) = &lanes {
            let unknown = [a, b].into_iter().find(|variant| !known.contains(&variant.as_str()));
            match unknown {
                Some(variant) => {
                    let known = known.join(", ");
                    refuse("lanes", format!("there is no variant {variant:?}; there are {known}"));
                }
                None if a == b => refuse("lanes", format!("{a} twice shows no difference")),
                None => {}
            }
        }
        if wish.mode == Mode::Gate {
            for (field, is_given) in
                [("visitors", wish.visitors.is_some()), ("seconds", wish.seconds.is_some())]
            {
                if is_given {
                    refuse(field, "the gate has lab.json's own load: leave it out".to_owned());
                }
            }
            if let Err(reason) = verdict::check(loaded) {
                refuse("mode", reason);
            }
        }
        let Some(lanes) = lanes.filter(|_| refused.is_empty()) else { return Err(refused) };
        let of_mode = match wish.mode {
            Mode::Gate => proof(lanes, &loaded.evidence, wish.captures),
            mode => {
                Ok(visit(lanes, mode, &loaded.evidence, wish.visitors, wish.seconds, wish.captures))
            }
        };
        of_mode.map_err(|reason| vec![Refused { field: "mode", reason }])
    }

    /// True if the lanes run one after the other.
    pub fn takes_turns(&self) -> bool {
        self.mode != Mode::Both
    }
}

fn visit(
    lanes: [String; 2],
    mode: Mode,
    evidence: &Evidence,
    visitors: Option<u32>,
    seconds: Option<u32>,
    captures: Option<bool>,
) -> Plan {
    let (visitors, seconds) = (visitors.unwrap_or(VISITORS), seconds.unwrap_or(SECONDS));
    let (think, grace) = match &evidence.load.stage {
        Profile::RampingVus { think_time, graceful_stop, .. } => (think_time * 1e3, *graceful_stop),
        Profile::ConstantArrivalRate { graceful_stop, .. } => (THINK_MS, *graceful_stop),
    };
    let think_ms = think.clamp(LEAST_THINK_MS, MOST_THINK_MS);
    let s = if visitors == 1 { "" } else { "s" };
    let load = format!(
        "{visitors} visitor{s} for {seconds} s, {} s between an answer and the next request",
        think_ms / 1e3
    );
    let grace = grace.clamp(1, MOST_GRACE);
    let captures = captures.unwrap_or(true);
    Plan { lanes, mode, visitors, seconds, think_ms, grace, rate: None, captures, load }
}

fn proof(lanes: [String; 2], evidence: &Evidence, captures: Option<bool>) -> Result<Plan, String> {
    let load = &evidence.load.proof;
    let Profile::ConstantArrivalRate { rate, duration, max_vus, graceful_stop, .. } = load else {
        return Err("the gate needs a proof load with a constant arrival rate".to_owned());
    };
    Ok(Plan {
        lanes,
        mode: Mode::Gate,
        visitors: *max_vus,
        seconds: *duration,
        think_ms: 0.0,
        grace: *graceful_stop,
        rate: Some(*rate),
        captures: captures.unwrap_or(false),
        load: load.in_words(),
    })
}
