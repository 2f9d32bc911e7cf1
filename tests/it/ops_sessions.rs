//! With OPS_TOKEN a browser exchanges it for a cookie, and a follower's link for one that may watch.

use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};
use serde_json::{Value, json};

use crate::{
    program::Serving,
    support::{TestApp, header, problem},
};

const TOKEN: &str = "a-token-of-these-tests";

struct Ops {
    http: Client,
    base: String,
}

impl Ops {
    fn of(app: &TestApp) -> Self {
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        // The test's own client knows the address.
        let url = app.ops(Method::GET, "/").build().unwrap().url().clone();
        Self { http, base: url.origin().ascii_serialization() }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    async fn status(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> u16 {
        let request = headers
            .iter()
            .fold(self.ask(method, path), |request, (name, value)| request.header(*name, *value));
        request.send().await.unwrap().status().as_u16()
    }

    async fn session(&self, cookie: &str) -> Value {
        let request = self.ask(Method::GET, "/session").header("cookie", cookie);
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn log_in(&self, form: &str) -> Response {
        let request = self.ask(Method::POST, "/session").header("origin", &self.base);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(form.to_owned()).send().await.unwrap()
    }
}

/// Cookie that an answer sets, checked to be for this server's own pages only.
fn cookie(answer: &Response) -> String {
    let set = header(answer, "set-cookie");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.split("; ").any(|given| given == attribute), "{set}");
    }
    set.split(';').next().unwrap().to_owned()
}

#[test]
fn a_token_is_exchanged_for_a_cookie_and_changes_need_its_origin() {
    let app = TestApp::start_with(&["--ops-token", TOKEN]);
    app.run(async {
        let ops = Ops::of(&app);
        for path in ["/", "/labs", "/metrics", "/labs/n-plus-one/race", "/follower-link"] {
            assert_eq!(ops.status(Method::GET, path, &[]).await, 401, "{path}");
        }
        let nobody = json!({ "access": "none", "needs_token": true, "expires": null });
        assert_eq!(ops.session("ops_session=x.y.z").await, nobody);
        for (form, status) in [("token=wrong", 401), ("", 422), ("token=x&next=//evil.test", 422)] {
            let answer = ops.log_in(form).await;
            assert_eq!(answer.status(), status, "{form}");
            assert_eq!(header(&answer, "set-cookie"), "");
            problem(answer).await;
        }
        let answer = ops.log_in(&format!("token={TOKEN}&next=%2Flabs%2Fn-plus-one")).await;
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "location")),
            (303, "/labs/n-plus-one")
        );
        let cookie = cookie(&answer);
        let session = ops.session(&cookie).await;
        assert!(session["access"] == "full" && session["expires"].is_string(), "{session}");

        let with_cookie = ("cookie", cookie.as_str());
        let own = ("origin", ops.base.as_str());
        for path in ["/labs", "/labs/n-plus-one", "/debug/live"] {
            assert_eq!(ops.status(Method::GET, path, &[with_cookie]).await, 200, "{path}");
        }
        let reset = "/labs/n-plus-one/reset";
        for (headers, status) in [
            (vec![with_cookie, own], 204),
            (vec![with_cookie, own, ("sec-fetch-site", "same-origin")], 204),
            (vec![with_cookie], 403),
            (vec![with_cookie, ("sec-fetch-site", "same-origin")], 403),
            (vec![with_cookie, ("origin", "http://evil.test")], 403),
            (vec![with_cookie, own, ("sec-fetch-site", "cross-site")], 403),
            (vec![with_cookie, own, ("host", "evil.test")], 403),
            (vec![own], 401),
        ] {
            assert_eq!(ops.status(Method::POST, reset, &headers).await, status, "{headers:?}");
        }
        // Programs have no cookie, and need no origin.
        let bearer = format!("Bearer {TOKEN}");
        assert_eq!(ops.status(Method::POST, reset, &[("authorization", &bearer)]).await, 204);
        let wrong = ("authorization", "Bearer not-the-token-of-ops");
        assert_eq!(ops.status(Method::GET, "/labs", &[wrong, with_cookie]).await, 401);

