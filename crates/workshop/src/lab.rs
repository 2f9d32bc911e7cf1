//! A lab: a real bottleneck served beside its fix, with its evidence and its request costs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{Router, routing::MethodRouter};
use observe::{
    cost::own::{self, OwnCounter},
    labels::{LabelledRoute, RouteLabels},
    measurements::{Measurements, Summary},
};
use product::api::state::SharedState;

use crate::evidence::Evidence;

/// Content of a lab's folder, for the rest of the program.
pub struct Lab {
    pub id: &'static str,
    /// The text of lab.json; `Labs::load` parses it.
    pub evidence: &'static str,
    pub readme: &'static str,
    /// Difference to show on stage: `diff slow.rs fast.rs`.
    pub slow_source: &'static str,
    pub fast_source: &'static str,
    /// Counters of its own, beside those of every request.
    pub counters: &'static [&'static OwnCounter],
    pub handlers: fn(&SharedState) -> Handlers,
}

/// The variants of a lab, and its wrong fixes by name.
pub struct Handlers {
    pub slow: MethodRouter<SharedState>,
    pub fast: MethodRouter<SharedState>,
    pub yours: MethodRouter<SharedState>,
    pub wrong: Vec<(&'static str, MethodRouter<SharedState>)>,
}

/// A lab with its parsed evidence, and the measurements of each variant.
pub struct LoadedLab {
    pub lab: &'static Lab,
    pub evidence: Evidence,
    measurements: BTreeMap<String, Arc<Measurements>>,
}

/// All labs, ready to serve.
pub struct Labs(Vec<LoadedLab>);

/// Error of a lab.json that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("labs/{folder}/lab.json: {reason}", folder = id.replace('-', "_"))]
pub struct BadLab {
    pub id: &'static str,
    pub reason: String,
}

impl Labs {
    /// Parses the evidence of every lab.
    ///
    /// # Errors
    /// A lab.json that can't be used, or a mount point that two labs share.
    pub fn load(catalogue: &[&'static Lab]) -> Result<Self, BadLab> {
        let labs: Vec<_> =
            catalogue.iter().map(|lab| LoadedLab::new(lab)).collect::<Result<_, _>>()?;
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

    /// Route template of each variant, with its measurements.
    pub fn measured_routes(&self) -> impl Iterator<Item = (String, Arc<Measurements>)> {
        self.0.iter().flat_map(|loaded| {
            let kept = loaded.measurements.iter();
            kept.map(|(variant, kept)| (loaded.evidence.route(variant), kept.clone()))
        })
    }

    /// Lab and variant of each route, as labels for metrics, traces, profiles and blocked polls. The
    /// variant of the product's routes is the version of their API.
    pub fn route_labels(&self, product: impl IntoIterator<Item = String>) -> RouteLabels {
        let versions = product.into_iter().filter_map(|route| {
            let version = route.strip_prefix("/api/")?.split('/').next()?.to_owned();
            let is_version = matches!(version.as_str(), "v1" | "v2");
            let values = vec![None, Some(version)];
            is_version.then_some(LabelledRoute { route, values, page: None })
        });
        let routes = self.0.iter().flat_map(|loaded| {
            loaded.evidence.variants().map(|variant| LabelledRoute {
                route: loaded.evidence.route(variant),
                values: vec![Some(loaded.lab.id.to_owned()), Some(variant.to_owned())],
                page: Some(format!("/labs/{}", loaded.lab.id)),
            })
        });
        RouteLabels::new(&["lab", "variant"], routes.chain(versions))
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
        let bad = |reason| BadLab { id: lab.id, reason };
        // Before lab.json, which may name them.
        let own = own::register(lab.counters).map_err(bad)?;
        let evidence = Evidence::parse(lab.id, lab.evidence).map_err(bad)?;
        let measurements = || Arc::new(Measurements::with_own(own.clone()));
        let measurements = evidence.variants().map(|v| (v.to_owned(), measurements())).collect();
        Ok(Self { lab, evidence, measurements })
    }

    pub fn measurements(&self, variant: &str) -> Option<&Measurements> {
        self.measurements.get(variant).map(Arc::as_ref)
    }

    pub fn clear_measurements(&self) {
        self.measurements.values().for_each(|kept| kept.clear());
    }

    /// Figures of every variant since the start.
    pub fn summaries(&self) -> BTreeMap<&str, Summary> {
        self.measurements.iter().map(|(v, kept)| (v.as_str(), kept.since(None))).collect()
    }
}
