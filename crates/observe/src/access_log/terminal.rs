//! Access line for a terminal: one line of at most 120 columns, with the numbers of the front end's cost
//! strip. The other formats have all counters.

use std::{borrow::Cow, fmt::Display, time::SystemTime};

use anstyle::{AnsiColor, Effects, Style};

use super::{Request, logged};
use crate::cost::{Cost, Counter};

/// Columns of a line. A terminal on a projector has few more.
const COLUMNS: usize = 120;
/// Queries of one request that are worth a look.
const MANY_QUERIES: u64 = 10;

const DIM: Style = Style::new().effects(Effects::DIMMED);
const BOLD: Style = Style::new().effects(Effects::BOLD);

const fn in_color(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(anstyle::Color::Ansi(color)))
}

/// Line of a request that ended at this time.
pub fn line(request: &Request<'_>, cost: &Cost, at: SystemTime, is_coloured: bool) -> String {
    let mut line = Line { text: String::new(), columns: 0, is_coloured };
    let Request { ids, method, path, status, .. } = request;
    let at = humantime::format_rfc3339_seconds(at).to_string();
    line.push(DIM, at.get(11..19).unwrap_or(&at));
    line.push(Style::new(), format_args!(" {method:<6.6} "));
    line.push(of_status(*status), format_args!("{status:>3}"));
    line.push(BOLD, format_args!(" {:>9}", time(cost.value(Counter::ElapsedMs))));
    let queries = cost.value(Counter::Queries);
    let style = if queries > MANY_QUERIES { in_color(AnsiColor::Yellow) } else { Style::new() };
    line.push(style, format_args!(" {:>11}", counted(queries, "query", "queries")));

    let rest = rest(cost);
    let room = COLUMNS.saturating_sub(line.columns + rest.len() + ids.trace.len() + 3);
    let path = logged(path);
    let path = shortened(&path, room);
    line.push(of_version(&path), format_args!("  {path:<room$}"));
    line.push(Style::new(), format_args!("{rest} "));
    line.push(DIM, ids.trace);
    line.text
}

/// Cache and queue, if the request had to do with them.
fn rest(cost: &Cost) -> String {
    let mut rest = String::new();
    for (counter, one, more) in
        [(Counter::CacheHits, "hit", "hits"), (Counter::CacheMisses, "miss", "misses")]
    {
        let value = cost.value(counter);
        if value > 0 {
            rest.push_str(&format!(" {}", counted(value, one, more)));
        }
    }
    let queued = cost.value(Counter::QueueWaitMs);
    if queued > 0 {
        rest.push_str(&format!(" queue {}", time(queued)));
    }
    rest
}

/// A line as it grows, with its width.
struct Line {
    text: String,
    columns: usize,
    is_coloured: bool,
}

impl Line {
    fn push(&mut self, style: Style, part: impl Display) {
        let part = part.to_string();
        // All of it is ASCII, or characters that are one column wide.
        self.columns += part.chars().count();
        let part = if self.is_coloured && style != Style::new() {
            format!("{style}{part}{style:#}")
        } else {
            part
        };
        self.text.push_str(&part);
    }
}

/// Nanoseconds as `3.4 ms`, or `12.3 s`.
fn time(nanoseconds: u64) -> String {
    let millis = nanoseconds as f64 / 1e6;
    if millis < 9_999.95 { format!("{millis:.1} ms") } else { format!("{:.1} s", millis / 1e3) }
}

fn counted(value: u64, one: &str, more: &str) -> String {
    format!("{value} {}", if value == 1 { one } else { more })
}

/// Path in so many columns: its end says more than its middle.
fn shortened(path: &str, columns: usize) -> Cow<'_, str> {
    let is_wide = |char: char| !char.is_ascii();
    let path: Cow<'_, str> =
        if path.contains(is_wide) { path.replace(is_wide, "?").into() } else { path.into() };
    if path.len() <= columns {
        return path;
    }
    let tail = columns / 2;
    let head = columns.saturating_sub(tail + 1);
    format!("{}…{}", &path[..head], &path[path.len() - tail..]).into()
}

