//! What stands between clients and handlers: proxies in front, browsers of other origins, gzip, and
//! the time that an answer may take.

/// Answers that wait for their client.
mod answers;
/// Bodies in fewer bytes.
mod compression;
/// Pages of other origins.
mod cors;
/// Clients behind a proxy, counted.
mod crowd;
/// Answers that take too long.
mod deadline;
/// The Host header.
mod host;
/// The network that a client is counted as.
mod network;
/// Addresses and TLS as seen through proxies.
mod proxies;
/// Bodies that nobody reads.
mod unread;

pub use answers::HoldAnswers;
pub use compression::Compress;
pub use cors::cors;
pub use crowd::{Crowd, bound_the_crowd};
pub use deadline::{Clock, Deadline};
pub use host::DemandHost;
pub use network::network;
pub use proxies::{Proxies, demand_tls};
pub use unread::receive_to_the_end;

pub use crate::held_bytes::{ConnectionBytes, RequestBytes};
