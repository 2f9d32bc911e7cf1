//! States of a watch. Pure: an event goes in, and what is to be done comes out.

use super::{
    event::{Effect, Event, Key, Variant, Work},
    grade::{Numbers, Verdict},
};
use crate::{
    evidence::Evidence,
    judge::bounds::{self, Bound},
};

/// Text that is shown in place of the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Panel {
    Diff(Vec<String>),
    Proof(Vec<String>),
}

/// A watch on one lab.
#[derive(Debug)]
pub struct Watch {
    pub(super) id: &'static str,
    pub(super) evidence: Evidence,
    pub(super) bounds: Vec<Bound>,
    pub(super) work: Option<Work>,
    pub(super) doing: String,
    /// Seconds that the build took, since the save.
    pub(super) built: Option<f64>,
    pub(super) errors: Vec<String>,
    pub(super) url: Option<String>,
    pub(super) slow: Option<Numbers>,
    pub(super) fast: Option<Numbers>,
    pub(super) yours: Option<Numbers>,
    pub(super) verdict: Option<(Verdict, f64)>,
    /// Number of the hint that is shown, from 1.
    pub(super) hint: Option<usize>,
    hints_shown: usize,
    pub(super) panel: Option<Panel>,
    pub(super) page: usize,
    pub(super) trouble: Option<String>,
    /// True if a save is not built yet.
    is_dirty: bool,
    is_closing: bool,
}

impl Watch {
    /// A watch that has only begun; `hints_shown` is from earlier times.
    pub fn new(id: &'static str, evidence: Evidence, hints_shown: usize) -> Self {
        Self {
            id,
            bounds: bounds::of(&evidence),
            evidence,
            work: None,
            doing: String::new(),
            built: None,
            errors: Vec::new(),
            url: None,
            slow: None,
            fast: None,
            yours: None,
            verdict: None,
            hint: None,
            hints_shown,
            panel: None,
            page: 0,
            trouble: None,
            is_dirty: false,
            is_closing: false,
        }
    }

    /// True while a program is built, asked or proven.
    pub fn is_busy(&self) -> bool {
        self.work.is_some()
    }

    /// Takes an event, and says what is to be done now.
    pub fn on(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Saved => self.saved(),
            Event::Doing(doing) => {
                self.doing = doing;
                Vec::new()
            }
            Event::Built(seconds) if self.work == Some(Work::Build) => {
                if self.is_dirty {
                    // Nobody wants to know how the version before was.
                    return self.ended(Vec::new());
                }
                self.built = Some(seconds);
                self.next(Work::Grade, Effect::Grade)
            }
            Event::NotBuilt(errors) if self.work == Some(Work::Build) => {
                self.errors = errors;
                self.ended(Vec::new())
            }
            Event::Proved(held, lines) if self.work == Some(Work::Proof) => {
                self.show(Panel::Proof(lines));
                self.ended(held.map(Effect::KeepProof).into_iter().collect())
            }
            Event::Up(_) | Event::Asked(..) | Event::Graded(..) | Event::GradeEnded
                if self.work == Some(Work::Grade) =>
            {
                self.graded(event)
            }
            Event::Diffed(lines) => {
                self.show(Panel::Diff(lines));
                Vec::new()
            }
            Event::Key(key) => self.key(key),
            Event::NoMoreKeys => {
                self.is_closing = true;
                if self.is_busy() { Vec::new() } else { vec![Effect::Quit] }
            }
            Event::Trouble(trouble) => {
                self.trouble = Some(trouble);
                Vec::new()
            }
            // News of work that a save has replaced.
            _ => Vec::new(),
        }
    }

    /// A build is never broken off, for the compiler would begin again; neither is a proof, for its
    /// times would be lost. Requests are.
    fn saved(&mut self) -> Vec<Effect> {
        if matches!(self.work, Some(Work::Build | Work::Proof)) {
            self.is_dirty = true;
            return Vec::new();
        }
        self.is_dirty = false;
        self.errors.clear();
        (self.verdict, self.yours, self.built, self.url) = (None, None, None, None);
        (self.panel, self.trouble, self.page) = (None, None, 0);
        self.next(Work::Build, Effect::Build)
    }

    fn graded(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Up(url) => self.url = Some(url),
            Event::Asked(Variant::Slow, numbers) => self.slow = Some(numbers),
            Event::Asked(Variant::Fast, numbers) => self.fast = Some(numbers),
            Event::Asked(Variant::Yours, numbers) => self.yours = Some(numbers),
            Event::Graded(verdict, seconds) => {
                let is_green = verdict == Verdict::Green;
                self.verdict = Some((verdict, seconds));
                return vec![Effect::KeepGrade(is_green)];
            }
            _ => return self.ended(Vec::new()),
        }
        Vec::new()
    }

    fn next(&mut self, work: Work, effect: Effect) -> Vec<Effect> {
        self.work = Some(work);
        self.doing.clear();
        vec![effect]
    }

    /// The work ended: a save that came meanwhile is next.
    fn ended(&mut self, mut effects: Vec<Effect>) -> Vec<Effect> {
        self.work = None;
        self.doing.clear();
        if self.is_dirty {
            effects.extend(self.saved());
        } else if self.is_closing {
            effects.push(Effect::Quit);
        }
        effects
    }

    fn show(&mut self, panel: Panel) {
        (self.panel, self.page) = (Some(panel), 0);
    }

    fn key(&mut self, key: Key) -> Vec<Effect> {
        self.trouble = None;
        match key {
            Key::Hint => {
                let all = self.evidence.hints.len();
                self.hints_shown = (self.hints_shown + 1).min(all);
                (self.hint, self.panel, self.page) = (Some(self.hints_shown), None, 0);
                vec![Effect::KeepHints(self.hints_shown)]
            }
            Key::Proof if self.is_busy() => self.refuse("p waits until the work under way ends"),
            Key::Proof if !self.errors.is_empty() => self.refuse("p needs a version that builds"),
            Key::Proof => {
                self.url = None;
                self.next(Work::Proof, Effect::Prove)
            }
            Key::Diff => vec![Effect::Diff],
            Key::Page => {
                self.page += 1;
                Vec::new()
            }
            Key::Back => {
                (self.panel, self.page) = (None, 0);
                Vec::new()
            }
            Key::Quit => vec![Effect::Quit],
        }
    }

    fn refuse(&mut self, reason: &str) -> Vec<Effect> {
        self.trouble = Some(reason.to_owned());
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
