//! A synchronous client library, of the kind that is one `use` away: its own thread asks the tag
//! service, and the caller polls for the answer.
#![expect(clippy::disallowed_methods, reason = "this lab hides a thread::sleep in a library")]

use std::{
    sync::mpsc::{Receiver, Sender, TryRecvError, channel},
    thread,
    time::Duration,
};

use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::runtime::Handle;

use crate::{db::Db, entity::todo_tags, error::Error};

/// How often the library looks whether its answer has come.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Cheap to clone; all clones share one connection to the service.
#[derive(Clone)]
pub struct TagClient {
    connection: Sender<Call>,
}

struct Call {
    todo_id: i64,
    reply: Sender<Result<Vec<String>, DbErr>>,
}

impl TagClient {
    /// Connects. To be called on a tokio runtime; the connection closes with the last clone.
    pub fn start(db: Db) -> Self {
        let (connection, calls) = channel();
        let runtime = Handle::current();
        thread::Builder::new()
            .name("tag-service".to_owned())
            .spawn(move || serve(&calls, &db, &runtime))
            .map_or_else(|error| tracing::error!(%error, "no thread for the tag client"), drop);
        Self { connection }
    }

    /// The tags of a todo, in alphabetical order.
    pub fn tags_of(&self, todo_id: i64) -> Result<Vec<String>, Error> {
        let (reply, answer) = channel();
        self.connection.send(Call { todo_id, reply }).map_err(Error::internal)?;
        Ok(wait_for(&answer).ok_or_else(|| Error::internal("the tag service hung up"))??)
    }
}

fn wait_for<T>(answer: &Receiver<T>) -> Option<T> {
    loop {
        match answer.try_recv() {
            Ok(answer) => return Some(answer),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => thread::sleep(POLL_INTERVAL),
        }
    }
}

fn serve(calls: &Receiver<Call>, db: &Db, runtime: &Handle) {
    for Call { todo_id, reply } in calls {
        let tags = todo_tags::Entity::find()
            .select_only()
            .column(todo_tags::Column::Name)
            .filter(todo_tags::Column::TodoId.eq(todo_id))
            .order_by_asc(todo_tags::Column::Name)
            .into_tuple()
            .all(db);
        // The caller may have gone; its answer is nobody's then.
        let _ = reply.send(runtime.block_on(tags));
    }
}
