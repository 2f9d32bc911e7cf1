//! Last captures, bounded by number and by bytes: the oldest go first, and are counted.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use axum::body::Bytes;
use serde::{Serialize, Serializer};

use super::{FrameReader, Mode, Recorded};
use crate::{error::Error, labels::Labels};

/// Most captures kept: a workshop's afternoon. One is 10 to 100 KB.
const MAX_CAPTURES: usize = 100;
const MAX_BYTES: usize = 16 * 1024 * 1024;

#[derive(Serialize)]
pub struct Capture {
    pub id: u64,
    pub mode: Mode,
    #[serde(flatten)]
    pub labels: Labels,
    #[serde(serialize_with = "rfc3339")]
    pub started: SystemTime,
    pub seconds: f64,
    pub total: u64,
    pub unit: &'static str,
    /// Bytes of the packed profile.
    pub bytes: usize,
    #[serde(skip)]
    pub packed: Bytes,
    #[serde(skip)]
    pub explained: String,
}

fn rfc3339<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&humantime::format_rfc3339_nanos(*time))
}

impl Capture {
    pub fn ended(&self) -> SystemTime {
        self.started + Duration::from_secs_f64(self.seconds)
    }
}

#[derive(Default)]
pub struct Captures(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    captures: VecDeque<Arc<Capture>>,
    /// Id of the newest capture: the count of all since the start.
    last_id: u64,
}

/// Kept captures, newest first, and the number of older ones that are gone.
#[derive(Serialize)]
pub struct List {
    pub captures: Vec<Arc<Capture>>,
    pub kept: usize,
    pub forgotten: u64,
}

impl Captures {
    pub fn keep(
        &self,
        mode: Mode,
        labels: Labels,
        recorded: Recorded,
    ) -> Result<Arc<Capture>, Error> {
        let Recorded { started, seconds, packed, explained } = recorded;
        let total = FrameReader::new(&packed).map_err(Error::internal)?.total();
        let mut kept = self.lock();
        kept.last_id += 1;
        let capture = Arc::new(Capture {
            id: kept.last_id,
            mode,
            labels,
            started,
            seconds,
            total,
            unit: mode.unit(),
            bytes: packed.len(),
            packed,
            explained,
        });
        kept.captures.push_back(capture.clone());
        let is_full = |kept: &Kept| {
            let bytes: usize = kept.captures.iter().map(|capture| capture.bytes).sum();
            kept.captures.len() > MAX_CAPTURES || bytes > MAX_BYTES
        };
        while is_full(&kept) {
            kept.captures.pop_front();
        }
        Ok(capture)
    }

    pub fn get(&self, id: u64) -> Option<Arc<Capture>> {
        self.lock().captures.iter().find(|capture| capture.id == id).cloned()
    }

    pub fn list(&self, is_wanted: impl Fn(&Capture) -> bool) -> List {
        let kept = self.lock();
        List {
            captures: kept.captures.iter().rev().filter(|c| is_wanted(c)).cloned().collect(),
            kept: kept.captures.len(),
            forgotten: kept.last_id - kept.captures.len() as u64,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(captures: &Captures, bytes: usize) -> u64 {
        // gzip allows zeros after its end, so a small profile can be made as long as wanted.
        let mut packed =
            super::super::encode::pack(&pprof::protos::Profile::default()).unwrap().to_vec();
        packed.resize(bytes.max(packed.len()), 0);
        let (started, explained) = (SystemTime::UNIX_EPOCH, String::new());
        let recorded = Recorded { started, seconds: 1.0, packed: packed.into(), explained };
        captures.keep(Mode::Cpu, Labels::default(), recorded).unwrap().id
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_and_are_counted() {
        let captures = Captures::default();
        for _ in 0..MAX_CAPTURES + 3 {
            keep(&captures, 0);
        }
        let list = captures.list(|_| true);
        assert_eq!((list.kept, list.forgotten), (MAX_CAPTURES, 3));
        assert_eq!(list.captures[0].id, MAX_CAPTURES as u64 + 3);
        assert!(captures.get(3).is_none() && captures.get(4).is_some());
    }

    #[test]
    fn the_oldest_go_when_they_take_too_many_bytes() {
        let captures = Captures::default();
        let first = keep(&captures, MAX_BYTES / 2);
        let second = keep(&captures, MAX_BYTES / 2);
        assert!(captures.get(first).is_some() && captures.get(second).is_some());
        let third = keep(&captures, 1000);
        assert!(captures.get(first).is_none() && captures.get(third).is_some());
        assert_eq!(captures.list(|_| true).forgotten, 1);
    }
}
