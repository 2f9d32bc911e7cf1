//! The SQLite file, and the check that it is still the one that was opened. A deleted or replaced
//! file lives on for those that have it open: what they commit is lost when they close it.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use sea_orm::{DbErr, RuntimeErr};

use observe::millis::{MillisClock, whole_millis};

/// Greatest age of the check that a statement relies on. A commit is not acknowledged without a
/// check of its own.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub struct File {
    clock: MillisClock,
    /// Identities of file and log; None until the database is open.
    opened: OnceLock<[Identity; 2]>,
    /// Time of the last check, by `clock`.
    looked: AtomicU64,
    is_gone: AtomicBool,
    /// Time by `clock`: connections opened earlier are not used again; 0 if all are.
    distrusted: AtomicU64,
}

/// Identity of a file, which no other file has while this one is open.
struct Identity {
    path: PathBuf,
    device_and_inode: (u64, u64),
}

impl File {
    pub fn new() -> Self {
        Self {
            clock: MillisClock::start(),
            opened: OnceLock::new(),
            looked: AtomicU64::new(0),
            is_gone: AtomicBool::new(false),
            distrusted: AtomicU64::new(0),
        }
    }

    /// Remembers the file and its write-ahead log, which must be open. Neither is opened here:
    /// closing it would release this process's locks.
    pub fn remember(&self, path: &Path) -> Result<(), DbErr> {
        let remembered = || {
            let path = fs::canonicalize(path)?;
            let mut log = path.clone().into_os_string();
            log.push("-wal");
            Ok([Identity::of(path)?, Identity::of(log.into())?])
        };
        let opened = remembered().map_err(|error: std::io::Error| {
            error_of(format!("{}, or its write-ahead log: {error}", path.display()))
        })?;
        // A second pool on the same file changes nothing.
        let _ = self.opened.set(opened);
        Ok(())
    }

    /// Checks that the file was there within `LOOK_EVERY`.
    pub fn is_there(&self) -> Result<(), DbErr> {
        let now = self.clock.now();
        let is_due = now.saturating_sub(self.looked.load(Relaxed)) >= whole_millis(LOOK_EVERY);
        if is_due || self.is_gone.load(Relaxed) {
            self.looked.store(now, Relaxed);
            return self.is_there_now();
        }
        Ok(())
    }

    /// Checks that the file is there now: about a microsecond.
    pub fn is_there_now(&self) -> Result<(), DbErr> {
        let changed = self.opened.get().and_then(|files| files.iter().find(|f| !f.is_there()));
        let Some(Identity { path, .. }) = changed else {
            if self.is_gone.swap(false, Relaxed) {
                tracing::info!("the database file is back");
            }
            return Ok(());
        };
        if !self.is_gone.swap(true, Relaxed) {
            tracing::error!(
                path = %path.display(),
                "the database file was deleted or replaced: requests that need it get 503 until it \
                 is put back, or the server is restarted on the file that is there now"
            );
        }
        Err(error_of(format!("{} was deleted or replaced", path.display())))
    }

    /// Retires the connections that are open now. One that was opened while the file was read-only
    /// would refuse writes for ever.
    pub fn distrust_connections(&self) {
        self.distrusted.store(self.clock.now(), Relaxed);
    }

    pub fn trusts_connection(&self, age: Duration) -> bool {
        let distrusted = self.distrusted.load(Relaxed);
        distrusted == 0 || self.clock.now().saturating_sub(whole_millis(age)) > distrusted
    }
}

impl Identity {
    fn of(path: PathBuf) -> std::io::Result<Self> {
        let device_and_inode = device_and_inode(&path)?;
        Ok(Self { path, device_and_inode })
    }

    fn is_there(&self) -> bool {
        device_and_inode(&self.path).is_ok_and(|found| found == self.device_and_inode)
    }
}

fn device_and_inode(path: &Path) -> std::io::Result<(u64, u64)> {
    let found = fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

fn error_of(reason: String) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(reason))
}
