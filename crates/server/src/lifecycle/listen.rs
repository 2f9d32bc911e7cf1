//! A port, and the router that answers on it.
//!
//! Not by `axum::serve`, through which neither timeouts nor caps can be reached.

use std::{
    io::{self, ErrorKind},
    net::{SocketAddr, TcpListener},
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::Router;
use hyper_util::{rt::TokioExecutor, server::conn::auto::Builder};
use tokio::{
    net::TcpStream,
    runtime::Runtime,
    sync::{Semaphore, oneshot},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    StartError,
    answer::{MOST_REFUSED, answer, refuse},
    connections::{Limits, Port},
    kernel::{close_to_new_clients, let_slow_readers_be_seen},
};

/// Most requests at a time on one connection of HTTP/2.
const MOST_STREAMS: u32 = 200;
/// Bytes of a head or a body that a connection reads ahead at most; hyper's own limit is three times as many.
const READ_BUFFER: usize = 128 * 1024;
/// A profile ends soon after its client has gone: there is one profiler.
const OPS_LEFT: Duration = Duration::from_millis(500);
/// When none can be taken, for lack of descriptors or of memory.
const TRY_AGAIN: Duration = Duration::from_millis(100);
/// How long a handshake that has begun may take when the port closes.
const HANDSHAKE: Duration = Duration::from_millis(200);

/// A router that answers, until it is told to stop.
pub struct Serving {
    pub addr: SocketAddr,
    port: Arc<Port>,
    /// To be sent whether clients may still be connecting.
    close: oneshot::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Serving {
    /// Takes no more connections, and lets requests finish. True if all were answered.
    pub async fn stop(self, clients_connect: bool, patience: Duration) -> bool {
        let _ = self.close.send(clients_connect);
        // Its runtime may be held, and clients that have connected are not let in yet.
        let started = Instant::now();
        let _ = timeout(patience, self.accepting).await;
        self.port.stop(patience.saturating_sub(started.elapsed())).await
    }
}

pub fn bind(setting: &str, addr: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(addr);
    let listener = listener.map_err(|e| StartError::new(setting, format!("{addr}: {e}")))?;
    listener.set_nonblocking(true).map_err(StartError::of(setting))?;
    Ok(listener)
}

/// Serves on one runtime, and looks after connections from the other one, which nothing holds.
pub fn serve(
    (runtime, ops): (&Runtime, &Runtime),
    listener: TcpListener,
    router: Router,
    port: Arc<Port>,
) -> Result<Serving, StartError> {
    let _context = runtime.enter();
    let addr = listener.local_addr().map_err(StartError::of("LISTEN"))?;
    let listener = tokio::net::TcpListener::from_std(listener);
    let listener = listener.map_err(StartError::of("LISTEN"))?;
    let_slow_readers_be_seen(&listener);
    let (close, closing) = oneshot::channel();
    ops.spawn(port.clone().look_around_for_ever());
    let accepting = runtime.spawn(accept(listener, router, port.clone(), closing));
    Ok(Serving { addr, port, close, accepting })
}

async fn accept(
    listener: tokio::net::TcpListener,
    router: Router,
    port: Arc<Port>,
    mut closing: oneshot::Receiver<bool>,
) {
    let mut http = Builder::new(TokioExecutor::new());
    // Heads are timed by the port: hyper's timer would also end connections that are idle.
    http.http1().header_read_timeout(None).max_buf_size(READ_BUFFER);
    http.http2().max_concurrent_streams(MOST_STREAMS);
    let (http, refusals) = (Arc::new(http), Arc::new(Semaphore::new(MOST_REFUSED)));
    let take = async |accepted: io::Result<(TcpStream, SocketAddr)>| {
        let (tcp, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => return wait_after(&error).await,
        };
        // Small answers must not wait for an acknowledgement.
        let _ = tcp.set_nodelay(true);
        match port.admit(peer).await {
            Ok(admitted) => drop(tokio::spawn(answer(tcp, admitted, http.clone(), router.clone()))),
            Err(refusal) => refuse(tcp, refusal, &refusals),
        }
    };
    let clients_connect = loop {
        tokio::select! {
            biased;
            // An error is a server that is gone.
            told = &mut closing => break told.unwrap_or(false),
            accepted = listener.accept() => take(accepted).await,
        }
    };
    if !clients_connect {
        return;
    }
    // Whoever has begun to connect may send its request with the end of the handshake, and no proxy repeats
    // a POST that it sent. So those are let in, and nobody else.
    close_to_new_clients(&listener);
    let mut handshakes = pin!(sleep(HANDSHAKE));
    loop {
        tokio::select! {
            biased;
            accepted = listener.accept() => take(accepted).await,
            () = &mut handshakes => return,
        }
    }
}

async fn wait_after(error: &io::Error) {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    // One client's own.
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
    {
        return;
    }
    tracing::warn!(%error, "no connection can be taken");
    sleep(TRY_AGAIN).await;
}

/// Limits of the ops port, which has few clients and must answer whatever happens.
pub fn of_ops(app: &Limits, most: usize) -> Limits {
    Limits {
        most,
        per_address: None,
        spares_loopback: true,
        spared: Vec::new(),
        head: app.head,
        idle: app.idle,
        write: app.write,
        left: OPS_LEFT,
    }
}
