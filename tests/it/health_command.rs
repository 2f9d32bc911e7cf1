//! `health`, as containers call it.

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::Output,
};

use tempfile::TempDir;

use crate::program::{Serving, program, text};

fn health(listen: &str) -> Output {
    let folder = TempDir::new().unwrap();
    program(folder.path()).arg("health").env("LISTEN", listen).output().unwrap()
}

#[test]
fn a_server_that_is_ready_is_healthy_also_on_every_address() {
    let serving = Serving::start(&[]);
    for listen in [serving.app.to_string(), format!("0.0.0.0:{}", serving.app.port())] {
        let output = health(&listen);
        assert_eq!(output.status.code(), Some(0), "{listen}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "ready\n");
    }
}

#[test]
fn a_port_where_nobody_listens_is_not() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = health(&nobody.to_string());
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert_eq!(error, format!("not ready: http://{nobody}/health/ready: no answer\n"));
}

#[test]
fn a_server_whose_database_is_down_is_not() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = listener.local_addr().unwrap().to_string();
    let answering = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let n = client.read(&mut request).unwrap();
        let answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 13\r\n\r\ndatabase down";
        client.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..n]).into_owned()
    });
    let output = health(&listen);
    assert!(answering.join().unwrap().starts_with("GET /health/ready HTTP/1.1"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "not ready: 503 Service Unavailable: database down\n");
}

#[test]
fn an_address_that_is_none_is_refused() {
    let output = health("nowhere");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("error: LISTEN"));
}
