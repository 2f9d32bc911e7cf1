//! Connections at byte level, for misbehaving clients.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Once,
    time::Duration,
};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Longer than all waits of these tests, and shorter than the default timeouts.
const PATIENCE: Duration = Duration::from_secs(25);

pub const GET: &str = "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";

/// Raises the limit: some tests have hundreds of connections, and run beside others.
fn raise_descriptors() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    static RAISED: Once = Once::new();
    RAISED.call_once(raise_descriptors);
    let connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection
}

pub fn send(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut connection = connect(address);
    connection.write_all(bytes.as_bytes()).unwrap();
    connection
}

/// Reads one answer, which must have a length.
pub fn answer(connection: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).unwrap();
        read.push(byte[0]);
    }
    let head = String::from_utf8(read).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    connection.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

/// Reads until the server closes.
pub fn until_closed(connection: &mut TcpStream) -> String {
    let mut read = Vec::new();
    match connection.read_to_end(&mut read) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("it is still open: {error}"),
    }
    String::from_utf8_lossy(&read).into_owned()
}

/// True if the server has not closed the connection so far.
pub fn is_open(connection: &TcpStream) -> bool {
    connection.set_nonblocking(true).unwrap();
    let peeked = connection.peek(&mut [0]);
    connection.set_nonblocking(false).unwrap();
    matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// Pause of a slow client.
#[expect(clippy::disallowed_methods, reason = "the client's thread, which does nothing else")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}
