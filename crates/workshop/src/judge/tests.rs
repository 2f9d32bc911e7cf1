use super::*;
use crate::evidence::ProfileMode;

#[test]
fn work_that_no_request_accounts_for_is_found_in_the_totals() {
    let range = |max| Range { statistic: Statistic::Every, min: None, max: Some(max) };
    let ranges = BTreeMap::from([(Counter::Queries, range(2.0)), (Counter::Switches, range(1.0))]);
    let of = |queries: f64| Totals::from([("queries".to_owned(), queries)]);
    let failures = |queries| totals(&ranges, &difference(&of(1000.0), &of(queries)), 100);
    assert_eq!(failures(1200.0), Vec::<String>::new());
    assert_eq!(failures(1212.0), Vec::<String>::new());
    assert_eq!(
        failures(1300.0),
        ["queries of the whole process are 300, 100 requests may have 212"]
    );
    let switches = Totals::from([("switches".to_owned(), 5000.0)]);
    assert_eq!(totals(&ranges, &switches, 100), Vec::<String>::new());
}

#[test]
fn a_process_is_at_rest_when_it_only_waits() {
    let reading = |queries, switches, cpu_ms| {
        Totals::from([
            ("queries".to_owned(), queries),
            ("switches".to_owned(), switches),
            ("cpu_ms".to_owned(), cpu_ms),
        ])
    };
    assert!(is_at_rest(&reading(7.0, 10.0, 1.0), &reading(7.0, 90.0, 2.0)));
    assert!(!is_at_rest(&reading(7.0, 10.0, 1.0), &reading(8.0, 10.0, 1.0)));
}

#[test]
fn a_profile_before_load_is_clean_only_if_it_has_samples() {
    let share = Some(Range { statistic: Statistic::Every, min: Some(0.5), max: None });
    let function = "slow::handler".to_owned();
    let of_slow = Frame { mode: ProfileMode::Wall, function, share, threads: None };
    let failures = |holding, of_app| {
        clean_frame(&of_slow, &FrameSamples { holding, of_app, of_one_thread: 100.0 }).join("; ")
    };
    assert_eq!(failures(0, 200), "");
    assert_eq!(failures(150, 200), "slow::handler is in a profile before any load");
    assert_eq!(failures(0, 0), "wall profile: 0 samples of app threads are too few to tell");
}
