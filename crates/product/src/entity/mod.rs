//! One file per table: the model, its relations, and the finders that two callers share.

pub mod comments;
pub mod log_lines;
pub mod posts;
pub mod refresh_tokens;
pub mod revoked_tokens;
pub mod todo_tags;
pub mod todos;
pub mod users;
