//! One file per table: the model, its relations, and the finders that two callers share.

pub mod comments;
pub mod posts;
pub mod todo_tags;
pub mod todos;
pub mod users;
