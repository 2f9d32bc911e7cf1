//! `lab` and `variant` of a query.

use crate::{
    input::Params,
    labs::{Labs, LoadedLab},
};

/// What the query names of the catalogue; a variant alone is that of any lab.
pub struct NamedLab<'a> {
    pub lab: Option<&'a LoadedLab>,
    pub variant: Option<&'a str>,
}

impl<'a> NamedLab<'a> {
    pub fn read(params: &mut Params, labs: &'a Labs) -> Self {
        let ids: Vec<_> = labs.all().iter().map(|loaded| (loaded.lab.id, loaded)).collect();
        let lab = params.optional_one_of("lab", &ids);
        let of_lab = lab.map_or(labs.all(), std::slice::from_ref);
        let mut variants = Vec::new();
        for variant in of_lab.iter().flat_map(|loaded| loaded.evidence.variants()) {
            if !variants.contains(&(variant, variant)) {
                variants.push((variant, variant));
            }
        }
        Self { lab, variant: params.optional_one_of("variant", &variants) }
    }

    /// The routes of all that may be meant.
    pub fn routes(&self, labs: &Labs) -> Vec<String> {
        let of_lab = self.lab.map_or(labs.all(), std::slice::from_ref);
        let routes = of_lab.iter().flat_map(|loaded| {
            let variants = loaded.evidence.variants();
            let named = variants.filter(|v| self.variant.is_none_or(|variant| variant == *v));
            named.map(|variant| loaded.evidence.route(variant))
        });
        routes.collect()
    }
}
