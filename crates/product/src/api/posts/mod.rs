//! The blog: anybody reads, a user who is logged in writes, and only the author changes a post. The
//! seeded posts that labs read belong to nobody who can log in, and take no comments.

/// Request and response bodies.
mod bodies;
/// Pages of a list, each with a cursor to the next.
mod paging;
/// Queries and statements.
mod repository;
/// URLs and handlers.
mod routes;
/// Logic of each endpoint, with its permissions.
mod service;
/// A post's name in URLs, from its title.
mod slug;

pub use routes::router;
