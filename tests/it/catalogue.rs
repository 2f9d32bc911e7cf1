//! Lab folders are complete and have the same shape, so that the next one is easy to read.

use std::{collections::BTreeSet, fs, path::PathBuf};

use chokepoint::labs::CATALOGUE;
use workshop::{evidence::Area, lab::LoadedLab};

use crate::support::labs;

const FILES: [&str; 7] =
    ["README.md", "lab.json", "mod.rs", "slow.rs", "fast.rs", "yours.rs", "wrong.rs"];
const HEADINGS: [&str; 6] = ["Symptom", "See it", "Cause", "Fix", "Wrong fixes", "Numbers"];
/// Lines that fit on one screen of a projector.
const SCREEN: usize = 60;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(loaded: &LoadedLab, file: &str) -> String {
    let path = root().join(loaded.folder()).join(file);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn every_folder_is_in_the_catalogue_once() {
    let labs = labs();
    for area in Area::ALL {
        let folders: BTreeSet<PathBuf> = fs::read_dir(root().join(area.folder()))
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_dir())
            .map(|entry| area.folder().join(entry.file_name()))
            .collect();
        let of_area: Vec<_> = labs.all().iter().filter(|l| l.evidence.area == area).collect();
        assert_eq!(folders, of_area.iter().map(|loaded| loaded.folder()).collect());
        assert_eq!(folders.len(), of_area.len(), "an id stands twice");
    }
}

#[test]
fn every_lab_has_its_files_headings_and_comments() {
    for loaded in labs().all() {
        let lab = loaded.lab;
        for file in FILES {
            assert!(!read(loaded, file).trim().is_empty(), "{} {file} is empty", lab.id);
        }
        let flow = root().join(loaded.folder()).join("k6.js");
        assert_eq!(flow.exists(), lab.flow.is_some(), "{}: mod.rs and its k6.js", lab.id);
        let readme = read(loaded, "README.md");
        let headings: Vec<_> = readme.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, HEADINGS, "{}", lab.id);
        for section in readme.split("\n## ").skip(1) {
            let (heading, text) = section.split_once('\n').unwrap();
            assert!(!text.trim().is_empty(), "{}: {heading} says nothing", lab.id);
        }
        for (file, mark) in [("slow.rs", "// BOTTLENECK:"), ("fast.rs", "// FIX:")] {
            let text = read(loaded, file);
            assert_eq!(text.matches(mark).count(), 1, "{} {file} {mark}", lab.id);
            assert!(text.lines().count() <= SCREEN, "{} {file} is too long", lab.id);
            assert!(text.contains("pub async fn handler("), "{} {file}", lab.id);
        }
    }
}

#[test]
fn every_wrong_fix_is_in_the_text() {
    for loaded in labs().all() {
        let readme = read(loaded, "README.md");
        for fix in &loaded.evidence.wrong_fixes {
            let path = loaded.evidence.route(&fix.name);
            assert!(readme.contains(&path), "{}: {path} is not in its README", loaded.lab.id);
        }
    }
}

#[test]
fn the_lists_are_in_teaching_order() {
    let labs = labs();
    let ids: Vec<_> = labs.all().iter().map(|loaded| loaded.lab.id).collect();
    assert_eq!(CATALOGUE.iter().map(|lab| lab.id).collect::<Vec<_>>(), ids, "CATALOGUE");
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let row = |id: &str| {
        let row = format!("| `{id}` |");
        readme.find(&row).unwrap_or_else(|| panic!("README.md: no row {row} in the table of labs"))
    };
    let at: Vec<_> = ids.iter().map(|id| row(id)).collect();
    assert!(at.is_sorted(), "README.md: the labs are in another order than in lab.json: {at:?}");
}

/// `new-lab` writes a TODO wherever something is missing.
#[test]
fn nothing_is_left_to_write() {
    let mut left = Vec::new();
    let mut look_at = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let name = path.strip_prefix(root()).unwrap_or(&path).display();
        let todo = |(n, line): (usize, &str)| {
            let (_, missing) = line.split_once("TODO")?;
            Some(format!("{name}:{}{missing}", n + 1))
        };
        left.extend(text.lines().enumerate().filter_map(todo));
    };
    for area in Area::ALL {
        look_at(root().join(area.folder()).join("lib.rs"));
    }
    for loaded in labs().all() {
        let folder = root().join(loaded.folder());
        let mut files: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().for_each(&mut look_at);
    }
    assert!(left.is_empty(), "{} places are left to write:\n{}", left.len(), left.join("\n"));
}
