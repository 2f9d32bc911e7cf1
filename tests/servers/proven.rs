//! `prove` on PostgreSQL and Redis: on a database of its own, which is gone afterwards, and on no
//! Redis database that holds anything.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use sea_orm::sqlx::{Connection, PgConnection, Row, query};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    backends::{BackEnds, server},
    program::{program, text},
};

/// Stands in for k6: instead of a load it writes down the environment of the server that is proven.
const K6: &str = r#"#!/bin/sh
[ "$1" = version ] && exit 0
for child in $(cat /proc/$PPID/task/*/children); do
    tr '\0' '\n' < /proc/$child/environ | grep -E '^(DATABASE|REDIS)_URL=' >> "$FOLDER/environ"
done
exit 1
"#;

fn prove(folder: &Path) -> Command {
    let k6 = folder.join("k6");
    fs::write(&k6, K6.replace("$FOLDER", folder.to_str().unwrap())).unwrap();
    fs::set_permissions(&k6, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = program(folder);
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.args(["prove", "missing-index", "--out", "proof", "--k6"]).arg(k6);
    command
}

/// The proof of the one lab, as in prove.json.
fn proof(folder: &TempDir, proven: &Output) -> Value {
    // k6 has sent nothing, so it can't hold.
    assert_eq!(proven.status.code(), Some(1), "{}", text(&proven.stderr));
    let file = fs::read_to_string(folder.path().join("proof/prove.json")).unwrap();
    let proof: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(proof["holds"], false);
    proof["labs"][0].clone()
}

#[tokio::test]
async fn a_lab_that_is_named_is_proven_on_a_database_of_its_own_there() {
    let back_ends = BackEnds::new();
    let folder = tempfile::tempdir().unwrap();
    let mut command = prove(folder.path());
    // By an option or by a variable.
    command.args(["--postgres", server("TEST_POSTGRES_URL").as_str()]);
    let proven = command.env("PROVE_REDIS_URL", back_ends.redis_url()).output().unwrap();
    let proof = proof(&folder, &proven);
    let stores = proof["stores"].as_str().unwrap();
    assert!(stores.starts_with("PostgreSQL ") && stores.ends_with(" and Redis"), "{proof:#}");
    // Before k6 is asked: the server there has the lab's tables, and its rows were changed.
    for name in ["clean start", "parity", "refusals"] {
        let steps = proof["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["name"] == name);
        let failures = step.map_or(json!([]), |step| step["failures"].clone());
        assert_eq!(failures, json!([]), "{name}");
        assert!(step.is_some() || name == "refusals", "{name}: {proof:#}");
    }

    let environ = fs::read_to_string(folder.path().join("environ")).unwrap();
    let value = |name: &str| environ.lines().find_map(|line| line.strip_prefix(name));
    assert_eq!(value("REDIS_URL="), Some(back_ends.redis_url().as_str()));
    let database = value("DATABASE_URL=").unwrap();
    let name = database.rsplit_once('/').unwrap().1;
    assert!(name.starts_with("chokepoint_prove_"), "{name}");
    let mut connection = PgConnection::connect(server("TEST_POSTGRES_URL").as_str()).await.unwrap();
    let left = query("SELECT count(*) FROM pg_database WHERE datname = $1").bind(name);
    let left = left.fetch_one(&mut connection).await.unwrap();
    assert_eq!(left.get::<i64, _>(0), 0, "{name} is left behind");
    assert_eq!(keys(&back_ends).await, 0, "of the server that was proven");
}

#[tokio::test]
async fn a_redis_database_with_keys_is_refused_and_stays_as_it_is() {
    let back_ends = BackEnds::new();
    let redis = redis::Client::open(back_ends.redis_url()).unwrap();
    let mut redis = redis.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("SET").arg("mine").arg("1").exec_async(&mut redis).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let proven = prove(folder.path()).args(["--redis", &back_ends.redis_url()]).output().unwrap();
    let proof = proof(&folder, &proven);
    let failure = proof["steps"][0]["failures"][0].as_str().unwrap();
    assert!(failure.starts_with("the server of --redis: it has 1 keys"), "{failure}");
    assert_eq!(keys(&back_ends).await, 1);
}

async fn keys(back_ends: &BackEnds) -> u64 {
    let redis = redis::Client::open(back_ends.redis_url()).unwrap();
    let mut redis = redis.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("DBSIZE").query_async(&mut redis).await.unwrap()
}
