//! Credentials: secrets, fetched from those who have them when a store is opened. They are never shown.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Error, Holder, Result, SecretSource};

/// The secret behind a source.
pub(super) fn reveal(source: &SecretSource) -> Result<String> {
    let secret = match &source.holder {
        Holder::Given(secret) => secret.clone(),
        Holder::File(path) => read(path).map_err(|problem| unknown(source, problem))?,
        Holder::Command(command) => run(command).map_err(|problem| unknown(source, problem))?,
    };
    match secret.is_empty() {
        true => Err(unknown(source, "it is empty".into())),
        false => Ok(secret),
    }
}

fn unknown(source: &SecretSource, problem: String) -> Error {
    Error::Invalid { place: format!("`{}`", source.key), problem, hint: String::new() }
}

/// The first line of a file.
fn read(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path);
    text.map(|text| first_line(&text)).map_err(|error| format!("could not read `{}`: {error}", path.display()))
}

/// The first line that a command prints. What it says besides goes where ours goes.
fn run(command: &str) -> Result<String, String> {
    let output = Command::new("/bin/sh").args(["-c", command]).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("could not start `/bin/sh`: {error}"))?;
    if !output.status.success() {
        return Err(format!("its command failed: {}", output.status));
    }
    // What was printed is a secret, or near to one: an error does not show it.
    String::from_utf8(output.stdout).map(|text| first_line(&text)).map_err(|_| "its command printed no UTF-8".into())
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}
