//! The scripts of k6, embedded in this binary, so that it proves what it serves, from any folder.

use std::path::PathBuf;

use crate::{evidence::FLOW, lab::LoadedLab};

const SCRIPTS: [(&str, &str); 10] = [
    ("k6/lab-outcome.js", include_str!("../../../../../k6/lab-outcome.js")),
    ("k6/lab.js", include_str!("../../../../../k6/lab.js")),
    ("k6/lib/answer.js", include_str!("../../../../../k6/lib/answer.js")),
    ("k6/lib/counters.json", include_str!("../../../../../k6/lib/counters.json")),
    ("k6/lib/flow.js", include_str!("../../../../../k6/lib/flow.js")),
    ("k6/lib/outcome.js", include_str!("../../../../../k6/lib/outcome.js")),
    ("k6/lib/request.js", include_str!("../../../../../k6/lib/request.js")),
    ("k6/lib/server-timing.js", include_str!("../../../../../k6/lib/server-timing.js")),
    ("k6/lib/trace.js", include_str!("../../../../../k6/lib/trace.js")),
    ("k6/lib/users.js", include_str!("../../../../../k6/lib/users.js")),
];

/// Access tokens of the virtual users, as JSON.
pub const TOKENS: &str = "tokens.json";

/// Writes the scripts, the lab's evidence and its flow to a folder, laid out as in the repository.
pub fn unpack(loaded: &LoadedLab, tokens: &[String]) -> std::io::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let lab = loaded.folder();
    let tokens = serde_json::to_string(tokens)?;
    let own = [(lab.join("lab.json"), loaded.lab.evidence), (TOKENS.into(), tokens.as_str())];
    let flow = loaded.lab.flow.map(|text| (lab.join(FLOW), text));
    let scripts = SCRIPTS.into_iter().map(|(path, text)| (PathBuf::from(path), text));
    for (path, text) in scripts.chain(own).chain(flow) {
        let path = folder.path().join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::plain;

    const TEXT: &str = "export default function (user) {\n  user.request();\n}\n";

    fn with_flow(flow: Option<&'static str>) -> Result<LoadedLab, String> {
        let mut evidence = plain();
        evidence["request"]["flow"] = FLOW.into();
        LoadedLab::without_handlers(&evidence, flow).map_err(|e| e.to_string())
    }

    #[test]
    fn a_flow_is_beside_the_evidence_that_names_it() {
        let folder = unpack(&with_flow(Some(TEXT)).unwrap(), &[]).unwrap();
        let lab = folder.path().join("src/labs/overload/a_lab");
        let read = |file: &str| std::fs::read_to_string(lab.join(file));
        assert_eq!(read(FLOW).unwrap(), TEXT);
        let evidence: serde_json::Value = serde_json::from_str(&read("lab.json").unwrap()).unwrap();
        assert_eq!(evidence["request"]["flow"], FLOW);
        let error = with_flow(None).err().unwrap();
        assert!(
            error.starts_with("lab.json of a-lab: request.flow: mod.rs has no k6.js"),
            "{error}"
        );
    }

    /// Otherwise only `prove` would notice, because `cargo test` does not run k6.
    #[test]
    fn every_file_that_a_script_needs_is_unpacked_too() {
        for mark in [" from './", "open('./"] {
            let mut needed = 0;
            for (path, text) in SCRIPTS {
                let folder = path.rsplit_once('/').unwrap().0;
                for file in text.split(mark).skip(1).filter_map(|rest| rest.split('\'').next()) {
                    let file = format!("{folder}/{file}");
                    assert!(SCRIPTS.iter().any(|(known, _)| *known == file), "{path} needs {file}");
                    needed += 1;
                }
            }
            assert!(needed > 0, "{mark} looks otherwise by now");
        }
    }
}
