//! What a request cost, and where that is told: span attributes and the record itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Router, routing::get};
use chokepoint::{
    config::DatabaseConfig,
    db::Db,
    entity::{posts, users},
    server::open_database,
    telemetry::{
        budget::{Budget, Measured},
        cost::Cost,
        http::Observe,
        request_id::Ids,
    },
};
use sea_orm::{EntityTrait, sea_query::Expr};
use tower::ServiceExt;
use tracing::{
    Subscriber,
    field::{Field, Visit},
    instrument::WithSubscriber,
    span,
};
use tracing_subscriber::{Layer, layer::SubscriberExt};

async fn cost_of(work: impl Future<Output = ()>) -> Cost {
    let ids = Ids { request: "r".to_owned(), trace: "t".to_owned() };
    let budget = Budget::new(ids);
    Measured::new(budget.clone(), work).await;
    budget.cost(0)
}

async fn database(pool_size: u32) -> (Db, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    (open_database(&DatabaseConfig { url, pool_size }).await.unwrap(), folder)
}

#[tokio::test]
async fn queries_rows_and_commits_are_booked_on_the_request() {
    let (db, _folder) = database(2).await;
    let cost = cost_of(async {
        assert_eq!(posts::Entity::seeded().all(&db).await.unwrap().len(), 100);
        let txn = db.begin().await.unwrap();
        let update = users::Entity::update_many()
            .col_expr(users::Column::Email, Expr::col(users::Column::Email));
        update.exec(&txn).await.unwrap();
        txn.commit().await.unwrap();
        // Rolled back, so no commit.
        drop(db.begin().await.unwrap());
    })
    .await;
    assert_eq!((cost.queries, cost.rows, cost.commits), (2, 100, 1));
    assert!(cost.db_ns > 0 && cost.polls > 1 && cost.busy_ns <= cost.elapsed_ns, "{cost:?}");
}

#[tokio::test]
async fn a_wait_for_the_pool_is_told_apart_from_the_query() {
    let (db, _folder) = database(1).await;
    // The one connection is taken, and given back only once the query waits.
    let taken = db.begin().await.unwrap();
    let give_back = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        drop(taken);
    };
    let query = cost_of(async {
        posts::Entity::seeded().all(&db).await.unwrap();
    });
    let (cost, ()) = tokio::join!(query, give_back);
    assert!(cost.pool_wait_ns > 40_000_000, "{cost:?}");
    assert_eq!((cost.queries, cost.rows), (1, 100));
}

#[tokio::test]
async fn outside_of_a_request_nothing_is_booked_and_nothing_breaks() {
    let (db, _folder) = database(2).await;
    posts::Entity::seeded().all(&db).await.unwrap();
    assert_eq!(cost_of(async {}).await.queries, 0);
}

/// Keeps the attributes of every span.
#[derive(Clone, Default)]
struct Attributes(Arc<Mutex<BTreeMap<String, String>>>);

impl<S: Subscriber> Layer<S> for Attributes {
    fn on_new_span(
        &self,
        attributes: &span::Attributes<'_>,
        _: &span::Id,
        _: tracing_subscriber::layer::Context<'_, S>,
    ) {
        attributes.record(&mut self.clone());
    }

    fn on_record(
        &self,
        _: &span::Id,
        values: &span::Record<'_>,
        _: tracing_subscriber::layer::Context<'_, S>,
    ) {
        values.record(&mut self.clone());
    }
}

impl Visit for Attributes {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let text = format!("{value:?}");
        self.0.lock().unwrap().insert(field.name().to_owned(), text);
    }
}

#[tokio::test]
async fn the_budget_is_on_the_span_of_the_request() {
    let (db, _folder) = database(2).await;
    let list = move || async move {
        posts::Entity::seeded().all(&db).await.unwrap();
    };
    let attributes = Attributes::default();
    let router = Router::new().route("/posts", get(list)).layer(Observe::ops());
    let request = axum::http::Request::get("/posts?token=secret").body(axum::body::Body::empty());
    let subscriber = tracing_subscriber::registry().with(attributes.clone());
    router.oneshot(request.unwrap()).with_subscriber(subscriber).await.unwrap();
    let seen = attributes.0.lock().unwrap();
    for (name, value) in [
        ("http.request.method", "\"GET\""),
        ("http.route", "\"/posts\""),
        ("url.path", "\"/posts\""),
        ("http.response.status_code", "200"),
        ("chokepoint.queries", "1"),
        ("chokepoint.rows", "100"),
        ("chokepoint.commits", "0"),
    ] {
        assert_eq!(seen.get(name).map(String::as_str), Some(value), "{name}");
    }
    for name in [
        "polls",
        "longest_poll_ms",
        "busy_ms",
        "cpu_ms",
        "off_cpu_ms",
        "switches",
        "db_ms",
        "pool_wait_ms",
    ] {
        assert!(seen.contains_key(&format!("chokepoint.{name}")), "{name}");
    }
    assert!(!format!("{seen:?}").contains("secret"), "a query string is on the span");
}
