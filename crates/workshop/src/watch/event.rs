//! Events of a watch, and what may follow from them.

use super::grade::{Numbers, Verdict};

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A file of the lab was saved with another content.
    Saved,
    /// Words about the work under way.
    Doing(String),
    /// A build ended well, so many seconds after the save.
    Built(f64),
    /// Lines of the compiler about its errors.
    NotBuilt(Vec<String>),
    /// The server answers at this URL.
    Up(String),
    Asked(Variant, Numbers),
    /// The verdict on yours, so many seconds after the save.
    Graded(Verdict, f64),
    /// The work on a version ended.
    GradeEnded,
    /// The proof ended: whether it held, if it could run, and its lines.
    Proved(Option<bool>, Vec<String>),
    /// Lines of the difference between slow and yours.
    Diffed(Vec<String>),
    Key(Key),
    /// Standard input ended: the watch ends when the work under way has.
    NoMoreKeys,
    /// Something went wrong that ends no work.
    Trouble(String),
    /// The terminal has another size.
    Resized,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    Slow,
    Fast,
    Yours,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Hint,
    Proof,
    Diff,
    /// The next page of a long text.
    Page,
    /// Back to the numbers.
    Back,
    Quit,
}

impl Key {
    /// Key with this letter; None if it means nothing.
    pub fn of(letter: char) -> Option<Self> {
        Some(match letter.to_ascii_lowercase() {
            'h' => Self::Hint,
            'p' => Self::Proof,
            'd' => Self::Diff,
            ' ' => Self::Page,
            'q' => Self::Quit,
            _ => return None,
        })
    }
}

/// Something to do. New work takes the place of the work under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Build,
    Grade,
    Prove,
    Diff,
    /// Remember how many hints were shown.
    KeepHints(usize),
    /// Remember that a version was graded, and whether green.
    KeepGrade(bool),
    /// Remember that a version was proven, and whether it held.
    KeepProof(bool),
    Quit,
}

/// Work under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Build,
    Grade,
    Proof,
}
