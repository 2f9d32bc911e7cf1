//! Secrets in files of their own, as containers provide them: NAME_FILE in place of NAME.

use std::{fs::File, io::Read};

/// Longest file, in bytes: far longer than any of these settings can be.
const MAX_BYTES: u64 = 64 * 1024;

/// Parser that takes a path, and parses the content of that file as the setting itself. A newline
/// at its end belongs to the file, not to the secret.
pub fn content_as(
    setting: fn(&str) -> Result<String, String>,
) -> impl Fn(&str) -> Result<String, String> + Clone + Send + Sync + 'static {
    move |path| {
        let mut content = String::new();
        let file = File::open(path).map_err(|e| e.to_string())?;
        file.take(MAX_BYTES + 1).read_to_string(&mut content).map_err(|e| e.to_string())?;
        if content.len() as u64 > MAX_BYTES {
            return Err(format!("the file is longer than {MAX_BYTES} bytes"));
        }
        setting(content.trim_end_matches(['\r', '\n']))
    }
}
