//! Logic of each endpoint of auth.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Auth, CurrentUser,
    bodies::{LoginIn, RegisterIn, SessionOut},
    hash_places::HashPlace,
    repository::{self, NewUser},
    secret,
};
use crate::{
    api::concurrency::Model,
    cache::Cache,
    db::{Db, Transaction},
    entity::{refresh_tokens, revoked_tokens::Model as Revoked, users},
    error::Error,
};

/// Interval of clean-up, much shorter than a token's life. Only two tables' size depends on it.
const REMOVE_EVERY: Duration = Duration::from_mins(10);

/// Time after its use in which a refresh token is refused and nothing more. Two windows of a browser
/// share one token, and both may send it when its time comes; a thief learns nothing from a refusal.
const REUSE_IS_A_RACE: TimeDelta = TimeDelta::seconds(10);

/// Difference by which the clock of another instance, which noted the use, may be ahead.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(30);

const REFUSED: Error = Error::Unauthorized("the refresh token is unknown, used or expired");

pub async fn register(
    db: &Db,
    auth: &Auth,
    model: Model,
    place: HashPlace,
    input: RegisterIn,
) -> Result<SessionOut, Error> {
    let RegisterIn { username, email, password } = input;
    let password_hash = auth.passwords.hash(model, place, password).await?;
    let txn = db.begin().await?;
    let user = repository::insert_user(&txn, NewUser { username, email, password_hash }).await?;
    let session = open_session(&txn, auth, user, new_family()?).await?;
    txn.commit().await?;
    Ok(session)
}

/// Logs in. An unknown address and a wrong password get the same answer after the same work.
pub async fn login(
    db: &Db,
    auth: &Auth,
    model: Model,
    place: HashPlace,
    input: LoginIn,
) -> Result<SessionOut, Error> {
    let user = repository::user_by_email(db, &input.email).await?;
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let is_right = auth.passwords.is_right(model, place, input.password, hash).await?;
    let Some(user) = user.filter(|_| is_right) else {
        return Err(Error::Unauthorized("e-mail address and password do not belong together"));
    };
    let txn = db.begin().await?;
    let session = open_session(&txn, auth, user, new_family()?).await?;
    txn.commit().await?;
    Ok(session)
}

/// Owner's id. Begins no transaction, because anybody can send an unknown token.
pub async fn owner(db: &Db, refresh_token: &str) -> Result<i64, Error> {
    let row = repository::refresh_token(db, &secret::digest(refresh_token)).await?;
    row.filter(|row| row.expires_at > Utc::now()).map(|row| row.user_id).ok_or(REFUSED)
}

/// Exchanges a refresh token, which is good once. If it is used again later, somebody has a copy.
/// The server can't know who is who, so the whole family ends.
pub async fn refresh(
    db: &Db,
    cache: &Cache,
    auth: &Auth,
    token: &str,
) -> Result<SessionOut, Error> {
    let digest = secret::digest(token);
    let txn = db.begin().await?;
    let Some(row) = repository::refresh_token(&txn, &digest).await? else { return Err(REFUSED) };
    let Some(user) = repository::lock_user(&txn, row.user_id).await? else { return Err(REFUSED) };
    if !repository::use_refresh_token(&txn, &digest).await? {
        // Read again, because the row may have been used while this request waited for the lock.
        let Some(row) = repository::refresh_token(&txn, &digest).await? else {
            return Err(REFUSED);
        };
        if row.used_at.is_some_and(|used_at| is_race(Utc::now() - used_at)) {
            return Err(Error::JustUsed);
        }
        let revoked = end_family(&txn, &row.family).await?;
        txn.commit().await?;
        auth.revocations.publish(cache, &revoked).await;
        return Err(REFUSED);
    }
    if row.expires_at <= Utc::now() {
        return Err(REFUSED);
    }
    let session = open_session(&txn, auth, user, row.family).await?;
    txn.commit().await?;
    Ok(session)
}

/// True if a second use so long after the first one is that of another window.
fn is_race(since_use: TimeDelta) -> bool {
    (-CLOCKS_DIFFER..REUSE_IS_A_RACE).contains(&since_use)
}

/// Ends the access token and its family, on every instance.
pub async fn logout(db: &Db, cache: &Cache, auth: &Auth, user: &CurrentUser) -> Result<(), Error> {
    let txn = db.begin().await?;
    repository::lock_user(&txn, user.id).await?;
    let mut revoked = end_family(&txn, &user.claims.fam).await?;
    let token = Revoked { digest: user.digest.clone(), expires_at: user.claims.expires_at() };
    repository::insert_revoked(&txn, token.clone()).await?;
    revoked.push(token);
    txn.commit().await?;
    auth.revocations.publish(cache, &revoked).await;
    Ok(())
}

/// Removes rows of expired tokens, now and at each interval, for as long as it is polled.
pub async fn remove_expired(db: Db) {
    let mut due = tokio::time::interval(REMOVE_EVERY);
    loop {
        due.tick().await;
        if let Err(error) = repository::delete_expired(&db).await {
            tracing::warn!(%error, "rows about expired tokens were not removed");
        }
    }
}

fn new_family() -> Result<String, Error> {
    secret::random::<16>().map_err(Error::internal)
}

/// Issues the next pair of tokens of a family.
async fn open_session(
    txn: &Transaction,
    auth: &Auth,
    user: users::Model,
    family: String,
) -> Result<SessionOut, Error> {
    let (access_token, claims) = auth.tokens.issue(user.id, &family)?;
    let refresh_token = secret::random::<32>().map_err(Error::internal)?;
    let row = refresh_tokens::Model {
        digest: secret::digest(&refresh_token),
        family,
        user_id: user.id,
        expires_at: from_now(auth.tokens.refresh_ttl),
        access_expires_at: claims.expires_at(),
        used_at: None,
    };
    repository::insert_refresh_token(txn, row).await?;
    Ok(SessionOut {
        access_token,
        refresh_token,
        token_type: "bearer",
        expires_in: auth.tokens.access_ttl.as_secs(),
        user_id: user.id,
        email: user.email,
    })
}

/// Deletes the family's refresh tokens and revokes its access tokens. The caller publishes the
/// returned rows after the commit.
async fn end_family(txn: &Transaction, family: &str) -> Result<Vec<Revoked>, Error> {
    let Some(expires_at) = repository::delete_family(txn, family).await? else {
        return Ok(Vec::new());
    };
    let row = Revoked { digest: secret::digest(family), expires_at };
    repository::insert_revoked(txn, row.clone()).await?;
    Ok(vec![row])
}

/// Adds `time` to now. Settings keep lifetimes under a year, so the result is in range.
fn from_now(time: Duration) -> DateTime<Utc> {
    Utc::now() + TimeDelta::from_std(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_use_is_a_race_for_ten_seconds_whoever_keeps_the_clock() {
        let after = |millis| is_race(TimeDelta::milliseconds(millis));
        assert!([-30_000, -1, 0, 9_999].into_iter().all(after));
        assert!(![-30_001, 10_000, 3_600_000].into_iter().any(after));
    }
}
