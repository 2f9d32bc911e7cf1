//! Input of clients, parsed so that the answer to a bad request names every error in it.

/// JSON bodies.
mod body;
/// Fields of a JSON object.
mod fields;
/// Numbers in the path.
mod id;
/// Syntax of JSON, apart from its meaning.
mod json;
/// Parameters of a query.
mod query;

pub use body::{Body, Input, arrived, json_bytes, set_timeout as set_body_timeout};
pub use fields::Fields;
pub use id::Id;
pub use json::well_formed;
pub use query::params;
