//! Keys and screens where there is no terminal: a letter on a line is a key, and each state of the
//! work is a line of output, the whole screen where the work has ended.

use std::{
    io::{BufRead, stdin},
    thread,
};

use tokio::sync::mpsc::UnboundedSender;
use workshop::watch::{Event, Key, Line, Watch};

use crate::cli::say;

/// Columns of a screen; its length is not limited.
const WIDTH: usize = 100;

#[derive(Default)]
pub struct Lines {
    status: String,
    shown: Vec<Line>,
}

impl Lines {
    /// Reads standard input, and sends its lines as events.
    pub fn open(events: UnboundedSender<Event>) -> Result<Self, String> {
        let read = move || {
            for line in stdin().lock().lines().map_while(Result::ok) {
                if let Some(key) = line.trim().chars().next().and_then(Key::of)
                    && events.send(Event::Key(key)).is_err()
                {
                    return;
                }
            }
            // The watch may have ended before its input.
            let _ = events.send(Event::NoMoreKeys);
        };
        let thread = thread::Builder::new().name("keys".to_owned()).spawn(read);
        thread.map_err(|e| format!("no thread for standard input: {e}"))?;
        Ok(Self::default())
    }

    pub fn draw(&mut self, watch: &Watch) {
        if watch.is_busy() {
            let status = watch.status();
            if status != self.status {
                say(&status);
                self.status = status;
            }
            return;
        }
        self.status.clear();
        let lines = watch.screen(WIDTH, usize::MAX);
        if lines != self.shown {
            lines.iter().for_each(|line| say(&line.text));
            self.shown = lines;
        }
    }
}
