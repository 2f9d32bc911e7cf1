//! Bytes held for clients: answers that are not sent yet, bodies that are not used yet. All large
//! ones take room here, which is bounded for the process and for each connection.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use metrics::{counter, gauge};

use crate::error::Error;
use crate::metrics as names;

/// Largest body, or answer of HTTP/1, that takes no room, in bytes: most are smaller, and cost
/// nothing here. The limit on connections bounds them.
pub const SMALL: usize = 16 * 1024;

/// Divisor of the free room that one connection may hold, so that clients that read nothing leave
/// room for others, however many they are. With all of it free, one connection may hold a fifth.
const PART_OF_FREE: usize = 4;

/// Room for answers until they are written to the socket, in bytes: a hundred times the longest
/// list, and an eighth of the memory that compose.yml gives.
pub static ANSWERS: Room = Room::new(Kind::Answers, 64 * 1024 * 1024);

/// Room for bodies until their request is answered: 64 of the largest, mostly queued in /api/v1.
pub static BODIES: Room = Room::new(Kind::Bodies, 64 * 1024 * 1024);

/// Kind of held bytes; each has a room of its own.
#[derive(Clone, Copy)]
enum Kind {
    Answers,
    Bodies,
}

/// Room for bytes of one kind.
pub struct Room {
    kind: Kind,
    most: usize,
    held: AtomicUsize,
}

/// Bytes that one connection holds.
#[derive(Clone, Default)]
pub struct ConnectionBytes(Arc<OfConnection>);

#[derive(Default)]
struct OfConnection {
    answers: AtomicUsize,
    bodies: AtomicUsize,
}

/// Room that is taken until this is dropped.
pub struct Taken {
    room: &'static Room,
    connection: Option<ConnectionBytes>,
    bytes: usize,
}

impl Kind {
    /// Value of the label `of` in metrics.
    fn label(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Bodies => "bodies",
        }
    }
}

impl ConnectionBytes {
    fn held(&self, kind: Kind) -> &AtomicUsize {
        match kind {
            Kind::Answers => &self.0.answers,
            Kind::Bodies => &self.0.bodies,
        }
    }
}

impl Room {
    const fn new(kind: Kind, most: usize) -> Self {
        Self { kind, most, held: AtomicUsize::new(0) }
    }

    fn free(&self) -> usize {
        self.most.saturating_sub(self.held.load(Relaxed))
    }

    fn report(&self) {
        let kind = self.kind.label();
        gauge!(names::HELD_BYTES, "of" => kind).set(self.held.load(Relaxed) as f64);
        gauge!(names::HELD_BYTES_MAX, "of" => kind).set(self.most as f64);
        counter!(names::HELD_BYTES_REFUSED, "of" => kind).increment(0);
    }
}

impl Taken {
    pub fn nothing(room: &'static Room, connection: Option<ConnectionBytes>) -> Self {
        Self { room, connection, bytes: 0 }
    }

    /// Takes the difference to `bytes`, or nothing. False if there is no room.
    pub fn grow_to(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let has_room = self.connection_takes(more) && {
            let fits = self.room.held.fetch_add(more, Relaxed) + more <= self.room.most;
            if !fits {
                self.give_back(more);
            }
            fits
        };
        if has_room {
            self.bytes += more;
        } else {
            counter!(names::HELD_BYTES_REFUSED, "of" => self.room.kind.label()).increment(1);
        }
        has_room
    }

    fn connection_takes(&self, more: usize) -> bool {
        let Some(connection) = &self.connection else { return true };
        let held = connection.held(self.room.kind);
        let fits = held.fetch_add(more, Relaxed) + more <= self.room.free() / PART_OF_FREE;
        if !fits {
            held.fetch_sub(more, Relaxed);
        }
        fits
    }

    fn give_back(&self, bytes: usize) {
        self.room.held.fetch_sub(bytes, Relaxed);
        if let Some(connection) = &self.connection {
            connection.held(self.room.kind).fetch_sub(bytes, Relaxed);
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

/// Bytes that a request holds, on its connection. It is an extension of the request.
#[derive(Clone, Default)]
pub struct RequestBytes(Arc<OfRequest>);

#[derive(Default)]
struct OfRequest {
    connection: Option<ConnectionBytes>,
    body: Mutex<Option<Taken>>,
}

impl RequestBytes {
    pub fn on(connection: &ConnectionBytes) -> Self {
        Self(Arc::new(OfRequest { connection: Some(connection.clone()), body: Mutex::default() }))
    }

    /// Takes room for a body that has `bytes` by now. It holds the most that it had until the
    /// request is answered, because the reader of the body may keep parts of it.
    pub fn take_body(&self, bytes: usize) -> Result<(), Error> {
        // A panic while the lock was held leaves what was taken.
        let mut body = self.0.body.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Taken::nothing(&BODIES, self.0.connection.clone());
        let has_room = body.get_or_insert_with(new).grow_to(bytes);
        let refused = Error::Overloaded("more large bodies are being read than there is room for");
        has_room.then_some(()).ok_or(refused)
    }

    /// Takes room for the answer's body, which outlives the request.
    pub fn take_answer(&self, bytes: usize) -> Result<Taken, Error> {
        let mut taken = Taken::nothing(&ANSWERS, self.0.connection.clone());
        let refused =
            Error::Overloaded("more large answers wait to be read than there is room for");
        taken.grow_to(bytes).then_some(taken).ok_or(refused)
    }
}

/// Updates the gauges, before each scrape.
pub fn report() {
    ANSWERS.report();
    BODIES.report();
}

#[cfg(test)]
mod tests {
    use super::*;

    static ROOM: Room = Room::new(Kind::Bodies, 1_000);

    #[test]
    fn a_connection_gets_a_part_of_what_is_free_and_gives_back_all() {
        let connection = ConnectionBytes::default();
        let mut one = Taken::nothing(&ROOM, Some(connection.clone()));
        assert!(one.grow_to(200) && one.grow_to(100), "what is there need not be taken");
        // 800 are free, and a quarter of them is taken.
        assert!(!Taken::nothing(&ROOM, Some(connection.clone())).grow_to(1));
        assert!(!one.grow_to(201), "one that gets no more keeps what it has");
        let mut other = Taken::nothing(&ROOM, Some(ConnectionBytes::default()));
        assert!(!other.grow_to(201) && other.grow_to(200));
        let mut of_nobody = Taken::nothing(&ROOM, None);
        assert!(!of_nobody.grow_to(601) && of_nobody.grow_to(600));
        assert_eq!(ROOM.free(), 0);
        drop((one, other, of_nobody));
        assert_eq!((ROOM.free(), connection.held(Kind::Bodies).load(Relaxed)), (1_000, 0));
    }
}
