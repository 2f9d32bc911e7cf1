//! The blog: anybody reads, who is logged in writes, and only the author changes a post. The seeded
//! posts that labs read belong to nobody who can log in, and take no comments.

/// What clients send and get.
mod bodies;
/// Pages of a list, each with a cursor to the next.
mod paging;
/// The queries.
mod repository;
/// URLs and handlers.
mod routes;
/// Who may do what.
mod service;
/// A post's name in URLs, from its title.
mod slug;

pub use routes::router;
