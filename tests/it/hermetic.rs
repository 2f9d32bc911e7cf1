//! Nothing of the caller's environment, nor a `.env` file, reaches the server that is proven or k6.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use crate::program::{program, text};

/// Stands in for k6: instead of a load it writes down the environment of prove's children.
const K6: &str = r#"#!/bin/sh
[ "$1" = version ] && exit 0
for child in $(cat /proc/$PPID/task/*/children); do
    tr '\0' '\n' < /proc/$child/environ > "$FOLDER/$child.environ"
done
exit 1
"#;

/// Settings with which no server, and no load, would be the same.
const HOSTILE: [(&str, &str); 10] = [
    ("BARE", "true"),
    ("DB_POOL_SIZE", "1"),
    ("LATENCY_DB", "50ms"),
    ("REDIS_URL", "redis://127.0.0.1:1"),
    ("UPSTREAM_LISTEN", "127.0.0.1:1"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
    ("OTEL_TRACES_SAMPLER", "always_off"),
    ("HTTP_PROXY", "http://127.0.0.1:1"),
    ("K6_ITERATIONS", "1"),
    ("K6_OUT", "json=leaked.json"),
];

fn hostile(folder: &Path) -> Command {
    let mut command = program(folder);
    command.envs(HOSTILE).env("HOME", folder).env("TMPDIR", folder.join("tmp"));
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

/// Environments by a variable that only one kind of child has.
fn environments(folder: &Path) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "environ") {
            let lines = fs::read_to_string(&path).unwrap();
            let names: BTreeSet<_> =
                lines.lines().filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect();
            let kind = if names.contains("LAB") { "k6" } else { "server" };
            // Two of a kind if the machine stood still and the run was repeated: they are alike.
            assert_eq!(*found.entry(kind).or_insert_with(|| names.clone()), names);
        }
    }
    found
}

fn names(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_proven_server_and_k6_get_nothing_of_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("tmp")).unwrap();
    let k6 = at.join("k6");
    fs::write(&k6, K6.replace("$FOLDER", at.to_str().unwrap())).unwrap();
    fs::set_permissions(&k6, fs::Permissions::from_mode(0o755)).unwrap();
    // Prove itself reads this one; its server gets what it does not set.
    fs::write(at.join(".env"), "RATE_LIMIT_API=off\n").unwrap();
    // No server starts below this folder, unless it looks for no .env file above its own.
    fs::write(at.join("tmp/.env"), "DB_POOL_SIZE=none\n").unwrap();
    fs::create_dir(at.join("tmp/other")).unwrap();
    let refused = program(&at.join("tmp/other")).arg("serve").output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));

    let proven = hostile(at)
        .args(["prove", "n-plus-one", "--out", "proof", "--k6"])
        .arg(&k6)
        .output()
        .unwrap();
    let stderr = text(&proven.stderr);
    assert_eq!(proven.status.code(), Some(1), "{stderr}");
    let proof = fs::read_to_string(at.join("proof/prove.json")).unwrap();
    let proof: serde_json::Value = serde_json::from_str(&proof).unwrap();
    let steps = proof["labs"][0]["steps"].as_array().unwrap();
    let parity = steps.iter().find(|step| step["name"] == "parity").unwrap();
    assert_eq!(parity["failures"], serde_json::json!([]), "{proof:#}");

    let found = environments(at);
    let of_prove = ["DATABASE_URL", "LISTEN", "LOG_FORMAT", "OPS_LISTEN", "RUST_LOG"];
    let of_prove = [&of_prove[..], &["WORKER_THREADS"]].concat();
    let labs = crate::support::labs();
    let settings = &labs.get("n-plus-one").unwrap().evidence.settings;
    let of_lab: BTreeSet<String> = settings.keys().cloned().collect();
    assert_eq!(found["server"], &names(&of_prove) | &of_lab);
    let of_k6: BTreeSet<_> =
        found["k6"].iter().filter(|name| !name.starts_with("K6_")).cloned().collect();
    let of_prove = ["BASE_URL", "HOME", "LAB", "PATH", "PROFILE", "SUMMARY", "TOKENS", "VARIANT"];
    assert_eq!(of_k6, names(&of_prove));
    for (name, _) in HOSTILE {
        assert!(!found["k6"].contains(name), "{name}");
    }
}
