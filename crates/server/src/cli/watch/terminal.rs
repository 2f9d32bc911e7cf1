//! The terminal in raw mode: single keys, and a screen of its own, which every way out restores.

use std::{
    io::{self, IsTerminal, Write, stdin, stdout},
    panic, thread,
};

use crossterm::{
    cursor::{Hide, MoveTo, Show},
    event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
    execute, queue,
    style::{Color, Print, ResetColor, SetForegroundColor},
    terminal::{
        Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
        enable_raw_mode, size,
    },
};
use tokio::sync::mpsc::UnboundedSender;
use workshop::watch::{Event, Key, Line, Tone, Watch};

/// Size of a terminal that does not say its own.
const USUAL: (u16, u16) = (80, 24);

/// True if there is somebody to press keys and to look.
pub fn is_there() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

/// The terminal; dropping it restores it.
pub struct Terminal {
    shown: Vec<Line>,
}

impl Terminal {
    /// Takes the terminal, and sends its keys as events.
    pub fn open(events: UnboundedSender<Event>) -> io::Result<Self> {
        // The message of a panic would be lost on the other screen.
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore();
            report(info);
        }));
        enable_raw_mode()?;
        let terminal = Self { shown: Vec::new() };
        execute!(stdout(), EnterAlternateScreen, Hide)?;
        thread::Builder::new().name("keys".to_owned()).spawn(move || read_keys(&events))?;
        Ok(terminal)
    }

    /// Shows the watch, if it looks otherwise than before.
    pub fn draw(&mut self, watch: &Watch) {
        let (width, height) = size().unwrap_or(USUAL);
        let lines = watch.screen(usize::from(width), usize::from(height));
        if lines != self.shown {
            // A terminal that is gone sends a signal, which ends the watch.
            let _ = print(&lines);
            self.shown = lines;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    let _ = disable_raw_mode();
    let _ = execute!(stdout(), Show, LeaveAlternateScreen);
}

fn print(lines: &[Line]) -> io::Result<()> {
    let mut out = stdout().lock();
    for (row, line) in (0..).zip(lines) {
        queue!(out, MoveTo(0, row))?;
        match line.tone {
            Tone::Plain => queue!(out, Print(&line.text))?,
            tone => queue!(out, SetForegroundColor(color(tone)), Print(&line.text), ResetColor)?,
        }
        queue!(out, Clear(ClearType::UntilNewLine))?;
    }
    queue!(out, Clear(ClearType::FromCursorDown))?;
    out.flush()
}

fn color(tone: Tone) -> Color {
    match tone {
        Tone::Good => Color::Green,
        Tone::Bad => Color::Red,
        Tone::Open => Color::Yellow,
        Tone::Plain => Color::Reset,
    }
}

/// Sends keys until nobody listens, or no more can come.
fn read_keys(events: &UnboundedSender<Event>) {
    loop {
        let event = match event::read() {
            Ok(event::Event::Key(key)) if key.kind != KeyEventKind::Release => {
                key_of(key).map(Event::Key)
            }
            Ok(event::Event::Resize(..)) => Some(Event::Resized),
            Ok(_) => None,
            Err(_) => Some(Event::NoMoreKeys),
        };
        let Some(event) = event else { continue };
        let is_last = matches!(event, Event::NoMoreKeys);
        if events.send(event).is_err() || is_last {
            return;
        }
    }
}

/// Ctrl-C comes as a key in raw mode.
fn key_of(key: KeyEvent) -> Option<Key> {
    match key.code {
        KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => {
            Some(Key::Quit)
        }
        KeyCode::Char(letter) => Key::of(letter),
        KeyCode::Esc => Some(Key::Back),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_c_ends_the_watch_as_q_does() {
        let key = |code, modifiers| key_of(KeyEvent::new(code, modifiers));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Key::Quit));
        assert_eq!(key(KeyCode::Char('q'), KeyModifiers::NONE), Some(Key::Quit));
        assert_eq!(key(KeyCode::Char('d'), KeyModifiers::NONE), Some(Key::Diff));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), None);
    }
}
