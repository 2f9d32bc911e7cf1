//! Checks the flow of a lab's own before anybody runs k6: the file that lab.json names is there, and
//! has what k6/lab.js calls.

use crate::evidence::FLOW;

/// Beginning of what k6/lab.js calls for each iteration.
const ENTRY: &str = "export default function";

/// Module of k6 whose requests a flow leaves to `ask`: sent past it, they would be held to the gate.
const HTTP: &str = "k6/http";

/// Refuses a file without the key, the key without a file, and a file that k6/lab.js can't run.
pub fn check(named: Option<&str>, text: Option<&str>) -> Result<(), String> {
    let text = match (named, text) {
        (None, None) => return Ok(()),
        (Some(_), Some(text)) => text,
        (Some(_), None) => {
            return Err(format!(
                "request.flow: mod.rs has no {FLOW}; `flow: Some(include_str!(\"{FLOW}\"))` there \
                 would be right"
            ));
        }
        (None, Some(_)) => {
            return Err(format!(
                "request.flow is missing, and mod.rs has a {FLOW}; \"flow\": \"{FLOW}\" would be \
                 right"
            ));
        }
    };
    let code: Vec<&str> =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let has = |part: &str| code.iter().any(|line| line.contains(part));
    if !code.iter().any(|line| line.starts_with(ENTRY)) {
        return Err(format!("{FLOW} exports no default; `{ENTRY} (user) {{ … }}` would be right"));
    }
    if !has(".request()") {
        return Err(format!(
            "{FLOW} never sends the request of lab.json; `user.request()` in its default would be \
             right"
        ));
    }
    if has(HTTP) {
        return Err(format!(
            "{FLOW} has {HTTP}, whose requests the gate would count; `user.ask(method, path, …)` \
             would be right"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "export default function (user) {\n  user.request();\n}\n";

    #[test]
    fn a_flow_that_k6_could_not_run_is_refused_with_what_would_be_right() {
        assert_eq!(check(None, None), Ok(()));
        assert_eq!(check(Some(FLOW), Some(RIGHT)), Ok(()));
        let commented = RIGHT.replace("  user", "  // user");
        let beside = format!("import http from 'k6/http';\n{RIGHT}");
        for (named, text, reason) in [
            (Some(FLOW), None, "request.flow: mod.rs has no k6.js; `flow: Some(include_str!("),
            (None, Some(RIGHT), "request.flow is missing, and mod.rs has a k6.js; \"flow\""),
            (Some(FLOW), Some("export function go() {}"), "k6.js exports no default; `export"),
            (Some(FLOW), Some(commented.as_str()), "never sends the request of lab.json; `user.r"),
            (Some(FLOW), Some(beside.as_str()), "k6.js has k6/http, whose requests the gate"),
        ] {
            let error = check(named, text).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}
