//! Password checks of labs: on the blocking pool, each as soon as it is asked for. The product bounds
//! how many run at once; labs show what happens to those who do not.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use observe::{cost::Counter, request_cost, task};
use product::{entity::users, error::Error};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

/// The same words for an unknown name and for a wrong password.
const WRONG: Error = Error::Unauthorized("name and password do not belong together");

/// Hashes of accounts that were moved to another cost, by cost and their hash until then.
static MOVED: LazyLock<Mutex<HashMap<(u32, String), String>>> = LazyLock::new(Mutex::default);

/// Account of a name with its password: one query and one hash.
///
/// # Errors
/// 401 if there is no such account, or the password is another one.
pub async fn account(
    db: &impl ConnectionTrait,
    name: &str,
    password: &str,
) -> Result<users::Model, Error> {
    let (account, hash) = hash_of(db, name).await?;
    demand(password, hash).await?;
    Ok(account)
}

/// The same, as if all accounts had been moved to another cost. The first check of each moves it, as
/// the next log-in would, and so costs a hash of both.
///
/// # Errors
/// As `account`.
pub async fn account_at_cost(
    db: &impl ConnectionTrait,
    name: &str,
    password: &str,
    cost: u32,
) -> Result<users::Model, Error> {
    let (account, hash) = hash_of(db, name).await?;
    let known = moved().get(&(cost, hash.clone())).cloned();
    if let Some(hash) = known {
        demand(password, hash).await?;
        return Ok(account);
    }
    demand(password, hash.clone()).await?;
    let password = password.to_owned();
    let cheap = hashed(move || bcrypt::hash(password, cost)).await?;
    moved().insert((cost, hash), cheap);
    Ok(account)
}

async fn hash_of(db: &impl ConnectionTrait, name: &str) -> Result<(users::Model, String), Error> {
    let account = users::Entity::find().filter(users::Column::Username.eq(name)).one(db).await?;
    let account = account.ok_or(WRONG)?;
    let hash = account.password_hash.clone().ok_or(WRONG)?;
    Ok((account, hash))
}

async fn demand(password: &str, hash: String) -> Result<(), Error> {
    let password = password.to_owned();
    let is_right = hashed(move || bcrypt::verify(password, &hash)).await?;
    if is_right { Ok(()) } else { Err(WRONG) }
}

async fn hashed<T: Send + 'static>(
    hash: impl FnOnce() -> bcrypt::BcryptResult<T> + Send + 'static,
) -> Result<T, Error> {
    let hash = move || {
        let result = hash();
        request_cost::add(Counter::Hashes, 1);
        result
    };
    task::spawn_blocking(hash).await.map_err(Error::internal)?.map_err(Error::internal)
}

fn moved() -> MutexGuard<'static, HashMap<(u32, String), String>> {
    MOVED.lock().unwrap_or_else(PoisonError::into_inner)
}
