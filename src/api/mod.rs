//! The product that carries the lessons.

/// Whether the server is up, and whether it can do its work.
pub mod health;
