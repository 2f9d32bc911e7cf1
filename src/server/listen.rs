//! A port, and the router that answers on it.

use std::net::{SocketAddr, TcpListener};

use axum::{Extension, Router, serve::ListenerExt};
use tokio::{runtime::Runtime, sync::watch, task::JoinHandle};

use tower::{Layer, util::MapResponse};

use super::StartError;
use crate::edge::ConnectionBytes;

/// A router that answers, until it is told to stop.
pub struct Serving {
    pub addr: SocketAddr,
    /// To be sent `true`.
    pub stop: watch::Sender<bool>,
    /// Ends when the last request is answered.
    pub task: JoinHandle<std::io::Result<()>>,
}

pub fn bind(setting: &str, addr: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(addr);
    let listener = listener.map_err(|e| StartError::new(setting, format!("{addr}: {e}")))?;
    listener.set_nonblocking(true).map_err(StartError::of(setting))?;
    Ok(listener)
}

pub fn serve(
    runtime: &Runtime,
    listener: TcpListener,
    router: Router,
) -> Result<Serving, StartError> {
    let _context = runtime.enter();
    let addr = listener.local_addr().map_err(StartError::of("LISTEN"))?;
    let listener = tokio::net::TcpListener::from_std(listener);
    // Small answers must not wait for an acknowledgement.
    let listener = listener.map_err(StartError::of("LISTEN"))?.tap_io(|tcp| {
        let _ = tcp.set_nodelay(true);
    });
    let (stop, mut stopped) = watch::channel(false);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let of_its_own = |router| Extension(ConnectionBytes::default()).layer(router);
    let service = MapResponse::new(service, of_its_own);
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    });
    Ok(Serving { addr, stop, task: runtime.spawn(server.into_future()) })
}
