//! Log of the reports, as their team wrote it: each line is on the disk before the work goes on, so
//! that the last one before a crash is there.
//!
//! Its lines count as those of the program's own log do, in `log_lines` and `log_bytes`.

use std::{
    env, fmt,
    fs::{File, OpenOptions, remove_file},
    io::{self, Write},
    process,
    sync::{Mutex, PoisonError},
};

use chrono::{SecondsFormat, Utc};
use observe::{
    cost::{Counter, own::OwnCounter},
    request_cost,
};

/// Waits of a request for the disk, each for all that it had written until then.
pub static LOG_SYNCS: OwnCounter =
    OwnCounter::new("log_syncs", "Waits until the disk had what was logged.");

/// Size at which the file begins anew, so that no load fills a disk: 150 reports of slow.
const MOST_BYTES: u64 = 1 << 20;

/// The file; None until the lab is opened. One writer at a time, as with standard output.
static LOG: Mutex<Option<Log>> = Mutex::new(None);

struct Log {
    file: File,
    bytes: u64,
}

/// Opens the file, in the folder for temporary files. It loses its name at once, so that it goes
/// when the program ends, however it ends.
pub fn open() -> io::Result<()> {
    let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    if log.is_none() {
        let name = format!("chokepoint-reports-{}-{:016x}.log", process::id(), fastrand::u64(..));
        let path = env::temp_dir().join(name);
        let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        // Where an open file can't lose its name, it keeps it.
        let _ = remove_file(path);
        *log = Some(Log { file, bytes: 0 });
    }
    Ok(())
}

/// Empties the file.
pub fn empty() -> io::Result<()> {
    let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    log.as_mut().map_or(Ok(()), Log::empty)
}

/// Writes a line, and waits until the disk has it.
pub fn info(message: fmt::Arguments<'_>) {
    write(&line(message));
    sync();
}

/// Lines that are kept in memory, as by a `BufWriter`, until they are flushed.
#[derive(Default)]
pub struct Buffer(String);

impl Buffer {
    pub fn info(&mut self, message: fmt::Arguments<'_>) {
        self.0.push_str(&line(message));
    }

    /// Writes all lines, and waits until the disk has them.
    pub fn flush(self) {
        write(&self.0);
        sync();
    }
}

/// A line, counted on the request that logs it.
pub fn line(message: fmt::Arguments<'_>) -> String {
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
    let line = format!("{now} INFO reports: {message}\n");
    request_cost::add(Counter::LogLines, 1);
    request_cost::add(Counter::LogBytes, line.len() as u64);
    line
}

/// Writes lines to the file. The system brings them to the disk when it has time.
pub fn write(lines: &str) {
    with_log(|log| log.write(lines.as_bytes()));
}

fn sync() {
    with_log(|log| log.file.sync_data());
    LOG_SYNCS.add(1);
}

/// Works on the file, if it is open. As with any logger, whoever logs does not fail because a line
/// could not be written.
fn with_log(work: impl FnOnce(&mut Log) -> io::Result<()>) {
    let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = log.as_mut().map_or(Ok(()), work);
}

impl Log {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.bytes > MOST_BYTES {
            self.empty()?;
        }
        self.bytes += lines.len() as u64;
        self.file.write_all(lines)
    }

    fn empty(&mut self) -> io::Result<()> {
        self.bytes = 0;
        self.file.set_len(0)
    }
}
