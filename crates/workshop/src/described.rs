//! OpenAPI description of the labs' routes, made from the catalogue so that there is one source.

use utoipa::openapi::{
    ArrayBuilder, ComponentsBuilder, Content, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Ref,
    ResponseBuilder,
    path::{Operation, OperationBuilder},
};

use crate::lab::{Labs, LoadedLab};
use product::api::openapi::{self, schemas};

const TAG: &str = "labs";
const ABOUT: &str = "Bottlenecks, each beside its fix; all variants of a lab answer alike.";
/// Schema of a row, the same for all labs.
const ROW: &str = "LabRow";

impl Labs {
    /// Describes the route of each variant, and the tag that they share.
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
        let row =
            schemas::any_object().description(Some("A row of a lab; each lab has its own fields."));
        let components = ComponentsBuilder::new().schema(ROW, row).build();
        let document = OpenApiBuilder::new().paths(paths).components(Some(components));
        document.tags(Some([openapi::tag(TAG, ABOUT)])).build()
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
    let rows = ArrayBuilder::new().items(Ref::from_schema_name(ROW));
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
