//! The learner's commands: `watch`, `hint`, `reset`, `labs`, and what they say when they can't run.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ended, program, run, text};

const YOURS: &str = "src/labs/database/n_plus_one/yours.rs";

/// Sources of a lab, as in the repository, and a stand-in for cargo: compiling for real takes
/// minutes. It names this program as built, or reports an error that yours.rs asks for.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(folder.path().join("src/labs/database/n_plus_one")).unwrap();
    for file in ["Cargo.toml", "src/labs/mod.rs", "src/labs/database/n_plus_one/slow.rs"] {
        fs::copy(root.join(file), folder.path().join(file)).unwrap();
    }
    fs::write(folder.path().join(YOURS), start(&folder)).unwrap();
    let error = r#"{"reason":"compiler-message","target":{"name":"chokepoint"},"message":{"level":"error","rendered":"error: this is no Rust\n","spans":[{}]}}"#;
    let built =
        r#"{"reason":"compiler-artifact","target":{"name":"chokepoint"},"executable":"PROGRAM"}"#;
    let built = built.replace("PROGRAM", env!("CARGO_BIN_EXE_chokepoint"));
    let script = format!(
        "#!/bin/sh\nif grep -q 'no Rust' {YOURS}; then\nprintf '%s\\n' '{error}'\nexit 101\nfi\nprintf '%s\\n' '{built}'\n"
    );
    let cargo = folder.path().join("cargo");
    fs::write(&cargo, script).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn start(folder: &TempDir) -> String {
    workshop::progress::yours::start_in(
        &folder.path().join("src/labs/database/n_plus_one"),
        "n-plus-one",
    )
    .unwrap()
}

fn watch(folder: &TempDir) -> Command {
    let mut command = program(folder.path());
    command.args(["watch", "n-plus-one"]).env("CARGO", folder.path().join("cargo"));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("K6", "/no/such/k6");
    command
}

fn progress(folder: &TempDir) -> Value {
    let text = fs::read_to_string(folder.path().join("data/progress.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["labs"]["n-plus-one"].clone()
}

/// A watch with a pipe for its keys.
struct Watching {
    child: Ended,
    output: BufReader<ChildStdout>,
}

impl Watching {
    fn start(folder: &TempDir) -> Self {
        let mut command = watch(folder);
        let mut child: Child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child: Ended(child), output }
    }

    fn press(&mut self, key: char) {
        writeln!(self.child.0.stdin.as_mut().unwrap(), "{key}").unwrap();
    }

    /// Reads up to a line that has this text, and returns that line.
    fn wait_for(&mut self, wanted: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "it ended without {wanted:?}");
            if line.contains(wanted) {
                return line;
            }
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn without_keys_it_grades_what_is_there_and_ends() {
    let folder = repository();
    let output = watch(&folder).output().unwrap();
    let (said, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert!(said.contains("verdict   RED"), "{said} {error}");
    assert!(said.contains("for each request, at most 2 (evidence of fast)"), "{said}");
    assert!(
        said.lines().any(|line| line.split_whitespace().eq(["queries", "201", "1", "201", "2"]))
    );
    assert!(!folder.path().join("data").exists(), "the start of yours.rs is no attempt");
}

#[test]
#[cfg(target_os = "linux")]
fn each_save_is_graded_and_each_key_answered() {
    let folder = repository();
    let mut watching = Watching::start(&folder);
    watching.wait_for("yours: http://");
    watching.press('h');
    watching.wait_for("Hint 1 of 3");
    watching.press('d');
    watching.wait_for("yours.rs is still as slow.rs is.");

    fs::write(folder.path().join(YOURS), "no Rust").unwrap();
    watching.wait_for("it does not build");
    watching.wait_for("error: this is no Rust");
    watching.press('p');
    watching.wait_for("p needs a version that builds");

    fs::write(folder.path().join(YOURS), start(&folder) + "// Mine.\n").unwrap();
    let built = watching.wait_for("yours: http://");
    watching.wait_for("verdict   RED");
    watching.press('d');
    watching.wait_for("+// Mine.");
    watching.press('p');
    watching.wait_for("k6, which makes the load, is not here.");
    watching.wait_for("The proof loads yours with 30 requests per second");
    watching.press('q');
    assert_eq!(watching.child.0.wait().unwrap().code(), Some(0));

    let address = built.split("http://").nth(1).unwrap().split('/').next().unwrap();
    assert!(TcpStream::connect(address).is_err(), "a server is left");
    let kept = progress(&folder);
    assert_eq!((&kept["attempts"], &kept["hints"]), (&1.into(), &1.into()), "{kept}");
    assert_eq!((&kept["green"], &kept["proven"]), (&false.into(), &false.into()), "{kept}");
    let listed = text(&run(&folder, &["labs"]).stdout);
    assert!(listed.contains("tried") && listed.contains("untouched"), "{listed}");
}

#[test]
fn hints_are_shown_in_order_and_a_reset_forgets_them() {
    let folder = repository();
    let hint = || text(&run(&folder, &["hint", "n-plus-one"]).stdout);
    for number in [1, 2, 3, 3] {
        assert!(hint().starts_with(&format!("Hint {number} of 3: ")));
    }
    fs::write(folder.path().join(YOURS), "mine").unwrap();
    let output = run(&folder, &["reset", "n-plus-one"]);
    let said = text(&output.stdout);
    assert!(said.contains("kept in data/yours/n-plus-one/yours.rs.bak"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join(YOURS)).unwrap(), start(&folder));
    let kept = folder.path().join("data/yours/n-plus-one/yours.rs.bak");
    assert_eq!(fs::read_to_string(kept).unwrap(), "mine");
    assert!(hint().starts_with("Hint 1 of 3: "));
    // The other labs are not in this folder.
    let output = run(&folder, &["reset", "--all"]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("slow.rs: no such file; run this in the folder"), "{error}");
}

#[test]
fn damaged_progress_is_reported_and_left_alone() {
    let folder = repository();
    let file = folder.path().join("data/progress.json");
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(&file, "{").unwrap();
    let labs = run(&folder, &["labs"]);
    assert_eq!(labs.status.code(), Some(0), "the labs are there all the same");
    assert!(text(&labs.stdout).contains("n-plus-one"));
    assert!(text(&labs.stderr).starts_with("data/progress.json: EOF"));
    for args in [["hint", "n-plus-one"], ["reset", "n-plus-one"], ["watch", "n-plus-one"]] {
        let output = run(&folder, &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains("progress.json: EOF"), "{args:?}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "{");
}

#[test]
fn outside_of_the_repository_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        &["watch", "n-plus-one"][..],
        &["reset", "--all"],
        &["new-lab", "cache", "a"],
        &["prove", "--write", "n-plus-one"],
    ] {
        let output = run(&folder, args);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(error.contains("run this in the folder of Chokepoint's repository"), "{error}");
    }
}

#[test]
fn a_name_that_is_nearly_right_is_suggested() {
    let folder = repository();
    for args in [
        &["watch", "n-plus-on"][..],
        &["hint", "n-plus-on"],
        &["reset", "n-plus-on"],
        &["prove", "n-plus-on"],
        &["flame", "n-plus-on"],
    ] {
        let output = run(&folder, args);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(error.contains("\"n-plus-on\"; did you mean n-plus-one?"), "{args:?}: {error}");
    }
    let error = text(&run(&folder, &["wach"]).stderr);
    assert!(error.contains("'wach'") && error.contains("did you mean watch?"), "{error}");
    let error = text(&run(&folder, &["prove", "--your"]).stderr);
    assert!(error.contains("did you mean --yours?"), "{error}");
}
