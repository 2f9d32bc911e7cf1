//! Schemas of log lines for the OpenAPI document. `reading` parses raw JSON, so only tests keep the
//! two consistent.

use std::borrow::Cow;

use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ArrayBuilder, ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema,
        schema::{AnyOfBuilder, SchemaType, Type},
    },
};

use super::{bodies::LogIn, reading};
use crate::{api::openapi::schemas, entity::log_lines::Level};

/// Name of the object that has lines: a generator makes a type of it.
const LINES_IN: &str = "LinesIn";

/// The name of a device.
pub struct DeviceId;

impl PartialSchema for DeviceId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "A device's name. It stands in URLs without being escaped, where `batch` means \
                 something else.",
            ))
            .pattern(Some("^[A-Za-z0-9_][A-Za-z0-9._:-]{0,99}$"))
            .extensions(Some(schemas::not("batch")))
            .examples(["sensor-17"])
            .into()
    }
}

impl ToSchema for DeviceId {
    fn name() -> Cow<'static, str> {
        "DeviceId".into()
    }
}

/// Lines of one request: an object that has them, or a bare array.
pub struct BatchIn;

impl PartialSchema for BatchIn {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .description(Some("Many lines at once: an object that has them, or a bare array."))
            .item(Ref::from_schema_name(LINES_IN))
            .item(lines())
            .into()
    }
}

impl ToSchema for BatchIn {
    fn name() -> Cow<'static, str> {
        "BatchIn".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let object = ObjectBuilder::new().property("logs", lines()).required("logs");
        schemas.push((LINES_IN.to_owned(), object.into()));
        schemas.push((LogIn::name().into(), LogIn::schema()));
        LogIn::schemas(schemas);
    }
}

fn lines() -> ArrayBuilder {
    ArrayBuilder::new()
        .items(Ref::from_schema_name(LogIn::name()))
        .min_items(Some(1))
        .max_items(Some(reading::MAX_LINES))
}

/// Schema of a level: all names that `Level::named` accepts, not only those of answers.
pub fn level() -> RefOr<Schema> {
    let names = Level::ALL.map(|(_, name)| name);
    let names: Vec<_> = names.into_iter().chain(["WARN"]).map(in_any_case).collect();
    let any_case = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!("^({})$", names.join("|"))))
        .examples(["info", "warn"]);
    AnyOfBuilder::new()
        .description(Some("In any case; `WARN` is `WARNING`."))
        .item(Ref::from_schema_name(Level::name()))
        .item(any_case)
        .examples(["INFO"])
        .into()
}

/// Pattern that matches the name in any case, since JSON Schema has no flag for it.
fn in_any_case(name: &str) -> String {
    name.chars().map(|letter| format!("[{letter}{}]", letter.to_ascii_lowercase())).collect()
}

pub fn message() -> ObjectBuilder {
    schemas::text(1..=reading::MAX_MESSAGE).examples(["valve opened"])
}

pub fn data() -> ObjectBuilder {
    stored_data().description(Some(
        "Whatever else belongs to the line: up to 16 KiB of JSON, without NUL in any text or name in it.",
    ))
}

pub fn stored_data() -> ObjectBuilder {
    schemas::any_object()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .examples([json!({"celsius": 21.5})])
}
