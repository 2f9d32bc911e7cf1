//! Parts of schemas that bodies share: what `input::Fields` refuses, a client's own validator refuses
//! too. What JSON Schema cannot say stands in descriptions.

use std::ops::RangeInclusive;

use utoipa::openapi::{
    ObjectBuilder,
    extensions::Extensions,
    schema::{AdditionalProperties, SchemaType, Type},
};

/// Text without NUL.
const NO_NUL: &str = r"^[^\u0000]*$";

/// Text without NUL in which something is not white space. That is Unicode's White_Space, as for
/// `char::is_whitespace`, character by character: engines differ in what `\s` is.
const NOT_BLANK: &str = concat!(
    r"^[^\u0000]*",
    r"[^\u0000\t-\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]",
    r"[^\u0000]*$"
);

/// Text of so many characters, as `Fields::text` takes it.
pub fn text(length: RangeInclusive<usize>) -> ObjectBuilder {
    let (least, most) = length.into_inner();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length((least > 0).then_some(least))
        .max_length(Some(most))
        .pattern(Some(NO_NUL))
}

/// The same, or null.
pub fn text_or_null(length: RangeInclusive<usize>) -> ObjectBuilder {
    text(length).schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

/// Text that is not blank, as `Fields::words` takes it.
pub fn words(length: RangeInclusive<usize>) -> ObjectBuilder {
    text(length).pattern(Some(NOT_BLANK)).description(Some("Not only white space."))
}

/// An object with any members. Without saying so, some generators let none in.
pub fn any_object() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(
        AdditionalProperties::<utoipa::openapi::Schema>::FreeForm(true),
    ))
}

/// Anything but this value. `utoipa` has no field for JSON Schema's `not`; what extends a schema is
/// written out beside its fields.
pub fn not(value: &str) -> Extensions {
    Extensions::from_iter([("not", serde_json::json!({ "const": value }))])
}
