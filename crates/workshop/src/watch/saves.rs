//! Saved files of a lab's folder, as events.

use std::{collections::BTreeMap, ffi::OsStr, fs, path::Path, time::Duration};

use notify_debouncer_mini::{
    DebounceEventResult, Debouncer, new_debouncer,
    notify::{RecommendedWatcher, RecursiveMode},
};

/// Time in which the writes of one save arrive: editors write, rename and touch.
const ONE_SAVE: Duration = Duration::from_millis(100);

/// Endings of the files that belong to a lab; editors leave others in its folder.
const ENDINGS: [&str; 5] = ["rs", "json", "sql", "js", "md"];

/// Contents of a lab's files. Builds read them too, which is an event like a save; so only another
/// content counts.
type Contents = BTreeMap<std::path::PathBuf, Vec<u8>>;

/// A watched folder; dropping it ends the watch.
pub struct Saves {
    _watcher: Debouncer<RecommendedWatcher>,
}

/// Calls `on_save` after each save that changes a file of the folder.
///
/// # Errors
/// The system can't watch the folder, in words.
pub fn watch(folder: &Path, on_save: impl Fn() + Send + 'static) -> Result<Saves, String> {
    let bad = |e: notify_debouncer_mini::notify::Error| {
        format!("{} can't be watched: {e}", folder.display())
    };
    let mut last = contents(folder);
    let of = folder.to_owned();
    let on_events = move |_: DebounceEventResult| {
        let now = contents(&of);
        if now != last {
            last = now;
            on_save();
        }
    };
    let mut watcher = new_debouncer(ONE_SAVE, on_events).map_err(bad)?;
    watcher.watcher().watch(folder, RecursiveMode::NonRecursive).map_err(bad)?;
    Ok(Saves { _watcher: watcher })
}

/// Reads all files that belong to the lab. One that can't be read is as good as not there: the
/// editor is between two steps, and the next event follows.
fn contents(folder: &Path) -> Contents {
    let Ok(entries) = fs::read_dir(folder) else { return Contents::new() };
    let paths = entries.flatten().map(|entry| entry.path()).filter(|path| is_of_lab(path));
    paths.filter_map(|path| Some((path.clone(), fs::read(path).ok()?))).collect()
}

fn is_of_lab(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    !name.starts_with(['.', '#']) && ENDINGS.contains(&ending)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Longer than any machine needs; a save that is not seen fails by it.
    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn a_save_is_reported_and_reading_or_an_editors_own_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let yours = folder.path().join("yours.rs");
        fs::write(&yours, "1").unwrap();
        let (saved, saves) = mpsc::channel();
        let _watched = watch(folder.path(), move || {
            let _ = saved.send(());
        })
        .unwrap();
        fs::write(&yours, "2").unwrap();
        saves.recv_timeout(PATIENCE).expect("a write");
        // As most editors save: a new file, renamed over the old one.
        fs::write(folder.path().join(".yours.rs.swp"), "x").unwrap();
        fs::read(&yours).unwrap();
        fs::write(folder.path().join("4913"), "").unwrap();
        fs::write(folder.path().join(".new"), "3").unwrap();
        fs::rename(folder.path().join(".new"), &yours).unwrap();
        saves.recv_timeout(PATIENCE).expect("a rename");
        assert!(saves.try_recv().is_err(), "one save was reported twice");
    }
}
