//! Connections to the upstream. One belongs to the caller of its first request: before that, nobody
//! knows whose it is.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::net::{TcpListener, TcpStream};

use super::caller::{Admission, Caller};

/// Listener whose small answers don't wait for an acknowledgement. axum's own way to set that,
/// `tap_io`, leaves no room for connections of our own type.
pub struct NoDelay(pub TcpListener);

impl Listener for NoDelay {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let (tcp, peer) = Listener::accept(&mut self.0).await;
        let _ = tcp.set_nodelay(true);
        (tcp, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection; it counts as open until its last copy is dropped, which is when it closes.
#[derive(Clone, Default)]
pub struct Connection(Arc<Mutex<Option<Place>>>);

/// Place of a connection among those of its caller.
struct Place {
    caller: Arc<Caller>,
    admission: Admission,
}

impl Connection {
    /// True if requests on it are served. The first one of a run decides for all of that run.
    pub fn admits(&self, caller: &Arc<Caller>) -> bool {
        // A panic while the lock was held leaves a place that is whole.
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = place.as_ref().filter(|place| place.caller.knows(place.admission));
        if let Some(known) = known {
            return known.admission.is_admitted;
        }
        let (caller, is_new) = match &*place {
            Some(before) => (before.caller.clone(), false),
            None => (caller.clone(), true),
        };
        let admission = caller.connected(is_new);
        *place = Some(Place { caller, admission });
        admission.is_admitted
    }
}

impl Connected<IncomingStream<'_, NoDelay>> for Connection {
    fn connect_info(_: IncomingStream<'_, NoDelay>) -> Self {
        Self::default()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.caller.disconnected(self.admission);
    }
}
