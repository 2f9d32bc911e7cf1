//! Events of a race, read from its stream as they come.

use reqwest::{Method, Response};
use serde_json::Value;

use crate::support::{TestApp, header};

pub struct Follower {
    stream: Response,
    read: String,
}

impl Follower {
    /// Follows the races at `path`, which ends in `/race`.
    pub async fn of(app: &TestApp, path: &str) -> Self {
        let mut follower = Self::open(app, path).await;
        assert_eq!(follower.stream.status(), 200);
        assert_eq!(header(&follower.stream, "content-type"), "text/event-stream");
        // The first line is there before any race.
        let first = follower.stream.chunk().await.unwrap().unwrap();
        follower.read += std::str::from_utf8(&first).unwrap();
        follower
    }

    pub async fn open(app: &TestApp, path: &str) -> Self {
        let stream = app.ops(Method::GET, &format!("{path}/events")).send().await.unwrap();
        Self { stream, read: String::new() }
    }

    pub fn status(&self) -> u16 {
        self.stream.status().as_u16()
    }

    /// The next event with its data; None at the end of the stream.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
                };
                if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                    return Some((name.to_owned(), serde_json::from_str(data).unwrap()));
                }
            }
            let piece = self.stream.chunk().await.unwrap()?;
            self.read += std::str::from_utf8(&piece).unwrap();
        }
    }

    /// Data of the first event that is wanted.
    pub async fn next_where(&mut self, is_wanted: impl Fn(&str, &Value) -> bool) -> Value {
        loop {
            let (event, data) = self.next().await.expect("the stream ended before");
            if is_wanted(&event, &data) {
                return data;
            }
        }
    }

    /// Names of all events up to the end of the stream, and the race that the last one has.
    pub async fn read_to_end(&mut self) -> (Vec<String>, Value) {
        let (mut names, mut last) = (Vec::new(), Value::Null);
        while let Some((event, data)) = self.next().await {
            names.push(event);
            last = data;
        }
        assert_eq!(names.last().map(String::as_str), Some("end"));
        assert_eq!(names.iter().filter(|name| *name == "end").count(), 1);
        (names, last)
    }
}
