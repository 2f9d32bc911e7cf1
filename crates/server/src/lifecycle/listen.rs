//! Accepts connections on a port and serves a router on them.
//!
//! `axum::serve` is not used, because it exposes neither timeouts nor limits.

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

/// Maximum of concurrent requests on one HTTP/2 connection.
const MOST_STREAMS: u32 = 200;
/// Bytes of a head or a body to read ahead at most; hyper's own limit is three times that.
const READ_BUFFER: usize = 128 * 1024;
/// A profile ends soon after its client has gone, because there is only one profiler.
const OPS_LEFT: Duration = Duration::from_millis(500);
/// Wait after a failed accept, for lack of descriptors or of memory.
const TRY_AGAIN: Duration = Duration::from_millis(100);
/// Time to finish a handshake that has begun when the port closes.
const HANDSHAKE: Duration = Duration::from_millis(200);

/// A router that is being served until `stop`.
pub struct Serving {
    pub addr: SocketAddr,
    port: Arc<Port>,
    /// Sends true if clients may still be connecting.
    close: oneshot::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Serving {
    /// Accepts no more connections, and lets requests finish. True if all were answered.
    pub async fn stop(self, clients_connect: bool, patience: Duration) -> bool {
        let _ = self.close.send(clients_connect);
        // The workers may be blocked, and connected clients may not be accepted yet.
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

/// Serves on one runtime. Timeouts run on the other one, which nothing blocks.
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
    // The port times sampler itself: hyper's timer would also end idle connections.
    http.http1().header_read_timeout(None).max_buf_size(READ_BUFFER);
    http.http2().max_concurrent_streams(MOST_STREAMS);
    let (http, refusals) = (Arc::new(http), Arc::new(Semaphore::new(MOST_REFUSED)));
    let take = async |accepted: io::Result<(TcpStream, SocketAddr)>| {
        let (tcp, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => return wait_after(&error).await,
        };
        // Without this, small answers would wait for an acknowledgement.
        let _ = tcp.set_nodelay(true);
        match port.admit(peer).await {
            Ok(admitted) => drop(tokio::spawn(answer(tcp, admitted, http.clone(), router.clone()))),
            Err(refusal) => refuse(tcp, refusal, &refusals),
        }
    };
    let clients_connect = loop {
        tokio::select! {
            biased;
            // An error means that the server is gone.
            value = &mut closing => break value.unwrap_or(false),
            accepted = listener.accept() => take(accepted).await,
        }
    };
    if !clients_connect {
        return;
    }
    // A client in a handshake may send its request with the last packet, and no proxy repeats a
    // POST that it has sent. So these clients are admitted, and no others.
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
    // These concern one client only.
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
    {
        return;
    }
    tracing::warn!(%error, "no connection can be taken");
    sleep(TRY_AGAIN).await;
}

/// Limits of the ops port, which has few clients and must always answer.
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
