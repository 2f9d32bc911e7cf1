//! A synchronous client library, as easy to add as one `use`: its own thread queries the tag
//! service, and the caller polls for the answer.
#![expect(clippy::disallowed_methods, reason = "this lab hides a thread::sleep in a library")]

use std::{
    sync::mpsc::{Receiver, Sender, TryRecvError, channel},
    thread,
    time::Duration,
};

use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::runtime::Builder;

use product::{db::Db, entity::todo_tags, error::Error};

/// Interval in which the library checks for its answer.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Client of the tag service. Cheap to clone; all clones share one connection.
#[derive(Clone)]
pub struct TagClient {
    connection: Sender<Call>,
}

struct Call {
    todo_id: i64,
    reply: Sender<Result<Vec<String>, DbErr>>,
}

impl TagClient {
    /// Connects to the service; the connection closes with the last clone.
    pub fn start(db: &Db) -> Self {
        let (connection, calls) = channel();
        let db = db.clone();
        let service = move || {
            if let Err(error) = serve(&calls, &db) {
                tracing::error!(%error, "the tag service could not start");
            }
        };
        if let Err(error) = thread::Builder::new().name("tag-service".to_owned()).spawn(service) {
            tracing::error!(%error, "no thread for the tag service");
        }
        Self { connection }
    }

    /// Tags of a todo, in alphabetical order.
    pub fn tags_of(&self, todo_id: i64) -> Result<Vec<String>, Error> {
        let (reply, answer) = channel();
        let gone = || Error::Unavailable { part: "tag service", cause: "it hung up".to_owned() };
        self.connection.send(Call { todo_id, reply }).map_err(|_| gone())?;
        Ok(wait_for(&answer).ok_or_else(gone)??)
    }
}

fn wait_for<T>(answer: &Receiver<T>) -> Option<T> {
    loop {
        thread::sleep(POLL_INTERVAL);
        match answer.try_recv() {
            Ok(answer) => return Some(answer),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
    }
}

/// Answers calls on its own runtime and connection. On the app's runtime, an answer would need the
/// very worker that waits for it: a deadlock.
fn serve(calls: &Receiver<Call>, db: &Db) -> Result<(), Error> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::internal)?;
    let db = runtime.block_on(db.another(1))?;
    for Call { todo_id, reply } in calls {
        let tags = todo_tags::Entity::find()
            .select_only()
            .column(todo_tags::Column::Name)
            .filter(todo_tags::Column::TodoId.eq(todo_id))
            .order_by_asc(todo_tags::Column::Name)
            .into_tuple()
            .all(&db);
        // The caller may have gone; then nobody needs the answer.
        let _ = reply.send(runtime.block_on(tags));
    }
    Ok(())
}
