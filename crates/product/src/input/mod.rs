//! What clients send, read so that the answer to a bad request names everything that is bad in it.

/// JSON bodies.
mod body;
/// One named thing after the other out of a JSON object.
mod fields;
/// Numbers in the path.
mod id;
/// Form of JSON, apart from its meaning.
mod json;

pub use body::{Body, Input, arrived, json_bytes, set_timeout as set_body_timeout};
pub use fields::Fields;
pub use id::Id;
pub use json::well_formed;
pub use observe::params::Params;
