//! Keyset pagination: a page ends with a cursor that holds the last row's place in the order, so
//! the next page costs as little as the first, and rows that come or go meanwhile shift nothing.
//! The cursor begins with a letter for its list, because a place in another list is invalid here.

use axum::{extract::FromRequestParts, http::request::Parts};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{api::fitting, error::Error, input::params};

const LIMIT: u32 = 20;
const MOST: u32 = 100;

/// The letters of the two lists.
pub const POSTS: char = 'p';
pub const COMMENTS: char = 'c';

/// Digits of the two parts of a cursor. 56 bits of microseconds last until the year 4253.
const TIME_DIGITS: usize = 14;
const ID_DIGITS: usize = 16;

/// Place of a row: its time, and its id among those of the same microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub created_at: DateTime<Utc>,
    pub id: i64,
}

impl Cursor {
    fn to_text(self, list: char) -> String {
        let micros = self.created_at.timestamp_micros();
        format!("{list}{micros:0TIME_DIGITS$x}{:0ID_DIGITS$x}", self.id)
    }

    /// Parses only what `to_text` makes for that list.
    fn parse(list: char, text: &str) -> Option<Self> {
        let text = text.strip_prefix(list)?;
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != TIME_DIGITS + ID_DIGITS || !text.bytes().all(is_digit) {
            return None;
        }
        let (time, id) = text.split_at(TIME_DIGITS);
        let micros = i64::from_str_radix(time, 16).ok()?;
        let created_at = DateTime::from_timestamp_micros(micros)?;
        Some(Self { created_at, id: i64::from_str_radix(id, 16).ok()? })
    }
}

/// Requested part of a list: the number of rows, and the row that it follows.
pub struct PageOf<const LIST: char> {
    pub limit: u32,
    pub after: Option<Cursor>,
    /// User whose posts are listed alone.
    pub author: Option<i64>,
}

impl<S: Send + Sync, const LIST: char> FromRequestParts<S> for PageOf<LIST> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let mut params = params(&parts.uri)?;
        let limit = params.number("limit", 1..=MOST, LIMIT);
        let parse = |text: &str| Cursor::parse(LIST, text);
        let after = params.parsed("cursor", parse, "the next_cursor of another page of this list");
        // Comments have no such choice, and parameters that are not described are ignored.
        let author = if LIST == POSTS { params.optional_id("author") } else { None };
        params.finish()?;
        Ok(Self { limit, after, author })
    }
}

impl<const LIST: char> PageOf<LIST> {
    /// Rows to read: one more than requested shows if there is a next page.
    pub fn rows(&self) -> u64 {
        u64::from(self.limit) + 1
    }
}

/// A part of a list: as many as were asked for, or as fit into 1 MiB.
#[derive(Serialize, ToSchema)]
pub struct Page<T> {
    items: Vec<T>,
    /// Start of the next page; null on the last one.
    #[schema(required = true, example = "p06474849b3c700000000000000002a")]
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page from up to `PageOf::rows` rows, as many as fit into an answer.
    pub fn new<const LIST: char>(
        page: &PageOf<LIST>,
        mut rows: Vec<T>,
        place: impl Fn(&T) -> Cursor,
    ) -> Self
    where
        T: Serialize,
    {
        let limit = page.limit as usize;
        let is_more = rows.len() > limit;
        rows.truncate(limit);
        let is_more = fitting::cut(&mut rows) || is_more;
        let last = rows.last().filter(|_| is_more).map(|row| place(row).to_text(LIST));
        Self { items: rows, next_cursor: last }
    }

    pub fn items(&mut self) -> &mut [T] {
        &mut self.items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for (micros, id) in [(0, 0), (1_767_225_600_000_001, 42), ((1 << 56) - 1, i64::MAX)] {
            let created_at = DateTime::from_timestamp_micros(micros).unwrap();
            let cursor = Cursor { created_at, id };
            assert_eq!(Cursor::parse(POSTS, &cursor.to_text(POSTS)), Some(cursor));
            assert_eq!(Cursor::parse(COMMENTS, &cursor.to_text(POSTS)), None);
        }
    }

    #[test]
    fn nothing_else_is_a_cursor() {
        let good = Cursor { created_at: DateTime::UNIX_EPOCH, id: 1 }.to_text(POSTS);
        let upper = good.replace('1', "F");
        let negative = format!("{}8{}", &good[..15], &good[16..]);
        let long = format!("{good}0");
        for bad in ["", "0", &upper, &negative, &long, &good[1..], &"é".repeat(15)] {
            assert_eq!(Cursor::parse(POSTS, bad), None, "{bad}");
        }
    }
}
