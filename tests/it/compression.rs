//! gzip for bodies that become smaller, if the client accepts it.

use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::{Method, Response};

use crate::support::{TestApp, header};

const POSTS: &str = "/api/posts/v2/fast";

async fn get(app: &TestApp, path: &str, accept_encoding: &str) -> Response {
    app.app(Method::GET, path).header("accept-encoding", accept_encoding).send().await.unwrap()
}

#[test]
fn a_long_list_is_compressed_for_who_takes_it_and_reads_the_same() {
    let app = TestApp::start();
    app.run(async {
        let plain = app.get(POSTS).await;
        assert_eq!(
            (header(&plain, "content-encoding"), header(&plain, "vary")),
            ("", "accept-encoding")
        );
        let plain = plain.bytes().await.unwrap();

        let packed = get(&app, POSTS, "br, gzip").await;
        assert_eq!(header(&packed, "content-encoding"), "gzip");
        assert_eq!(header(&packed, "vary"), "accept-encoding");
        assert_eq!(header(&packed, "content-type"), "application/json");
        let length: usize = header(&packed, "content-length").parse().unwrap();
        let packed = packed.bytes().await.unwrap();
        assert_eq!(packed.len(), length);
        assert!(length * 3 < plain.len(), "{length} of {}", plain.len());
        let mut unpacked = Vec::new();
        GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain);
    });
}

#[test]
fn what_gains_nothing_or_is_not_wanted_stays_as_it_is() {
    let app = TestApp::start();
    app.run(async {
        for (path, accepts) in
            [("/health/live", "gzip"), ("/nope", "gzip"), (POSTS, "identity"), (POSTS, "gzip;q=0")]
        {
            let response = get(&app, path, accepts).await;
            assert_eq!(header(&response, "content-encoding"), "", "{path} {accepts}");
        }
        assert_eq!(header(&get(&app, "/health/live", "gzip").await, "vary"), "");
    });
}

#[test]
fn the_budget_counts_the_bytes_on_the_wire() {
    let app = TestApp::start();
    app.run(async {
        let path = "/api/labs/n-plus-one/v2/fast";
        let length = header(&get(&app, path, "gzip").await, "content-length").parse().unwrap();
        let measured = app.measured("n-plus-one", "fast").await;
        let bytes = &measured.counters[&observe::cost::Counter::Bytes];
        assert_eq!((measured.count, bytes.max), (1, length));
    });
}
