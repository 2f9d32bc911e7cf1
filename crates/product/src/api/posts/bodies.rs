//! Request bodies of posts, with their bounds, and response bodies.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::{ToSchema, openapi::ObjectBuilder};

use crate::{
    api::openapi::schemas,
    input::{Fields, Input},
};

/// Longest title, in characters. A slug is made of the first 80.
const TITLE: usize = 200;
/// Longest body, in characters: a long read. Larger ones would make lists a matter of bandwidth.
const BODY: usize = 50_000;
/// Longest comment, in characters.
const COMMENT: usize = 5_000;

/// A new post.
#[derive(Clone, ToSchema)]
pub struct PostIn {
    #[schema(schema_with = title_text)]
    pub title: String,
    #[schema(schema_with = body_text)]
    pub body: String,
}

impl Input for PostIn {
    fn read(fields: &mut Fields) -> Self {
        Self { title: fields.words("title", 1..=TITLE), body: fields.words("body", 1..=BODY) }
    }
}

/// Fields to change; the others stay.
#[derive(ToSchema)]
pub struct PostPatch {
    #[schema(schema_with = title_text)]
    pub title: Option<String>,
    #[schema(schema_with = body_text)]
    pub body: Option<String>,
}

impl Input for PostPatch {
    fn read(fields: &mut Fields) -> Self {
        let mut text = |field, most| match fields.optional_text(field, 1..=most) {
            Some(None) => {
                fields.refuse(field, "it can't be taken away");
                None
            }
            Some(Some(text)) => {
                fields.refuse_blank(field, &text);
                Some(text)
            }
            None => None,
        };
        Self { title: text("title", TITLE), body: text("body", BODY) }
    }
}

/// A new comment.
#[derive(ToSchema)]
pub struct CommentIn {
    #[schema(schema_with = comment_text)]
    pub body: String,
}

impl Input for CommentIn {
    fn read(fields: &mut Fields) -> Self {
        Self { body: fields.words("body", 1..=COMMENT) }
    }
}

fn title_text() -> ObjectBuilder {
    schemas::words(1..=TITLE).examples(["Why p99 lies"])
}

fn body_text() -> ObjectBuilder {
    schemas::words(1..=BODY).examples(["It does not."])
}

fn comment_text() -> ObjectBuilder {
    schemas::words(1..=COMMENT).examples(["It does!"])
}

#[derive(Serialize, ToSchema)]
pub struct Author {
    #[schema(example = 11)]
    pub id: i64,
    #[schema(example = "ada")]
    pub username: String,
}

/// A post in a list: without its body, which may be long.
#[derive(Serialize, ToSchema)]
pub struct PostSummary {
    #[schema(example = 142)]
    pub id: i64,
    #[schema(example = "why-p99-lies")]
    pub slug: String,
    #[schema(example = "Why p99 lies")]
    pub title: String,
    pub author: Author,
    /// Number of its comments.
    #[schema(example = 3)]
    pub comments: i64,
    pub created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub struct PostOut {
    #[serde(flatten)]
    pub summary: PostSummary,
    #[schema(example = "It does not.")]
    pub body: String,
}

#[derive(Serialize, ToSchema)]
pub struct CommentOut {
    #[schema(example = 7)]
    pub id: i64,
    #[schema(example = 142)]
    pub post_id: i64,
    pub author: Author,
    #[schema(example = "It does!")]
    pub body: String,
    pub created_at: DateTime<Utc>,
}
