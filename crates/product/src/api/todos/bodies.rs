//! Request and response bodies of todos.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{ToSchema, openapi::ObjectBuilder};

use crate::{
    api::openapi::schemas,
    entity::todos,
    input::{Fields, Input},
};

const TITLE: &str = "title";
const TITLE_LENGTH: RangeInclusive<usize> = 1..=200;
const DESCRIPTION_LENGTH: RangeInclusive<usize> = 0..=10_000;

#[derive(Debug, ToSchema)]
pub struct TodoIn {
    #[schema(schema_with = title_text)]
    pub title: String,
    #[schema(schema_with = description_text)]
    pub description: Option<String>,
    #[schema(default = false, required = false)]
    pub completed: bool,
}

impl Input for TodoIn {
    fn read(fields: &mut Fields) -> Self {
        Self {
            title: fields.words(TITLE, TITLE_LENGTH),
            description: fields.optional_text("description", DESCRIPTION_LENGTH).flatten(),
            completed: fields.optional_flag("completed").unwrap_or_default(),
        }
    }
}

/// Fields to change; those that are left out stay.
#[derive(Debug, ToSchema)]
pub struct TodoPatch {
    #[schema(schema_with = title_text)]
    pub title: Option<String>,
    #[schema(schema_with = description_text)]
    pub description: Option<Option<String>>,
    #[schema(value_type = bool, required = false, example = true)]
    pub completed: Option<bool>,
}

impl Input for TodoPatch {
    fn read(fields: &mut Fields) -> Self {
        let title = fields.optional_text(TITLE, TITLE_LENGTH);
        match &title {
            Some(None) => fields.refuse(TITLE, "text is needed"),
            Some(Some(title)) => fields.refuse_blank(TITLE, title),
            None => {}
        }
        Self {
            title: title.flatten(),
            description: fields.optional_text("description", DESCRIPTION_LENGTH),
            completed: fields.optional_flag("completed"),
        }
    }
}

fn title_text() -> ObjectBuilder {
    schemas::words(TITLE_LENGTH).examples(["Measure it again"])
}

fn description_text() -> ObjectBuilder {
    schemas::text_or_null(DESCRIPTION_LENGTH)
        .description(Some("Null is none."))
        .examples(["With more than one core."])
}

impl TodoPatch {
    pub fn is_empty(&self) -> bool {
        let Self { title, description, completed } = self;
        title.is_none() && description.is_none() && completed.is_none()
    }
}

#[derive(Serialize, ToSchema)]
pub struct TodoOut {
    #[schema(example = 101)]
    id: i64,
    #[schema(example = 11)]
    user_id: i64,
    #[schema(example = "Measure it again")]
    title: String,
    #[schema(required = true, example = "With more than one core.")]
    description: Option<String>,
    completed: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<todos::Model> for TodoOut {
    fn from(todo: todos::Model) -> Self {
        let todos::Model { id, user_id, title, description, completed, created_at, updated_at } =
            todo;
        Self { id, user_id, title, description, completed, created_at, updated_at }
    }
}

/// Owner of a cached todo, which must be known before the todo is sent.
#[derive(Deserialize)]
pub struct Owned {
    pub user_id: i64,
}
