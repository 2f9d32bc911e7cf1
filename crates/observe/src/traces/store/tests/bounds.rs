//! Bounds of the store: bytes, spans of one trace, and the losses that are counted.

use super::*;

#[test]
fn the_oldest_traces_go_whole_when_the_bound_is_reached() {
    let (store, _provider, tracer) = store(SMALL);
    for id in 1..=400 {
        request(&tracer, id, "/slow", 20);
        let held = store.holding();
        assert!(held.bytes <= SMALL, "{held:?}");
        let lost = held.dropped.evicted;
        assert_eq!((held.spans as u64 + lost, lost % 21), (id as u64 * 21, 0), "{held:?}");
    }
    let held = store.holding();
    assert!(held.traces > 10 && held.dropped.evicted > 1_000, "{held:?}");
    let oldest_kept = 400 - held.traces as u128 + 1;
    assert!(store.get(TraceId::from(oldest_kept - 1)).is_none());
    for id in oldest_kept..=400 {
        assert_eq!(store.get(TraceId::from(id)).unwrap().spans.len(), 21, "{id}");
    }
}

#[test]
fn only_the_last_evicted_traces_are_remembered() {
    let (store, _provider, tracer) = store(SMALL);
    (1..=3_000).for_each(|id| request(&tracer, id, "/fast", 0));
    let held = store.holding();
    assert!(held.bytes <= SMALL && held.traces > 1, "{held:?}");
    let last_evicted = 3_000 - held.traces as u128;
    for (id, late) in [(last_evicted, 1), (last_evicted - 1_023, 2), (last_evicted - 1_024, 2)] {
        request(&tracer, id, "/fast", 0);
        assert_eq!(store.holding().dropped.late, late, "{id}");
    }
}

#[test]
fn what_is_left_of_an_evicted_trace_is_dropped_and_counted() {
    let (store, _provider, tracer) = store(SMALL);
    request(&tracer, 1, "/slow", 20);
    let late = tracer.start_with_context("late", &remote(1));
    (2..=400).for_each(|id| request(&tracer, id, "/slow", 20));
    drop(late);
    assert!(store.get(TraceId::from(1)).is_none());
    assert_eq!(store.holding().dropped.late, 1);
}

#[test]
fn a_trace_without_end_is_bounded_and_keeps_its_request() {
    let (store, _provider, tracer) = store(LARGE);
    let request_span = tracer.span_builder("GET /loop").with_kind(SpanKind::Server);
    let inside = Context::new().with_span(request_span.start_with_context(&tracer, &remote(1)));
    for _ in 0..2_500 {
        query(&tracer, &inside);
    }
    inside.span().end();
    let trace = store.get(TraceId::from(1)).unwrap();
    assert_eq!((trace.spans.len(), trace.dropped), (2_001, 500));
    assert_eq!(trace.entries().map(|span| &*span.name).collect::<Vec<_>>(), ["GET /loop"]);
    assert_eq!(store.holding().dropped.trace_full, 500);
}

#[test]
fn one_trace_takes_an_eighth_of_the_room_at_most_and_keeps_its_requests() {
    let (store, _provider, tracer) = store(SMALL);
    for _ in 0..30 {
        request(&tracer, 1, "/slow", 20);
    }
    let held = store.holding();
    assert!((SMALL / 8..SMALL / 6).contains(&held.bytes), "{held:?}");
    assert!(held.dropped.trace_full > 0 && held.dropped.evicted == 0, "{held:?}");
    assert_eq!(store.get(TraceId::from(1)).unwrap().entries().count(), 30);
    for _ in 0..200 {
        request(&tracer, 1, "/slow", 0);
    }
    assert_eq!(store.get(TraceId::from(1)).unwrap().entries().count(), 101);
}

#[test]
#[cfg(target_os = "linux")]
fn the_estimate_of_a_full_store_is_near_what_the_allocator_handed_out() {
    use tikv_jemalloc_ctl::thread::{allocatedp, deallocatedp};
    let (allocated, freed) = (allocatedp::read().unwrap(), deallocatedp::read().unwrap());
    let long: Vec<_> = (0..32).map(|n| (format!("key{n}"), "value")).collect();
    let long = TraceState::from_key_value(long).unwrap();
    let with_state = |tracer: &SdkTracer, id| {
        let request = tracer.start_with_context("request", &remote_with(id, long.clone()));
        let inside = Context::new().with_span(request);
        (0..20).for_each(|_| query(tracer, &inside));
    };
    let plain = |tracer: &SdkTracer, id| request(tracer, id, "/slow", 20);
    for request in [&plain as &dyn Fn(&SdkTracer, u128), &with_state] {
        let (store, _provider, tracer) = store(LARGE);
        let before = allocated.get() - freed.get();
        let mut ids = 1..;
        while store.holding().dropped.evicted < 1_000
            && let Some(id) = ids.next()
        {
            request(&tracer, id);
        }
        // All of it was allocated and freed by this thread.
        let taken = allocated.get() - freed.get() - before;
        let share = store.holding().bytes as f64 / taken as f64;
        assert!((0.9..1.1).contains(&share), "{share} of {taken} bytes");
    }
}

#[test]
fn sizes_are_those_that_an_allocator_hands_out() {
    let asked = [0, 1, 16, 17, 129, 160, 161, 1_025];
    assert_eq!(asked.map(size::allocated), [0, 16, 16, 32, 160, 160, 192, 1_280]);
}

#[test]
fn a_pinned_trace_outlives_its_eviction_until_others_are_pinned() {
    let (store, _provider, tracer) = store(SMALL);
    request(&tracer, 1, "/slow", 20);
    store.pin(TraceId::from(1));
    store.pin(TraceId::from(999));
    (2..=400).for_each(|id| request(&tracer, id, "/slow", 20));
    assert!(!store.has(TraceId::from(1)), "the bound holds for what is not pinned");
    assert_eq!(store.get(TraceId::from(1)).unwrap().spans.len(), 21);
    assert!(store.get(TraceId::from(2)).is_none());
    (400 - MAX_PINNED as u128 + 1..=400).for_each(|id| store.pin(TraceId::from(id)));
    assert!(store.get(TraceId::from(1)).is_none(), "the oldest pinned one is let go");
}
