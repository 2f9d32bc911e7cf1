//! Numbers of a run as the *Numbers* section of a lab's README: a table, and the machine on which it
//! was made, without which no number means anything.

use std::{collections::BTreeSet, path::Path};

use super::{Attempt, Proof, VariantRun, WORKER_THREADS};
use crate::{evidence::Statistic, lab::LoadedLab};
use observe::{cost::Counter, measurements::Figures};

const HEADING: &str = "## Numbers\n";

/// The machine, in words for a README.
pub struct Machine {
    pub cores: usize,
    pub cpu: String,
    pub os: String,
}

impl Machine {
    pub fn this() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cpu: cpu(&read("/proc/cpuinfo")).unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            os: os(&read("/etc/os-release")).unwrap_or_else(|| std::env::consts::OS.to_owned()),
        }
    }
}

fn cpu(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn os(release: &str) -> Option<String> {
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}

/// Writes the section into the lab's README below `root`, the folder of the sources.
///
/// # Errors
/// A README that is not there or has no such section, or a proof that is no measurement.
pub fn write(root: &Path, loaded: &LoadedLab, proof: &Proof) -> Result<(), String> {
    let id = loaded.lab.id;
    if !proof.holds {
        return Err(format!("{id} does not hold, so its numbers are not written"));
    }
    let path = root.join(loaded.folder()).join("README.md");
    let failed = |reason: String| format!("{}: {reason}", path.display());
    let readme = std::fs::read_to_string(&path).map_err(|e| failed(e.to_string()))?;
    let section = section(loaded, &proof.last, &Machine::this());
    let written = replaced(&readme, &section).map_err(failed)?;
    std::fs::write(&path, written).map_err(|e| failed(e.to_string()))
}

/// The README with this section in place of its own. Remarks below the old table stay.
fn replaced(readme: &str, section: &str) -> Result<String, String> {
    let (before, rest) =
        readme.split_once(HEADING).ok_or_else(|| "the heading ## Numbers is missing".to_owned())?;
    let (old, after) = match rest.find("\n## ") {
        Some(next) => rest.split_at(next),
        None => (rest, ""),
    };
    let remarks = match old.rfind("\n|") {
        Some(row) => old[row + 1..].split_once('\n').map_or("", |(_, remarks)| remarks),
        None => "",
    };
    let remarks = remarks.trim();
    let remarks = if remarks.is_empty() { String::new() } else { format!("\n{remarks}\n") };
    Ok(format!("{before}{HEADING}\n{section}{remarks}{after}"))
}

fn section(loaded: &LoadedLab, attempt: &Attempt, machine: &Machine) -> String {
    let Attempt { variants: runs, stores, .. } = attempt;
    let Machine { cores, cpu, os } = machine;
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let load = loaded.evidence.load.proof.in_words();
    let mut lines = vec![
        format!("From `chokepoint prove --write {}`: {build} build, {cores} cores", loaded.lab.id),
        format!("({cpu}, {os}), {WORKER_THREADS} workers, {stores}, {load}."),
        String::new(),
        row("", runs.iter().map(|run| run.variant.clone())),
        format!("|{}", "---|".repeat(runs.len() + 1)),
    ];
    let expected = &loaded.evidence.evidence;
    let counters: BTreeSet<_> =
        expected.slow.counters.keys().chain(expected.fast.counters.keys()).collect();
    for counter in counters {
        let ranges = [&expected.slow, &expected.fast].map(|side| side.counters.get(counter));
        let is_mean = ranges.iter().flatten().any(|range| range.statistic == Statistic::Mean);
        let text = |figures: &Figures| if is_mean { with_mean(figures) } else { range(figures) };
        let figures = |run: &VariantRun| run.summary.counters.get(counter).map(text);
        let cells = runs.iter().map(|run| figures(run).unwrap_or_default());
        lines.push(row(&label(*counter), cells));
    }
    if expected.slow.spans.or(expected.fast.spans).is_some() {
        let spans = |run: &VariantRun| run.spans.figures.as_ref().map(range);
        lines.push(row("spans of a trace", runs.iter().map(|run| spans(run).unwrap_or_default())));
    }
    let metrics: BTreeSet<_> = [&expected.slow, &expected.fast]
        .iter()
        .flat_map(|side| &side.metrics)
        .map(ToString::to_string)
        .collect();
    for metric in metrics {
        let grown = |run: &VariantRun| {
            run.grown.iter().find(|grown| grown.metric == metric).map(|g| number(g.by))
        };
        let cells = runs.iter().map(|run| grown(run).unwrap_or_default());
        lines.push(row(&format!("growth of `{metric}`"), cells));
    }
    let of_k6 = |value: &dyn Fn(&super::k6::Outcome) -> String, run: &VariantRun| {
        run.k6.as_ref().map(value).unwrap_or_default()
    };
    let p95 = |run: &VariantRun| of_k6(&|k6| number(k6.p95_ms), run);
    lines.push(row("p95 seen by k6, ms", runs.iter().map(p95)));
    let seconds = f64::from(loaded.evidence.load.proof.seconds());
    let rate = |run: &VariantRun| of_k6(&|k6| number(k6.requests as f64 / seconds), run);
    lines.push(row("answers per second seen by k6", runs.iter().map(rate)));
    lines.join("\n") + "\n"
}

fn row(first: &str, cells: impl Iterator<Item = String>) -> String {
    cells.fold(format!("| {first} |"), |line, cell| format!("{line} {cell} |"))
}

/// Name of a counter for people: `off cpu, ms`.
fn label(counter: Counter) -> String {
    let name = counter.name();
    let (name, unit) = name.strip_suffix("_ms").map_or((name, ""), |name| (name, ", ms"));
    format!("{}{unit}", name.replace('_', " "))
}

fn range(figures: &Figures) -> String {
    let (min, max) = (number(figures.min), number(figures.max));
    if min == max { min } else { format!("{min}–{max}") }
}

fn with_mean(figures: &Figures) -> String {
    format!("{}, mean {}", range(figures), number(figures.mean))
}

/// A number with as many digits as a reader compares: 0.4, 17, 2 041.
fn number(value: f64) -> String {
    if value < 10.0 && (value - value.round()).abs() >= 0.05 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_takes_the_place_of_the_old_one_and_remarks_stay() {
        let readme = "# Lab\n\n## Fix\n\nOne query.\n\n## Numbers\n\nOld.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nA remark.\n";
        let written = replaced(readme, "New.\n\n| c |\n").unwrap();
        assert_eq!(
            written,
            "# Lab\n\n## Fix\n\nOne query.\n\n## Numbers\n\nNew.\n\n| c |\n\nA remark.\n"
        );
        assert_eq!(replaced(&written, "New.\n\n| c |\n").unwrap(), written);
        let between = replaced("## Numbers\n\nOld.\n\n## More\n\nText.\n", "New.\n").unwrap();
        assert_eq!(between, "## Numbers\n\nNew.\n\n## More\n\nText.\n");
        assert_eq!(replaced("# Lab\n", "").unwrap_err(), "the heading ## Numbers is missing");
    }

    #[test]
    fn numbers_have_the_digits_that_a_reader_compares() {
        let shown: Vec<_> = [0.0, 0.44, 1.0, 17.3, 999.6, 2041.0, 1234567.0].map(number).into();
        assert_eq!(shown, ["0", "0.4", "1", "17", "1 000", "2 041", "1 234 567"]);
        assert_eq!(label(Counter::OffCpuMs), "off cpu, ms");
        assert_eq!(label(Counter::Queries), "queries");
    }

    #[test]
    fn a_machine_says_its_name() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz\n";
        assert_eq!(cpu(cpuinfo).as_deref(), Some("Some CPU @ 2.0GHz"));
        assert_eq!(cpu("processor\t: 0\nBogoMIPS: 1"), None);
        let release = "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n";
        assert_eq!(os(release).as_deref(), Some("Debian GNU/Linux 12"));
    }
}
