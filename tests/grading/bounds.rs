//! Bounds, and the words of a refusal, on numbers that are made up.

use observe::{
    cost::Counter,
    measurements::{Figures, Summary},
};
use workshop::{
    evidence::Evidence,
    judge::{
        Totals,
        bounds::{self, Measured},
    },
};

fn evidence(id: &str) -> Evidence {
    crate::support::labs().get(id).unwrap().evidence.clone()
}

/// Grade of requests that all have these numbers, and whose work is theirs alone.
fn grade(id: &str, numbers: &[(Counter, f64)]) -> Vec<String> {
    let evidence = evidence(id);
    let figures = |value| Figures { min: value, mean: value, p90: value, max: value };
    let fast = evidence.evidence.fast.counters.keys().map(|counter| (*counter, figures(0.0)));
    let given = numbers.iter().map(|(counter, value)| (*counter, figures(*value)));
    let summary =
        Summary { count: 10, counters: fast.chain(given).collect(), ..Summary::default() };
    let total =
        |(counter, figures): (&Counter, &Figures)| (counter.name().to_owned(), figures.max * 10.0);
    let totals: Totals = summary.counters.iter().map(total).collect();
    let measured = Measured { summary: &summary, totals: &totals, requests: 10 };
    bounds::grade(&evidence, &bounds::of(&evidence), &measured)
}

#[test]
fn fewer_than_fast_is_never_too_few() {
    for loaded in crate::support::labs().all() {
        let id = loaded.lab.id;
        assert_eq!(grade(id, &[]), Vec::<String>::new(), "{id}");
    }
}

#[test]
fn the_gate_decides_where_fast_is_stricter() {
    let queries = |queries| grade("blocking-n-plus-one", &[(Counter::Queries, queries)]);
    assert_eq!(queries(5.0), Vec::<String>::new());
    assert_eq!(queries(6.0), ["queries: 6 for each request, at most 5 (gate queries: max<=5)"]);
    let rows = |rows| grade("n-plus-one", &[(Counter::Rows, rows)]);
    assert_eq!(rows(200.0), Vec::<String>::new());
    assert_eq!(rows(300.0), ["rows: 300 for each request, at most 200 (evidence of fast)"]);
}

#[test]
fn switches_are_those_of_one_request() {
    let switches = grade("hidden-blocking", &[(Counter::Switches, 117.0)]);
    let words = [
        "switches: 117 in one request, at most 20 (evidence of fast)",
        "these look like the numbers of the wrong fix block-in-place",
    ];
    assert_eq!(switches, words);
}

#[test]
fn a_mean_and_its_greatest_are_two_bounds() {
    let calls = |calls| grade("retry-storm", &[(Counter::UpstreamCalls, calls)]);
    assert_eq!(calls(1.2), Vec::<String>::new());
    let mean = |calls: u32| {
        format!("upstream_calls: {calls} for each request, at most 1.2 (evidence of fast)")
    };
    assert_eq!(calls(4.0), [mean(4)]);
    let max = "upstream_calls: 5 for each request, at most 4 (gate upstream_calls: max<=4)";
    let whose = "these look like the numbers of the wrong fix one-layer";
    assert_eq!(calls(5.0), [max.to_owned(), mean(5), whose.to_owned()]);
    // Slow's numbers are those of a wrong fix too.
    assert_eq!(calls(25.0).last().unwrap(), "these look like the numbers of slow");
}

#[test]
fn a_refusal_says_whose_numbers_these_are() {
    use Counter::{ElapsedMs, OffCpuMs, Queries, Switches};
    let numbers = |switches, off_cpu| {
        [(Queries, 101.0), (Switches, switches), (OffCpuMs, off_cpu), (ElapsedMs, 2100.0)]
    };
    let last = |numbers: &[(Counter, f64)]| {
        let failures = grade("blocking-n-plus-one", numbers);
        failures.last().cloned().unwrap_or_default()
    };
    assert_eq!(last(&numbers(117.0, 2000.0)), "these look like the numbers of slow");
    assert_eq!(
        last(&numbers(3.0, 5.0)),
        "these look like the numbers of the wrong fixes tokio-sleep, spawn-blocking"
    );
    // Nobody's: too many queries, and yet quick.
    assert_eq!(
        last(&[(Queries, 101.0)]),
        "queries: 101 for each request, at most 5 (gate queries: max<=5)"
    );
    assert_eq!(
        grade("hidden-blocking", &[(ElapsedMs, 2100.0), (Queries, 1.0)]),
        [
            "elapsed_ms: 2100 in one request, at most 600 (evidence of fast)",
            "these look like the numbers of the wrong fixes spawn-blocking, async-client"
        ]
    );
}
