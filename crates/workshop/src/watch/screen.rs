//! The screen, as lines of text: it fits 80×24, and a projector. Pure.

use super::{
    event::Work,
    grade::{Numbers, Verdict},
    proof,
    state::{Panel, Watch},
};
use crate::judge::bounds::Bound;
use observe::cost::Counter;

/// A line of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    pub tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Bad,
    /// Neither good nor bad: it is not decided.
    Open,
}

/// Lines that the question may take.
const QUESTION: usize = 4;

/// Columns of the table: a counter's name, and a number.
const NAME: usize = 20;
const NUMBER: usize = 10;

const KEYS: &str = "h next hint · p whole proof · d slow against yours · q quit";

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self { text, tone: Tone::Plain }
    }
}

impl Watch {
    /// State of the work in one line.
    pub fn status(&self) -> String {
        let doing = if self.doing.is_empty() { "" } else { ": " };
        let doing = format!("{doing}{}", self.doing);
        match self.work {
            Some(Work::Build) => format!("building{doing}"),
            Some(Work::Grade) => format!("asking{doing}"),
            Some(Work::Proof) => format!("proving{doing}"),
            None if !self.errors.is_empty() => "it does not build".to_owned(),
            None => match (self.built, &self.url) {
                (Some(seconds), Some(url)) => format!("built in {seconds:.1} s, yours: {url}"),
                (Some(seconds), None) => format!("built in {seconds:.1} s"),
                (None, _) => "waiting for a save".to_owned(),
            },
        }
    }

    /// The verdict in one line.
    pub fn verdict(&self) -> Line {
        let (text, tone) = match &self.verdict {
            None => ("-".to_owned(), Tone::Plain),
            Some((Verdict::Green, seconds)) => {
                (format!("GREEN, {seconds:.1} s after the save; p proves it"), Tone::Good)
            }
            Some((Verdict::Red(_), seconds)) => {
                (format!("RED, {seconds:.1} s after the save"), Tone::Bad)
            }
            Some((Verdict::NeedsProof(_), seconds)) => {
                (format!("needs p, {seconds:.1} s after the save"), Tone::Open)
            }
        };
        Line { text: format!("verdict   {text}"), tone }
    }

    /// The whole screen, of at most so many lines and columns.
    pub fn screen(&self, width: usize, height: usize) -> Vec<Line> {
        let title = format!("Chokepoint watch · {} · {}", self.id, self.evidence.title);
        let mut lines = vec![Line::from(title), Line::from(String::new())];
        let question = wrap(&self.evidence.question, width);
        lines.extend(question.into_iter().take(QUESTION).map(Line::from));
        lines.push(String::new().into());
        lines.push(format!("yours.rs  {}", self.status()).into());
        lines.push(self.verdict());
        let body = self.body(width);
        // A line of trouble, an empty one, and the keys.
        let room = height.saturating_sub(lines.len() + 3).max(1);
        let pages = body.len().div_ceil(room).max(1);
        let page = self.page % pages;
        lines.extend(body.into_iter().skip(page * room).take(room));
        if let Some(trouble) = &self.trouble {
            lines.push(Line { text: trouble.clone(), tone: Tone::Bad });
        }
        lines.push(String::new().into());
        let more = if pages > 1 {
            format!("space page {} of {pages} · ", page + 1)
        } else {
            String::new()
        };
        lines.push(format!("{more}{KEYS}").into());
        let cut = |line: Line| Line { text: cut(&line.text, width), ..line };
        lines.into_iter().map(cut).collect()
    }

