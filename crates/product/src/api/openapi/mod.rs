//! OpenAPI 3.1 document of the whole app port. Handlers describe themselves; their common parts are
//! added here, so that no handler can forget them.

use utoipa::openapi::{
    Components, Info, License, OpenApi, PathItem, RefOr, Server, Tag,
    info::LicenseBuilder,
    path::{HttpMethod, Operation},
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};

/// The answers and headers that endpoints share.
mod answers;
/// `/api/openapi.json`, and `/docs` for people.
mod routes;
/// Parts of schemas that bodies share.
pub mod schemas;

pub use routes::{PATH, described, router};

const ABOUT: &str = "An instrumented teaching server with deliberate bottlenecks, each served beside \
    its fix. People use it on [its front end](/). Every answer says in `Server-Timing` what it cost. Every failure is a problem as RFC 9457 \
    has it, but for what is no HTTP request: 400, 414 or 431 without a body.\n\n\
    A body is JSON in UTF-8, sent as `application/json` or another type that ends in `+json`, of at most \
    1 MiB (64 KiB for auth): nested at most 127 deep, with no number beyond those of a double. Members and \
    parameters that are not described are ignored. An `x-request-id` is taken over if it is sane, a \
    `traceparent` if it is valid.\n\n\
    Beside the failures that each operation lists, any request may be answered 404 where nothing is \
    served, 405 with `Allow`, 414 or 431 if its head is too large, and 500 if the server is at fault.";

/// Groups of operations, in the order a reader meets them.
const TAGS: [(&str, &str); 6] = [
    ("auth", "Accounts and tokens. v1 and v2 are one implementation under two concurrency models."),
    ("todos", "Each user's own todos; those of others do not exist. v1 and v2 as for auth."),
    ("posts", "A blog: anybody reads, only the author changes a post."),
    ("logs", "Log lines of devices. What is answered with 200 is on disk."),
    ("health", "Whether the server is up, and whether it can do its work."),
    ("description", "This document."),
];

/// The name that `security((...))` of a handler refers to.
const BEARER: &str = "bearer";

/// Adds the parts that operations share, and fills in what each leaves open.
pub fn complete(mut document: OpenApi) -> OpenApi {
    document.info = info();
    document.servers = Some(vec![Server::new("/")]);
    let mut tags: Vec<_> = TAGS.map(|(name, about)| tag(name, about)).into();
    tags.append(document.tags.get_or_insert_default());
    document.tags = Some(tags);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(operation_id(method, path));
            answers::add_shared(path, operation);
            describe_id(operation);
        }
    }
    let components = document.components.get_or_insert_default();
    add_bearer(components);
    answers::describe(components);
    document
}

pub fn tag(name: &str, about: &str) -> Tag {
    TagBuilder::new().name(name).description(Some(about)).build()
}

fn info() -> Info {
    let mut info = Info::new("Chokepoint", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    info.license = Some(license());
    info
}

fn license() -> License {
    LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()
}

fn add_bearer(components: &mut Components) {
    let about = "The access token that registration, login and refresh answer with.";
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(about))
        .build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
}

/// Every operation of a path, with its method.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [("get", get), ("put", put), ("post", post), ("delete", delete), ("patch", patch)]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Describes how `{id}` in a path is read, which is the same for every resource.
fn describe_id(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && parameter.name == "id"
        {
            let about = "its number; what is none is not found";
            parameter.description.get_or_insert_with(|| about.to_owned());
        }
    }
}

/// Operation id: unique because method and path are. Function names of handlers may repeat.
fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

/// HTTP method of this name; None if no operation may have it here.
pub fn method(name: &str) -> Option<HttpMethod> {
    Some(match name {
        "GET" => HttpMethod::Get,
        "PUT" => HttpMethod::Put,
        "POST" => HttpMethod::Post,
        "DELETE" => HttpMethod::Delete,
        "PATCH" => HttpMethod::Patch,
        _ => return None,
    })
}
