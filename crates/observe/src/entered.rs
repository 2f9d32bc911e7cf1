//! Subscriber wrapper that hides repeated entries of a span within itself: sqlx enters the current
//! span once more for every row, and each entry would go through the registry and every layer.

use std::{
    any::TypeId,
    cell::{Cell, RefCell},
};

use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_core::span::Current;

thread_local! {
    /// Innermost entered span of this thread and its number of entries; zero is no span.
    static LAST: Cell<(u64, u32)> = const { Cell::new((0, 0)) };
    /// Spans entered around it, the innermost last.
    static AROUND: RefCell<Vec<(u64, u32)>> = const { RefCell::new(Vec::new()) };
}

/// Subscriber of the process. Use only one: each thread has one set of counts.
pub struct EnteredOnce<S>(pub S);

/// Enters a span. Returns false if it is the innermost span already.
fn enters(id: u64) -> bool {
    let (last, times) = LAST.get();
    if last == id {
        LAST.set((last, times + 1));
        return false;
    }
    if last != 0 {
        around(|around| around.push((last, times)));
    }
    LAST.set((id, 1));
    true
}

/// Exits a span. Returns true if this exit matches an entry that was passed on.
fn exits(id: u64) -> bool {
    let (last, times) = LAST.get();
    if last == id && times > 1 {
        LAST.set((last, times - 1));
        return false;
    }
    if last == id {
        LAST.set(around(Vec::pop).flatten().unwrap_or_default());
        return true;
    }
    // Only manual code exits spans in another order.
    let exits_around = |around: &mut Vec<(u64, u32)>| {
        let index = around.iter().rposition(|(other, _)| *other == id)?;
        around[index].1 -= 1;
        let is_over = around[index].1 == 0;
        if is_over {
            around.remove(index);
        }
        Some(is_over)
    };
    around(exits_around).flatten().unwrap_or(true)
}

/// Returns None while an ended thread drops its local variables.
fn around<T>(f: impl FnOnce(&mut Vec<(u64, u32)>) -> T) -> Option<T> {
    AROUND.try_with(|around| f(&mut around.borrow_mut())).ok()
}

impl<S: Subscriber> Subscriber for EnteredOnce<S> {
    fn enter(&self, id: &Id) {
        if enters(id.into_u64()) {
            self.0.enter(id);
        }
    }

    fn exit(&self, id: &Id) {
        if exits(id.into_u64()) {
            self.0.exit(id);
        }
    }

    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.0.on_register_dispatch(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.0.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.max_level_hint()
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.0.new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.0.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.0.record_follows_from(span, follows);
    }

    fn event_enabled(&self, event: &Event<'_>) -> bool {
        self.0.event_enabled(event)
    }

    fn event(&self, event: &Event<'_>) {
        self.0.event(event);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.0.clone_span(id)
    }

    fn try_close(&self, id: Id) -> bool {
        self.0.try_close(id)
    }

    fn current_span(&self) -> Current {
        self.0.current_span()
    }

    #[expect(unsafe_code, reason = "layers are found by this alone")]
    // SAFETY: the pointer is to this subscriber or to a part of it, and lives as long as it does.
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(std::ptr::from_ref(self).cast());
        }
        // SAFETY: the caller must not use the pointer for longer than this subscriber lives.
        unsafe { self.0.downcast_raw(id) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{Span, subscriber::with_default};
    use tracing_subscriber::{
        Layer, Registry,
        layer::{Context, SubscriberExt},
    };

    use super::*;

    /// Records entries and exits, as `+name` and `-name`.
    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<Vec<String>>>);

    impl Layer<Registry> for Told {
        fn on_enter(&self, id: &Id, cx: Context<'_, Registry>) {
            self.0.lock().unwrap().push(format!("+{}", cx.span(id).unwrap().name()));
        }

        fn on_exit(&self, id: &Id, cx: Context<'_, Registry>) {
            self.0.lock().unwrap().push(format!("-{}", cx.span(id).unwrap().name()));
        }
    }

    fn told_of(happens: impl FnOnce()) -> String {
        let told = Told::default();
        with_default(EnteredOnce(Registry::default().with(told.clone())), happens);
        assert_eq!((LAST.get(), AROUND.with_borrow(Vec::len)), ((0, 0), 0));
        told.0.lock().unwrap().join(" ")
    }

    fn current() -> &'static str {
        Span::current().metadata().map_or("none", Metadata::name)
    }

    #[test]
    fn a_span_is_entered_once_however_often_it_is_entered_within_itself() {
        let told = told_of(|| {
            let (outer, inner) = (tracing::info_span!("outer"), tracing::info_span!("inner"));
            outer.in_scope(|| {
                outer.in_scope(|| outer.in_scope(|| assert_eq!(current(), "outer")));
                inner.in_scope(|| assert_eq!(current(), "inner"));
                outer.in_scope(|| {
                    inner.in_scope(|| inner.in_scope(|| assert_eq!(current(), "inner")));
                    assert_eq!(current(), "outer");
                });
                assert_eq!(current(), "outer");
            });
            assert_eq!(current(), "none");
        });
        assert_eq!(told, "+outer +inner -inner +inner -inner -outer");
    }

    #[test]
    fn spans_may_be_exited_in_any_order() {
        let told = told_of(|| {
            let (first, second) = (tracing::info_span!("first"), tracing::info_span!("second"));
            let in_first = first.enter();
            let in_second = second.enter();
            drop(in_first);
            assert_eq!(current(), "second");
            drop(in_second);
            assert_eq!(current(), "none");
        });
        assert_eq!(told, "+first +second -first -second");
    }
}
