//! Errors of the command line, on one line, with what was probably meant.

use clap::{
    CommandFactory,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::Cli;

/// Formats an error on one line. Names the setting as flag and as variable, whichever was used.
pub fn one_line(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    if matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue)
        && let (Some(arg), Some(value)) =
            (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue))
    {
        let flag = arg.split([' ', '=', '[']).next().unwrap_or(arg);
        let variable = flag.trim_start_matches('-').replace('-', "_").to_uppercase();
        let reason = std::error::Error::source(error).map(|source| format!(": {source}"));
        let choices = match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(choices)) => format!(": one of {}", choices.join(", ")),
            _ => String::new(),
        };
        let reason = reason.unwrap_or(choices);
        // An invalid secret is still a secret, and a URL may hold a password.
        let is_secret =
            ["TOKEN", "SECRET", "HEADERS", "KEY"].iter().any(|end| variable.ends_with(end))
                || value.contains('@')
                || variable.ends_with("_URL");
        let value = if is_secret { "this value".to_owned() } else { format!("{value:?}") };
        return format!("{variable} ({flag}): {value} can't be used{reason}");
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    if let Some(near) = suggestion(error) {
        return format!("{first}; did you mean {near}?");
    }
    format!("{first} (see `{} --help`)", Cli::command().get_name())
}

/// Nearest command or flag to an unknown one.
fn suggestion(error: &clap::Error) -> Option<&str> {
    let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg];
    kinds.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(near) => Some(near.as_str()),
        // The nearest is the last.
        ContextValue::Strings(near) => near.last().map(String::as_str),
        _ => None,
    })
}
