//! The origin of what a build makes: who runs it, where, and at which commit.

use std::path::Path;

use super::commit;
use crate::Provenance;

/// The provenance of artifacts that are built from the recipe of that directory.
pub(super) fn provenance(recipe_dir: &Path) -> Provenance {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut provenance = Provenance::new();
    provenance.writer = writer(&variable);
    provenance.host = host();
    provenance.commit = commit::of(recipe_dir);
    provenance
}

/// Who runs the build: whoever `CORTADO_WRITER` names, the CI's job, or the user.
fn writer(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let joined = |names: &[&str]| {
        let parts: Option<Vec<_>> = names.iter().map(|name| variable(name)).collect();
        parts.map(|parts| parts.join("/"))
    };
    let jobs: [&[&str]; 4] = [
        &["GITHUB_REPOSITORY", "GITHUB_WORKFLOW"],
        &["CI_PROJECT_PATH", "CI_JOB_NAME"],
        &["BUILDKITE_PIPELINE_SLUG"],
        &["JOB_NAME"],
    ];
    variable("CORTADO_WRITER")
        .or_else(|| jobs.iter().find_map(|job| joined(job)))
        .or_else(|| variable("USER"))
        .or_else(|| variable("LOGNAME"))
}

fn host() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_of_a_ci_comes_before_the_user_who_runs_it() {
        let who = |pairs: &'static [(&str, &str)]| {
            writer(&|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(who(&[("USER", "kai")]).as_deref(), Some("kai"));
        assert_eq!(
            who(&[("USER", "runner"), ("GITHUB_REPOSITORY", "o/shop"), ("GITHUB_WORKFLOW", "build")]).as_deref(),
            Some("o/shop/build")
        );
        assert_eq!(who(&[("CORTADO_WRITER", "night"), ("USER", "kai")]).as_deref(), Some("night"));
        assert_eq!(who(&[]), None);
    }
}
