//! Serves one connection from its first byte to its end, or refuses it.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    time::timeout,
};

use super::connections::{Admitted, Reason, Refusal, Service, Socket};

/// Time that a refused client has to read the answer. Below, the number of such clients at a time.
const READS_REFUSAL: Duration = Duration::from_secs(1);
pub const MOST_REFUSED: usize = 32;
/// Milliseconds that an HTTP/2 client has to leave after GOAWAY.
const GOES: u64 = 250;

/// End of a connection: by the server, or by itself.
enum End {
    Closed(Reason),
    ByItself(Result<(), Box<dyn std::error::Error + Send + Sync>>),
}

pub async fn answer(
    tcp: TcpStream,
    admitted: Admitted,
    http: Arc<Builder<TokioExecutor>>,
    router: Router,
) {
    let connection = admitted.connection.clone();
    let socket = TokioIo::new(Socket::new(tcp, connection.clone()));
    let service = Service { router, connection: connection.clone() };
    let mut answering = pin!(http.serve_connection(socket, service));
    let mut shutdown_started = None;
    let end = loop {
        tokio::select! {
            biased;
            ended = &mut answering => break End::ByItself(ended),
            () = connection.is_to_look() => {}
        }
        // If the worker was blocked, bytes of the client may be unread. They are read before its
        // timeouts are checked: after a yield the runtime has polled the sockets.
        tokio::task::yield_now().await;
        let read = poll_fn(|cx| Poll::Ready(answering.as_mut().poll(cx))).await;
        if let Poll::Ready(ended) = read {
            break End::ByItself(ended);
        }
        match connection.overstays(connection.now()) {
            Some(reason) => {
                let started = *shutdown_started.get_or_insert(connection.now());
                let may_go =
                    connection.is_http2() && connection.has_requested() && reason.is_of_idle();
                if !may_go || connection.now() >= started + GOES {
                    break End::Closed(reason);
                }
                answering.as_mut().graceful_shutdown();
            }
            None if connection.is_stopping()
                && connection.has_requested()
                && shutdown_started.is_none() =>
            {
                shutdown_started = Some(connection.now());
                answering.as_mut().graceful_shutdown();
            }
            None => {}
        }
    };
    match end {
        End::Closed(reason) => admitted.closed(reason),
        End::ByItself(Err(error)) => {
            if let Some(kind) = error.downcast_ref::<hyper::Error>().and_then(malformed) {
                admitted.malformed(kind);
            }
        }
        End::ByItself(Ok(())) => {}
    }
}

/// Kind of a malformed request. hyper answers it itself, because no request reaches the router.
fn malformed(error: &hyper::Error) -> Option<&'static str> {
    if error.is_parse_too_large() {
        Some("too_large")
    } else {
        error.is_parse().then_some("malformed")
    }
}

/// Answers 503 and closes. A socket buffer always has room for so few bytes.
pub fn refuse(mut tcp: TcpStream, refusal: Refusal, refusals: &Arc<Semaphore>) {
    let body = match refusal {
        Refusal::Full => {
            r#"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"all connections of this server are in use"}"#
        }
        Refusal::Address => {
            r#"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"this address has as many connections as it may have"}"#
        }
    };
    let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\nconnection: close\r\n";
    let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    // If more clients are refused at a time than may wait here, the rest may get a reset instead.
    let _ = tcp.try_write(answer.as_bytes());
    let Ok(permit) = refusals.clone().try_acquire_owned() else { return };
    tokio::spawn(async move {
        let _permit = permit;
        let _ = tcp.shutdown().await;
        // Drains the input: closing with unread bytes would reset, and lose the answer.
        let mut read = [0; 4096];
        let _ =
            timeout(READS_REFUSAL, async { while matches!(tcp.read(&mut read).await, Ok(1..)) {} })
                .await;
    });
}
