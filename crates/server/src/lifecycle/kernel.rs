//! Two settings of listening sockets that only the kernel has, on Linux.

/// Unsent bytes that a socket accepts at most.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 * 1024;

/// Limits the kernel's unsent bytes; connections inherit this. A socket with megabytes unsent
/// accepts no more until much of it is sent, as if the client read nothing.
#[cfg(target_os = "linux")]
pub fn let_slow_readers_be_seen(listener: &tokio::net::TcpListener) {
    // On a kernel without the option, slow readers must read faster.
    let _ = socket2::SockRef::from(listener).set_tcp_notsent_lowat(UNSENT);
}

#[cfg(not(target_os = "linux"))]
pub fn let_slow_readers_be_seen(_: &tokio::net::TcpListener) {}

/// Makes the kernel ignore new clients. They retry after a second and find the port closed.
#[cfg(target_os = "linux")]
pub fn close_to_new_clients(listener: &tokio::net::TcpListener) {
    use socket2::{SockFilter, SockRef};
    // Drops segments whose flags (byte 13 of the TCP header) have SYN but not ACK.
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    const SYN_ACK: u32 = 0x12;
    const LOAD_BYTE: u16 = 0x30;
    const AND: u16 = 0x54;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let filter = [
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(AND, 0, 0, SYN_ACK),
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ];
    if let Err(error) = SockRef::from(listener).attach_filter(&filter) {
        tracing::warn!(%error, "the port closes while clients may be connecting");
    }
}

#[cfg(not(target_os = "linux"))]
pub fn close_to_new_clients(_: &tokio::net::TcpListener) {}
