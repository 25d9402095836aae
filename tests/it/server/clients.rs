//! Real clients, each against a server that wants to know who they are: first with nothing in it, then with nothing of their
//! own. What they got from it, they say themselves, and the server has counted.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::served::Served;
use super::users::APR1;
use crate::support::remove;
use crate::support::wanted::wanted;

/// A client with a directory for all that it keeps.
struct Guest {
    served: Served,
    program: PathBuf,
    dir: TempDir,
}

impl Guest {
    /// A client that has the right to write in a namespace, by password and by token. `None` where there is no such program.
    fn new(program: &str, namespace: &str) -> Option<Self> {
        let program = wanted(program)?;
        let lines =
            [format!("ci:{APR1}:{namespace}=writer"), format!("ci2:{{TOKEN}}TOKEN:{namespace}=writer,server=reader")];
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("home")).unwrap();
        Some(Self { served: Served::guarded(&lines, |_| {}), program, dir })
    }

    fn path(&self, below: &str) -> String {
        self.dir.path().join(below).display().to_string()
    }

    fn write(&self, below: &str, content: &str) {
        let path = self.dir.path().join(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// The server's address with the client's credentials.
    fn url(&self, path: &str) -> String {
        format!("http://ci:espresso@{}{path}", self.served.address)
    }

    /// The program in its directory, with nothing of whoever runs the tests.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.dir).env_clear().env("HOME", self.path("home"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// What the client was answered. A request is counted when it is over, which the client may know a moment earlier.
    #[track_caller]
    fn was_answered(&self, method: &str, route: &str, status: u16, times: u64) {
        let begun = Instant::now();
        while self.served.count(method, route, status) < times && begun.elapsed() < Duration::from_secs(10) {
            std::thread::yield_now();
        }
        assert_eq!(self.served.count(method, route, status), times, "{method} {route} {status}");
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // Some of them take the right to write from what they made.
        remove(self.dir.path());
    }
}

/// All that a command says, if it ends well.
#[track_caller]
fn said(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {text}");
    text
}

#[test]
fn bazel_runs_an_action_once() {
    let Some(bazel) = Guest::new("bazel", "bazel") else { return };
    bazel.write("WORKSPACE", "");
    bazel.write("beans.txt", "arabica\n");
    bazel
        .write("BUILD", r#"genrule(name = "roast", srcs = ["beans.txt"], outs = ["coffee.txt"], cmd = "rev $< > $@")"#);
    let build = |base: &str, download: &str| {
        let mut command = bazel.command();
        command.args(["--batch", "--nohome_rc", "--noworkspace_rc", "--host_jvm_args=-Xmx256m"]);
        command.args([
            format!("--output_user_root={}", bazel.path("root")),
            format!("--output_base={}", bazel.path(base)),
        ]);
        command.args(["build", "--color=no", "--curses=no", "--noshow_progress", "--spawn_strategy=local"]);
        command.args(["--genrule_strategy=local", "--experimental_convenience_symlinks=ignore"]);
        said(command.args([&format!("--remote_cache={}", bazel.url("/shop")), download, "//:roast"]))
    };
    let cold = build("first", "--remote_download_outputs=all");
    assert!(!cold.contains("remote cache hit"), "{cold}");
    bazel.was_answered("PUT", "/{instance}/ac/{key}", 201, 1);
    let warm = build("second", "--remote_download_outputs=all");
    assert!(warm.contains("1 remote cache hit"), "{warm}");
    bazel.was_answered("GET", "/{instance}/ac/{key}", 200, 1);
    // It would not even look for what has gone.
    for file in bazel.served.files().iter().filter(|file| file.to_string_lossy().contains("bazel~cas")) {
        std::fs::remove_file(file).unwrap();
    }
    let lossy = build("third", "--remote_download_minimal");
    assert!(!lossy.contains("remote cache hit"), "{lossy}");
    bazel.was_answered("GET", "/{instance}/ac/{key}", 404, 2);
}

#[test]
fn moon_runs_a_task_once() {
    let Some(moon) = Guest::new("moon", "bazel") else { return };
    said(Command::new("git").args(["init", "-q"]).current_dir(&moon.dir));
    let commit = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "beans"];
    said(Command::new("git").args(commit).current_dir(&moon.dir));
    let remote = format!("remote: {{ api: http, host: '{}', auth: {{ token: TOKEN }} }}", moon.served.url(""));
    moon.write(".moon/workspace.yml", &format!("projects: {{ shop: shop }}\ntelemetry: false\n{remote}\n"));
    moon.write("shop/beans.txt", "arabica\n");
    let task = "{ command: sh -c 'rev beans.txt > coffee.txt', inputs: [beans.txt], outputs: [coffee.txt] }";
    moon.write("shop/moon.yml", &format!("tasks:\n  roast: {task}\n"));
    let run = || {
        remove(&moon.dir.path().join(".moon/cache"));
        _ = std::fs::remove_file(moon.dir.path().join("shop/coffee.txt"));
        said(moon.command().args(["run", "shop:roast"]).env("TOKEN", "espresso"))
    };
    let (cold, warm) = (run(), run());
    assert!(!cold.contains("cached") && warm.contains("cached from remote"), "{cold}{warm}");
    assert_eq!(std::fs::read_to_string(moon.dir.path().join("shop/coffee.txt")).unwrap(), "acibara\n");
    moon.was_answered("PUT", "/{instance}/ac/{key}", 201, 1);
    moon.was_answered("GET", "/{instance}/ac/{key}", 200, 1);
}

#[test]
fn ccache_compiles_once() {
    let Some(ccache) = Guest::new("ccache", "bazel=writer,ccache") else { return };
    ccache.write("a.c", "int beans(void) { return 42; }\n");
    let hits = |dir: &str, storage: String| {
        let run = |words: &[&str]| {
            let mut command = ccache.command();
            command.args(words).env("CCACHE_DIR", ccache.path(dir)).env("CCACHE_REMOTE_STORAGE", &storage);
            said(&mut command)
        };
        run(&["cc", "-c", "a.c", "-o", "a.o"]);
        let statistics = run(&["--print-stats"]);
        let figure = |name: &str| statistics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        assert_eq!(figure("remote_storage_error"), Some(0), "{statistics}");
        figure("remote_storage_hit").unwrap_or_else(|| panic!("{statistics}"))
    };
    let (sharded, flat) = (ccache.url("/ccache"), ccache.url("/ccache") + "|layout=flat");
    let bazel = ccache.url("") + "|layout=bazel";
    assert_eq!((hits("1", sharded.clone()), hits("2", sharded), hits("3", flat)), (0, 1, 1));
    assert_eq!((hits("4", bazel.clone()), hits("5", bazel)), (0, 1));
    ccache.was_answered("GET", "/ccache/{shard}/{key}", 200, 2);
    ccache.was_answered("GET", "/ccache/{key}", 200, 2);
    ccache.was_answered("GET", "/ac/{key}", 200, 2);
}

/// The daemon of sccache, which ends with its story.
struct Daemon<'a> {
    sccache: &'a Guest,
    socket: String,
}

