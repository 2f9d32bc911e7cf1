//! Phases of a run: how long the upstream is up, and how long it is down.
//!
//! They are counted in visits. Counted in calls, an outage would be over sooner for a client that
//! repeats its calls; in seconds, it would be another one on every machine.

use super::visits::Call;

/// Phase of so many visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Calls are answered, except for the errors and stalls of the run.
    Up(u64),
    /// The first call of each visit fails, and no other: repeating it once helps.
    Stumbles(u64),
    /// Every call fails.
    Down(u64),
}

impl Phase {
    fn visits(self) -> u64 {
        match self {
            Self::Up(visits) | Self::Stumbles(visits) | Self::Down(visits) => visits,
        }
    }

    fn fails(self, call: Call) -> bool {
        match self {
            Self::Up(_) => false,
            Self::Stumbles(_) => call.number == 0,
            Self::Down(_) => true,
        }
    }
}

/// True if a call fails in its phase. After the last phase comes the first again; without phases
/// the service is up.
pub fn fail(phases: &[Phase], call: Call) -> bool {
    let all: u64 = phases.iter().map(|phase| phase.visits()).sum();
    let Some(mut visit) = call.visit.checked_rem(all) else { return false };
    for phase in phases {
        match visit.checked_sub(phase.visits()) {
            Some(later) => visit = later,
            None => return phase.fails(call),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_lasts_so_many_visits_however_many_calls_each_makes() {
        let phases = [Phase::Down(1), Phase::Stumbles(1), Phase::Up(2), Phase::Down(2)];
        let failing = |number| -> Vec<u64> {
            (0..12).filter(|visit| fail(&phases, Call { visit: *visit, number })).collect()
        };
        assert_eq!(failing(0), [0, 1, 4, 5, 6, 7, 10, 11]);
        assert_eq!(failing(1), [0, 4, 5, 6, 10, 11]);
        assert_eq!(failing(24), failing(1));
    }

    #[test]
    fn without_phases_it_is_up() {
        assert!(!fail(&[], Call { visit: 7, number: 0 }));
        assert!(!fail(&[Phase::Down(0)], Call { visit: 7, number: 0 }));
    }
}
