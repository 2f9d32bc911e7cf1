//! A full disk. `.ci/checks/full-disk` names a small disk, or a PostgreSQL on one. Otherwise a file
//! size limit simulates it, which needs no mount: a write beyond it fails, and SQLite rolls back by
//! itself, as on a full disk.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    full_store::{self, SETTINGS, Store},
    program::{Serving, program},
};

/// Largest file size in bytes. The database is larger with its first rows, and the write-ahead log
/// soon is, even after a restart of the log.
const ROOM: &str = "65536";

/// The program with SIGXFSZ ignored; otherwise a write beyond the limit would kill it.
fn serving(database_url: &str) -> Serving {
    let folder = tempfile::tempdir().unwrap();
    let program = program(folder.path());
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\""]).arg(program.get_program());
    command.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(folder.path()).envs(SETTINGS).env("DATABASE_URL", database_url);
    Serving::start_as(command, folder)
}

fn url_in(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("test.db").display())
}

/// An SQLite file that may not grow.
struct LimitedFile(TempDir);

impl LimitedFile {
    fn limit(serving: &Serving, bytes: &str) {
        let (pid, limit) = (serving.pid().to_string(), format!("--fsize={bytes}:unlimited"));
        let status = Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap();
        assert!(status.success());
    }
}

impl Store for LimitedFile {
    fn start(&self) -> Serving {
        serving(&url_in(self.0.path()))
    }

    fn fill(&self, serving: &Serving) {
        Self::limit(serving, ROOM);
    }

    fn free(&self, serving: &Serving) {
        Self::limit(serving, "unlimited");
    }
}

/// A small disk, which a file fills up.
struct SmallDisk {
    database_url: String,
    ballast: PathBuf,
}

impl Store for SmallDisk {
    fn start(&self) -> Serving {
        serving(&self.database_url)
    }

    fn fill(&self, _: &Serving) {
        let mut ballast = fs::File::create(&self.ballast).unwrap();
        while ballast.write_all(&[1; 4096]).is_ok() {}
    }

    fn free(&self, _: &Serving) {
        fs::remove_file(&self.ballast).unwrap();
    }
}

/// Runs a test on the store that the environment names.
fn on_a_store(test: fn(&dyn Store)) {
    let Some(disk) = env::var_os("FULL_DISK").map(PathBuf::from) else {
        return test(&LimitedFile(tempfile::tempdir().unwrap()));
    };
    let folder = tempfile::tempdir_in(&disk).unwrap();
    let database_url = env::var("FULL_DISK_URL").unwrap_or_else(|_| url_in(folder.path()));
    test(&SmallDisk { database_url, ballast: disk.join("ballast") });
}

#[test]
fn nothing_that_was_acknowledged_is_lost() {
    on_a_store(full_store::nothing_is_lost);
}

#[test]
fn nothing_that_was_acknowledged_is_lost_under_load() {
    on_a_store(full_store::nothing_is_lost_under_load);
}

#[test]
fn readiness_follows_and_reads_go_on() {
    on_a_store(full_store::readiness_follows_and_reads_go_on);
}
