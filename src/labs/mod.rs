//! The labs: each a real bottleneck served beside its fix. The catalogue is in teaching order.
//!
//! To add one: a folder, a `mod` line and a list entry. CONTRIBUTING.md says what goes in the folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{Router, routing::MethodRouter};

use crate::{
    state::SharedState,
    telemetry::{
        measurements::{Measurements, Summary},
        route_metrics::LabVariant,
    },
};

/// The routes, as OpenAPI describes them.
mod described;
/// lab.json: what it may say, and what it must.
pub mod evidence;
/// What a lab.json that parses is still refused for.
mod evidence_check;
/// Whether numbers that were measured are what lab.json says.
pub mod judge;

/// One query and one `thread::sleep` for each post, on an async worker.
pub mod blocking_n_plus_one;
/// A synchronous client library that sleeps where nobody looks.
pub mod hidden_blocking;
/// Author and comment count of each post, one query at a time.
pub mod n_plus_one;

use evidence::Evidence;

pub const CATALOGUE: &[&Lab] =
    &[&blocking_n_plus_one::LAB, &hidden_blocking::LAB, &n_plus_one::LAB];

/// What a lab's folder holds, as the rest of the program sees it.
pub struct Lab {
    pub id: &'static str,
    /// The text of lab.json; `Labs::load` parses it.
    pub evidence: &'static str,
    pub readme: &'static str,
    /// What differs on stage: `diff slow.rs fast.rs`.
    pub slow_source: &'static str,
    pub fast_source: &'static str,
    pub handlers: fn(&SharedState) -> Handlers,
}

/// The variants of a lab, and its wrong fixes by name.
pub struct Handlers {
    pub slow: MethodRouter<SharedState>,
    pub fast: MethodRouter<SharedState>,
    pub yours: MethodRouter<SharedState>,
    pub wrong: Vec<(&'static str, MethodRouter<SharedState>)>,
}

/// A lab with its evidence parsed, and a place where each variant's requests are measured.
pub struct LoadedLab {
    pub lab: &'static Lab,
    pub evidence: Evidence,
    measurements: BTreeMap<String, Arc<Measurements>>,
}

/// All labs, ready to serve.
pub struct Labs(Vec<LoadedLab>);

/// lab.json of one lab can't be used.
#[derive(Debug, thiserror::Error)]
#[error("labs/{folder}/lab.json: {reason}", folder = id.replace('-', "_"))]
pub struct BadLab {
    pub id: &'static str,
    pub reason: String,
}

/// The path below a lab's mount point that serves a variant: slow, fast, yours, or a wrong fix.
pub fn variant_path(variant: &str) -> String {
    match variant {
        "slow" => "/v1/slow".to_owned(),
        "fast" => "/v2/fast".to_owned(),
        "yours" => "/v3/yours".to_owned(),
        wrong => format!("/v4/{wrong}"),
    }
}

impl Labs {
    pub fn load() -> Result<Self, BadLab> {
        let labs: Vec<_> =
            CATALOGUE.iter().map(|lab| LoadedLab::new(lab)).collect::<Result<_, _>>()?;
        let mut mounts = BTreeSet::new();
        match labs.iter().find(|l| !mounts.insert(&l.evidence.request.mount)) {
            Some(second) => {
                let reason = "another lab has this request.mount".to_owned();
                Err(BadLab { id: second.lab.id, reason })
            }
            None => Ok(Self(labs)),
        }
    }

    pub fn all(&self) -> &[LoadedLab] {
        &self.0
    }

    pub fn get(&self, id: &str) -> Option<&LoadedLab> {
        self.0.iter().find(|loaded| loaded.lab.id == id)
    }

    /// Each variant's route template, with the place where its requests are measured.
    pub fn measured_routes(&self) -> impl Iterator<Item = (String, LabVariant)> {
        self.0.iter().flat_map(|loaded| {
            let route = |(variant, kept): (&String, &Arc<Measurements>)| {
                let (lab, measurements) = (loaded.lab.id, kept.clone());
                let of_lab = LabVariant { lab, variant: variant.clone(), measurements };
                (loaded.evidence.route(variant), of_lab)
            };
            loaded.measurements.iter().map(route)
        })
    }

    /// The lab and its variant that are served at a route.
    pub fn variant_at(&self, route: &str) -> Option<(&LoadedLab, &str)> {
        self.0.iter().find_map(|loaded| {
            let variant = loaded.evidence.variants().find(|v| loaded.evidence.route(v) == route)?;
            Some((loaded, variant))
        })
    }

    pub fn router(&self, state: &SharedState) -> Router<SharedState> {
        let mut router = Router::new();
        for loaded in &self.0 {
            let Handlers { slow, fast, yours, wrong } = (loaded.lab.handlers)(state);
            let variants = [("slow", slow), ("fast", fast), ("yours", yours)];
            for (variant, handler) in variants.into_iter().chain(wrong) {
                router = router.route(&loaded.evidence.route(variant), handler);
            }
        }
        router
    }
}

impl LoadedLab {
    pub fn new(lab: &'static Lab) -> Result<Self, BadLab> {
        let evidence = Evidence::parse(lab.id, lab.evidence)
            .map_err(|reason| BadLab { id: lab.id, reason })?;
        let measurements = evidence.variants().map(|v| (v.to_owned(), Arc::default())).collect();
        Ok(Self { lab, evidence, measurements })
    }

    pub fn measurements(&self, variant: &str) -> Option<&Measurements> {
        self.measurements.get(variant).map(Arc::as_ref)
    }

    pub fn clear_measurements(&self) {
        self.measurements.values().for_each(|kept| kept.clear());
    }

    /// Figures of every variant since the start, for a page.
    pub fn summaries(&self) -> BTreeMap<&str, Summary> {
        self.measurements.iter().map(|(v, kept)| (v.as_str(), kept.since(None))).collect()
    }
}