fn of_status(status: u16) -> Style {
    in_color(match status {
        0..400 => AnsiColor::Green,
        400..500 => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    })
}

/// The colours that slow and fast, v1 and v2 have everywhere.
fn of_version(path: &str) -> Style {
    if path.contains("/v1/") {
        in_color(AnsiColor::Red)
    } else if path.contains("/v2/") {
        in_color(AnsiColor::Green)
    } else {
        Style::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::HeaderMap;
    use opentelemetry::trace::TraceId;

    use super::*;
    use crate::request_id::Ids;

    fn of(method: &str, path: &str, status: u16, cost: &Cost, is_coloured: bool) -> String {
        let trace = TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128);
        let ids = Ids::of(&HeaderMap::new(), Some(trace));
        let request = Request { ids: &ids, method, route: path, path, status };
        line(&request, cost, SystemTime::UNIX_EPOCH + Duration::from_secs(55_352), is_coloured)
    }

    fn cost(elapsed: u64, queries: u64, hits: u64, misses: u64, queued: u64) -> Cost {
        Cost::of([
            (Counter::ElapsedMs, elapsed),
            (Counter::Queries, queries),
            (Counter::CacheHits, hits),
            (Counter::CacheMisses, misses),
            (Counter::QueueWaitMs, queued),
        ])
    }

    #[test]
    fn lines_stand_below_each_other_in_120_columns() {
        let lines = [
            of("GET", "/", 200, &cost(412_000, 0, 0, 0, 0), false),
            of("POST", "/api/v1/todos", 201, &cost(3_412_000, 2, 0, 0, 12_040_000), false),
            of("GET", "/api/v2/todos", 200, &cost(902_000, 1, 1, 2, 0), false),
            of(
                "GET",
                "/api/labs/guard-across-await/v4/more-workers",
                503,
                &cost(12_345_678_000, 201, 0, 0, 0),
                false,
            ),
        ];
        assert!(lines.iter().all(|line| line.chars().count() == 120), "{lines:#?}");
        insta::assert_snapshot!(lines.join("\n"), @r"
        15:22:32 GET    200    0.4 ms   0 queries  /                                            4bf92f3577b34da6a3ce929d0e0e4736
        15:22:32 POST   201    3.4 ms   2 queries  /api/v1/todos                  queue 12.0 ms 4bf92f3577b34da6a3ce929d0e0e4736
        15:22:32 GET    200    0.9 ms     1 query  /api/v2/todos                 1 hit 2 misses 4bf92f3577b34da6a3ce929d0e0e4736
        15:22:32 GET    503    12.3 s 201 queries  /api/labs/guard-across-await/v4/more-workers 4bf92f3577b34da6a3ce929d0e0e4736
        ");
    }

    #[test]
    fn nothing_that_a_client_sends_makes_a_line_longer() {
        let long = format!("/{}", "ab/".repeat(3_000));
        for path in ["", "/", "/\u{202e}x", "/日本語日本語日本語日本語日本語", &long]
        {
            let most = cost(3_600_000_000_000, 999_999, 9_999, 9_999, 9_999_000_000);
            for cost in [&most, &Cost::default()] {
                let line = of("PROPPATCHING", path, 599, cost, false);
                assert!(line.chars().count() <= 120, "{line}");
                assert!(line.is_ascii() || line.contains('…'), "{line}");
            }
        }
    }

    #[test]
    fn colours_take_no_columns() {
        let cost = cost(3_412_000, 101, 1, 1, 12_040_000);
        let plain = of("POST", "/api/v1/todos", 201, &cost, false);
        let coloured = of("POST", "/api/v1/todos", 201, &cost, true);
        assert!(coloured.contains("\u{1b}[31m  /api/v1/todos"), "{coloured:?}");
        let mut without = String::new();
        let mut parts = coloured.split('\u{1b}');
        without.push_str(parts.next().unwrap());
        for part in parts {
            without.push_str(part.split_once('m').unwrap().1);
        }
        assert_eq!(without, plain);
    }
}
