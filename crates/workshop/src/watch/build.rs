//! The compiler: builds the server with the learner's cargo, and reads what it says.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::Command,
};

/// The program to build, and the name of its target.
const PROGRAM: &str = "chokepoint";

/// Outcome of a build.
#[derive(Debug, PartialEq, Eq)]
pub enum Built {
    /// The program that was built.
    Program(PathBuf),
    /// Lines that the compiler wrote about its errors.
    Failed(Vec<String>),
}

/// Builds the server in a process group of its own, which ends with the future.
///
/// # Errors
/// Cargo could not be started.
pub async fn build(root: &Path, profile: &str, progress: &dyn Fn(&str)) -> Result<Built, String> {
    // `cargo run` says which cargo this is.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command
        .args(["build", "--bin", PROGRAM, "--profile", profile, "--message-format=json"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // `cargo run` sets these for what it runs. Build scripts that look at them would run again, and
    // everything behind them would be compiled anew.
    for (name, _) in std::env::vars_os() {
        let name_of = name.to_string_lossy();
        if name_of.starts_with("CARGO_PKG_") || name_of.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command
        .spawn()
        .map_err(|e| format!("{} can't be started: {e}", cargo.to_string_lossy()))?;
    let mut group = Group(child.id());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (messages, errors) = tokio::join!(all(stdout), lines(stderr, progress));
    let status = child.wait().await.map_err(|e| format!("cargo: {e}"))?;
    group.0 = None;
    Ok(outcome(&messages, status.success(), &errors))
}

async fn all(output: Option<impl AsyncRead + Unpin>) -> String {
    let mut text = Vec::new();
    if let Some(mut output) = output {
        // A pipe that breaks ends the text; the exit status says the rest.
        let _ = output.read_to_end(&mut text).await;
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Lines that cargo itself writes, each reported when it comes.
async fn lines(output: Option<impl AsyncRead + Unpin>, progress: &dyn Fn(&str)) -> Vec<String> {
    let mut all = Vec::new();
    let Some(output) = output else { return all };
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        progress(line.trim());
        all.push(line);
    }
    all
}

/// The processes of a build. A compiler must not go on when nobody waits for it.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.0.and_then(|id| i32::try_from(id).ok()) {
            use nix::{
                sys::signal::{Signal, killpg},
                unistd::Pid,
            };
            // They may have ended by themselves.
            let _ = killpg(Pid::from_raw(group), Signal::SIGTERM);
        }
    }
}

/// A line of cargo's JSON messages, as far as it is read.
#[derive(Deserialize)]
struct Message {
    reason: String,
    message: Option<Diagnostic>,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
    #[serde(default)]
    spans: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Reads cargo's messages: the program, or the errors without the warnings between them. What
/// cargo wrote itself is shown where the compiler said nothing, as for a broken Cargo.toml.
fn outcome(messages: &str, succeeded: bool, of_cargo: &[String]) -> Built {
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    let (mut program, mut errors) = (None, Vec::new());
    for Message { reason, message, target, executable } in messages {
        let is_program = target.is_some_and(|target| target.name == PROGRAM);
        if reason == "compiler-artifact" && is_program && executable.is_some() {
            program = executable;
        }
        // Without a place it only counts the others.
        let error = message.filter(|m| m.level.starts_with("error") && !m.spans.is_empty());
        if let Some(rendered) = error.and_then(|error| error.rendered) {
            errors.extend(rendered.trim_end().lines().map(str::to_owned));
            errors.push(String::new());
        }
    }
    match program {
        Some(program) if succeeded => Built::Program(program),
        _ if errors.is_empty() => Built::Failed(of_cargo.to_vec()),
        _ => Built::Failed(errors),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARTIFACT: &str = r#"{"reason":"compiler-artifact","target":{"name":"chokepoint","kind":["bin"]},"executable":"/t/chokepoint","fresh":false}"#;
    const LIBRARY: &str = r#"{"reason":"compiler-artifact","target":{"name":"chokepoint","kind":["lib"]},"executable":null}"#;
    const WARNING: &str = r#"{"reason":"compiler-message","target":{"name":"chokepoint"},"message":{"level":"warning","rendered":"warning: unused","spans":[{}]}}"#;
    const ERROR: &str = r#"{"reason":"compiler-message","target":{"name":"chokepoint"},"message":{"level":"error","rendered":"error[E0425]: no `x`\n --> src\n","spans":[{}]}}"#;
    const COUNT: &str = r#"{"reason":"compiler-message","target":{"name":"chokepoint"},"message":{"level":"error","rendered":"error: aborting due to 1 previous error","spans":[]}}"#;

    #[test]
    fn the_program_is_where_cargo_says() {
        let messages = [LIBRARY, WARNING, ARTIFACT, r#"{"reason":"build-finished"}"#].join("\n");
        let built = outcome(&messages, true, &[]);
        assert_eq!(built, Built::Program(PathBuf::from("/t/chokepoint")));
    }

    #[test]
    fn errors_are_shown_without_warnings_and_without_their_count() {
        let messages = [WARNING, ERROR, COUNT].join("\n");
        let Built::Failed(lines) = outcome(&messages, false, &["error: could not".to_owned()])
        else {
            panic!("it was built");
        };
        assert_eq!(lines, ["error[E0425]: no `x`", " --> src", ""]);
    }

    #[test]
    fn without_a_compiler_cargos_own_words_are_shown() {
        let of_cargo = ["error: failed to parse manifest".to_owned()];
        assert_eq!(outcome("", false, &of_cargo), Built::Failed(of_cargo.to_vec()));
        // A build that failed has no program, even if an older one is named.
        assert_eq!(outcome(ARTIFACT, false, &of_cargo), Built::Failed(of_cargo.to_vec()));
    }
}
