//! A document that is copied whole by each layer that touches it. Nothing waits and no query is slow;
//! look at `allocated_bytes`.

use axum::{extract::FromRequestParts, http::request::Parts, routing::get};

use product::{error::Error, input::params};
use workshop::{Data, Handlers, Lab, Schema};

/// The document: all articles, and the terms of each customer.
pub mod catalogue;
mod fast;
/// The rows of the tables.
mod rows;
mod slow;
/// The catalogue in memory.
pub mod store;
mod wrong;
mod yours;

pub static LAB: Lab = Lab {
    id: "clone-storm",
    evidence: include_str!("lab.json"),
    readme: include_str!("README.md"),
    slow_source: include_str!("slow.rs"),
    fast_source: include_str!("fast.rs"),
    flow: None,
    counters: &[&catalogue::ARTICLES_COPIED],
    data: Data {
        schema: Schema::Both(include_str!("schema.sql")),
        set_up: Some(|state| Box::pin(async move { store::fill_and_load(&state.db).await })),
        reset: Some(|state| Box::pin(async move { store::fill_and_load(&state.db).await })),
        faults: None,
        change: Some(rows::change),
    },
    handlers: |_state| Handlers {
        slow: get(slow::handler),
        fast: get(fast::handler),
        yours: get(yours::handler),
        wrong: vec![
            ("arc-in-store", get(wrong::arc_in_store)),
            ("copy-on-write", get(wrong::copy_on_write)),
            ("blocking-pool", get(wrong::on_the_blocking_pool)),
        ],
    },
};

/// Articles of one page.
pub const PAGE: usize = 20;

/// Who asks: `?customer=acme`.
pub struct Wanted {
    pub customer: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Wanted {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let mut params = params(&parts.uri)?;
        let customer = params.required_text("customer", "a name", |_| true);
        params.finish()?;
        Ok(Self { customer })
    }
}