        let log_out = ops.ask(Method::DELETE, "/session").header("origin", &ops.base);
        let gone = log_out.send().await.unwrap();
        assert_eq!(gone.status(), 204);
        assert!(header(&gone, "set-cookie").contains("Max-Age=0"));
    });
}

#[test]
fn a_follower_may_watch_and_nothing_else() {
    let app = TestApp::start_with(&["--ops-token", TOKEN]);
    app.run(async {
        let ops = Ops::of(&app);
        let full = cookie(&ops.log_in(&format!("token={TOKEN}")).await);
        let link = ops.ask(Method::GET, "/follower-link").header("cookie", &full).send().await;
        let link: Value = link.unwrap().json().await.unwrap();
        let path = link["path"].as_str().unwrap();
        assert_eq!(link["url"], format!("{}{path}", ops.base));
        for wrong in ["/follow", "/follow?key=", "/follow?key=0123456789abcdef0123456789abcdef"] {
            assert_eq!(ops.status(Method::GET, wrong, &[]).await, 401, "{wrong}");
        }
        let next = format!("{path}&next=//evil.test");
        assert_eq!(ops.status(Method::GET, &next, &[]).await, 422);

        let answer = ops.ask(Method::GET, &format!("{path}&next=/labs")).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "refresh")), (200, "0; url=/labs"));
        let follower = cookie(&answer);
        assert_eq!(ops.session(&follower).await["access"], "read");
        let with_cookie = ("cookie", follower.as_str());
        let own = ("origin", ops.base.as_str());
        for path in
            ["/labs", "/labs/n-plus-one", "/debug/live", "/debug/pprof/captures", "/metrics"]
        {
            assert_eq!(ops.status(Method::GET, path, &[with_cookie]).await, 200, "{path}");
        }
        assert_eq!(ops.status(Method::GET, "/labs/n-plus-one/race", &[with_cookie]).await, 404);
        for (method, path) in [
            (Method::POST, "/labs/n-plus-one/race"),
            (Method::DELETE, "/labs/n-plus-one/race"),
            (Method::POST, "/labs/n-plus-one/reset"),
            (Method::PUT, "/log-filter"),
            (Method::PUT, "/debug/pprof/heap?active=true"),
            (Method::GET, "/debug/pprof/profile?seconds=1"),
            (Method::GET, "/debug/pprof/flamegraph?seconds=1"),
            (Method::GET, "/debug/pprof/heap"),
            (Method::GET, "/follower-link"),
        ] {
            let status = ops.status(method.clone(), path, &[with_cookie, own]).await;
            assert_eq!(status, 403, "{method} {path}");
        }
        // Who opens the link with full access keeps it.
        let again = ops.ask(Method::GET, path).header("cookie", &full).send().await.unwrap();
        assert_eq!((again.status().as_u16(), header(&again, "set-cookie")), (200, ""));
        // Of both cookies the better one counts.
        assert_eq!(ops.session(&format!("{follower}; {full}")).await["access"], "full");
    });
}

#[test]
fn without_a_token_nobody_needs_a_session() {
    let app = TestApp::start();
    app.run(async {
        let ops = Ops::of(&app);
        let everybody = json!({ "access": "full", "needs_token": false, "expires": null });
        assert_eq!(ops.session("").await, everybody);
        assert_eq!(ops.log_in("token=x").await.status(), 404);
        for path in ["/follow?key=x", "/follower-link"] {
            assert_eq!(ops.status(Method::GET, path, &[]).await, 404, "{path}");
        }
    });
}

#[test]
fn a_server_outside_of_a_checkout_has_no_file_of_the_learner() {
    let server = Serving::start(&[]);
    let url = format!("http://{}/labs/n-plus-one/yours", server.ops);
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(url).send().unwrap();
    assert_eq!(answer.status(), 404);
    let problem: Value = answer.json().unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("src/labs"), "{problem}");
}
