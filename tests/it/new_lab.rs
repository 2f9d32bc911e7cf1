//! `new-lab`: its templates compile and are a lab, and it writes them where they belong.

use std::{fs, path::Path};

use workshop::{evidence::Area, lab::LoadedLab};

use crate::program::{run, text};

/// The templates themselves, so that they are compiled, formatted and linted as any lab is.
#[path = "../../crates/workshop/templates/my_lab/mod.rs"]
mod template;

#[test]
fn the_templates_are_a_lab() {
    let loaded = LoadedLab::new(&template::LAB).unwrap();
    assert_eq!(loaded.evidence.route("slow"), "/api/labs/my-lab/v1/slow");
    assert_eq!(loaded.evidence.variants().last(), Some("join-all"));
}

#[test]
fn the_files_and_the_entry_of_a_lab_are_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let labs = folder.path().join("src/labs/database");
    fs::create_dir_all(&labs).unwrap();
    for file in ["Cargo.toml", "src/labs/mod.rs", "src/labs/database/lib.rs"] {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        fs::copy(source, folder.path().join(file)).unwrap();
    }
    let output = run(&folder, &["new-lab", "database", "many-joins"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    for file in ["README.md", "lab.json", "mod.rs", "slow.rs", "fast.rs", "yours.rs", "wrong.rs"] {
        assert!(said.contains(&format!("src/labs/database/many_joins/{file}\n")), "{said}");
        let text = fs::read_to_string(labs.join("many_joins").join(file)).unwrap();
        assert!(!text.contains("my-lab") && !text.contains("my_lab"), "{file}: {text}");
    }
    let list = fs::read_to_string(labs.join("lib.rs")).unwrap();
    assert!(list.contains("pub mod many_joins;\n"), "{list}");
    // After the last of its area, in whatever layout.
    let catalogue = crate::support::labs();
    let last = catalogue.all().iter().rfind(|lab| lab.evidence.area == Area::Database).unwrap();
    let entries = format!("&{}::LAB, &many_joins::LAB", last.lab.id.replace('-', "_"));
    let words: Vec<_> = list.split_whitespace().collect();
    assert!(words.join(" ").contains(&entries), "{list}");
    let evidence = fs::read_to_string(labs.join("many_joins/lab.json")).unwrap();
    let place = format!("\"area\": \"database\",\n  \"order\": {},\n", last.evidence.order + 1);
    assert!(evidence.contains(&place), "{evidence}");

    for (args, reason) in [
        (["new-lab", "database", "many-joins"], "there is such a lab already"),
        (["new-lab", "database", "n-plus-one"], "there is such a lab already"),
        (["new-lab", "database", "Many"], "can't be an id"),
        (["new-lab", "databse", "other"], "did you mean database?"),
    ] {
        let output = run(&folder, &args);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(error.contains(reason), "{args:?}: {error}");
    }
    assert_eq!(fs::read_to_string(labs.join("lib.rs")).unwrap(), list, "a refusal changed it");
}
