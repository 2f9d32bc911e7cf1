//! Todos: create, read, change, delete, each its owner's alone. Reads are cached.

mod bodies;
mod ids;
mod paging;
mod repository;
mod routes;
mod service;

pub use ids::known_ids;
pub use routes::router;
