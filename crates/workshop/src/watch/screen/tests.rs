//! Screens of a watch, as a terminal of 80×24 shows them.

use super::{
    super::{
        event::{Event, Key, Variant},
        sample::counting,
    },
    *,
};

fn numbers(queries: f64, elapsed: f64) -> Numbers {
    Numbers::from([(Counter::Queries, queries), (Counter::ElapsedMs, elapsed)])
}

/// A watch that waits after this verdict on its first version.
fn graded(verdict: Verdict, queries: f64) -> Watch {
    let mut watch = Watch::new("a-lab", counting(), 0);
    for event in [
        Event::Saved,
        Event::Built(1.6),
        Event::Up("http://127.0.0.1:9/x".to_owned()),
        Event::Asked(Variant::Fast, numbers(1.0, 2.0)),
        Event::Asked(Variant::Yours, numbers(queries, 40.0)),
        Event::Graded(verdict, 2.9),
        Event::Asked(Variant::Slow, numbers(101.0, 41.4)),
        Event::GradeEnded,
    ] {
        watch.on(event);
    }
    watch
}

fn text(watch: &Watch) -> String {
    let lines = watch.screen(80, 24);
    assert!(lines.len() <= 24, "{} lines", lines.len());
    assert!(lines.iter().all(|line| line.text.chars().count() <= 80));
    lines.into_iter().map(|line| line.text + "\n").collect()
}

#[test]
fn the_verdict_stands_beside_its_numbers() {
    let reason = "queries: 101 for each request, at most 5 (gate queries: max<=5)".to_owned();
    let watch = graded(Verdict::Red(vec![reason]), 101.0);
    assert_eq!(
        text(&watch),
        "\
Chokepoint watch · a-lab · A lab

Why?

yours.rs  built in 1.6 s, yours: http://127.0.0.1:9/x
verdict   RED, 2.9 s after the save
          queries: 101 for each request, at most 5 (gate queries: max<=5)

                          slow      fast     yours   at most
queries                    101         1       101         5
elapsed_ms                  41         2        40       600

h next hint · p whole proof · d slow against yours · q quit
"
    );
    let tones: Vec<_> = watch.screen(80, 24).iter().map(|line| line.tone).collect();
    let of_queries = tones[9];
    assert_eq!((tones[5], of_queries, tones[10]), (Tone::Bad, Tone::Bad, Tone::Good));
}

#[test]
fn where_time_decides_it_says_what_the_proof_does() {
    let text = text(&graded(Verdict::NeedsProof(vec!["time decides".to_owned()]), 1.0));
    assert!(text.contains("verdict   needs p, 2.9 s after the save\n          time decides\n"));
    assert!(text.contains("The proof loads yours with 1 request per second for 2 s, demands"));
}

#[test]
fn the_compilers_error_takes_the_place_of_the_numbers_page_by_page() {
    let mut watch = graded(Verdict::Green, 1.0);
    watch.on(Event::Saved);
    let errors = (0..40).map(|n| format!("error line {n} {}", "x".repeat(100))).collect();
    watch.on(Event::NotBuilt(errors));
    let first = text(&watch);
    assert!(first.contains("yours.rs  it does not build\n") && first.contains("error line 0 "));
    assert!(!first.contains("at most") && first.contains("space page 1 of 3 · h next hint"));
    watch.on(Event::Key(Key::Page));
    let second = text(&watch);
    assert!(!second.contains("error line 0 ") && second.contains("space page 2 of 3"));
    watch.on(Event::Key(Key::Page));
    watch.on(Event::Key(Key::Page));
    assert_eq!(text(&watch), first, "after the last page comes the first");
}

#[test]
fn hint_and_trouble_have_their_place() {
    let mut watch = graded(Verdict::Green, 1.0);
    watch.on(Event::Key(Key::Hint));
    watch.on(Event::Trouble("progress.json: damaged".to_owned()));
    let text = text(&watch);
    assert!(
        text.contains("\n\nHint 1 of 1: Look.\nprogress.json: damaged\n\nh next hint"),
        "{text}"
    );
}

#[test]
fn the_difference_of_two_answers_stays_as_it_is() {
    let difference =
        "it answers otherwise than fast: 1 of 2 rows differ:\n-     \"a\"\n+     \"b\"";
    let text = text(&graded(Verdict::Red(vec![difference.to_owned()]), 1.0));
    assert!(
        text.contains("rows differ:\n          -     \"a\"\n          +     \"b\"\n"),
        "{text}"
    );
}

#[test]
fn text_is_broken_between_words() {
    assert_eq!(wrap("one two three", 8), ["one two", "three"]);
    assert_eq!(wrap("  one two", 5), ["  one", "  two"]);
    assert_eq!(wrap("a-word-that-is-too-long b", 5), ["a-word-that-is-too-long", "b"]);
    assert_eq!(wrap("", 5), [""]);
    assert_eq!(cut("schön", 5), "schön");
    assert_eq!(cut("schöner", 5), "schö…");
}
