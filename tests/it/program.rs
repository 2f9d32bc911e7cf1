//! The program as a process, started from the command line.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::blocking;
use serde_json::Value;
use tempfile::TempDir;

/// The program in its own folder, without settings of the environment.
pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chokepoint"));
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    command.env("LISTEN", "127.0.0.1:0").env("OPS_LISTEN", "127.0.0.1:0");
    command
}

pub fn run(folder: &TempDir, args: &[&str]) -> Output {
    program(folder.path()).args(args).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Address of a port in the "ready" line, in either log format; none in other lines.
pub fn address(line: &str, port: &str) -> Option<SocketAddr> {
    let (_, addresses) = line.split_once("ready")?;
    let (_, address) = addresses.split_once(port)?;
    let of_address = |c: char| c.is_ascii_digit() || ".:[]".contains(c);
    let address = address.trim_start_matches(['"', '=', ':']);
    address[..address.find(|c| !of_address(c)).unwrap_or(address.len())].parse().ok()
}

/// A process that is killed on drop, so that a failed test leaves none.
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program while it serves.
pub struct Serving {
    child: Ended,
    log: BufReader<ChildStdout>,
    pub app: SocketAddr,
    pub ops: SocketAddr,
    pub folder: TempDir,
}

impl Serving {
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = program(folder.path());
        command.envs(settings.iter().copied());
        Self::start_as(command, folder)
    }

    /// Starts it with this soft and hard limit of descriptors.
    pub fn start_with_descriptors(descriptors: u32, settings: &[(&str, &str)]) -> Self {
        Self::start_by_shell(&format!("ulimit -n {descriptors} && exec \"$0\""), settings)
    }

    /// Starts it by a shell line that has the program as `$0`.
    pub fn start_by_shell(line: &str, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = program(folder.path());
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]).arg(program.get_program()).env_clear();
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.envs(settings.iter().copied());
        command.current_dir(folder.path()).stdin(Stdio::null());
        Self::start_as(command, folder)
    }

    /// Starts it by this command, in the folder that belongs to it.
    pub fn start_as(mut command: Command, folder: TempDir) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Ended(command.spawn().unwrap());
        let mut log = BufReader::new(child.0.stdout.take().unwrap());
        let ready = loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended before it was ready");
            if address(&line, "app").is_some() {
                break line;
            }
        };
        let addr = |port: &str| address(&ready, port).unwrap();
        Self { child, log, app: addr("app"), ops: addr("ops"), folder }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.app)
    }

    /// Waits for a request in flight. Fails once `is_over` is true.
    pub fn wait_until_pending(&self, is_over: impl Fn() -> bool) {
        let client = blocking::Client::builder().no_proxy().build().unwrap();
        let is_pending =
            |line: &str| line.starts_with("axum_http_requests_pending") && !line.ends_with(" 0");
        loop {
            let metrics = client.get(format!("http://{}/metrics", self.ops)).send().unwrap();
            if metrics.text().unwrap().lines().any(is_pending) {
                return;
            }
            assert!(!is_over(), "it was never seen in flight");
        }
    }

    /// Reads the log up to a line with this message, and returns all of it.
    pub fn wait_for_message(&mut self, message: &str) -> String {
        let mut lines = String::new();
        loop {
            let line = self.next_line(message);
            lines += &line;
            if line.contains(message) {
                return lines;
            }
        }
    }

    /// Reads this number of access lines, and skips other lines.
    pub fn wait_for_access_lines(&mut self, count: usize) -> Vec<String> {
        let lines = std::iter::from_fn(|| Some(self.next_line("access lines")));
        lines.filter(|line| line.contains("\"target\":\"access\"")).take(count).collect()
    }

    fn next_line(&mut self, wanted: &str) -> String {
        let mut line = String::new();
        assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "it ended without {wanted:?}");
        line
    }

    pub fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Memory of the process in bytes: `VmRSS` is the current, `VmHWM` the peak.
    pub fn memory(&self, field: &str) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        let kib = line.trim_start_matches(':').trim().trim_end_matches(" kB");
        kib.parse::<u64>().unwrap() * 1024
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.pid()).unwrap()), signal).unwrap();
    }

    /// Reads standard output and standard error after "ready", to the end.
    pub fn output(mut self) -> [Vec<u8>; 2] {
        let (mut output, mut error) = (Vec::new(), Vec::new());
        self.log.read_to_end(&mut output).unwrap();
        self.child.0.stderr.take().unwrap().read_to_end(&mut error).unwrap();
        self.child.0.wait().unwrap();
        [output, error]
    }

    /// Waits for the end and returns the exit status, without the log.
    pub fn ended(mut self) -> ExitStatus {
        self.log.read_to_end(&mut Vec::new()).unwrap();
        self.child.0.wait().unwrap()
    }

    pub fn metrics(&self) -> String {
        let client = blocking::Client::builder().no_proxy().build().unwrap();
        client.get(format!("http://{}/metrics", self.ops)).send().unwrap().text().unwrap()
    }

    /// Waits until a counter, with its labels, has this value.
    pub fn wait_for_metric(&self, series: &str, value: u32) {
        let line = format!("{series} {value}");
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.metrics().lines().any(|l| l == line) {
            assert!(Instant::now() < deadline, "never {line}: {}", self.metrics());
            std::thread::yield_now();
        }
    }

    /// Waits for the end and returns the exit code and the log lines after "ready".
    pub fn end(mut self) -> (Option<i32>, Vec<Value>) {
        let mut text = String::new();
        self.log.read_to_string(&mut text).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (self.child.0.wait().unwrap().code(), lines)
    }
}
