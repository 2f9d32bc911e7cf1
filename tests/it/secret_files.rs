//! Secrets in files: NAME_FILE in place of NAME.

use std::fs;

use reqwest::{StatusCode, blocking};
use tempfile::TempDir;

use crate::program::{Serving, program, text};

const NAMES: [(&str, &str); 4] = [
    ("JWT_SECRET", "hunter2-hunter2-hunter2-hunter2-hunter2"),
    ("OPS_TOKEN", "hunter2-hunter2-hunter2"),
    ("DATABASE_URL", "sqlite://hunter2.db"),
    ("REDIS_URL", "redis://:hunter2@127.0.0.1:1"),
];

#[test]
fn a_file_that_cannot_be_used_is_refused_in_one_line_that_names_its_variable() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let files = [
        write("too short, and no URL", b"hunter2"),
        write("empty", b"\n"),
        write("not text", b"hunter2\xff"),
        write("too long", &[b'a'; 65 * 1024]),
        folder.path().join("missing").display().to_string(),
        folder.path().display().to_string(),
    ];
    for (name, _) in NAMES {
        for file in &files {
            let mut command = program(folder.path());
            let output = command.env(format!("{name}_FILE"), file).output().unwrap();
            let error = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{name} {file}: {error}");
            assert_eq!(error.lines().count(), 1, "{name} {file}: {error}");
            assert!(
                error.starts_with(&format!("error: {name}_FILE (--")),
                "{name} {file}: {error}"
            );
            assert!(error.contains(file.as_str()) && !error.contains("hunter2"), "{name}: {error}");
        }
    }
}

#[test]
fn a_secret_and_its_file_exclude_each_other() {
    let folder = TempDir::new().unwrap();
    for (name, value) in NAMES {
        let file = folder.path().join(name);
        fs::write(&file, value).unwrap();
        let mut command = program(folder.path());
        let output = command.env(name, value).env(format!("{name}_FILE"), file).output().unwrap();
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {error}");
        assert_eq!(error.lines().count(), 1, "{name}: {error}");
        let flag = name.to_lowercase().replace('_', "-");
        for flag in [format!("--{flag} "), format!("--{flag}-file ")] {
            assert!(error.contains(&flag) && !error.contains("hunter2"), "{name}: {error}");
        }
    }
}

#[test]
fn what_the_files_hold_is_what_the_server_uses() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let database = folder.path().join("from-file.db");
    let settings = [
        ("OPS_TOKEN_FILE", file("ops", "0123456789-0123456789\n")),
        ("JWT_SECRET_FILE", file("jwt", "0123456789-0123456789-0123456789\r\n")),
        ("DATABASE_URL_FILE", file("database", &format!("sqlite://{}\n", database.display()))),
    ];
    let settings: Vec<_> = settings.iter().map(|(name, path)| (*name, path.as_str())).collect();
    let client = blocking::Client::builder().no_proxy().build().unwrap();

    let serving = Serving::start(&settings);
    assert!(database.is_file());
    let metrics = || client.get(format!("http://{}/metrics", serving.ops));
    assert_eq!(metrics().send().unwrap().status(), StatusCode::UNAUTHORIZED);
    let with_token = metrics().bearer_auth("0123456789-0123456789").send().unwrap();
    assert_eq!(with_token.status(), StatusCode::OK);
    let ada = r#"{"username": "ada", "email": "ada@example.com", "password": "correct horse"}"#;
    let registered = client
        .post(serving.url("/api/v2/auth/register"))
        .header("content-type", "application/json")
        .body(ada)
        .send()
        .unwrap();
    assert_eq!(registered.status(), StatusCode::CREATED);
    let session: serde_json::Value = registered.json().unwrap();
    drop(serving);

    // A random key would not accept the token any more.
    let again = Serving::start(&settings);
    let token = session["access_token"].as_str().unwrap();
    let todos = client.get(again.url("/api/v2/todos")).bearer_auth(token).send().unwrap();
    assert_eq!(todos.status(), StatusCode::OK);
}
