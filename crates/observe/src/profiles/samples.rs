//! Samples of a signal handler: stacks and their counts, in memory that was allocated before,
//! because a handler must not allocate.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Most frames kept of a stack: the innermost ones.
const MAX_DEPTH: usize = 128;

/// Most different stacks; two minutes of a busy server have a few thousand.
const MAX_STACKS: usize = 1 << 14;

/// Most frames of all stacks, 16 MiB. A page that is never written takes no memory.
const MAX_FRAMES: usize = 1 << 20;

/// Size of the hash table: twice the stacks, so that a free slot is near.
const SLOTS: usize = MAX_STACKS * 2;

/// Thread name as the system stores it: unused bytes are 0.
pub type ThreadName = [u8; 16];

#[derive(Clone, Copy)]
pub struct Frame {
    pub ip: usize,
    /// Address of its function: two places in one function are one stack.
    pub function: usize,
}

struct Stack {
    hash: u64,
    thread: ThreadName,
    first: usize,
    depth: usize,
    count: u64,
}

pub struct Samples {
    stacks: Vec<Stack>,
    frames: Vec<Frame>,
    /// Hash table: 0, or the number of a stack, counted from 1.
    slots: Vec<u32>,
    /// Samples lost because there was no room.
    pub lost: u64,
}

impl Samples {
    pub fn new() -> Self {
        Self {
            stacks: Vec::with_capacity(MAX_STACKS),
            frames: Vec::with_capacity(MAX_FRAMES),
            slots: vec![0; SLOTS],
            lost: 0,
        }
    }

    /// Counts a stack; `unwind` passes on its frames, innermost first, until it gets false. Does
    /// not allocate.
    pub fn add(&mut self, thread: ThreadName, unwind: impl FnOnce(&mut dyn FnMut(Frame) -> bool)) {
        let first = self.frames.len();
        let frames = &mut self.frames;
        unwind(&mut |frame| {
            let has_room = frames.len() < MAX_FRAMES;
            if has_room {
                frames.push(frame);
            }
            has_room && frames.len() - first < MAX_DEPTH
        });
        if self.frames.len() == MAX_FRAMES || !self.count(thread, first) {
            self.lost += 1;
            self.frames.truncate(first);
        }
    }

    /// Counts the stack whose frames begin at `first`. Returns false if there is no room.
    fn count(&mut self, thread: ThreadName, first: usize) -> bool {
        let new = &self.frames[first..];
        let mut hasher = DefaultHasher::new();
        thread.hash(&mut hasher);
        new.iter().for_each(|frame| frame.function.hash(&mut hasher));
        let hash = hasher.finish();
        let mut slot = hash as usize % SLOTS;
        while let Some(number) = (self.slots[slot] as usize).checked_sub(1) {
            let stack = &mut self.stacks[number];
            let old = &self.frames[stack.first..][..stack.depth];
            if (stack.hash, stack.thread) == (hash, thread)
                && old.iter().map(|f| f.function).eq(new.iter().map(|f| f.function))
            {
                stack.count += 1;
                self.frames.truncate(first);
                return true;
            }
            slot = (slot + 1) % SLOTS;
        }
        if self.stacks.len() == MAX_STACKS {
            return false;
        }
        self.stacks.push(Stack { hash, thread, first, depth: new.len(), count: 1 });
        self.slots[slot] = self.stacks.len() as u32;
        true
    }

    /// Thread, frames and count of each stack.
    pub fn iter(&self) -> impl Iterator<Item = (&ThreadName, &[Frame], u64)> {
        let frames = |stack: &Stack| &self.frames[stack.first..][..stack.depth];
        self.stacks.iter().map(move |stack| (&stack.thread, frames(stack), stack.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(samples: &mut Samples, thread: u8, functions: &[usize]) {
        samples.add([thread; 16], |take| {
            functions.iter().all(|&function| take(Frame { ip: function + 1, function }));
        });
    }

    #[test]
    fn equal_stacks_of_one_thread_are_counted_together() {
        let mut samples = Samples::new();
        for (thread, functions) in [(1, [7, 8]), (1, [7, 8]), (2, [7, 8]), (1, [8, 7])] {
            add(&mut samples, thread, &functions);
        }
        let seen: Vec<_> = samples.iter().map(|(t, f, n)| (t[0], f[0].function, n)).collect();
        assert_eq!((seen, samples.lost), (vec![(1, 7, 2), (2, 7, 1), (1, 8, 1)], 0));
    }

    #[test]
    fn what_finds_no_room_is_counted_as_lost_and_nothing_is_allocated() {
        let mut samples = Samples::new();
        let room = (samples.stacks.capacity(), samples.frames.capacity());
        for n in 0..MAX_STACKS + 5 {
            add(&mut samples, 0, &[n]);
        }
        add(&mut samples, 0, &[0]);
        assert_eq!((samples.iter().count(), samples.lost), (MAX_STACKS, 5));
        let deep: Vec<usize> = (0..MAX_DEPTH * 2).collect();
        let mut samples = Samples::new();
        for n in 0..=MAX_FRAMES / MAX_DEPTH {
            add(&mut samples, 0, &[&[n], &deep[..]].concat());
        }
        assert!(samples.lost > 0 && samples.iter().all(|(_, f, _)| f.len() == MAX_DEPTH));
        assert_eq!((samples.stacks.capacity(), samples.frames.capacity()), room);
    }
}
