//! `new-lab`: the files of a new lab, from templates that compile, and its place in the list.
//!
//! Each template says TODO wherever something is missing; a test of the catalogue names those that
//! are left.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    evidence::Area,
    lab::{Labs, folder_of},
    named::nearest,
};

/// lib.rs of an area: the `mod` line and the entry of a lab.
mod list;

/// Id and module of the templates.
const TEMPLATE: (&str, &str) = ("my-lab", "my_lab");

/// Lines of lab.json with the lab's place in the teaching order.
fn place(area: Area, order: u32) -> String {
    format!("  \"area\": \"{}\",\n  \"order\": {order},\n", area.id())
}

macro_rules! template {
    ($name:literal) => {
        ($name, include_str!(concat!("../../templates/my_lab/", $name)))
    };
}

const FILES: [(&str, &str); 7] = [
    template!("README.md"),
    template!("lab.json"),
    template!("mod.rs"),
    template!("slow.rs"),
    template!("fast.rs"),
    template!("yours.rs"),
    template!("wrong.rs"),
];

/// Longest id: it is a column of tables, and part of a URL.
const LONGEST: usize = 40;

/// Keywords of Rust in lower case, which can't name a module.
const RESERVED: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Makes the files of a lab in the repository, and enters it in the list. Returns what it wrote.
///
/// # Errors
/// An unknown area, an id that can't be used or is taken, or a file that can't be written. No folder
/// of the lab is left then.
pub fn make(root: &Path, area: &str, id: &str, labs: &Labs) -> Result<Vec<PathBuf>, String> {
    let area = area_of(area)?;
    check(id)?;
    let folder = root.join(folder_of(area, id));
    // Whichever its area is.
    let known = labs.get(id).map(|known| root.join(known.folder()));
    if let Some(known) = known.or_else(|| folder.exists().then(|| folder.clone())) {
        return Err(format!("{id}: there is such a lab already, in {}", known.display()));
    }
    // Found out before anything is written.
    let list = root.join(area.folder()).join("lib.rs");
    let bad = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    let text = fs::read_to_string(&list).map_err(|e| bad(&list, e))?;
    let last = labs.all().iter().rfind(|loaded| loaded.evidence.area == area);
    let order = last.map_or(1, |last| last.evidence.order + 1);
    let text = list::with(&text, &id.replace('-', "_"))
        .map_err(|reason| format!("{}: {reason}", list.display()))?;

    fs::create_dir(&folder).map_err(|e| bad(&folder, e))?;
    let write = || -> Result<Vec<PathBuf>, String> {
        let mut written = Vec::new();
        for (name, template) in FILES {
            let file = folder.join(name);
            fs::write(&file, filled(template, id, area, order)).map_err(|e| bad(&file, e))?;
            written.push(file);
        }
        fs::write(&list, &text).map_err(|e| bad(&list, e))?;
        written.push(list.clone());
        Ok(written)
    };
    // Otherwise a second try would find the lab there.
    write().inspect_err(|_| drop(fs::remove_dir_all(&folder)))
}

/// Area with this id; hyphens are as good as underscores.
fn area_of(area: &str) -> Result<Area, String> {
    let wanted = area.replace('-', "_");
    let known = || Area::ALL.into_iter().map(Area::id);
    if let Some(area) = Area::ALL.into_iter().find(|known| known.id() == wanted) {
        return Ok(area);
    }
    let all = known().collect::<Vec<_>>().join(", ");
    let near = nearest(&wanted, known()).map(|near| format!("; did you mean {near}?"));
    Err(format!("there is no area {area:?}: it is one of {all}{}", near.unwrap_or_default()))
}

fn check(id: &str) -> Result<(), String> {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let is_well_formed = id.split('-').all(is_word)
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.len() <= LONGEST;
    if !is_well_formed || RESERVED.contains(&id) {
        return Err(format!(
            "{id:?} can't be an id: at most {LONGEST} lower-case letters and digits, with single \
             hyphens between words, a letter first, and no keyword of Rust; such as {}",
            TEMPLATE.0
        ));
    }
    Ok(())
}

/// A template with the names and the place of the lab instead of its own.
fn filled(template: &str, id: &str, area: Area, order: u32) -> String {
    let (template_id, module) = TEMPLATE;
    let text = template.replace(template_id, id).replace(module, &id.replace('-', "_"));
    text.replace(&place(Area::AsyncRuntime, 1), &place(area, order))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_part_of_a_url_and_of_a_module_path() {
        for id in ["n-plus-one", "a", "http2-lab"] {
            assert_eq!(check(id), Ok(()), "{id}");
        }
        let long = "a".repeat(LONGEST + 1);
        for id in
            ["", "-a", "a-", "a--b", "A", "a_b", "2a", "../x", "a b", "ä", "loop", "type", &long]
        {
            let error = check(id).unwrap_err();
            assert!(error.contains("can't be an id"), "{error}");
        }
    }

    #[test]
    fn an_unknown_area_is_refused_with_the_nearest() {
        assert_eq!(area_of("async-runtime"), Ok(Area::AsyncRuntime));
        let error = area_of("databse").unwrap_err();
        assert!(error.ends_with("did you mean database?"), "{error}");
    }

    #[test]
    fn the_template_of_yours_is_the_start_of_its_slow() {
        let of = |name| FILES.iter().find(|(file, _)| *file == name).unwrap().1;
        assert_eq!(of("yours.rs"), crate::progress::yours::start(TEMPLATE.0, of("slow.rs")));
    }

    #[test]
    fn every_template_says_what_is_missing_and_has_no_name_of_its_own_left() {
        for (name, template) in FILES {
            assert!(template.contains("TODO") || name == "yours.rs", "{name}");
            let text = filled(template, "other", Area::Cache, 7);
            let (id, module) = TEMPLATE;
            assert!(![id, module].iter().any(|own| text.contains(own)), "{name}: {text}");
            assert_eq!(text.contains(&place(Area::Cache, 7)), name == "lab.json", "{name}: {text}");
        }
    }
}
