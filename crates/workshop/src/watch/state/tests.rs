//! The state that follows from each event, in each state.

use super::{super::sample::counting, *};

fn watch() -> Watch {
    Watch::new("a-lab", counting(), 0)
}

/// A watch that has built, and asks.
fn asking() -> Watch {
    let mut watch = watch();
    assert_eq!(watch.on(Event::Saved), [Effect::Build]);
    assert_eq!(watch.on(Event::Built(1.0)), [Effect::Grade]);
    watch
}

/// A watch that has graded, and waits.
fn graded(verdict: Verdict) -> Watch {
    let mut watch = asking();
    watch.on(Event::Graded(verdict, 2.0));
    assert_eq!(watch.on(Event::GradeEnded), []);
    assert!(!watch.is_busy());
    watch
}

fn red() -> Verdict {
    Verdict::Red(vec!["queries is 101".to_owned()])
}

#[test]
fn a_save_is_built_then_asked_then_graded() {
    let mut watch = asking();
    let numbers = Numbers::from([(observe::cost::Counter::Queries, 101.0)]);
    assert_eq!(watch.on(Event::Asked(Variant::Yours, numbers.clone())), []);
    assert_eq!(watch.yours, Some(numbers));
    assert_eq!(watch.on(Event::Graded(red(), 2.0)), [Effect::KeepGrade(false)]);
    assert_eq!(watch.on(Event::GradeEnded), []);
    assert_eq!(watch.on(Event::Saved), [Effect::Build]);
    assert_eq!((watch.verdict.clone(), watch.yours.clone()), (None, None), "of the version before");
    watch.on(Event::Built(1.0));
    assert_eq!(watch.on(Event::Graded(Verdict::Green, 2.0)), [Effect::KeepGrade(true)]);
}

#[test]
fn a_version_that_does_not_build_is_not_asked() {
    let mut watch = watch();
    watch.on(Event::Saved);
    assert_eq!(watch.on(Event::NotBuilt(vec!["error".to_owned()])), []);
    assert_eq!(watch.errors, ["error"]);
    assert_eq!(watch.on(Event::Key(Key::Proof)), []);
    assert!(watch.trouble.is_some(), "it does not say why p does nothing");
    assert_eq!(watch.on(Event::Saved), [Effect::Build]);
    assert!(watch.errors.is_empty());
}

#[test]
fn saves_during_a_build_are_built_once_after_it() {
    let mut watch = watch();
    watch.on(Event::Saved);
    assert_eq!(watch.on(Event::Saved), []);
    assert_eq!(watch.on(Event::Saved), []);
    assert_eq!(watch.on(Event::NotBuilt(Vec::new())), [Effect::Build]);
    assert_eq!(watch.on(Event::Built(1.0)), [Effect::Grade]);
}

#[test]
fn a_version_that_was_saved_over_is_not_graded() {
    let mut watch = watch();
    watch.on(Event::Saved);
    watch.on(Event::Saved);
    assert_eq!(watch.on(Event::Built(1.0)), [Effect::Build], "the old version would be asked");
    assert_eq!(watch.on(Event::Built(1.0)), [Effect::Grade]);
}

#[test]
fn a_save_while_it_asks_breaks_the_asking_off() {
    let mut watch = asking();
    assert_eq!(watch.on(Event::Saved), [Effect::Build]);
    // What the requests of the version before still report is not of this one.
    assert_eq!(watch.on(Event::Graded(Verdict::Green, 2.0)), []);
    assert_eq!(watch.on(Event::GradeEnded), []);
    assert_eq!((watch.verdict.as_ref(), watch.is_busy()), (None, true));
}

#[test]
fn a_save_during_a_proof_waits_for_its_end() {
    let mut watch = graded(Verdict::Green);
    assert_eq!(watch.on(Event::Key(Key::Proof)), [Effect::Prove]);
    assert_eq!(watch.on(Event::Key(Key::Proof)), [], "one proof at a time");
    assert_eq!(watch.on(Event::Saved), []);
    let effects = watch.on(Event::Proved(Some(true), vec!["holds".to_owned()]));
    assert_eq!(effects, [Effect::KeepProof(true), Effect::Build]);
}

#[test]
fn a_proof_that_could_not_run_is_no_attempt() {
    let mut watch = graded(red());
    watch.on(Event::Key(Key::Proof));
    assert_eq!(watch.on(Event::Proved(None, vec!["no k6".to_owned()])), []);
    assert_eq!(watch.panel, Some(Panel::Proof(vec!["no k6".to_owned()])));
    watch.on(Event::Key(Key::Back));
    assert_eq!(watch.panel, None);
}

#[test]
fn hints_come_one_by_one_and_the_last_stays() {
    let mut evidence = counting();
    evidence.hints = ["a", "b", "c"].map(str::to_owned).to_vec();
    let mut watch = Watch::new("a-lab", evidence, 1);
    assert_eq!(watch.on(Event::Key(Key::Hint)), [Effect::KeepHints(2)]);
    assert_eq!(watch.on(Event::Key(Key::Hint)), [Effect::KeepHints(3)]);
    assert_eq!(watch.on(Event::Key(Key::Hint)), [Effect::KeepHints(3)]);
    assert_eq!(watch.hint, Some(3));
}

#[test]
fn the_end_of_input_ends_the_watch_once_the_work_is_done() {
    let mut idle = graded(red());
    assert_eq!(idle.on(Event::NoMoreKeys), [Effect::Quit]);
    let mut busy = asking();
    assert_eq!(busy.on(Event::NoMoreKeys), []);
    busy.on(Event::Graded(red(), 2.0));
    assert_eq!(busy.on(Event::GradeEnded), [Effect::Quit]);
    assert_eq!(asking().on(Event::Key(Key::Quit)), [Effect::Quit], "q does not wait");
}
