//! The keys: whether artifacts can be signed, and whether what is signed here is believed here.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::cli::connect::{public_keys, secret_key};
use crate::{CacheSpec, Check, Result, Verdict};

/// What is to be said about the keys of a configuration; nothing where there are none.
pub(super) fn check(spec: &CacheSpec) -> Option<Check> {
    if spec.sign.is_none() && spec.trust.is_none() {
        return None;
    }
    let verdict =
        judge(spec).unwrap_or_else(|error| Verdict::wrong(error.to_string(), error.hint().unwrap_or_default()));
    Some(Check::new("keys", verdict))
}

fn judge(spec: &CacheSpec) -> Result<Verdict> {
    let signer = spec.sign.as_deref().map(secret_key).transpose()?;
    let trusted = spec.trust.as_deref().map(public_keys).transpose()?;
    if let Some(path) = spec.sign.as_deref().filter(|path| is_open(path)) {
        let problem = format!("others may read the secret key in `{}`", path.display());
        return Ok(Verdict::wrong(problem, format!("chmod 600 {}", path.display())));
    }
    Ok(match (signer, trusted) {
        (Some(signer), Some(trusted)) if !trusted.contains(&signer.public()) => Verdict::wrong(
            "what is signed here is not trusted here, so it would be built again and again",
            format!("add \"{}\" to `cache.trust`", signer.public()),
        ),
        (None, Some(_)) => Verdict::well("artifacts of trusted keys are used; what is built here is not signed"),
        (Some(signer), None) => Verdict::doubtful(
            format!("artifacts are signed by {}, and everybody's are used", signer.public()),
            "list those who are trusted in `cache.trust`",
        ),
        (Some(signer), Some(_)) => Verdict::well(format!("artifacts are signed by {}", signer.public())),
        (None, None) => Verdict::well("nothing is signed, and everything is used"),
    })
}

/// Whether others than its owner may read a file.
fn is_open(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}
