//! Profiles leave no memory behind: observing must not get a container killed.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use reqwest::blocking::Client;

use crate::program::Serving;

/// Memory that the first profile may keep, such as the profile itself.
const MAY_STAY_MIB: u64 = 30;

/// Peak in a debug build, which has the largest debug information: the kernel maps it while names
/// are resolved.
const MAY_TAKE_MIB: u64 = 256;

/// Memory figure of the process in `/proc`.
fn mib(server: &Serving, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
    let kib: u64 = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap();
    kib / 1024
}

#[test]
#[cfg(target_os = "linux")]
fn memory_comes_back_after_each_profile() {
    let server = Serving::start(&[("WORKER_THREADS", "2"), ("TRACE_RING_MIB", "4")]);
    let client = Client::builder().no_proxy().timeout(None).build().unwrap();
    let fast = server.url("/api/posts/v2/fast");
    // Connections, statements and the span store get their memory first.
    for _ in 0..500 {
        assert_eq!(client.get(&fast).send().unwrap().status(), 200);
    }
    let before = mib(&server, "VmRSS");
    let is_over = AtomicBool::new(false);
    let paths =
        ["profile?mode=wall", "flamegraph?mode=wall", "profile?mode=cpu", "profile?mode=wall"];
    let taken = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let _ = client.get(&fast).send();
            }
        });
        let taken = paths.map(|path| {
            let url = format!("http://{}/debug/pprof/{path}&seconds=1", server.ops);
            let status = client.get(url).send().map_or(0, |answer| answer.status().as_u16());
            (status, mib(&server, "VmRSS"))
        });
        is_over.store(true, Ordering::Relaxed);
        taken
    });
    for (status, after) in taken {
        assert_eq!(status, 200);
        assert!(after <= before + MAY_STAY_MIB, "{before} MiB before, then {taken:?}");
    }
    let most = mib(&server, "VmHWM");
    assert!(most <= before + MAY_TAKE_MIB, "{before} MiB before, {most} at most");
}
