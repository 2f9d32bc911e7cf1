//! Socket that observes the bytes of a connection.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::Connection;

/// First bytes of an HTTP/2 client. Checked on the first read; otherwise the connection would count
/// as HTTP/1 until its first request.
const HTTP2: &[u8] = b"PRI * HTTP/2.0";

pub struct Socket {
    tcp: TcpStream,
    connection: Arc<Connection>,
    has_read: bool,
}

impl Socket {
    pub fn new(tcp: TcpStream, connection: Arc<Connection>) -> Self {
        Self { tcp, connection, has_read: false }
    }

    fn wrote(&self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Ready(_) => self.connection.written(),
            Poll::Pending => self.connection.blocks(),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.tcp).poll_read(cx, buffer);
        if let Poll::Ready(Ok(())) = result {
            let read = &buffer.filled()[before..];
            if !read.is_empty() {
                if !self.has_read {
                    self.has_read = true;
                    if read.starts_with(HTTP2) {
                        self.connection.speaks_http2();
                    }
                }
                self.connection.bytes_came();
            } else if buffer.remaining() > 0 && self.connection.leaves() {
                // hyper would drop the request, so it sees the end later: `wake_if_left`.
                return Poll::Pending;
            }
        }
        result
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write(cx, bytes);
        self.wrote(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write_vectored(cx, slices);
        self.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

impl Drop for Socket {
    /// Resets on request, so that the kernel does not keep unread bytes for the client either.
    fn drop(&mut self) {
        if self.connection.is_reset() {
            // Fails if the connection is gone already.
            let _ = self.tcp.set_zero_linger();
        }
    }
}
