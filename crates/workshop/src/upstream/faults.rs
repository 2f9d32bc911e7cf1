//! Faults of the upstream, for one caller. Phases say when it is down, and a seed draws which other
//! requests fail, so a run can be repeated, and its counts are exact on every machine.

use std::time::Duration;

use axum::http::StatusCode;

use super::{
    phases::{self, Phase},
    visits::Call,
};

/// Distance of the upstream without any fault.
pub const DISTANCE: Duration = Duration::from_millis(20);

/// Requests of which a share is exact: the faults of each such block are shuffled anew.
const BLOCK: u64 = 100;

/// Faults of a run. The default is a healthy service 20 ms away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    pub seed: u64,
    /// Time from the arrival of a request to its answer, also if that is an error.
    pub latency: Duration,
    /// Requests in 100 that are answered with 500 or 503, half of them each.
    pub errors: u8,
    /// Requests in 100 that are accepted and not answered, until the longest stall is over.
    pub stalls: u8,
    /// Most connections; a request on any other gets 503 and its connection is closed.
    pub connections: Option<u64>,
    /// Outages, and the times between them. What an outage spares has the faults above.
    pub phases: &'static [Phase],
}

/// End of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Answered,
    Failed(StatusCode),
    Stalled,
}

impl Default for Faults {
    fn default() -> Self {
        Self { seed: 0, latency: DISTANCE, errors: 0, stalls: 0, connections: None, phases: &[] }
    }
}

impl Faults {
    /// Fate of a request of the run, by its number from 0, and by its place among the visits.
    pub fn fate_in(&self, call: Call, number: u64) -> Fate {
        match phases::fail(self.phases, call) {
            true => failed(self.drawn(number)),
            false => self.fate(number),
        }
    }

    /// Fate of a request of the run, by its number from 0, while the service is up.
    pub fn fate(&self, number: u64) -> Fate {
        if self.errors == 0 && self.stalls == 0 {
            return Fate::Answered;
        }
        match self.drawn(number) {
            draw if draw < self.errors => failed(draw),
            draw if draw < self.errors.saturating_add(self.stalls) => Fate::Stalled,
            _ => Fate::Answered,
        }
    }

    /// Number from 0 to 99, each once in a block of 100 requests.
    fn drawn(&self, number: u64) -> u8 {
        let (block, place) = (number / BLOCK, number % BLOCK);
        let mut draws: Vec<u8> = (0..=99).collect();
        // An odd factor keeps blocks and seeds apart.
        let seed = self.seed ^ block.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        fastrand::Rng::with_seed(seed).shuffle(&mut draws);
        usize::try_from(place).ok().and_then(|place| draws.get(place).copied()).unwrap_or(0)
    }
}

/// A failure as services have them, half of them each.
fn failed(draw: u8) -> Fate {
    Fate::Failed(match draw % 2 {
        0 => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(faults: &Faults, numbers: std::ops::Range<u64>) -> Vec<Fate> {
        numbers.map(|number| faults.fate(number)).collect()
    }

    #[test]
    fn each_hundred_requests_have_exactly_their_share() {
        let faults = Faults { seed: 7, errors: 31, stalls: 10, ..Faults::default() };
        for block in 0..20 {
            let fates = fates(&faults, block * 100..(block + 1) * 100);
            let count = |wanted| fates.iter().filter(|fate| **fate == wanted).count();
            assert_eq!(count(Fate::Failed(StatusCode::INTERNAL_SERVER_ERROR)), 16);
            assert_eq!(count(Fate::Failed(StatusCode::SERVICE_UNAVAILABLE)), 15);
            assert_eq!((count(Fate::Stalled), count(Fate::Answered)), (10, 59));
        }
    }

    #[test]
    fn a_seed_repeats_its_run_and_another_does_not() {
        let of_seed = |seed| Faults { seed, errors: 50, ..Faults::default() };
        let run = |seed| fates(&of_seed(seed), 0..200);
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        // Nor does one block repeat the other.
        assert_ne!(run(1)[..100], run(1)[100..]);
    }

    #[test]
    fn all_or_none_is_possible() {
        let all = Faults { errors: 100, ..Faults::default() };
        assert!(fates(&all, 0..300).iter().all(|fate| matches!(fate, Fate::Failed(_))));
        let stuck = Faults { stalls: 100, ..Faults::default() };
        assert!(fates(&stuck, 0..300).iter().all(|fate| *fate == Fate::Stalled));
        assert!(fates(&Faults::default(), 0..300).iter().all(|fate| *fate == Fate::Answered));
    }
}