impl<'a> Daemon<'a> {
    fn start(sccache: &'a Guest, socket: &str) -> Self {
        let daemon = Self { sccache, socket: sccache.path(socket) };
        said(daemon.command().arg("--start-server"));
        daemon
    }

    fn command(&self) -> Command {
        let mut command = self.sccache.command();
        command.env("SCCACHE_SERVER_UDS", &self.socket).env("SCCACHE_CONF", self.sccache.path("none"));
        command.env("SCCACHE_WEBDAV_ENDPOINT", self.sccache.served.url("/webdav"));
        command.env("SCCACHE_WEBDAV_KEY_PREFIX", "team/shop");
        command.env("SCCACHE_WEBDAV_USERNAME", "ci").env("SCCACHE_WEBDAV_PASSWORD", "espresso");
        command
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        _ = self.command().arg("--stop-server").output();
    }
}

#[test]
fn sccache_compiles_once() {
    let Some(sccache) = Guest::new("sccache", "webdav") else { return };
    sccache.write("a.c", "int beans(void) { return 42; }\n");
    let hits = |socket: &str| {
        let daemon = Daemon::start(&sccache, socket);
        said(daemon.command().args(["cc", "-c", "a.c", "-o", "a.o"]));
        let text = said(daemon.command().args(["--show-stats", "--stats-format=json"]));
        let statistics: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(statistics["cache_location"].as_str().unwrap().starts_with("webdav"), "{text}");
        let figures = &statistics["stats"];
        assert_eq!(
            (&figures["cache_write_errors"], &figures["cache_errors"]["counts"]),
            (&0.into(), &serde_json::json!({}))
        );
        figures["cache_hits"]["counts"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((hits("1"), hits("2")), (0, 1));
    assert!(
        sccache.served.count("PUT", "/webdav/{*path}", 201) >= 2,
        "the compilation, and what it tries whether it may write"
    );
}

#[test]
fn gradle_runs_a_task_once() {
    let Some(gradle) = Guest::new("gradle", "gradle") else { return };
    let url = gradle.served.url("/gradle/");
    gradle.write("beans.txt", "arabica\n");
    gradle.write(
        "settings.gradle",
        &format!(
            "buildCache {{ local {{ enabled = false }}
               remote(HttpBuildCache) {{ url = '{url}'; push = true; credentials {{ username = 'ci'; password = 'espresso' }} }} }}"
        ),
    );
    gradle.write(
        "build.gradle",
        "@CacheableTask class Roast extends DefaultTask {
           @InputFile @PathSensitive(PathSensitivity.NONE) File beans
           @OutputFile File coffee
           @TaskAction void roast() { coffee.text = beans.text.reverse() } }
         task roast(type: Roast) { beans = file('beans.txt'); coffee = file(\"$buildDir/coffee.txt\") }",
    );
    let build = |home: &str| {
        for dir in ["build", ".gradle"] {
            remove(&gradle.dir.path().join(dir));
        }
        let mut command = gradle.command();
        command.args(["--no-daemon", "--build-cache", "--console=plain", "-g", &gradle.path(home), "roast"]);
        said(command.env("GRADLE_OPTS", "-Xmx256m"))
    };
    let (cold, warm) = (build("first"), build("second"));
    assert!(cold.contains("1 executed") && warm.contains(":roast FROM-CACHE"), "{cold}{warm}");
    gradle.was_answered("PUT", "/gradle/{key}", 201, 1);
    gradle.was_answered("GET", "/gradle/{key}", 200, 1);
}

#[test]
fn curl_speaks_all_of_them() {
    let Some(curl) = Guest::new("curl", "bazel=writer,webdav") else { return };
    // Above a MiB, it asks before it sends.
    let beans = "arabica ".repeat(200_000);
    curl.write("beans", &beans);
    let ask = |words: &[&str], path: &str| {
        let mut command = curl.command();
        command.args(["-sS", "--fail-with-body", "--basic", "-u", "ci:espresso", "-w", "%{http_code}"]).args(words);
        said(command.arg(curl.served.url(path)))
    };
    let content = format!("/cas/{}", cortado::Digest::of(&beans));
    assert_eq!((ask(&["-T", "beans"], &content), ask(&["-T", "beans"], &content)), ("201".into(), "200".into()));
    assert_eq!(ask(&["-T", "beans"], "/webdav/team/beans"), "201");
    let listed = ask(&["-X", "PROPFIND", "-H", "Depth: 1"], "/webdav/team/");
    assert!(listed.contains("<D:href>/webdav/team/beans</D:href>") && listed.ends_with("207"), "{listed}");
    for path in [content.as_str(), "/webdav/team/beans"] {
        assert_eq!(ask(&["-o", "back"], path), "200");
        assert_eq!(std::fs::read_to_string(curl.dir.path().join("back")).unwrap(), beans);
    }
    assert_eq!(ask(&["-X", "DELETE"], "/webdav/team/beans"), "204");
    assert_eq!(curl.served.count("PUT", "/gradle/{key}", 201), 0);
}
