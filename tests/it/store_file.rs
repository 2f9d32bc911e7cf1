//! An SQLite file that is deleted or replaced while it is in use: no later write is acknowledged.

use std::{fs, path::Path, thread, time::Duration};

use reqwest::blocking::Client;

use crate::{logs::line, program::Serving};

/// Attempts, 20 ms apart, before a wait fails.
const ATTEMPTS: usize = 250;

struct App {
    serving: Serving,
    http: Client,
}

impl App {
    fn start() -> Self {
        let serving = Serving::start(&[("DATABASE_URL", "sqlite://test.db")]);
        let app = Self { serving, http: Client::builder().no_proxy().build().unwrap() };
        assert_eq!(app.post(), 200);
        assert_eq!(app.get("/health/ready"), 200);
        app
    }

    fn folder(&self) -> &Path {
        self.serving.folder.path()
    }

    fn post(&self) -> u16 {
        let request = self.http.post(self.serving.url("/api/log")).json(&line("d", "m"));
        request.send().unwrap().status().as_u16()
    }

    fn get(&self, path: &str) -> u16 {
        self.http.get(self.serving.url(path)).send().unwrap().status().as_u16()
    }

    #[expect(clippy::disallowed_methods, reason = "the thread of the test, between two looks")]
    fn until(&self, path: &str, status: u16) {
        for _ in 0..ATTEMPTS {
            if self.get(path) == status {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("{path} was never {status}");
    }

    /// Checks that the first write is refused, and soon all requests that need the file.
    fn refuses(&mut self) {
        assert_eq!(self.post(), 503);
        for path in ["/api/logs/d", "/api/posts", "/health/ready"] {
            self.until(path, 503);
        }
        assert_eq!(self.get("/health/live"), 200);
        self.serving.wait_for_message("the database file was deleted or replaced");
    }
}

#[test]
fn a_deleted_file_takes_no_writes() {
    for file in ["test.db", "test.db-wal"] {
        let mut app = App::start();
        fs::remove_file(app.folder().join(file)).unwrap();
        app.refuses();
    }
}

#[test]
fn a_replaced_file_takes_no_writes_until_it_is_put_back() {
    let mut app = App::start();
    let (file, aside) = (app.folder().join("test.db"), app.folder().join("aside.db"));
    fs::rename(&file, &aside).unwrap();
    fs::copy(&aside, &file).unwrap();
    app.refuses();
    fs::rename(&aside, &file).unwrap();
    app.until("/health/ready", 200);
    assert_eq!(app.post(), 200);
}

#[test]
fn connections_that_come_and_go_change_nothing() {
    let app = App::start();
    for _ in 0..5 {
        // Another process, which closes everything that it opens.
        let mut migrate = crate::program::program(app.folder());
        let output = migrate.env("DATABASE_URL", "sqlite://test.db").arg("migrate").output();
        assert!(output.unwrap().status.success());
        assert_eq!(app.post(), 200);
    }
}
