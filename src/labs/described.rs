//! The labs' routes for the OpenAPI document, from the catalogue: nobody writes them down twice.

use utoipa::openapi::{
    ArrayBuilder, Content, Object, OpenApi, OpenApiBuilder, PathItem, PathsBuilder,
    ResponseBuilder,
    path::{Operation, OperationBuilder},
};

use super::{Labs, LoadedLab};
use crate::api::openapi;

const TAG: &str = "labs";
const ABOUT: &str = "Bottlenecks, each beside its fix; all variants of a lab answer alike.";

impl Labs {
    /// Every variant's route and the tag they share.
    pub fn described(&self) -> OpenApi {
        let mut paths = PathsBuilder::new();
        for loaded in self.all() {
            for variant in loaded.evidence.variants() {
                let method = openapi::method(&loaded.evidence.request.method);
                let Some(method) = method else { continue };
                let item = PathItem::new(method, operation(loaded, variant));
                paths = paths.path(loaded.evidence.route(variant), item);
            }
        }
        OpenApiBuilder::new().paths(paths).tags(Some([openapi::tag(TAG, ABOUT)])).build()
    }
}

fn operation(loaded: &LoadedLab, variant: &str) -> Operation {
    let evidence = &loaded.evidence;
    let about = match (variant, evidence.wrong_fixes.iter().find(|fix| fix.name == variant)) {
        (_, Some(fix)) => format!("A fix that does not help. {}", fix.idea),
        ("slow", _) => evidence.question.clone(),
        ("fast", _) => "The fix.".to_owned(),
        _ => "Your own attempt; it starts as a copy of slow.".to_owned(),
    };
    let rows = ArrayBuilder::new().items(Object::new());
    let answer = ResponseBuilder::new()
        .description("The same rows from every variant.")
        .content("application/json", Content::new(Some(rows)))
        .build();
    OperationBuilder::new()
        .tag(TAG)
        .summary(Some(format!("{}: {variant}", evidence.title)))
        .description(Some(about))
        .response(evidence.request.status.to_string(), answer)
        .build()
}
