//! Access tokens that are valid; all others get the same refusal.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{Session, TestApp, header, problem};

const SECRET: &str = "a secret that only the tests know";
const WITH_SECRET: [&str; 2] = ["--jwt-secret", SECRET];

/// Sends a request that needs a token: logging out, which needs no other data.
async fn send(app: &TestApp, authorization: &str) -> Response {
    let request = app.app(Method::POST, "/api/v2/auth/logout");
    request.header("authorization", authorization).send().await.unwrap()
}

/// Claims like those that the server signs for this session.
fn claims(session: &Session) -> Value {
    let now = get_current_timestamp();
    json!({
        "sub": session.user_id.to_string(), "iss": "chokepoint", "jti": "j", "fam": "f",
        "iat": now, "exp": now + 60,
    })
}

fn sign(algorithm: Algorithm, claims: &Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(algorithm), claims, &key).unwrap()
}

/// The token with another header.
fn with_header(token: &str, header: &str) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    format!("{header}.{rest}")
}

/// The same bytes in base64url, with an unused bit set.
fn with_other_last(signature: &str) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = signature.split_at(signature.len() - 1);
    let at = digits.iter().position(|digit| *digit == last.as_bytes()[0]).unwrap();
    format!("{rest}{}", char::from(digits[at + 1]))
}

#[test]
fn an_answer_with_tokens_is_not_to_be_stored() {
    let app = TestApp::start();
    app.run(async {
        let session = app.sign_up("ada").await;
        let account =
            json!({"username": "bob", "email": "b@example.com", "password": "long enough"});
        for (path, body) in [
            ("register", account.clone()),
            ("login", account),
            ("refresh", json!({"refresh_token": session.refresh_token})),
        ] {
            let request = app.app(Method::POST, &format!("/api/v2/auth/{path}"));
            let answer = request.json(&body).send().await.unwrap();
            assert!(answer.status().is_success(), "{path}");
            assert_eq!(header(&answer, "cache-control"), "no-store", "{path}");
        }
    });
}

#[test]
fn a_token_is_taken_only_as_this_server_makes_it() {
    let app = TestApp::start_with(&WITH_SECRET);
    app.run(async {
        let session = app.sign_up("ada").await;
        let now = get_current_timestamp();
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut claims = claims(&session);
            change(&mut claims);
            sign(Algorithm::HS256, &claims, SECRET)
        };
        let good = changed(&|_| {});
        let (signed, signature) = good.rsplit_once('.').unwrap();
        // {"alg":"none","typ":"JWT"} and the same with RS256.
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
        let rs256 = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9";
        let refused = [
            ("no signature", format!("{signed}.")),
            ("alg none", format!("{}.", with_header(signed, none))),
            ("alg none, signed", with_header(&good, none)),
            ("alg RS256", with_header(&good, rs256)),
            ("alg HS384", sign(Algorithm::HS384, &claims(&session), SECRET)),
            ("alg HS512", sign(Algorithm::HS512, &claims(&session), SECRET)),
            ("another secret", sign(Algorithm::HS256, &claims(&session), &SECRET.to_uppercase())),
            ("other claims", format!("{}.{signature}", session.token.rsplit_once('.').unwrap().0)),
            ("expired", changed(&|c| c["exp"] = (now - 1).into())),
            ("expires now", changed(&|c| c["exp"] = now.into())),
            ("never expires", changed(&|c| drop(c.as_object_mut().unwrap().remove("exp")))),
            ("expires as text", changed(&|c| c["exp"] = "9999999999".into())),
            ("expires at 0", changed(&|c| c["exp"] = 0.into())),
            ("expires at -1", changed(&|c| c["exp"] = (-1).into())),
            ("from the future", changed(&|c| c["iat"] = (now + 60).into())),
            ("from any time", changed(&|c| drop(c.as_object_mut().unwrap().remove("iat")))),
            ("another issuer", changed(&|c| c["iss"] = "checkpoint".into())),
            ("two issuers", changed(&|c| c["iss"] = json!(["chokepoint", "checkpoint"]))),
            ("no issuer", changed(&|c| drop(c.as_object_mut().unwrap().remove("iss")))),
            ("nobody", changed(&|c| drop(c.as_object_mut().unwrap().remove("sub")))),
            ("no number", changed(&|c| c["sub"] = "ada".into())),
            ("no family", changed(&|c| drop(c.as_object_mut().unwrap().remove("fam")))),
            ("for somebody", changed(&|c| c["aud"] = "others".into())),
            ("not yet", changed(&|c| c["nbf"] = (now + 60).into())),
            ("not yet, as text", changed(&|c| c["nbf"] = "9999999999".into())),
            ("crit", {
                let mut header = Header::new(Algorithm::HS256);
                header.crit = Some(vec!["b64".to_owned()]);
                let key = EncodingKey::from_secret(SECRET.as_bytes());
                encode(&header, &claims(&session), &key).unwrap()
            }),
            ("padded", format!("{good}=")),
            ("another form of the same bytes", format!("{signed}.{}", with_other_last(signature))),
            ("not a token", "x".to_owned()),
            ("two parts", "a.b".to_owned()),
            ("empty parts", "..".to_owned()),
            ("a refresh token", session.refresh_token.clone()),
            ("too much", format!("{good}.{signature}")),
            ("very long", "a".repeat(10_000)),
        ];
        for (what, token) in refused {
            let answer = send(&app, &format!("Bearer {token}")).await;
            assert_eq!(answer.status(), 401, "{what}");
            let challenge = "Bearer error=\"invalid_token\"";
            assert_eq!(header(&answer, "www-authenticate"), challenge, "{what}");
            problem(answer).await;
        }
        let two = app.app(Method::POST, "/api/v2/auth/logout");
        let two = two.bearer_auth(&good).bearer_auth(&session.token).send().await.unwrap();
        assert_eq!(two.status(), 400, "two headers that each say who it is");
        assert_eq!(header(&two, "www-authenticate"), "Bearer error=\"invalid_request\"");
        problem(two).await;
        assert_eq!(send(&app, &format!("bearer {good}")).await.status(), 204);
    });
}

#[test]
fn without_a_token_the_answer_says_what_is_needed() {
    let app = TestApp::start();
    app.run(async {
        let nothing = app.app(Method::POST, "/api/v1/auth/logout").send().await.unwrap();
        let mut answers = vec![nothing];
        for sent in ["", "Bearer", "Basic YWRhOnB3", "Token x", "Bearer\u{a0}x"] {
            answers.push(send(&app, sent).await);
        }
        for answer in answers {
            assert_eq!(answer.status(), 401);
            // The scheme is followed by a parameter (RFC 6750, 3).
            assert_eq!(header(&answer, "www-authenticate"), "Bearer realm=\"chokepoint\"");
            problem(answer).await;
        }
    });
}

#[test]
fn a_secret_of_its_own_at_each_start_is_another_one() {
    let (one, other) = (TestApp::start(), TestApp::start());
    let session = one.run(one.sign_up("ada"));
    other.run(async {
        other.sign_up("ada").await;
        let answer = send(&other, &format!("Bearer {}", session.token)).await;
        assert_eq!(answer.status(), 401);
    });
}
