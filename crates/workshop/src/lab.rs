//! A lab: a real bottleneck served beside its fix, with its evidence and its request costs.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use axum::{Extension, Router, middleware::from_fn_with_state, routing::MethodRouter};
use observe::{
    cost::own::{self, OwnCounter},
    labels::{LabelledRoute, RouteLabels},
    measurements::{Measurements, Summary},
};
use product::api::state::SharedState;

use crate::{
    evidence::{Area, Evidence},
    upstream::{self, Upstream},
};

/// Tables, set-up and reset of a lab.
mod data;
/// The flow of a lab's own, for k6.
mod flow;
/// The first request to a lab, which makes its data.
mod opening;

pub use data::{Change, Data, DataError, Schema, Step};
pub use opening::NotOpen;
use opening::Opening;

/// Content of a lab's folder, for the rest of the program.
pub struct Lab {
    pub id: &'static str,
    /// The text of lab.json; `Labs::load` parses it.
    pub evidence: &'static str,
    pub readme: &'static str,
    /// Difference to show on stage: `diff slow.rs fast.rs`.
    pub slow_source: &'static str,
    pub fast_source: &'static str,
    /// The text of k6.js, if lab.json names it as the flow of its request.
    pub flow: Option<&'static str>,
    /// Counters of its own, beside those of every request.
    pub counters: &'static [&'static OwnCounter],
    /// Tables of its own, if it has any, and what fills and resets them.
    pub data: Data,
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
    /// Set once it is served, if there is anything to make or to demand.
    opening: OnceLock<Arc<Opening>>,
}

/// All labs in teaching order, ready to serve.
pub struct Labs(Vec<LoadedLab>);

/// Error of a lab.json that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("lab.json of {id}: {reason}")]
pub struct BadLab {
    pub id: &'static str,
    pub reason: String,
}

/// Folder of a lab, relative to that of the repository.
pub fn folder_of(area: Area, id: &str) -> PathBuf {
    area.folder().join(id.replace('-', "_"))
}

impl Labs {
    /// Parses the evidence of every lab.
    ///
    /// # Errors
    /// A lab.json that can't be used, and what only one lab may have: an id, a mount point, a place
    /// in its area.
    pub fn load(catalogue: &[&'static Lab]) -> Result<Self, BadLab> {
        let mut labs: Vec<_> =
            catalogue.iter().map(|lab| LoadedLab::new(lab)).collect::<Result<_, _>>()?;
        labs.sort_by_key(LoadedLab::place);
        let (mut ids, mut mounts) = (BTreeSet::new(), BTreeSet::new());
        let mut places = BTreeMap::new();
        for LoadedLab { lab, evidence, .. } in &labs {
            let bad = |reason| Err(BadLab { id: lab.id, reason });
            if !ids.insert(lab.id) {
                return bad("another lab has this id".to_owned());
            }
            let mount = &evidence.request.mount;
            if !mounts.insert(mount) {
                return bad(format!("request.mount: another lab has {mount}"));
            }
            let place = (evidence.area, evidence.order);
            if let Some(other) = places.insert(place, lab.id) {
                let (area, order) = (evidence.area.id(), evidence.order);
                let reason = format!("order: {other} is number {order} of {area} already");
                return bad(reason);
            }
        }
        Ok(Self(labs))
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

    /// Routes of all variants. Each handler may take the upstream, which knows it as a caller of its
    /// own: `Extension<Upstream>`. Must be called on the app's runtime.
    pub fn router(&self, state: &SharedState, upstream: &upstream::Service) -> Router<SharedState> {
        let mut router = Router::new();
        for loaded in &self.0 {
            let Handlers { slow, fast, yours, wrong } = (loaded.lab.handlers)(state);
            let variants = [("slow", slow), ("fast", fast), ("yours", yours)];
            let variants: Vec<_> = variants.into_iter().chain(wrong).collect();
            let caller = |variant: &str| upstream.for_caller(loaded.lab.id, variant);
            let callers = variants.iter().map(|(variant, _)| caller(variant)).collect();
            let opening = loaded.opening(state, callers);
            for (variant, handler) in variants {
                let upstream = Extension(caller(variant));
                let mut handler: MethodRouter<SharedState> = handler.layer(upstream);
                if let Some(opening) = &opening {
                    let opening = opening.clone();
                    let layer = from_fn_with_state(opening, opening::demand_open);
                    handler = handler.route_layer(layer);
                }
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
        flow::check(evidence.request.flow.as_deref(), lab.flow).map_err(bad)?;
        let measurements = || Arc::new(Measurements::with_own(own.clone()));
        let measurements = evidence.variants().map(|v| (v.to_owned(), measurements())).collect();
        Ok(Self { lab, evidence, measurements, opening: OnceLock::new() })
    }

    /// A lab `a-lab` that never answers, for tests of what reads its evidence.
    #[cfg(test)]
    pub(crate) fn without_handlers(
        evidence: &serde_json::Value,
        flow: Option<&'static str>,
    ) -> Result<Self, BadLab> {
        let lab = Lab {
            id: "a-lab",
            evidence: evidence.to_string().leak(),
            readme: "",
            slow_source: "",
            fast_source: "",
            flow,
            counters: &[],
            data: Data::NONE,
            handlers: |_| unreachable!("nobody serves it"),
        };
        Self::new(Box::leak(Box::new(lab)))
    }

    /// The lab's folder, relative to that of the repository.
    pub fn folder(&self) -> PathBuf {
        folder_of(self.evidence.area, self.lab.id)
    }

    /// Key of the teaching order.
    fn place(&self) -> (Area, u32) {
        (self.evidence.area, self.evidence.order)
    }

    /// Maker of the lab's data; None if a request needs to wait for nothing.
    fn opening(&self, state: &SharedState, callers: Vec<Upstream>) -> Option<Arc<Opening>> {
        let needs = self.evidence.needs;
        if self.lab.data.is_none() && !needs.postgres && !needs.redis {
            return None;
        }
        let new = || Opening::new(self.lab, needs, state.clone(), callers);
        Some(self.opening.get_or_init(new).clone())
    }

    /// Resets the lab's data, if anybody has opened it, and forgets what was measured.
    ///
    /// # Errors
    /// A reset of the data that failed. The measurements are forgotten all the same.
    pub async fn reset(&self) -> Result<(), NotOpen> {
        let reset = self.reset_data().await;
        self.clear_measurements();
        reset
    }

    /// Resets the lab's data alone, if anybody has opened it: rows, and faults of its upstream.
    ///
    /// # Errors
    /// A reset of the data that failed.
    pub async fn reset_data(&self) -> Result<(), NotOpen> {
        match self.opening.get() {
            Some(opening) => opening.reset().await,
            None => Ok(()),
        }
    }

    pub fn measurements(&self, variant: &str) -> Option<&Measurements> {
        self.measurements.get(variant).map(Arc::as_ref)
    }

    fn clear_measurements(&self) {
        self.measurements.values().for_each(|kept| kept.clear());
    }

    /// Figures of every variant since the start.
    pub fn summaries(&self) -> BTreeMap<&str, Summary> {
        self.measurements.iter().map(|(v, kept)| (v.as_str(), kept.since(None))).collect()
    }
}
