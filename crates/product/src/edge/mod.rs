//! Layers between clients and handlers: proxies in front, browsers of other origins, gzip, and the
//! deadline of an answer.

/// Room for answers that wait for their client.
mod answers;
/// Compression of bodies.
mod compression;
/// CORS, for pages of other origins.
mod cors;
/// Count of requests of clients behind a proxy.
mod crowd;
/// Deadline of an answer.
mod deadline;
/// Drains bodies that nobody reads.
mod drain;
/// The Host header.
mod host;
/// The network that a client is counted as.
mod network;
/// Where the ops of this instance is reached.
mod ops_url;
/// Addresses and TLS as seen through proxies.
mod proxies;

pub use answers::HoldAnswers;
pub use compression::Compress;
pub use cors::cors;
pub use crowd::{Crowd, bound_the_crowd};
pub use deadline::{Clock, Deadline};
pub use drain::drain_body;
pub use host::{DemandHost, host_header};
pub use network::network;
pub use ops_url::{OpsUrl, name_ops};
pub use proxies::{Proxies, demand_tls};

pub use crate::held_bytes::{ConnectionBytes, RequestBytes};
