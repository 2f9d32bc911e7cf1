//! OpenAPI description of the labs' routes, made from the catalogue so that there is one source.

use serde_json::Value;
use utoipa::openapi::{
    ArrayBuilder, ComponentsBuilder, ContentBuilder, ObjectBuilder, OneOfBuilder, OpenApi,
    OpenApiBuilder, PathItem, PathsBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
    Schema,
    path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn},
    request_body::{RequestBody, RequestBodyBuilder},
    schema::Type,
    security::SecurityRequirement,
};

use crate::{
    evidence::{
        Request,
        template::{self, Values},
    },
    lab::{Labs, LoadedLab},
};
use product::api::openapi::{self, schemas};

const TAG: &str = "labs";
const ABOUT: &str = "Bottlenecks, each beside its fix; all variants of a lab answer alike.";
/// Schema of a row, the same for all labs.
const ROW: &str = "LabRow";
/// Schema of an answer: rows, or one.
const ANSWER: &str = "LabAnswer";
/// Security scheme that the product describes.
const BEARER: &str = "bearer";
/// Values of the placeholders in examples.
const EXAMPLE: Values = Values { n: 1, user: 1 };

impl Labs {
    /// Describes the route of each variant, and the tag that they share.
    pub fn described(&self) -> OpenApi {
        let mut paths = PathsBuilder::new();
        for loaded in self.all() {
            for variant in loaded.evidence.variants() {
                let method = openapi::method(loaded.evidence.request.method.name());
                let Some(method) = method else { continue };
                let item = PathItem::new(method, operation(loaded, variant));
                paths = paths.path(loaded.evidence.route(variant), item);
            }
        }
        let row =
            schemas::any_object().description(Some("A row of a lab; each lab has its own fields."));
        let rows = ArrayBuilder::new().items(Ref::from_schema_name(ROW));
        let answer = OneOfBuilder::new().item(rows).item(Ref::from_schema_name(ROW));
        let components = ComponentsBuilder::new().schema(ROW, row).schema(ANSWER, answer).build();
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
        _ => "Your own attempt; it starts as slow does.".to_owned(),
    };
    let Request { query, headers, log_in, body, .. } = &evidence.request;
    let mut operation = OperationBuilder::new()
        .tag(TAG)
        .summary(Some(format!("{}: {variant}", evidence.title)))
        .description(Some(about))
        .request_body(body.as_ref().map(request_body));
    for (place, texts) in [(ParameterIn::Query, query), (ParameterIn::Header, headers)] {
        for (name, text) in texts {
            let parameter = ParameterBuilder::new()
                .name(name)
                .parameter_in(place.clone())
                .required(Required::True)
                .description(Some("Sent with every request of the lab's load."))
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .example(Some(template::text(text, EXAMPLE).into()));
            operation = operation.parameter(parameter);
        }
    }
    if *log_in {
        let bearer = SecurityRequirement::new(BEARER, std::iter::empty::<&str>());
        operation = operation.security(bearer);
    }
    for status in evidence.answer.statuses.keys() {
        operation = operation.response(status.to_string(), answer(*status));
    }
    operation.build()
}

/// An answer with this status. The document adds what all answers to failures share.
fn answer(status: u16) -> Response {
    let response = ResponseBuilder::new();
    match status {
        204 | 304 => response.description("There is no body."),
        200..300 => {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ANSWER)));
            let response = response.description("The same from every variant.");
            response.content("application/json", content.build())
        }
        _ => response.description("The lab refuses the request, as a right answer may."),
    }
    .build()
}

fn request_body(body: &Value) -> RequestBody {
    let content = ContentBuilder::new()
        .schema(Some(schema(body)))
        .example(Some(template::json(body, EXAMPLE)))
        .build();
    RequestBodyBuilder::new()
        .content("application/json", content)
        .required(Some(Required::True))
        .build()
}

/// Schema of a body, as far as its template shows it.
fn schema(template: &Value) -> RefOr<Schema> {
    let of_type = |of_type| ObjectBuilder::new().schema_type(of_type);
    match template::json(template, EXAMPLE) {
        Value::Object(fields) => {
            let object = fields.iter().fold(of_type(Type::Object), |object, (name, value)| {
                object.property(name, schema(value)).required(name)
            });
            object.into()
        }
        Value::Array(items) => {
            let item = items.first().map_or_else(|| of_type(Type::Object).into(), schema);
            ArrayBuilder::new().items(item).into()
        }
        Value::Number(number) if number.is_f64() => of_type(Type::Number).into(),
        Value::Number(_) => of_type(Type::Integer).into(),
        Value::Bool(_) => of_type(Type::Boolean).into(),
        Value::String(_) => of_type(Type::String).into(),
        Value::Null => of_type(Type::Null).into(),
    }
}
