//! The learner's files of a lab: the text that each starts with, and the way back to it.
//!
//! yours.rs starts as slow.rs does, without what gives the answer away: the comment that names the
//! bottleneck, and the lint expectations, whose names and reasons name it too. yours.sql, of a lab
//! that has one, starts without a statement.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use crate::lab::LoadedLab;

const MARK: &str = "// BOTTLENECK:";
const SQL: &str = "yours.sql";

/// One of the learner's files.
#[derive(Debug)]
pub struct File {
    pub name: &'static str,
    pub start: String,
    /// Its text now.
    pub text: String,
}

impl File {
    pub fn is_edited(&self) -> bool {
        self.text != self.start
    }
}

/// Tables of slow and of yours, in a lab whose variants have tables of their own.
fn tables(id: &str) -> [String; 2] {
    let module = id.replace('-', "_");
    ["slow", "yours"].map(|variant| format!("{module}_{variant}"))
}

/// The text that yours.rs starts with: slow.rs under another head, without its comment, and with
/// the table of yours in place of slow's.
pub fn start(id: &str, slow: &str) -> String {
    let mut text = format!(
        "//! Yours: starts as slow does. Edit and save it; `chokepoint watch {id}` grades it.\n\
         #![allow(clippy::all, reason = \"a lint would name the bottleneck\")]\n\n"
    );
    // The head: what the file is about, and attributes, which may take several lines.
    let (mut in_head, mut in_attribute, mut in_comment) = (true, false, false);
    for line in slow.lines() {
        let code = line.trim();
        if in_head {
            in_attribute |= code.starts_with("#![");
            let is_head = in_attribute || code.starts_with("//!") || code.is_empty();
            in_attribute &= !code.ends_with(")]");
            if is_head {
                continue;
            }
            in_head = false;
        }
        in_comment = code.starts_with(MARK) || (in_comment && code.starts_with("//"));
        if !in_comment {
            text.push_str(line);
            text.push('\n');
        }
    }
    let [of_slow, of_yours] = tables(id);
    text.replace(&of_slow, &of_yours)
}

/// The text that yours.sql starts with.
pub fn start_of_sql(id: &str) -> String {
    let [_, table] = tables(id);
    format!(
        "-- Yours: statements on the table {table}, which schema.sql makes anew at each start of\n\
         -- the server. They run before it gets its rows. `chokepoint watch {id}` grades them.\n"
    )
}

/// Reads the learner's files of the lab, in its folder.
///
/// # Errors
/// A file that is not there: this is not the folder of the repository.
pub fn files(folder: &Path, id: &str) -> Result<Vec<File>, String> {
    let read = |name: &'static str, start| {
        let path = folder.join(name);
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok::<_, String>(File { name, start, text })
    };
    let mut files = vec![read("yours.rs", start_in(folder, id)?)?];
    if folder.join(SQL).exists() {
        files.push(read(SQL, start_of_sql(id))?);
    }
    Ok(files)
}

