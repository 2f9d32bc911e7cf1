//! Signals whose default would end the process, and their effects.

use std::{os::unix::process::ExitStatusExt, process::Command};

use crate::{
    program::Serving,
    raw::{GET, answer, send},
};

/// Sends a signal by number, because the real-time ones have no name.
fn signal(serving: &Serving, number: i32) {
    let pid = serving.pid();
    let sent = Command::new("/bin/sh").args(["-c", &format!("kill -{number} {pid}")]).status();
    assert!(sent.unwrap().success(), "{number}");
}

#[test]
fn signals_that_are_meant_for_nothing_do_nothing() {
    let serving = Serving::start(&[]);
    let mut numbers = vec![
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGALRM,
        libc::SIGVTALRM,
        libc::SIGPROF,
        libc::SIGIO,
        libc::SIGPIPE,
        libc::SIGXFSZ,
    ];
    #[cfg(target_os = "linux")]
    {
        numbers.extend([libc::SIGPWR, libc::SIGSTKFLT]);
        numbers.extend(libc::SIGRTMIN()..=libc::SIGRTMAX());
    }
    for number in numbers {
        signal(&serving, number);
        assert!(answer(&mut send(serving.app, GET)).starts_with("HTTP/1.1 200 "), "{number}");
    }
    // Signals that stop the server still do.
    signal(&serving, libc::SIGTERM);
    assert_eq!(serving.ended().code(), Some(0));
}

#[test]
fn hanging_up_stops_unless_it_is_to_be_ignored() {
    let serving = Serving::start(&[]);
    signal(&serving, libc::SIGHUP);
    assert_eq!(serving.ended().code(), Some(0));
    let serving = Serving::start_by_shell("trap '' HUP; exec \"$0\"", &[]);
    signal(&serving, libc::SIGHUP);
    assert!(answer(&mut send(serving.app, GET)).starts_with("HTTP/1.1 200 "));
}

#[test]
fn those_that_are_meant_end_it_at_once() {
    // Without SIGQUIT, which a shell makes background programs ignore.
    for number in [libc::SIGABRT, libc::SIGXCPU, libc::SIGKILL, libc::SIGSYS] {
        let serving = Serving::start_by_shell("ulimit -c 0; exec \"$0\"", &[]);
        signal(&serving, number);
        assert_eq!(serving.ended().signal(), Some(number));
    }
}
