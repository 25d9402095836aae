//! A workspace of two packages, one of which needs the other, as Turborepo and Nx see it. It is told how often a package was
//! built by a file that every build adds a line to.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::support::wanted::wanted;

/// A workspace, and a program that builds it.
pub(super) struct Workspace {
    dir: TempDir,
    program: PathBuf,
}

/// What a build said, and how many packages it has built.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) said: String,
    pub(super) succeeded: bool,
    pub(super) packages: usize,
}

impl Workspace {
    /// A workspace for a program that is there.
    pub(super) fn new(program: &str, files: &[(&str, &str)]) -> Option<Self> {
        let workspace = Self { dir: tempfile::tempdir().unwrap(), program: wanted(program)? };
        for (path, text) in files {
            workspace.write(path, text);
        }
        Some(workspace)
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join("shop").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Makes the package that the program comes from one of the workspace's own.
    pub(super) fn link_program(&self) {
        let real = self.program.canonicalize().unwrap();
        let package =
            real.ancestors().find(|dir| dir.parent().is_some_and(|dir| dir.ends_with("node_modules"))).unwrap();
        let modules = self.dir.path().join("shop/node_modules");
        fs::create_dir_all(&modules).unwrap();
        std::os::unix::fs::symlink(package, modules.join(package.file_name().unwrap())).unwrap();
    }

    /// Runs the program as on a machine that has never built anything, with nothing of ours in its environment. What is not on
    /// this machine it cannot reach.
    pub(super) fn build(&self, words: &[&str], variables: &[(&str, &str)]) -> Built {
        for made in ["packages/a/dist", "packages/b/dist", "packages/a/.turbo", "packages/b/.turbo", ".turbo", ".nx"] {
            _ = fs::remove_dir_all(self.dir.path().join("shop").join(made));
        }
        _ = fs::remove_file(self.dir.path().join("shop/built"));
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(self.dir.path().join("shop")).env_clear();
        command
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.dir.path())
            .env("TMPDIR", self.dir.path());
        command
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .env("npm_config_update_notifier", "false")
            .env("NO_COLOR", "1");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let built = fs::read_to_string(self.dir.path().join("shop/built")).unwrap_or_default();
        Built { said, succeeded: output.status.success(), packages: built.lines().count() }
    }

    /// What the package makes that needs the other one.
    pub(super) fn product(&self) -> String {
        fs::read_to_string(self.dir.path().join("shop/packages/b/dist/b")).unwrap_or_default()
    }
}

impl Built {
    /// Whether it succeeded with that many packages built, and said something.
    #[track_caller]
    pub(super) fn was(&self, packages: usize, said: &str) {
        assert!(
            self.succeeded && self.packages == packages && self.said.contains(said),
            "not {packages}, {said}: {self:#?}"
        );
    }
}
