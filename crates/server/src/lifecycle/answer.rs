//! One connection from its first byte to its end, or one that is refused.

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

/// How long a client that is refused may take to read that, and how many of them at a time.
const READS_REFUSAL: Duration = Duration::from_secs(1);
pub const MOST_REFUSED: usize = 32;
/// How long a client of HTTP/2 that was told of the end may take to go, in milliseconds.
const GOES: u64 = 250;

/// How a connection ended.
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
    let mut told_at = None;
    let end = loop {
        tokio::select! {
            biased;
            ended = &mut answering => break End::ByItself(ended),
            () = connection.is_to_look() => {}
        }
        // If the worker was held, what the client sent meanwhile is still unread: it is read before the
        // client is judged by it. Whoever yields runs again when the sockets have been looked at.
        tokio::task::yield_now().await;
        let read = poll_fn(|cx| Poll::Ready(answering.as_mut().poll(cx))).await;
        if let Poll::Ready(ended) = read {
            break End::ByItself(ended);
        }
        match connection.overstays(connection.now()) {
            Some(reason) => {
                let told = *told_at.get_or_insert(connection.now());
                let may_go = connection.is_http2() && connection.has_asked() && reason.is_of_idle();
                if !may_go || connection.now() >= told + GOES {
                    break End::Closed(reason);
                }
                answering.as_mut().graceful_shutdown();
            }
            None if connection.is_stopping() && connection.has_asked() && told_at.is_none() => {
                told_at = Some(connection.now());
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

/// hyper answers these by itself: there is no request yet that a router could answer.
fn malformed(error: &hyper::Error) -> Option<&'static str> {
    if error.is_parse_too_large() {
        Some("too_large")
    } else {
        error.is_parse().then_some("malformed")
    }
}

/// Says so before it closes. The socket takes so few bytes at once.
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
    // If more are refused at a time than wait here, the rest may lose the answer to a reset.
    let _ = tcp.try_write(answer.as_bytes());
    let Ok(permit) = refusals.clone().try_acquire_owned() else { return };
    tokio::spawn(async move {
        let _permit = permit;
        let _ = tcp.shutdown().await;
        // Closed with bytes unread it would be reset, and the answer lost.
        let mut read = [0; 4096];
        let _ =
            timeout(READS_REFUSAL, async { while matches!(tcp.read(&mut read).await, Ok(1..)) {} })
                .await;
    });
}
