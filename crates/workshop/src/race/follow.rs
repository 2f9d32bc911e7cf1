//! One follower of a lab's races: what it has had, and what comes next.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use serde::Serialize;
use tokio::sync::watch;

use super::{
    book::Race,
    races::{Races, Scene},
    record::{LaneOut, State},
};

/// Most followers: ops has some sixty connections, and its pages need some of them.
const MOST: usize = 40;

/// Event for a follower.
pub struct Message {
    pub event: &'static str,
    /// JSON.
    pub data: String,
    /// Id of the race that has ended.
    pub id: Option<u64>,
}

/// Follows the races of one lab until one of them has ended.
pub struct Follower {
    lab: &'static str,
    scene: watch::Receiver<Scene>,
    /// Newest race that had ended before.
    after: u64,
    following: Option<Following>,
    next: VecDeque<Message>,
    has_ended: bool,
    _place: Place,
}

struct Following {
    race: Arc<Race>,
    news: watch::Receiver<()>,
    /// Ticks, notes and changes of lanes that it has had.
    ticks: u64,
    notes: usize,
    changes: Vec<u64>,
}

/// Place among the followers.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[derive(Serialize)]
struct LaneEvent<'a> {
    index: usize,
    lane: &'a LaneOut,
}

fn message(event: &'static str, data: &impl Serialize) -> Message {
    // The records have no map whose keys are not texts or numbers, so this can't fail.
    Message { event, data: serde_json::to_string(data).unwrap_or_default(), id: None }
}

impl Races {
    /// Follows a lab's races; None if there are too many followers.
    pub fn follow(&self, lab: &'static str) -> Option<Follower> {
        let place = Place(self.followers().clone());
        if place.0.fetch_add(1, SeqCst) >= MOST {
            return None;
        }
        let scene = self.scene();
        let after = {
            let scene = scene.borrow();
            let ended = scene.race.as_ref().filter(|_| !scene.is_running);
            ended.map_or(0, |race| race.id)
        };
        let (following, next, has_ended) = (None, VecDeque::new(), false);
        Some(Follower { lab, scene, after, following, next, has_ended, _place: place })
    }
}

impl Follower {
    /// The next event; None after the end of a race, and when the server stops.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.next.pop_front() {
                return Some(message);
            }
            if self.has_ended {
                return None;
            }
            match &mut self.following {
                Some(following) => {
                    // Its sender lives in the race, which this holds.
                    let _ = following.news.changed().await;
                    self.has_ended = following.take_news(&mut self.next);
                }
                None => self.wait_for_race().await,
            }
        }
    }

    async fn wait_for_race(&mut self) {
        let (lab, after) = (self.lab, self.after);
        let is_wanted = |race: &&Arc<Race>| race.lab == lab && race.id > after;
        let wanted = |scene: &Scene| scene.race.as_ref().filter(is_wanted).cloned();
        let scene = self.scene.wait_for(|scene| scene.is_closed || wanted(scene).is_some()).await;
        let race = scene.ok().and_then(|scene| wanted(&scene));
        let Some(race) = race else {
            self.has_ended = true;
            return;
        };
        let mut following = Following::begin(race, &mut self.next);
        self.has_ended = following.take_news(&mut self.next);
        self.following = Some(following);
    }
}

impl Following {
    /// Begins with the record as it is, and the ticks so far.
    fn begin(race: Arc<Race>, next: &mut VecDeque<Message>) -> Self {
        let news = race.news();
        let book = race.book();
        next.push_back(message("race", &book.out));
        next.push_back(message("ticks", &book.ticks));
        let (ticks, notes) = (book.ticked, book.out.notes.len());
        let changes = book.changes.clone();
        drop(book);
        Self { race, news, ticks, notes, changes }
    }

    /// Takes what is new, and only the newest of the ticks. True if the race has ended.
    fn take_news(&mut self, next: &mut VecDeque<Message>) -> bool {
        let book = self.race.book();
        for note in book.out.notes.iter().skip(self.notes) {
            next.push_back(message("note", note));
        }
        self.notes = book.out.notes.len();
        for (index, (had, changes)) in self.changes.iter_mut().zip(&book.changes).enumerate() {
            if let Some(lane) = book.out.lanes.get(index).filter(|_| had != changes) {
                next.push_back(message("lane", &LaneEvent { index, lane }));
            }
            *had = *changes;
        }
        if let Some(tick) = book.ticks.back().filter(|_| self.ticks < book.ticked) {
            next.push_back(Message { event: "tick", data: tick.get().to_owned(), id: None });
        }
        self.ticks = book.ticked;
        let has_ended = book.out.state != State::Running;
        if has_ended {
            next.push_back(Message { id: Some(self.race.id), ..message("end", &book.out) });
        }
        has_ended
    }
}