/// Reads slow.rs of the lab, in its folder, and makes the start of yours.rs from it.
///
/// # Errors
/// No such file: this is not the folder of the repository.
pub fn start_in(folder: &Path, id: &str) -> Result<String, String> {
    let slow = folder.join("slow.rs");
    match fs::read_to_string(&slow) {
        Ok(text) => Ok(start(id, &text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(format!(
            "{}: no such file; run this in the folder of the repository, which has src/labs",
            slow.display()
        )),
        Err(error) => Err(format!("{}: {error}", slow.display())),
    }
}

/// Puts the learner's files back to their starts, in the repository below `root`. Returns the places
/// of the old texts that were others.
///
/// # Errors
/// A file that is not there, or that can't be read or written. An old text is kept before its file
/// is written, so it is never lost.
pub fn reset(root: &Path, loaded: &LoadedLab) -> Result<Vec<PathBuf>, String> {
    let (folder, id) = (root.join(loaded.folder()), loaded.lab.id);
    let mut kept = Vec::new();
    for File { name, start, text } in files(&folder, id)? {
        if text != start {
            kept.push(keep(&root.join("data/yours").join(id), name, &text)?);
            let file = folder.join(name);
            fs::write(&file, start).map_err(|e| format!("{}: {e}", file.display()))?;
        }
    }
    Ok(kept)
}

/// Saves the text in a new file of the folder: an earlier one is never replaced.
fn keep(folder: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
    let bad = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    fs::create_dir_all(folder).map_err(|e| bad(folder, e))?;
    let mut number = 1;
    let (path, mut file): (PathBuf, fs::File) = loop {
        let end = if number == 1 { String::new() } else { format!(".{number}") };
        let path = folder.join(format!("{name}.bak{end}"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => break (path, file),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(bad(&path, error)),
        }
    };
    file.write_all(text.as_bytes()).map_err(|e| bad(&path, e))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::plain;

    const SLOW: &str = "\
//! Slow: it sleeps.
//! Look at the sleep.
#![expect(
    clippy::disallowed_methods,
    reason = \"it sleeps\"
)]
#![expect(clippy::unused_async, reason = \"it sleeps\")]

use std::thread;

pub async fn handler() {
    // Once.
    let a = 1;
    // BOTTLENECK: it sleeps, and nobody else
    // can run meanwhile.
    thread::sleep(a); // still here
    let b = \"SELECT id FROM my_lab_slow\";
}
";

    #[test]
    fn the_start_is_slow_without_what_names_the_cause() {
        let text = start("my-lab", SLOW);
        assert_eq!(
            text,
            "\
//! Yours: starts as slow does. Edit and save it; `chokepoint watch my-lab` grades it.
#![allow(clippy::all, reason = \"a lint would name the bottleneck\")]

use std::thread;

pub async fn handler() {
    // Once.
    let a = 1;
    thread::sleep(a); // still here
    let b = \"SELECT id FROM my_lab_yours\";
}
"
        );
    }

    #[test]
    fn a_reset_loses_nothing() {
        let root = tempfile::tempdir().unwrap();
        let loaded = LoadedLab::without_handlers(&plain(), None).unwrap();
        let lab = root.path().join(loaded.folder());
        let error = reset(root.path(), &loaded).unwrap_err();
        assert!(error.contains("a_lab/slow.rs: no such file; run this in"), "{error}");
        fs::create_dir_all(&lab).unwrap();
        fs::write(lab.join("slow.rs"), SLOW).unwrap();
        assert!(reset(root.path(), &loaded).unwrap_err().contains("yours.rs: "));
        for (attempt, kept_as) in [("first", "yours.rs.bak"), ("second", "yours.rs.bak.2")] {
            fs::write(lab.join("yours.rs"), attempt).unwrap();
            let kept = reset(root.path(), &loaded).unwrap();
            let kept = kept.first().unwrap();
            assert!(kept.ends_with(format!("data/yours/a-lab/{kept_as}")), "{kept:?}");
            assert_eq!(fs::read_to_string(kept).unwrap(), attempt);
            let yours = fs::read_to_string(lab.join("yours.rs")).unwrap();
            assert_eq!(yours, start("a-lab", SLOW));
        }
        let nothing = Vec::<PathBuf>::new();
        assert_eq!(reset(root.path(), &loaded).unwrap(), nothing, "there was nothing to keep");

        fs::write(lab.join(SQL), "CREATE INDEX i ON my_lab_yours (id);").unwrap();
        let kept = reset(root.path(), &loaded).unwrap();
        assert!(kept[0].ends_with("yours/a-lab/yours.sql.bak") && kept.len() == 1, "{kept:?}");
        assert_eq!(fs::read_to_string(lab.join(SQL)).unwrap(), start_of_sql("a-lab"));
        assert_eq!(reset(root.path(), &loaded).unwrap(), nothing);
    }
}
