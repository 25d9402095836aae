//! Users: who may do what, and how often somebody may guess.

use std::fs;
use std::sync::Barrier;
use std::thread;

use super::client::Request;
use super::served::Served;

/// The password of all: `espresso`.
pub(super) const APR1: &str = "$apr1$r31xyzAB$Y06M2WUVxtJafDnRSxFf0.";

pub(super) fn basic(user: &str, password: &str) -> String {
    use std::io::Write;
    let text = format!("{user}:{password}");
    let mut child = std::process::Command::new("base64")
        .args(["-w", "0"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    format!("Basic {}", String::from_utf8(output.stdout).unwrap())
}

fn request(method: &str, name: &str, user: &str) -> Request {
    let request =
        Request::new(method, &format!("/v1/artifacts/{name}")).header("Authorization", basic(user, "espresso"));
    if method == "PUT" { request.body("beans") } else { request }
}

fn line(user: &str, rights: &str) -> String {
    format!("{user}:{APR1}{rights}")
}

#[test]
fn everybody_may_do_what_their_role_says() {
    let lines = [line("reader", ":reader"), line("writer", ""), line("admin", ":reader,artifacts=admin")];
    let served = Served::guarded(&lines, |_| {});
    let status = |method: &str, user: &str| served.send(&request(method, "a", user)).status;
    assert_eq!((status("PUT", "reader"), status("DELETE", "writer"), status("PUT", "writer")), (403, 403, 201));
    assert_eq!((status("GET", "reader"), status("GET", "writer"), status("GET", "admin")), (200, 200, 200));
    let replace =
        |user: &str| served.send(&request("PUT", "a", user).header("Cortado-Replace", "true").body("bones")).status;
    assert_eq!((replace("writer"), replace("admin"), status("DELETE", "admin")), (403, 201, 204));
}

#[test]
fn who_put_an_object_is_who_they_proved_to_be() {
    let served = Served::guarded(&[line("ci", "")], |_| {});
    let put = request("PUT", "a", "ci").header("Cortado-Writer", "root").header("Cortado-Task", "zlib");
    assert_eq!(served.send(&put).status, 201);
    let head = served.send(&request("HEAD", "a", "ci"));
    assert_eq!((head.header("cortado-writer"), head.header("cortado-task")), (Some("ci"), Some("zlib")));
}

#[test]
fn a_changed_file_counts_at_once() {
    let served = Served::guarded(&[line("anna", "")], |_| {});
    let status = |user: &str| served.send(&request("GET", "a", user)).status;
    assert_eq!((status("anna"), status("bert")), (404, 401));
    fs::write(served.dir.path().join("users"), line("bert", ":reader")).unwrap();
    assert_eq!((status("anna"), status("bert")), (401, 404));
    fs::remove_file(served.dir.path().join("users")).unwrap();
    assert_eq!((status("anna"), status("bert")), (401, 401));
    fs::write(served.dir.path().join("users"), line("anna", "")).unwrap();
    assert_eq!(status("anna"), 404);
}

#[test]
fn a_bad_line_harms_no_other() {
    let served = Served::guarded(&["nonsense".to_owned(), "x:plain".to_owned(), line("anna", "")], |_| {});
    assert_eq!(served.send(&request("GET", "a", "anna")).status, 404);
    let told = served.events().join("\n");
    assert!(told.contains("line 1: there is no `:` in it") && told.contains("line 2: the password is not"), "{told}");
}

#[test]
fn strangers_may_read_where_that_is_said() {
    let served = Served::guarded(&[line("anna", "")], |options| options.anonymous_read = true);
    assert_eq!(served.send(&request("PUT", "a", "anna")).status, 201);
    assert_eq!(served.get("a").status, 200);
    let put = served.put("b", "beans");
    assert_eq!((put.status, put.header("www-authenticate").is_some()), (401, true));
    let wrong = Request::new("GET", "/v1/artifacts/a").header("Authorization", basic("anna", "wrong"));
    assert_eq!(served.send(&wrong).status, 401, "who says something wrong is not taken for nobody");
}

#[test]
fn nobody_guesses_for_long() {
    let served = Served::guarded(&[line("anna", "")], |_| {});
    assert_eq!(served.send(&request("GET", "a", "anna")).status, 404);
    let guess = |n: usize| Request::new("GET", "/healthz").header("Authorization", format!("Bearer guess{n}"));
    let statuses: Vec<_> = (0..25).map(|n| served.send(&guess(n)).status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 20);
    let blocked = served.send(&guess(99));
    assert_eq!((blocked.status, blocked.header("retry-after").is_some()), (429, true));
    assert_eq!(served.send(&request("GET", "a", "anna")).status, 404, "who has logged in goes on");
}

#[test]
fn nobody_guesses_more_by_guessing_all_at_once() {
    let served = Served::guarded(&[line("anna", "")], |_| {});
    let start = Barrier::new(60);
    let guess = |n: usize| {
        start.wait();
        served
            .send(&Request::new("GET", "/healthz").header("Authorization", basic("anna", &format!("guess{n}"))))
            .status
    };
    let guess = &guess;
    let statuses: Vec<_> = thread::scope(|scope| {
        let guesses: Vec<_> = (0..60).map(|n| scope.spawn(move || guess(n))).collect();
        guesses.into_iter().map(|guess| guess.join().unwrap()).collect()
    });
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    // Two are verified at once.
    assert!((20..=21).contains(&count(401)) && count(401) + count(429) == 60, "{statuses:?}");
}

#[test]
fn nobody_takes_all_the_time() {
    let served = Served::with(|options| options.max_rate = Some(3));
    let statuses: Vec<_> = (0..20).map(|_| served.get("a").status).collect();
    assert!(statuses.starts_with(&[404, 404, 404, 429]), "{statuses:?}");
}

#[test]
fn read_only_holds_for_everybody() {
    let served = Served::with(|options| options.read_only = true);
    assert_eq!((served.put("a", "beans").status, served.get("a").status), (403, 404));
    assert_eq!(served.send(&Request::new("DELETE", "/v1/artifacts/a")).detail(), "this server is read-only");
}

#[test]
fn no_secret_is_told() {
    let served = Served::guarded(&[line("anna", "")], |_| {});
    served.send(&request("GET", "a?token=espresso", "anna"));
    served.send(&Request::new("GET", "/healthz").header("Authorization", "Bearer espresso"));
    let told = served.events().join("\n");
    assert!(told.contains("anna") && !told.contains("espresso") && !told.contains("apr1"), "{told}");
}
