//! The server's file: it says what the command line says, and the command line has the last word.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::client::Request;
use super::program::Program;
use super::served::Served;

/// A command in a directory with no configuration around it.
fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cortado"));
    command.env_clear().env("HOME", dir).current_dir(dir);
    command
}

/// A server that does not start.
fn refused(dir: &Path, args: &[&str]) -> String {
    let Output { status, stderr, .. } = command(dir).arg("serve").args(args).output().unwrap();
    let told = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2), "{told}");
    told
}

#[test]
fn a_file_says_what_the_command_line_says() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("etc")).unwrap();
    let text = "[server]\ndir = '../store'\nlisten = ['127.0.0.1:0']\nmax_object = 100\nread_only = true\n\
                htpasswd = 'users'\nanonymous_read = true\ngrace = '1s'\naccess_log = 'none'\n";
    fs::write(dir.path().join("etc/serve.toml"), text).unwrap();
    fs::write(dir.path().join("etc/users"), "").unwrap();
    let program = Program::launch(command(dir.path()).args(["serve", "--config", "etc/serve.toml"]));
    assert_eq!((program.get("a").status, program.put("a", "beans").status), (404, 401));
    assert!(dir.path().join("store/format").exists());
    let args = ["serve", "other", "--config", "etc/serve.toml", "--listen", "127.0.0.1:0", "--max-object", "1K"];
    let program = Program::launch(command(dir.path()).args(args));
    assert!(dir.path().join("other/format").exists());
    assert_eq!(program.put("a", vec![0; 2000]).status, 401, "a flag of the file holds");
    fs::write(
        dir.path().join("etc/serve.toml"),
        text.replace("read_only = true\n", "").replace("htpasswd = 'users'\nanonymous_read = true\n", ""),
    )
    .unwrap();
    let program = Program::launch(command(dir.path()).args(args));
    assert_eq!((program.put("a", vec![0; 200]).status, program.put("b", vec![0; 2000]).status), (201, 413));
}

#[test]
fn what_does_not_hold_together_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("serve.toml"), "[server]\n\nanonymous_raed = true\n").unwrap();
    let told = refused(dir.path(), &["store", "--config", "serve.toml"]);
    assert!(told.contains("serve.toml:3: `server.anonymous_raed` is not a known key"), "{told}");
    assert!(told.contains("did you mean `anonymous_read`?"), "{told}");
    fs::write(dir.path().join("serve.toml"), "[server]\nanonymous_read = true\n").unwrap();
    for (args, problem) in [
        (&["--config", "serve.toml", "store"][..], "--anonymous-read: it means nothing without `--htpasswd`"),
        (&["store", "--tls-key", "x"], "--tls-key: it means nothing without `--tls-cert`"),
        (&["store", "--tls-client-ca", "x"], "--tls-client-ca: it means nothing without `--tls-cert`"),
        (&[], "DIR: no directory is given"),
        (&["store", "--config", "a.toml", "--config", "b.toml"], "--config b.toml: a server has one file"),
        (&["store", "--upstream", "team"], "unknown store `team`"),
        (&["store", "--upstream", "ftp://x"], "--upstream: this is no address of a web server"),
        (&["store", "--upstream", "http://me:secret@x"], "--upstream: everybody on this machine sees the command line"),
    ] {
        let told = refused(dir.path(), args);
        assert!(told.contains(problem), "{args:?}: {told}");
    }
    let output = command(dir.path()).args(["serve", "store", "--config", "nowhere.toml"]).output().unwrap();
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("nowhere.toml"));
}

#[test]
fn an_upstream_has_an_address_or_a_name_and_its_secrets_elsewhere() {
    let far = Served::guarded(&["ci:{TOKEN}TOKEN:artifacts=admin"], |_| {});
    let put = Request::new("PUT", "/v1/artifacts/a").header("Authorization", "Bearer espresso").body("beans");
    assert_eq!(far.send(&put).status, 201);
    let (dir, url) = (tempfile::tempdir().unwrap(), far.url("/v1/artifacts"));
    let serve = |command: &mut Command, store: &str, more: &[&str]| {
        Program::launch(command.args(["serve", store, "--listen", "127.0.0.1:0"]).args(more))
    };
    let mut knows = command(dir.path());
    let by_address = serve(knows.env("CORTADO_STORES_UPSTREAM_TOKEN", "espresso"), "one", &["--upstream", &url]);
    assert_eq!(by_address.get("a").body, b"beans");
    fs::write(dir.path().join("token"), "espresso\n").unwrap();
    let text =
        format!("[server]\nupstream = 'team'\n[stores.team]\ntype = 'http'\nurl = '{url}'\ntoken_file = 'token'\n");
    fs::write(dir.path().join("serve.toml"), text).unwrap();
    let args = ["--config", "serve.toml", "--config", "stores.team.mode=read"];
    let mut by_name = serve(&mut command(dir.path()), "two", &args);
    assert_eq!((by_name.get("a").body, by_name.put("b", "bones").status), (b"beans".to_vec(), 201));
    by_name.signal(rustix::process::Signal::TERM);
    assert!(!by_name.says("stopped").contains("espresso"));
    let get = Request::new("GET", "/v1/artifacts/b").header("Authorization", "Bearer espresso");
    assert_eq!(far.send(&get).status, 404, "it is only read");
    assert_eq!((by_address.put("b", "bones").status, by_address.get("c").status), (201, 404));
    while far.send(&get).status != 200 {
        std::thread::yield_now();
    }
}
