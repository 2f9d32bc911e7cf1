//! A proxy to PostgreSQL that can pause, or break its existing connections.

use std::sync::Arc;

use reqwest::Url;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

#[derive(Clone, Copy)]
struct State {
    is_held_up: bool,
    /// Connections with a lower number are dead.
    first_alive: usize,
    next: usize,
}

/// A proxy that ends with its runtime.
pub struct Line {
    state: Arc<watch::Sender<State>>,
    port: u16,
}

impl Line {
    pub async fn to(server: &str) -> Self {
        let server = Url::parse(server).unwrap();
        let server = (server.host_str().unwrap().to_owned(), server.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { is_held_up: false, first_alive: 0, next: 0 };
        let state = Arc::new(watch::Sender::new(state));
        let line = Self { state: state.clone(), port };
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(server.clone()).await.unwrap();
                let mut number = 0;
                state.send_modify(|state| {
                    number = state.next;
                    state.next += 1;
                });
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(forward(number, from_client, to_server, state.subscribe()));
                tokio::spawn(forward(number, from_server, to_client, state.subscribe()));
            }
        });
        line
    }

    /// URL of the server through this proxy.
    pub fn url(&self, server: &str) -> String {
        let mut url = Url::parse(server).unwrap();
        url.set_port(Some(self.port)).unwrap();
        url.into()
    }

    /// Pauses the proxy. Bytes arrive when it resumes.
    pub fn hold_up(&self) {
        self.state.send_modify(|state| state.is_held_up = true);
    }

    pub fn go_on(&self) {
        self.state.send_modify(|state| state.is_held_up = false);
    }

    /// Breaks existing connections without notice to either side. New ones work.
    pub fn break_connections(&self) {
        self.state.send_modify(|state| state.first_alive = state.next);
    }
}

async fn forward(
    number: usize,
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut state: watch::Receiver<State>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        let passes = |state: &State| !state.is_held_up && state.first_alive <= number;
        // Fails when the proxy has ended.
        if state.wait_for(passes).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
