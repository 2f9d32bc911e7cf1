//! Waterfall of a trace: time from left to right, one bar for each span, from the first to the
//! last. A wait is drawn on the bar that waited. Positions are attributes of the SVG: the content
//! security policy allows no inline styles.

use std::time::{Duration, SystemTime};

use maud::{Markup, html};

use super::{
    lines::{About, Line, is_error, said},
    millis,
};

/// Time from its begin to its end.
type Time = (SystemTime, SystemTime);
use crate::traces::store::trace::duration;

/// Sizes in units of the picture; about pixels on a wide screen.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 600.0;
const AXIS: f64 = 24.0;

/// Least and greatest height of a row; `HEIGHT` decides between them.
const LOWEST: f64 = 3.0;
const HIGHEST: f64 = 24.0;

/// Least height of a row that has room for its name.
const NAMED: f64 = 16.0;

/// Least width of a bar: a short query in a long request must be visible.
const LEAST_WIDTH: f64 = 7.0;

/// Most rows drawn: more would not be readable.
const MAX_ROWS: usize = 500;

const TICKS: u32 = 4;

struct Scale {
    start: SystemTime,
    whole: Duration,
}

/// Begin of the first span, and the time to the end of the last one.
fn extent(lines: &[Line<'_>]) -> Option<(SystemTime, Duration)> {
    let start = lines.iter().map(|line| line.span.start_time).min()?;
    let end = lines.iter().map(|line| line.span.end_time).max()?;
    Some((start, end.duration_since(start).unwrap_or_default()))
}

/// Time that the picture of these lines needs.
pub fn length(lines: &[Line<'_>]) -> Duration {
    extent(lines).map_or(Duration::ZERO, |(_, length)| length)
}

impl Scale {
    fn width(&self, time: Duration) -> f64 {
        time.as_secs_f64() / self.whole.as_secs_f64().max(1e-9) * WIDTH
    }

    fn place(&self, at: SystemTime) -> f64 {
        self.width(at.duration_since(self.start).unwrap_or_default())
    }

    /// Position and width of a bar; never beyond the right edge.
    fn bar(&self, line: &Line<'_>) -> (f64, f64) {
        let begin = self.place(line.span.start_time);
        let width = self.width(duration(line.span)).max(LEAST_WIDTH);
        (begin.min(WIDTH - width).max(0.0), width.min(WIDTH))
    }
}

/// Draws the lines on a scale that is `whole` long, and behind them the times in which the request was
/// ready and no worker polled it.
pub fn picture(lines: &[Line<'_>], ready: &[Time], whole: Duration) -> Markup {
    let Some((start, _)) = extent(lines) else { return html! {} };
    let scale = Scale { start, whole };
    let rows = rows(lines);
    let high = (HEIGHT / rows.len() as f64).clamp(LOWEST, HIGHEST);
    let height = AXIS + high * rows.len().min(MAX_ROWS) as f64;
    html! {
        svg.waterfall viewBox={ "0 0 " (WIDTH) " " (height) } role="img"
            aria-label={ "Waterfall of " (lines.len()) " spans" } {
            @for tick in 0..=TICKS { (mark(&scale, tick, height)) }
            @for time in ready { (not_polled(&scale, *time, height)) }
            @for (row, lines) in rows.iter().take(MAX_ROWS).enumerate() {
                @let top = AXIS + high * row as f64;
                @for line in lines { (bar(&scale, line, top, high)) }
                @if high >= NAMED {
                    @if let Some(line) = lines.first() { (name(&scale, line, top + high / 2.0)) }
                }
            }
        }
        @if rows.len() > MAX_ROWS { p { "The first " (MAX_ROWS) " of " (rows.len()) " rows." } }
    }
}

/// Lines of each row: one span, and the waits that are part of it.
fn rows<'l, 'a>(lines: &'l [Line<'a>]) -> Vec<Vec<&'l Line<'a>>> {
    let mut rows: Vec<Vec<&Line<'_>>> = Vec::new();
    for line in lines {
        match rows.last_mut() {
            Some(row)
                if line.about == About::Wait
                    && row[0].span.span_context.span_id() == line.span.parent_span_id
                    && matches!(row[0].about, About::Database | About::Repeated) =>
            {
                row.push(line);
            }
            _ => rows.push(vec![line]),
        }
    }
    rows
}

fn mark(scale: &Scale, tick: u32, height: f64) -> Markup {
    let x = WIDTH * f64::from(tick) / f64::from(TICKS);
    let anchor = match tick {
        0 => "start",
        TICKS => "end",
        _ => "middle",
    };
    html! {
        line.mark x1=(x) x2=(x) y1=(AXIS - 4.0) y2=(height) {}
        text.mark x=(x) y="14" text-anchor=(anchor) { (millis(scale.whole * tick / TICKS)) }
    }
}

/// Behind all rows: meanwhile nothing of the request goes on.
fn not_polled(scale: &Scale, (begin, end): Time, height: f64) -> Markup {
    let (begin, width) =
        (scale.place(begin), scale.width(end.duration_since(begin).unwrap_or_default()));
    html! {
        rect.ready x=(units(begin)) y=(AXIS) width=(units(width.max(0.5))) height=(units(height - AXIS)) {
            title { "ready, and no worker polled it" }
        }
    }
}

fn bar(scale: &Scale, line: &Line<'_>, top: f64, high: f64) -> Markup {
    let (x, width) = scale.bar(line);
    let gap = if high > 8.0 { 2.0 } else { 0.5 };
    // The bar that waited shows above it.
    let (top, high) = match line.about {
        About::Wait => (top + high / 2.0, high / 2.0),
        _ => (top, high),
    };
    let failed = if is_error(line.span) { " failed" } else { "" };
    html! {
        rect class={ (line.about.class()) (failed) }
            x=(units(x)) y=(units(top)) width=(units(width)) height=(units(high - gap)) {
            title { (said(line.span)) " · " (millis(duration(line.span))) }
        }
    }
}

/// Draws the name beside the bar, on the side with more room.
fn name(scale: &Scale, line: &Line<'_>, middle: f64) -> Markup {
    let (x, width) = scale.bar(line);
    let (x, anchor, class) = if width > WIDTH / 2.0 {
        (x + 6.0, "start", "name inside")
    } else if x + width > WIDTH / 2.0 {
        (x - 6.0, "end", "name")
    } else {
        (x + width + 6.0, "start", "name")
    };
    html! {
        text class=(class) x=(units(x)) y=(units(middle)) text-anchor=(anchor)
            dominant-baseline="middle" {
            (line.span.name) " · " (millis(duration(line.span)))
        }
    }
}

fn units(number: f64) -> String {
    format!("{number:.1}")
}
