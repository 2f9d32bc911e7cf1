//! Profiles name our code, and only one is taken at a time.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use observe::profiles::FrameReader;
use reqwest::Method;
use serde_json::Value;

use crate::{
    ops::{hold_the_workers, wait_until_held},
    support::{TestApp, header, problem},
};

/// Lock for tests that profile: a process has one profiler, and tests run side by side.
pub fn profiler() -> MutexGuard<'static, ()> {
    static PROFILER: Mutex<()> = Mutex::new(());
    PROFILER.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
#[cfg(target_os = "linux")]
fn a_wall_profile_names_the_function_that_sleeps_and_a_cpu_profile_does_not() {
    let _profiler = profiler();
    let app = TestApp::start();
    app.run(async {
        let slow = hold_the_workers(&app, 10);
        wait_until_held(&app).await;
        let taken = app.get_ops("/debug/pprof/profile?mode=wall&seconds=2&idle=1").await;
        assert_eq!(taken.status(), 200);
        let wall = FrameReader::new(&taken.bytes().await.unwrap()).unwrap();
        for function in ["blocking_n_plus_one::slow::handler", "std::thread::sleep"] {
            let samples = wall.samples(function);
            assert!(samples.of_app >= 10, "{samples:?}");
            assert!(samples.holding > 0, "{function}: {samples:?}");
        }
        let taken = app.get_ops("/debug/pprof/profile?mode=cpu&seconds=1").await;
        let cpu = FrameReader::new(&taken.bytes().await.unwrap()).unwrap();
        // Falling asleep takes some CPU, but for two workers less than a tenth of a core.
        let asleep = cpu.samples("std::thread::sleep");
        assert!(asleep.threads() < 0.1, "{asleep:?}");
        slow.iter().for_each(tokio::task::JoinHandle::abort);
    });
}

/// Not inlined, so that it has a name in the profile.
#[cfg(target_os = "linux")]
#[inline(never)]
fn use_cpu(until: &AtomicBool) -> u64 {
    let mut rounds = 0_u64;
    while !until.load(Ordering::Relaxed) {
        rounds = std::hint::black_box(rounds + 1);
    }
    rounds
}

#[test]
#[cfg(target_os = "linux")]
fn a_wall_profile_has_one_sample_of_a_thread_and_round_however_much_cpu_it_uses() {
    let _profiler = profiler();
    let app = TestApp::start();
    let until = Arc::new(AtomicBool::new(false));
    let busy =
        [until.clone(), until.clone()].map(|until| std::thread::spawn(move || use_cpu(&until)));
    let taken = app.run(async {
        let taken = app.get_ops("/debug/pprof/profile?mode=wall&seconds=2&hz=2").await;
        FrameReader::new(&taken.bytes().await.unwrap()).unwrap()
    });
    until.store(true, Ordering::Relaxed);
    busy.into_iter().for_each(|thread| assert!(thread.join().unwrap() > 0));
    let stacks = taken.stacks();
    let of_us = stacks.iter().filter(|(stack, _)| stack.contains("profiles::use_cpu"));
    let of_us: u64 = of_us.map(|(_, samples)| samples).sum();
    // Two threads, four rounds; a CPU timer would add eight.
    assert!((1..=8).contains(&of_us), "{of_us}");
    assert!(stacks.iter().all(|(stack, _)| !stack.contains("signal_every_thread")), "{stacks:?}");
}

#[test]
fn a_flame_graph_says_what_it_shows_and_a_second_profile_gets_409() {
    let _profiler = profiler();
    let app = TestApp::start();
    app.run(async {
        let path = "/debug/pprof/flamegraph?mode=cpu&seconds=1";
        let (a, b) = tokio::join!(app.get_ops(path), app.get_ops(path));
        let mut statuses = [a.status().as_u16(), b.status().as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        for response in [a, b] {
            if response.status() == 409 {
                problem(response).await;
            } else {
                assert_eq!(header(&response, "content-type"), "image/svg+xml");
                let svg = response.text().await.unwrap();
                assert!(svg.contains("A thread that sleeps or waits uses no CPU"), "{svg}");
            }
        }
    });
}

#[test]
fn a_client_that_goes_away_frees_the_profiler() {
    let _profiler = profiler();
    let app = TestApp::start();
    app.run(async {
        let long = "/debug/pprof/profile?mode=cpu&seconds=120";
        let soon = std::time::Duration::from_millis(300);
        let gone = app.ops(Method::GET, long).timeout(soon).send().await;
        assert!(gone.unwrap_err().is_timeout());
        while app.get_ops("/debug/pprof/profile?seconds=1").await.status() == 409 {}
        let list: Value = app.get_ops("/debug/pprof/captures").await.json().await.unwrap();
        assert_eq!(list["kept"], 1, "{list}");
    });
}

/// Not inlined, so that it has a name in the profile.
#[cfg(target_os = "linux")]
#[inline(never)]
fn hold_on_to(bytes: usize) -> Vec<Vec<u8>> {
    (0..bytes / 1024).map(|_| std::hint::black_box(vec![1; 1024])).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn a_heap_profile_names_who_allocated_and_sampling_is_off_before_and_after() {
    let _profiler = profiler();
    let app = TestApp::start();
    app.run(async {
        let sampling = async || {
            let list: Value = app.get_ops("/debug/pprof/captures").await.json().await.unwrap();
            list["heap_sampling"].clone()
        };
        let of_us = async || {
            let taken = app.get_ops("/debug/pprof/heap?seconds=1").await;
            assert_eq!(taken.status(), 200);
            let heap = FrameReader::new(&taken.bytes().await.unwrap()).unwrap();
            let lines = heap.stacks();
            lines
                .iter()
                .filter(|(s, _)| s.contains("profiles::hold_on_to"))
                .map(|(_, n)| n)
                .sum::<u64>()
        };
        let put = async |query: &str| {
            let path = format!("/debug/pprof/heap?{query}");
            let answer = app.ops(Method::PUT, &path).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.json::<Value>().await.unwrap()
        };
        assert_eq!(sampling().await["active"], false);
        // Allocations from before the sampling are not seen.
        let before = hold_on_to(20_000_000);
        assert_eq!(of_us().await, 0);
        drop(before);

        let switched = put("active=true&seconds=3600").await;
        assert_eq!(
            (&switched["active"], &sampling().await["active"]),
            (&true.into(), &true.into())
        );
        assert!(switched["until"].as_str().unwrap().ends_with('Z'), "{switched}");
        let held = hold_on_to(20_000_000);
        // About one sample per 64 KiB, so 300 of them: a factor of two is beyond chance.
        let seen = of_us().await;
        assert!((10_000_000..40_000_000).contains(&seen), "{seen}");
        drop(held);
        assert!(of_us().await < 1_000_000);

        assert_eq!(put("active=false").await["active"], false);
        put("active=true&seconds=1").await;
        while sampling().await["active"] == true {}
    });
}
