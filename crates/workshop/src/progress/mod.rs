//! Progress of a learner: which labs are solved or tried, and how many hints were shown. It is one
//! JSON file, so that it outlives the programs that write it and anybody can read it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{ErrorKind, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

/// The learner's file of a lab: its text at the start, and the way back to it.
pub mod yours;

/// Place of the file in the folder of the repository.
pub const FILE: &str = "data/progress.json";

/// Version of the file's format.
const VERSION: u32 = 1;

/// Content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    version: u32,
    labs: BTreeMap<String, LabProgress>,
}

/// Progress on one lab.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabProgress {
    /// Versions of yours.rs that were graded.
    pub attempts: u32,
    /// True once `watch` graded one green, by the counts of one request.
    pub green: bool,
    /// True once `prove --yours` held.
    pub proven: bool,
    /// Hints shown so far.
    pub hints: usize,
}

impl Default for Progress {
    fn default() -> Self {
        Self { version: VERSION, labs: BTreeMap::new() }
    }
}

impl LabProgress {
    /// Word for the table of labs.
    pub fn standing(&self) -> &'static str {
        match self {
            Self { proven: true, .. } => "solved, proven",
            Self { green: true, .. } => "solved",
            Self { attempts: 0, .. } => "untouched",
            _ => "tried",
        }
    }
}

impl Progress {
    /// Reads the file; without one, nothing was done yet.
    ///
    /// # Errors
    /// A file that can't be read, or that has another content than this program writes.
    pub fn read(file: &Path) -> Result<Self, String> {
        let bad = |reason: &dyn std::fmt::Display| {
            let file = file.display();
            format!("{file}: {reason}; repair the file, or delete it to begin anew")
        };
        let text = match std::fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            text => text.map_err(|e| bad(&e))?,
        };
        let progress: Self = serde_json::from_str(&text).map_err(|e| bad(&e))?;
        if progress.version != VERSION {
            let version = progress.version;
            return Err(bad(&format_args!("version is {version}, and should be {VERSION}")));
        }
        Ok(progress)
    }

    pub fn of(&self, lab: &str) -> LabProgress {
        self.labs.get(lab).copied().unwrap_or_default()
    }

    /// Replaces the file as a whole, so that nobody ever reads half of it.
    fn write(&self, file: &Path) -> Result<(), String> {
        let bad = |e: &dyn std::fmt::Display| format!("{}: {e}", file.display());
        let folder = file.parent().unwrap_or(Path::new("."));
        let mut text = serde_json::to_string_pretty(self).map_err(|e| bad(&e))?;
        text.push('\n');
        let mut new = tempfile::NamedTempFile::new_in(folder).map_err(|e| bad(&e))?;
        new.write_all(text.as_bytes()).map_err(|e| bad(&e))?;
        new.as_file().sync_all().map_err(|e| bad(&e))?;
        new.persist(file).map_err(|e| bad(&e.error))?;
        Ok(())
    }
}

/// Holds the folder of the file: of two programs that change it, the second reads what the first
/// wrote. The file itself can't be held, as each change replaces it.
fn hold(file: &Path) -> Result<File, String> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let held = std::fs::create_dir_all(folder).and_then(|()| {
        let held = File::open(folder)?;
        held.lock()?;
        Ok(held)
    });
    held.map_err(|e| format!("{}: {e}", folder.display()))
}

/// Changes the progress of one lab in the file.
///
/// # Errors
/// Those of `Progress::read`: a damaged file is never overwritten.
pub fn change(
    file: &Path,
    lab: &str,
    change: impl FnOnce(&mut LabProgress),
) -> Result<LabProgress, String> {
    let _held = hold(file)?;
    let mut progress = Progress::read(file)?;
    let kept = progress.labs.entry(lab.to_owned()).or_default();
    change(kept);
    let kept = *kept;
    progress.write(file)?;
    Ok(kept)
}

/// Forgets the progress and the hints of one lab.
///
/// # Errors
/// Those of `Progress::read`.
pub fn forget(file: &Path, lab: &str) -> Result<(), String> {
    let _held = hold(file)?;
    let mut progress = Progress::read(file)?;
    match progress.labs.remove(lab) {
        Some(_) => progress.write(file),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_kept_and_can_be_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let standing = || Progress::read(&file).unwrap().of("a").standing();
        assert_eq!(standing(), "untouched");
        change(&file, "a", |lab| lab.hints += 1).unwrap();
        assert_eq!(standing(), "untouched", "a hint is no attempt");
        change(&file, "a", |lab| lab.attempts += 1).unwrap();
        assert_eq!(standing(), "tried");
        change(&file, "a", |lab| lab.green = true).unwrap();
        assert_eq!(standing(), "solved");
        let kept = change(&file, "a", |lab| lab.proven = true).unwrap();
        assert_eq!(kept, LabProgress { attempts: 1, green: true, proven: true, hints: 1 });
        assert_eq!(standing(), "solved, proven");
        change(&file, "b", |lab| lab.attempts += 1).unwrap();
        forget(&file, "a").unwrap();
        assert_eq!(standing(), "untouched");
        assert_eq!(Progress::read(&file).unwrap().of("b").standing(), "tried");
        let left = std::fs::read_dir(folder.path().join("data")).unwrap().count();
        assert_eq!(left, 1, "a file of the writing is left");
    }

    #[test]
    fn changes_at_the_same_time_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        std::thread::scope(|scope| {
            for lab in ["a", "b", "c", "d"] {
                let file = &file;
                scope.spawn(move || {
                    for _ in 0..10 {
                        change(file, lab, |lab| lab.attempts += 1).unwrap();
                        change(file, "all", |lab| lab.hints += 1).unwrap();
                    }
                });
            }
        });
        let progress = Progress::read(&file).unwrap();
        assert_eq!(["a", "b", "c", "d"].map(|lab| progress.of(lab).attempts), [10; 4]);
        assert_eq!(progress.of("all").hints, 40);
    }

    #[test]
    fn a_file_that_is_not_understood_is_reported_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("progress.json");
        for (text, reason) in [
            ("{", "EOF"),
            (r#"{"version": 2, "labs": {}}"#, "version is 2, and should be 1"),
            (r#"{"version": 1, "labs": {}, "more": 1}"#, "unknown field `more`"),
            (r#"{"version": 1, "labs": {"a": {}}}"#, "missing field `attempts`"),
        ] {
            std::fs::write(&file, text).unwrap();
            for error in [
                Progress::read(&file).unwrap_err(),
                change(&file, "a", |lab| lab.attempts += 1).unwrap_err(),
                forget(&file, "a").unwrap_err(),
            ] {
                assert!(error.starts_with(&format!("{}: ", file.display())), "{error}");
                assert!(error.contains(reason) && error.contains("delete it"), "{error}");
            }
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
    }
}
