//! The heartbeat: finds out that Redis went away or came back, and pays what it is owed.

use std::{sync::Weak, time::Duration};

use redis::{RedisError, aio::MultiplexedConnection, cmd};
use tokio::time::{MissedTickBehavior, interval};

use super::link::{Link, Phase, SETTLE, Shared};
use crate::cache::names::COPIES;

/// How often it is tried whether Redis answers.
const HEARTBEAT: Duration = Duration::from_millis(200);

/// Keys of one SCAN step.
const SCAN: usize = 1_000;

/// Ends with the link.
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

/// What an invalidation asks for, of a key that is never there. A Redis that refuses this, such as a
/// replica or one that can't write its file, must not be read: copies in it could not be taken away.
pub(super) async fn take_nothing_away(
    connection: &mut MultiplexedConnection,
) -> Result<(), RedisError> {
    cmd("DEL").arg("heartbeat").query_async(connection).await
}

async fn come_back(link: &Link) {
    let Ok(mut connection) = link.connect().await else { return };
    if pay(link, &mut connection).await.is_ok() {
        link.came_back(connection);
    }
}

/// Tells Redis what it is owed. What could not be told is owed again.
async fn pay(link: &Link, connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    let (owed, owes_all) = link.take_owed();
    let mut paid = Ok(());
    if owes_all {
        paid = forget_all_copies(connection).await;
    }
    if paid.is_ok() && !owed.is_empty() {
        let mut forget = cmd("DEL");
        for key in &owed {
            forget.arg(key).arg(format!("lease:{key}"));
        }
        paid = forget.query_async(connection).await;
    }
    if paid.is_err() {
        link.owe_again(owed, owes_all);
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