    fn body(&self, width: usize) -> Vec<Line> {
        let plain = |lines: &[String]| lines.iter().cloned().map(Line::from).collect::<Vec<_>>();
        let mut body = Vec::new();
        if let Some(panel) = &self.panel {
            body.push(String::new().into());
            match panel {
                Panel::Diff(lines) => body.extend(plain(lines)),
                Panel::Proof(lines) => {
                    let wrapped = lines.iter().flat_map(|line| wrap(line, width));
                    body.extend(wrapped.map(Line::from));
                }
            }
            return body;
        }
        if self.errors.is_empty() {
            body.extend(self.reasons(width));
            body.push(String::new().into());
            body.extend(self.table());
        } else {
            body.push(String::new().into());
            body.extend(plain(&self.errors));
        }
        if let Some(hint) =
            self.hint.and_then(|n| Some((n, self.evidence.hints.get(n.checked_sub(1)?)?)))
        {
            let text = format!("Hint {} of {}: {}", hint.0, self.evidence.hints.len(), hint.1);
            let hint = wrap(&text, width).into_iter().map(Line::from);
            if self.errors.is_empty() {
                body.push(String::new().into());
                body.extend(hint);
            } else {
                // Above the errors, which may be long.
                drop(body.splice(0..0, hint));
            }
        }
        body
    }

    /// Reasons of the verdict, and what the proof would do where it has to decide.
    fn reasons(&self, width: usize) -> Vec<Line> {
        let (reasons, more) = match &self.verdict {
            Some((Verdict::Red(reasons), _)) => (reasons.as_slice(), None),
            Some((Verdict::NeedsProof(reasons), _)) => {
                (reasons.as_slice(), Some(proof::demands(&self.evidence)))
            }
            _ => (&[][..], None),
        };
        let texts = reasons.iter().cloned().chain(more);
        let lines = texts.flat_map(|text| reason(&text, width.saturating_sub(10)));
        lines.map(|line| Line::from(format!("          {line}"))).collect()
    }

    /// Numbers that have a bound, of slow, fast and yours.
    fn table(&self) -> Vec<Line> {
        let head = ["slow", "fast", "yours", "at most"].map(str::to_owned);
        let mut lines = vec![row("", &head, Tone::Plain)];
        let measured = self.bounds.iter().filter(|bound| bound.counter.is_measured());
        let (counts, times): (Vec<_>, Vec<_>) = measured.partition(|bound| bound.is_count());
        for Bound { counter, limit, .. } in counts.into_iter().chain(times) {
            let number = |of: &Option<Numbers>| of.as_ref()?.get(counter).copied();
            let (slow, fast, yours) = (number(&self.slow), number(&self.fast), number(&self.yours));
            let tone = match yours {
                Some(yours) if yours > *limit => Tone::Bad,
                Some(_) => Tone::Good,
                None => Tone::Plain,
            };
            let cells = [slow, fast, yours, Some(*limit)].map(|n| shown(*counter, n));
            lines.push(row(counter.name(), &cells, tone));
        }
        lines
    }
}

fn row(name: &str, cells: &[String; 4], tone: Tone) -> Line {
    let mut text = format!("{name:<NAME$}");
    for cell in cells {
        text.push_str(&format!("{cell:>NUMBER$}"));
    }
    Line { text, tone }
}

fn shown(counter: Counter, number: Option<f64>) -> String {
    match number {
        None => "-".to_owned(),
        // A share, 0 to 1.
        Some(number) if counter == Counter::BlockedShare => format!("{number:.2}"),
        Some(number) => format!("{number:.0}"),
    }
}

/// Lines of a reason. Its first is a sentence; below may be the difference of two answers, which
/// stays as it is.
fn reason(text: &str, width: usize) -> Vec<String> {
    let (sentence, difference) = text.split_once('\n').unwrap_or((text, ""));
    wrap(sentence, width).into_iter().chain(difference.lines().map(str::to_owned)).collect()
}

/// Breaks a text between words; a longer word stands alone. Spaces in front of it stay.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let indent: String = text.chars().take_while(|c| *c == ' ').collect();
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let length = line.chars().count() + 1 + word.chars().count();
        if line.is_empty() {
            line = format!("{indent}{word}");
        } else if length <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(std::mem::replace(&mut line, format!("{indent}{word}")));
        }
    }
    lines.push(line);
    lines
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
