//! The request of a lab, as lab.json describes it. `crate::request` builds and sends it.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{check::ensure, template};

/// The request, which every variant answers alike.
///
/// In query, headers and body `{n}` stands for the number of the request, which no other request
/// has, and `{user}` for the number of the virtual user, from 1 on. In the body a text that is
/// nothing else becomes a number.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub method: Method,
    /// Path prefix of the variants: `{mount}/v1/slow`, `{mount}/v2/fast` and so on.
    pub mount: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// True if each virtual user has an account, whose access token every request brings.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log_in: bool,
    /// JSON to send. Names of fields are sent as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// File beside lab.json with what a user does in k6 around this request, which the gate is about:
    /// `k6.js`. Whoever sends the request elsewhere sends it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// Name of the file of a flow. k6 finds it by that name beside lab.json.
pub const FLOW: &str = "k6.js";

/// Headers that are set by what sends the request.
const SET_ELSEWHERE: [&str; 7] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "traceparent",
    "transfer-encoding",
];

/// Mounts beside `/api/labs/{id}`: resources of the product whose other versions a lab shows.
const PRODUCT_MOUNTS: [&str; 2] = ["/api/posts", "/api/todos"];

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

impl Request {
    /// The route that serves a variant.
    pub fn route(&self, variant: &str) -> String {
        format!("{}{}", self.mount, variant_path(variant))
    }

    pub(super) fn check(&self, id: &str) -> Result<(), String> {
        let own = format!("/api/labs/{id}");
        let mount = self.mount.as_str();
        ensure(mount == own || PRODUCT_MOUNTS.contains(&mount), || {
            let [posts, todos] = PRODUCT_MOUNTS;
            format!("request.mount is {mount}; {own} would be right, or {posts} or {todos}")
        })?;
        if let Some(flow) = &self.flow {
            ensure(flow == FLOW, || format!("request.flow is {flow:?}; {FLOW:?} would be right"))?;
        }
        for (name, value) in &self.query {
            template::check(value).map_err(|e| format!("request.query.{name}: {e}"))?;
        }
        for (name, value) in &self.headers {
            check_header(name, value).map_err(|e| format!("request.headers.{name}: {e}"))?;
        }
        let Some(body) = &self.body else { return Ok(()) };
        ensure(self.method.has_body(), || {
            let method = self.method.name();
            format!("request.body: {method} has none; use POST, PUT or PATCH, or remove it")
        })?;
        template::check_json(body).map_err(|e| format!("request.body: {e}"))
    }
}

/// Path of a variant below the lab's mount point: slow, fast, yours, or a wrong fix.
fn variant_path(variant: &str) -> String {
    match variant {
        "slow" => "/v1/slow".to_owned(),
        "fast" => "/v2/fast".to_owned(),
        "yours" => "/v3/yours".to_owned(),
        wrong => format!("/v4/{wrong}"),
    }
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    ensure(name.bytes().all(|b| !b.is_ascii_uppercase()), || "write it in lower case".to_owned())?;
    name.parse::<HeaderName>().map_err(|e| format!("no name of a header: {e}"))?;
    value.parse::<HeaderValue>().map_err(|e| format!("no value of a header: {e}"))?;
    ensure(!SET_ELSEWHERE.contains(&name), || {
        "remove it: what sends the request sets it; for a user's token say \"log_in\": true"
            .to_owned()
    })?;
    template::check(value)
}
