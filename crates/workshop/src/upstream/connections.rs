//! Connections to the upstream. One belongs to the caller of its first request: before that, nobody
//! knows whose it is.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::net::{TcpListener, TcpStream};

use super::caller::Caller;

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
pub struct Connection(Arc<OnceLock<Place>>);

/// Place of a connection among those of its caller.
struct Place {
    caller: Arc<Caller>,
    is_admitted: bool,
}

impl Connection {
    /// True if requests on it are served. The first one decides.
    pub fn admits(&self, caller: &Arc<Caller>) -> bool {
        let take = || Place { caller: caller.clone(), is_admitted: caller.connected() };
        self.0.get_or_init(take).is_admitted
    }
}

impl Connected<IncomingStream<'_, NoDelay>> for Connection {
    fn connect_info(_: IncomingStream<'_, NoDelay>) -> Self {
        Self::default()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.caller.disconnected();
    }
}
