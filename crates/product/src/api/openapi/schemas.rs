//! Schema parts that bodies share: a client's own validator refuses what `input::Fields` refuses.
//! Rules that JSON Schema cannot express stand in descriptions.

use std::ops::RangeInclusive;

use utoipa::openapi::{
    ObjectBuilder,
    extensions::Extensions,
    schema::{AdditionalProperties, SchemaType, Type},
};

/// Text without NUL.
const NO_NUL: &str = r"^[^\u0000]*$";

/// Text without NUL that is not blank. White space is Unicode's White_Space, as for
/// `char::is_whitespace`, listed by character: engines differ in the meaning of `\s`.
const NOT_BLANK: &str = concat!(
    r"^[^\u0000]*",
    r"[^\u0000\t-\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]",
    r"[^\u0000]*$"
);

/// Text of a length in characters, as `Fields::text` accepts it.
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

/// Text that is not blank, as `Fields::words` accepts it.
pub fn words(length: RangeInclusive<usize>) -> ObjectBuilder {
    text(length).pattern(Some(NOT_BLANK)).description(Some("Not only white space."))
}

/// Object with any members. Unless this is stated, some generators allow none.
pub fn any_object() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(
        AdditionalProperties::<utoipa::openapi::Schema>::FreeForm(true),
    ))
}

/// Excludes a value. `utoipa` has no field for JSON Schema's `not`; an extension is written beside
/// the schema's fields.
pub fn not(value: &str) -> Extensions {
    Extensions::from_iter([("not", serde_json::json!({ "const": value }))])
}
