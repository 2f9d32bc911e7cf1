//! Flame graphs as SVG: of one profile, and of the difference of two.

use pprof::flamegraph::{self, Options};

use super::{FrameReader, Mode, kept::Capture, stacks::Stacks};
use crate::error::Error;
use crate::labels::Labels;

pub fn draw(capture: &Capture) -> Result<Vec<u8>, Error> {
    let mut options = options(capture.mode);
    options.title = match capture.mode {
        Mode::Cpu => "CPU flame graph: where cores spend their time".to_owned(),
        Mode::Wall => "Wall-clock flame graph: where threads spend their time".to_owned(),
        Mode::Heap => "Heap flame graph: who allocated what is still there".to_owned(),
    } + &of(&capture.labels);
    options.subtitle = Some(capture.explained.clone());
    let mut lines: Vec<_> =
        stacks(capture)?.iter().map(|(stack, value)| format!("{stack} {value}")).collect();
    if lines.is_empty() {
        lines.push(format!("{} 1", nothing(capture.mode)));
    }
    svg(&mut options, &lines)
}

/// Returns the stacks as text: `thread;main;…;leaf 12` for each, outermost frame first.
pub fn folded(capture: &Capture) -> Result<String, Error> {
    Ok(stacks(capture)?.iter().map(|(stack, value)| format!("{stack} {value}\n")).collect())
}

/// Draws profile `b` with its difference to `a`: red grew, blue shrank. `is_scaled` makes the
/// totals of both the same, so that shares are compared.
pub fn draw_difference(a: &Capture, b: &Capture, is_scaled: bool) -> Result<Vec<u8>, Error> {
    let (of_a, of_b) = (stacks(a)?, stacks(b)?);
    let (total_a, total_b) = (of_a.values().sum::<u64>(), of_b.values().sum::<u64>());
    let scale =
        if is_scaled && total_a > 0 && total_b > 0 { total_b as f64 / total_a as f64 } else { 1.0 };
    let line = |(stack, after): (&String, &u64)| {
        let before = of_a.get(stack).map_or(0.0, |&before| before as f64 * scale);
        format!("{stack} {before:.0} {after}")
    };
    let mut lines: Vec<_> = of_b.iter().map(line).collect();
    if lines.is_empty() {
        lines.push(format!("{} 1 1", nothing(b.mode)));
    }
    let gone: u64 =
        of_a.iter().filter(|(stack, _)| !of_b.contains_key(*stack)).map(|(_, n)| n).sum();
    let gone = 100.0 * gone as f64 / total_a.max(1) as f64;
    let mut options = options(b.mode);
    options.title = format!("{} flame graph, {} against {}", b.mode.name(), name(b), name(a));
    options.subtitle = Some(format!(
        "Red grew, blue shrank: {total_b} {unit} against {total_a}{}. {gone:.0} % of those are in stacks no longer here: swap a and b",
        if is_scaled { ", scaled to the same total" } else { "" },
        unit = b.mode.unit(),
    ));
    svg(&mut options, &lines)
}

fn stacks(capture: &Capture) -> Result<Stacks, Error> {
    Ok(FrameReader::new(&capture.packed).map_err(Error::internal)?.stacks())
}

fn options(mode: Mode) -> Options<'static> {
    let mut options = Options::default();
    options.count_name = mode.unit().to_owned();
    options
}

fn svg(options: &mut Options<'_>, lines: &[String]) -> Result<Vec<u8>, Error> {
    let mut svg = Vec::new();
    let lines = lines.iter().map(String::as_str);
    flamegraph::from_lines(options, lines, &mut svg).map_err(Error::internal)?;
    Ok(svg)
}

/// Text in place of an empty picture.
fn nothing(mode: Mode) -> &'static str {
    match mode {
        Mode::Cpu | Mode::Wall => "no thread was seen running",
        Mode::Heap => "nothing that was sampled is still allocated",
    }
}

fn of(labels: &Labels) -> String {
    labels.text().map_or_else(String::new, |text| format!(" ({text})"))
}

fn name(capture: &Capture) -> String {
    format!("#{}{}", capture.id, of(&capture.labels))
}
