//! Victims of a lab on a throw-away runtime, beside an app that goes on.

use std::time::Duration;

use workshop::throw_away::census;

use crate::support::TestApp;

const LAB: &str = "guard-across-await";
const SLOW: &str = "/api/labs/guard-across-await/v1/slow";
const NEIGHBOUR: &str = "/api/posts/v2/fast";

async fn eventually(condition: impl Fn() -> bool) {
    let holds = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), holds).await.unwrap();
}

#[test]
fn an_app_goes_on_beside_a_runtime_that_stands_still_and_no_thread_of_it_stays() {
    let app = TestApp::start();
    app.run(async {
        for _ in 0..2 {
            let beside = async {
                eventually(|| census().in_use > 0).await;
                app.get(NEIGHBOUR).await
            };
            let (slow, neighbour) = tokio::join!(app.get(SLOW), beside);
            assert_eq!((slow.status().as_u16(), neighbour.status().as_u16()), (200, 200));
        }
        let measured = app.measured(LAB, "slow").await;
        let mut counters = measured.counters.iter();
        let lost = counters.find(|(counter, _)| counter.name() == "jobs_lost").unwrap().1;
        assert_eq!((measured.count, lost.min), (2, 100.0), "its workers did not stand still");
        // Tests beside this one may have just lost a runtime of theirs.
        eventually(|| census().stuck == 0).await;
        let metrics = app.metrics().await;
        let series = "chokepoint_throw_away_threads{state=\"stuck\"} ";
        assert!(metrics.contains(series), "{series} is missing");
        assert_eq!(app.get(NEIGHBOUR).await.status(), 200);
    });
}
