//! The settings by their variables, for those who write settings down for a server.

use clap::{Args, Command, error::ErrorKind};

use super::Config;

impl Config {
    /// Checks a setting as the server would at its start. Errors with the reason and what would be
    /// right.
    pub fn check_variable(name: &str, value: &str) -> Result<(), String> {
        let command = Self::augment_args(Command::new("settings"));
        let is_named = |arg: &&clap::Arg| arg.get_env().is_some_and(|variable| variable == name);
        let Some(flag) = command.get_arguments().find(is_named).and_then(clap::Arg::get_long)
        else {
            return Err(unknown(&command, name));
        };
        let args = ["settings".to_owned(), format!("--{flag}={value}")];
        // What is set here, where the file is read, is nothing to do with it.
        let alone = command.clone().mut_args(|arg| arg.env(None::<&'static str>));
        alone.try_get_matches_from(args).map(drop).map_err(|error| reason(&error, value))
    }
}

fn unknown(command: &Command, name: &str) -> String {
    let mut known: Vec<_> =
        command.get_arguments().filter_map(|arg| arg.get_env()?.to_str()).collect();
    known.sort_unstable();
    format!("the server has no setting {name}; it has {}", known.join(", "))
}

/// First line of clap's text; of a value that can't be used only the part that says why.
fn reason(error: &clap::Error, value: &str) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    match (error.kind(), source) {
        (ErrorKind::ValueValidation | ErrorKind::InvalidValue, Some(source)) => {
            format!("{value:?} can't be used{source}")
        }
        _ => {
            let text = error.to_string();
            text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_checked_as_at_the_start_of_a_server() {
        let reason = |name, value| Config::check_variable(name, value).unwrap_err();
        for (name, value) in
            [("DB_POOL_SIZE", "15"), ("RATE_LIMIT_REGISTER", "off"), ("INSECURE", "true")]
        {
            assert_eq!(Config::check_variable(name, value), Ok(()), "{name}");
        }
        assert!(reason("DB_POOL", "15").contains("no setting DB_POOL; it has "));
        assert!(reason("DB_POOL", "15").contains(", DB_POOL_SIZE, "));
        let many = reason("DB_POOL_SIZE", "many");
        assert!(many.starts_with("\"many\" can't be used: "), "{many}");
        assert!(reason("DB_POOL_SIZE", "1001").contains("1..=1000"));
    }
}
