//! Lists of the blog, page by page.

use reqwest::Method;
use serde_json::{Value, json};

use super::{bad_fields, json_of, send, write};
use crate::support::{TestApp, header, problem};

/// Reads all items of a list, page by page.
async fn all(app: &TestApp, path: &str, limit: u32) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = json_of(app.get(&format!("{path}?limit={limit}{cursor}")).await).await;
        let of_page = page["items"].as_array().unwrap();
        assert!(of_page.len() <= limit as usize);
        items.extend(of_page.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

#[test]
fn a_list_is_newest_first_and_its_pages_hold_each_post_once() {
    let app = TestApp::start();
    app.run(async {
        let ada = app.sign_up("ada").await;
        for n in 0..5 {
            write(&app, &ada, &format!("Part {n}")).await;
        }
        let whole = all(&app, "/api/posts", 100).await;
        assert_eq!(whole.len(), 105);
        let place = |post: &Value| {
            let written: chrono::DateTime<chrono::Utc> =
                post["created_at"].as_str().unwrap().parse().unwrap();
            (written, post["id"].as_i64().unwrap())
        };
        assert!(whole.windows(2).all(|two| place(&two[0]) > place(&two[1])));
        assert_eq!(whole[0]["title"], "Part 4");
        for limit in [1, 7, 35, 99] {
            assert_eq!(all(&app, "/api/posts", limit).await, whole, "{limit}");
        }
        let first = json_of(app.get("/api/posts").await).await;
        assert_eq!(first["items"].as_array().unwrap().len(), 20);
    });
}

#[test]
fn the_posts_of_one_author_are_listed_alone_page_by_page() {
    let app = TestApp::start();
    app.run(async {
        let (ada, eve) = (app.sign_up("ada").await, app.sign_up("eve").await);
        for n in 0..3 {
            write(&app, &ada, &format!("Ada's part {n}")).await;
            write(&app, &eve, &format!("Eve's part {n}")).await;
        }
        let of = |user: i64| format!("/api/posts?author={user}&limit=2");
        let first = json_of(app.get(&of(ada.user_id)).await).await;
        let cursor = first["next_cursor"].as_str().unwrap();
        let rest = json_of(app.get(&format!("{}&cursor={cursor}", of(ada.user_id))).await).await;
        let titles: Vec<_> = [&first, &rest]
            .iter()
            .flat_map(|page| page["items"].as_array().unwrap())
            .map(|post| post["title"].as_str().unwrap())
            .collect();
        assert_eq!(titles, ["Ada's part 2", "Ada's part 1", "Ada's part 0"]);
        assert_eq!(rest["next_cursor"], Value::Null);
        let nobodys = json_of(app.get(&of(i64::MAX)).await).await;
        assert_eq!(nobodys, json!({"items": [], "next_cursor": null}));
        for bad in ["0", "-1", "x", ""] {
            let refused = app.get(&format!("/api/posts?author={bad}&limit=0")).await;
            assert_eq!(refused.status(), 422, "{bad}");
            assert_eq!(bad_fields(&problem(refused).await), ["limit", "author"]);
        }
    });
}

#[test]
fn posts_that_come_and_go_shift_no_page() {
    let app = TestApp::start();
    app.run(async {
        let ada = app.sign_up("ada").await;
        let mut written = Vec::new();
        for n in 0..4 {
            written.push(write(&app, &ada, &format!("Part {n}")).await["id"].clone());
        }
        let first = json_of(app.get("/api/posts?limit=2").await).await;
        // A new post is added, and the post at the cursor is deleted.
        write(&app, &ada, "Late").await;
        let third = format!("/api/posts/{}", written[2]);
        assert_eq!(send(&app, &ada, Method::DELETE, &third, json!({})).await.status(), 204);
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = json_of(app.get(&format!("/api/posts?limit=2&cursor={cursor}")).await).await;
        assert_eq!(second["items"][0]["id"], written[1]);
        assert_eq!(second["items"][1]["id"], written[0]);
    });
}

#[test]
fn a_bad_limit_and_a_bad_cursor_are_both_named() {
    let app = TestApp::start();
    app.run(async {
        for path in ["/api/posts", "/api/posts/1/comments"] {
            for limit in ["0", "101", "-1", "x", ""] {
                let bad = app.get(&format!("{path}?limit={limit}&cursor=x")).await;
                assert_eq!(bad.status(), 422, "{limit}");
                assert_eq!(bad_fields(&problem(bad).await), ["limit", "cursor"]);
            }
            let odd = app.get(&format!("{path}?cursor=%00%ff&cursor={}", "0".repeat(31))).await;
            assert_eq!(odd.status(), 422);
            assert_eq!(bad_fields(&problem(odd).await), ["cursor"]);
        }
    });
}

#[test]
fn the_cursor_of_another_list_is_refused() {
    let app = TestApp::start();
    app.run(async {
        let ada = app.sign_up("ada").await;
        let id = write(&app, &ada, "Commented").await["id"].clone();
        let comments = format!("/api/posts/{id}/comments");
        for n in 0..2 {
            let comment = json!({ "body": format!("{n}") });
            assert_eq!(send(&app, &ada, Method::POST, &comments, comment).await.status(), 201);
        }
        let mut cursors = Vec::new();
        for list in ["/api/posts", &comments] {
            let page = json_of(app.get(&format!("{list}?limit=1")).await).await;
            cursors.push(page["next_cursor"].as_str().unwrap().to_owned());
        }
        for (list, cursor, status) in [
            ("/api/posts", &cursors[0], 200),
            ("/api/posts", &cursors[1], 422),
            (comments.as_str(), &cursors[0], 422),
            (&comments, &cursors[1], 200),
        ] {
            let answer = app.get(&format!("{list}?cursor={cursor}")).await;
            assert_eq!(answer.status(), status, "{list}?cursor={cursor}");
            if status == 422 {
                assert_eq!(bad_fields(&problem(answer).await), ["cursor"]);
            }
        }
        for cursor in cursors {
            let todos = format!("/api/v2/todos?cursor={cursor}");
            let answer = app.as_user(&ada, Method::GET, &todos).send().await.unwrap();
            assert_eq!(answer.status(), 422, "{cursor}");
            assert_eq!(bad_fields(&problem(answer).await), ["cursor"]);
        }
    });
}

#[test]
fn a_list_costs_two_queries_whatever_its_length() {
    let app = TestApp::start();
    app.run(async {
        for path in ["/api/posts?limit=1", "/api/posts?limit=100", "/api/posts/4"] {
            let response = app.get(path).await;
            assert!(header(&response, "server-timing").contains("\"2 queries\""), "{path}");
        }
        let posts = json_of(app.get("/api/posts?limit=100").await).await;
        let comments: i64 = posts["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["comments"].as_i64().unwrap())
            .sum();
        assert_eq!(comments, 150);
        assert!(posts["items"][0]["author"]["username"].as_str().unwrap().starts_with("demo-"));
    });
}

#[test]
fn comments_are_oldest_first_and_paged() {
    let app = TestApp::start();
    app.run(async {
        let ada = app.sign_up("ada").await;
        let path = format!("/api/posts/{}/comments", write(&app, &ada, "Talk").await["id"]);
        for n in 0..5 {
            let body = json!({"body": format!("Comment {n}")});
            assert_eq!(send(&app, &ada, Method::POST, &path, body).await.status(), 201);
        }
        for limit in [1, 2, 5, 100] {
            let bodies: Vec<_> =
                all(&app, &path, limit).await.iter().map(|c| c["body"].clone()).collect();
            assert_eq!(bodies, (0..5).map(|n| format!("Comment {n}")).collect::<Vec<_>>());
        }
        let first = app.get(&format!("{path}?limit=2")).await;
        assert!(header(&first, "server-timing").contains("\"2 queries\""));
    });
}
