//! The refresh, the same for slow and fast: a job for each todo on a runtime of its own, a bounded
//! wait for all of them, and the list. The database has the tags that no job has brought in time.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::Json;
use dashmap::DashMap;
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{LAB, TodoOut};
use observe::cost::own::OwnCounter;
use product::{
    db::Db,
    entity::{todo_tags, todos},
    error::Error,
};
use workshop::{
    throw_away::{HEARTBEAT, Lost, ThrowAway},
    upstream::Upstream,
};

pub static JOBS_LOST: OwnCounter =
    OwnCounter::new("jobs_lost", "Jobs of the refresh that had not ended after 2 s.");
pub static CALLS_UNCOUNTED: OwnCounter =
    OwnCounter::new("calls_uncounted", "Jobs whose call the user's account does not count.");
pub static HEARTBEATS_MISSED: OwnCounter = OwnCounter::new(
    "heartbeats_missed",
    "Heartbeats, one in 10 ms, that the jobs' runtime missed.",
);

/// Workers of the jobs' runtime.
pub const WORKERS: usize = 2;
/// Longest wait for the jobs.
const PATIENCE: Duration = Duration::from_secs(2);

/// Accounts at the tag service, by user.
pub type Accounts = DashMap<i64, Account>;

#[derive(Clone)]
pub struct Account {
    tags_url: String,
    /// Calls that the user has to pay for.
    pub calls: u64,
}

/// Client of the tag service.
#[derive(Clone)]
pub struct TagService(Upstream);

impl TagService {
    /// Tags of a todo, in alphabetical order. The service is 20 ms away.
    pub async fn tags_of(&self, account: &Account, todo: i64) -> Result<Vec<String>, Error> {
        let url = format!("{}?todo={todo}", account.tags_url);
        self.0.send(self.0.http().get(url)).await?.json()
    }
}

/// Work for one todo: its tags are wanted, and the call counted.
pub struct Job {
    pub todo: i64,
    pub user: i64,
    pub accounts: Arc<Accounts>,
    pub service: TagService,
}

/// The todos with their tags, which jobs bring. All jobs start at once.
pub async fn refreshed<J, W>(
    db: &Db,
    upstream: &Upstream,
    workers: usize,
    tags_of: J,
) -> Result<Json<Vec<TodoOut>>, Error>
where
    J: Fn(Job) -> W,
    W: Future<Output = Result<Vec<String>, Error>> + Send + 'static,
{
    let todos = todos::Entity::demo().all(db).await?;
    let account = Account { tags_url: upstream.url("/tags"), calls: 0 };
    let accounts = Arc::new(Accounts::from_iter([(todos::DEMO_OWNER_ID, account)]));
    let service = TagService(upstream.with_own_connections());
    // On the app's runtime, jobs that never end would hold the app's workers.
    let runtime = ThrowAway::start(LAB.id, workers)?;
    let started = Instant::now();
    let jobs = todos.iter().map(|todo| {
        let (accounts, service) = (accounts.clone(), service.clone());
        let job = Job { todo: todo.id, user: todo.user_id, accounts, service };
        runtime.run(PATIENCE, tags_of(job))
    });
    let brought = join_all(jobs).await;
    let beats_due = started.elapsed().as_millis() / HEARTBEAT.as_millis();
    let beats_due = u64::try_from(beats_due).unwrap_or(u64::MAX);
    HEARTBEATS_MISSED.add(beats_due.saturating_sub(runtime.heartbeats()));
    // It never waits: whoever is stuck may have locked the map.
    let account = accounts.try_get(&todos::DEMO_OWNER_ID).try_unwrap();
    let calls = account.map_or(0, |account| account.calls);
    CALLS_UNCOUNTED.add((todos.len() as u64).saturating_sub(calls));
    drop(runtime);

    let mut all = Vec::with_capacity(todos.len());
    for (todo, tags) in todos.into_iter().zip(brought) {
        all.push((todo, in_time(tags)?));
    }
    let lost = all.iter().filter(|(_, tags)| tags.is_none()).map(|(todo, _)| todo.id).collect();
    let mut stored = stored(lost, db).await?;
    let out = |(todo, tags): (todos::Model, Option<Vec<String>>)| {
        let todos::Model { id, title, completed, .. } = todo;
        let tags = tags.or_else(|| stored.remove(&id)).unwrap_or_default();
        TodoOut { id, title, completed, tags }
    };
    Ok(Json(all.into_iter().map(out).collect()))
}

/// Outcome of a job; None if it had not ended in time.
fn in_time(
    outcome: Result<Result<Vec<String>, Error>, Lost>,
) -> Result<Option<Vec<String>>, Error> {
    match outcome {
        Ok(tags) => tags.map(Some),
        Err(Lost::Expired(_)) => {
            JOBS_LOST.add(1);
            Ok(None)
        }
        Err(lost) => Err(lost.into()),
    }
}

/// Tags of these todos as the database has them, in alphabetical order.
async fn stored(todos: Vec<i64>, db: &Db) -> Result<HashMap<i64, Vec<String>>, Error> {
    let mut by_todo: HashMap<i64, Vec<String>> = HashMap::new();
    if todos.is_empty() {
        return Ok(by_todo);
    }
    let of_these = todo_tags::Column::TodoId.is_in(todos);
    let tags = todo_tags::Entity::find().filter(of_these).order_by_asc(todo_tags::Column::Name);
    for tag in tags.all(db).await? {
        by_todo.entry(tag.todo_id).or_default().push(tag.name);
    }
    Ok(by_todo)
}
