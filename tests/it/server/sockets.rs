//! Sockets: TLS with good and bad certificates, Unix sockets, and what systemd hands over.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

use super::client::Request;
use super::program::Program;

/// An authority of our own, and what it has signed, as PEM files.
struct Authority {
    dir: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(dir.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { dir, issuer }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Signs a certificate for this machine, `name.pem` with `name.key`.
    fn sign(&self, name: &str, until: i32) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    fn serve(&self, dir: &Path, name: &str, more: &[&str]) -> Program {
        let (cert, key) = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        let mut args = vec!["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
        args.extend(more);
        Program::start(dir, &args)
    }
}

/// Asks by `curl`, which knows TLS.
fn curl(program: &Program, args: &[&str]) -> Output {
    let url = format!("https://{}/healthz", program.address);
    Command::new("curl").args(["-sS", "--max-time", "60"]).args(args).arg(url).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_certificate_is_shown_and_judged() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    authority.sign("good", 2099);
    authority.sign("expired", 2002);
    let ca = authority.path("ca.pem");
    let trusted = ["--cacert", ca.to_str().unwrap()];
    let program = authority.serve(dir.path(), "good", &[]);
    assert_eq!(text(&curl(&program, &trusted)), "ok\n");
    assert_eq!(text(&curl(&program, &["--http2", trusted[0], trusted[1]])), "ok\n");
    assert!(text(&curl(&program, &[])).contains("certificate"), "an unknown authority");
    let expired = curl(&authority.serve(dir.path(), "expired", &[]), &trusted);
    assert!(text(&expired).contains("expired"), "{}", text(&expired));
}

#[test]
fn clients_show_certificates_where_that_is_asked() {
    let (authority, other, dir) = (Authority::new(), Authority::new(), tempfile::tempdir().unwrap());
    authority.sign("server", 2099);
    authority.sign("client", 2099);
    authority.sign("expired", 2002);
    other.sign("stranger", 2099);
    let ca = authority.path("ca.pem");
    let program = authority.serve(dir.path(), "server", &["--tls-client-ca", ca.to_str().unwrap()]);
    let ask = |by: &Authority, name: &str| {
        let (cert, key) = (by.path(&format!("{name}.pem")), by.path(&format!("{name}.key")));
        let args = ["--cacert", ca.to_str().unwrap(), "--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap()];
        curl(&program, &args).status.success()
    };
    assert!(ask(&authority, "client"));
    assert!(!ask(&authority, "expired") && !ask(&other, "stranger"));
    assert!(!curl(&program, &["--cacert", ca.to_str().unwrap()]).status.success(), "without any");
    assert!(ask(&authority, "client"), "the server goes on");
}

#[test]
fn a_new_certificate_is_used_once_it_fits_its_key() {
    let (old, new, dir) = (Authority::new(), Authority::new(), tempfile::tempdir().unwrap());
    old.sign("server", 2099);
    new.sign("server", 2099);
    let mut program = old.serve(dir.path(), "server", &[]);
    let trusts = |by: &Authority, program: &Program| {
        curl(program, &["--cacert", by.path("ca.pem").to_str().unwrap()]).status.success()
    };
    assert!(trusts(&old, &program) && !trusts(&new, &program));
    fs::copy(new.path("server.key"), old.path("server.key")).unwrap();
    assert!(trusts(&old, &program), "half of it is new");
    program.says("tls: the old certificate is used, since the new one cannot be: ");
    fs::copy(new.path("server.pem"), old.path("server.pem")).unwrap();
    assert!(trusts(&new, &program) && !trusts(&old, &program));
    program.says("tls: a new certificate is used");
    fs::remove_file(old.path("server.pem")).unwrap();
    assert!(trusts(&new, &program), "it goes on with what it has");
}

#[test]
fn files_that_are_no_certificates_are_named() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    authority.sign("good", 2099);
    let (cert, empty) = (authority.path("good.pem"), authority.path("empty.pem"));
    fs::write(&empty, "nothing").unwrap();
    for (cert, key) in [(&empty, &authority.path("good.key")), (&cert, &empty), (&cert, &cert)] {
        let output = Command::new(env!("CARGO_BIN_EXE_cortado"))
            .arg("serve")
            .arg(dir.path())
            .args(["--listen", "127.0.0.1:0", "--tls-cert"])
            .arg(cert)
            .arg("--tls-key")
            .arg(key)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains("it is a PEM file with"), "{}", text(&output));
    }
}

#[test]
fn a_unix_socket_is_served_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("socket");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let mut program = Program::start(&dir.path().join("store"), &["--unix", socket.to_str().unwrap()]);
    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    program.signal(rustix::process::Signal::TERM);
    program.says("stopped");
    program.child.wait().unwrap();
    assert!(!socket.exists());
}

#[test]
fn a_supervisor_is_told_when_it_serves() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let notify = UnixDatagram::bind(&path).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cortado"));
    let program = Program::start_by(command.env("NOTIFY_SOCKET", &path), &dir.path().join("store"), &[]);
    let hear = || {
        let mut text = [0; 64];
        let length = notify.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    assert_eq!(hear(), "READY=1");
    assert_eq!(Request::new("GET", "/healthz").send(program.address).status, 200);
    program.signal(rustix::process::Signal::TERM);
    assert_eq!(hear(), "STOPPING=1");
}

#[test]
fn a_socket_that_was_handed_over_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // The shell puts the socket where systemd would, and tells the number of the process that it becomes.
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" serve \"$1\""]);
    shell.arg(env!("CARGO_BIN_EXE_cortado")).arg(dir.path()).stdin(Stdio::from(std::os::fd::OwnedFd::from(listener)));
    let mut child = shell.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert_eq!(Request::new("GET", "/healthz").send(address).status, 200);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_server_without_a_guard_says_so_loudly() {
    let dir = tempfile::tempdir().unwrap();
    let users = dir.path().join("users");
    fs::write(&users, "").unwrap();
    let store = dir.path().join("store");
    let mut open = Program::start(&store, &["--listen", "0.0.0.0:0"]);
    open.says("WARNING: everybody who can reach this address may read, write and remove artifacts.");
    let mut guarded = Program::start(&store, &["--listen", "0.0.0.0:0", "--htpasswd", users.to_str().unwrap()]);
    guarded.signal(rustix::process::Signal::TERM);
    assert!(!guarded.says("stopped").contains("WARNING"));
}
