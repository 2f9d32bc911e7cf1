//! The record of one race, which its generator writes and any number of followers read. Followers are
//! told that there is news, and take what they have not had; so a slow one holds nobody up.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::watch;

use super::record::{Kind, LaneOut, Note, RaceOut, State, Tick};

/// Ticks kept: five minutes.
const MOST_TICKS: usize = 1_200;

pub struct Race {
    pub id: u64,
    pub lab: &'static str,
    pub began: Instant,
    book: Mutex<Book>,
    news: watch::Sender<()>,
    stop: watch::Sender<bool>,
}

/// The record so far.
pub(super) struct Book {
    /// The race without its ticks.
    pub out: RaceOut,
    pub ticks: VecDeque<Arc<RawValue>>,
    /// All ticks so far, those that are no longer kept included.
    pub ticked: u64,
    /// Changes of each lane's state.
    pub changes: Vec<u64>,
}

impl Race {
    pub(super) fn new(out: RaceOut) -> Arc<Self> {
        let changes = vec![0; out.lanes.len()];
        Arc::new(Self {
            id: out.id,
            lab: out.lab,
            began: Instant::now(),
            book: Mutex::new(Book { out, ticks: VecDeque::new(), ticked: 0, changes }),
            news: watch::channel(()).0,
            stop: watch::channel(false).0,
        })
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        // A panic while the lock was held leaves fields that are whole.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    fn tell(&self) {
        self.news.send_replace(());
    }

    /// Milliseconds since its start.
    pub(super) fn at_ms(&self) -> f64 {
        millis(self.began, Instant::now())
    }

    /// The record, with or without its ticks.
    pub fn out(&self, with_ticks: bool) -> RaceOut {
        let book = self.book();
        let ticks = if with_ticks { book.ticks.iter().cloned().collect() } else { Vec::new() };
        RaceOut { ticks, ..book.out.clone() }
    }

    /// Asks for its end.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Completes once its end is asked for.
    pub(super) async fn is_stopped(&self) {
        // The sender lives as long as this.
        let _ = self.stop.subscribe().wait_for(|is_stopped| *is_stopped).await;
    }

    pub(super) fn note(&self, lane: Option<usize>, kind: Kind, text: impl Into<String>) {
        let note = Note { at_ms: self.at_ms(), lane, kind, text: text.into() };
        self.book().out.notes.push(note);
        self.tell();
    }

    /// Changes a lane, and tells followers of it.
    pub(super) fn change_lane(&self, index: usize, change: impl FnOnce(&mut LaneOut)) {
        let mut book = self.book();
        if let Some(lane) = book.out.lanes.get_mut(index) {
            change(lane);
        }
        if let Some(changes) = book.changes.get_mut(index) {
            *changes += 1;
        }
        drop(book);
        self.tell();
    }

    /// Changes the record without telling anybody: what a tick shows too.
    pub(super) fn update(&self, update: impl FnOnce(&mut RaceOut)) {
        update(&mut self.book().out);
    }

    pub(super) fn tick(&self, tick: impl FnOnce(u64) -> Tick) {
        let n = self.book().ticked;
        // Made without the lock. Only the generator's thread ticks.
        let Ok(tick) = to_raw_value(&tick(n)) else { return };
        let mut book = self.book();
        book.ticked += 1;
        book.ticks.push_back(tick.into());
        if book.ticks.len() > MOST_TICKS {
            book.ticks.pop_front();
        }
        drop(book);
        self.tell();
    }

    /// Ends the record. A second end changes nothing.
    pub(super) fn end(&self, state: State, kind: Kind, reason: Option<String>, text: &str) {
        let at_ms = self.at_ms();
        let mut book = self.book();
        if book.out.state == State::Running {
            book.out.state = state;
            book.out.reason = reason;
            book.out.notes.push(Note { at_ms, lane: None, kind, text: text.to_owned() });
        }
        drop(book);
        self.tell();
    }

    pub fn is_over(&self) -> bool {
        self.book().out.state != State::Running
    }
}

/// Milliseconds from one moment to another.
pub fn millis(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_micros() as f64 / 1e3
}
