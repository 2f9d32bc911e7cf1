//! The heartbeat: notices that Redis failed or came back, and replays pending invalidations.

use std::{sync::Weak, time::Duration};

use redis::{RedisError, aio::MultiplexedConnection, cmd};
use tokio::time::{MissedTickBehavior, interval};

use super::link::{Link, Phase, SETTLE, Shared};
use crate::cache::names::COPIES;

/// Interval at which it checks that Redis answers.
const HEARTBEAT: Duration = Duration::from_millis(200);

/// Keys per SCAN step.
const SCAN: usize = 1_000;

/// Runs until the link is dropped.
pub(super) async fn run(link: Weak<Shared>) {
    let mut every = interval(HEARTBEAT);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let Some(link) = link.upgrade().map(Link) else { return };
        match link.phase() {
            Phase::Down => come_back(&link).await,
            Phase::Settling(since) if since.elapsed() > SETTLE => link.settled(),
            Phase::Settling(_) | Phase::Up => link.beat().await,
        }
    }
}

/// Sends an invalidation of a key that never exists. A Redis that refuses it, such as a replica or
/// one that can't write its file, must not be read: copies in it could not be deleted.
pub(super) async fn check_health(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    cmd("DEL").arg("heartbeat").query_async(connection).await
}

async fn come_back(link: &Link) {
    let Ok(mut connection) = link.connect().await else { return };
    if replay(link, &mut connection).await.is_ok() {
        link.came_back(connection);
    }
}

/// Replays pending invalidations. Those that fail stay pending.
async fn replay(link: &Link, connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    let (pending, owes_all) = link.take_owed();
    let mut paid = Ok(());
    if owes_all {
        paid = forget_all_copies(connection).await;
    }
    if paid.is_ok() && !pending.is_empty() {
        let mut forget = cmd("DEL");
        for key in &pending {
            forget.arg(key).arg(format!("lease:{key}"));
        }
        paid = forget.query_async(connection).await;
    }
    if paid.is_err() {
        link.owe_again(pending, owes_all);
    }
    paid
}

async fn forget_all_copies(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    for prefix in COPIES {
        for pattern in [format!("lease:{prefix}*"), format!("{prefix}*")] {
            let mut cursor = 0_u64;
            loop {
                let mut scan = cmd("SCAN");
                scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(SCAN);
                let (next, keys): (u64, Vec<String>) = scan.query_async(connection).await?;
                if !keys.is_empty() {
                    cmd("DEL").arg(keys).query_async::<()>(connection).await?;
                }
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
        }
    }
    Ok(())
}
