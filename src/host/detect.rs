//! Looks at the machine and fills in a [`Platform`].
//!
//! Everything is read from files below a root directory, so a container's tree or a test's can be looked at like the
//! machine itself, and nothing is run. What cannot be found out stays empty: a recipe that needs it says so itself.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::model::{Cpu, Distribution, Kernel, Platform};

mod libc;

/// Bytes that `/proc/cpuinfo` of a small machine fits into.
const TYPICAL: usize = 8192;

/// The platform of the system whose files are below `root`: `/` for this machine.
pub fn detect(root: &Path) -> Platform {
    let read = |path: &str| text(&root.join(path)).unwrap_or_default();
    // https://www.freedesktop.org/software/systemd/man/latest/os-release.html
    let releases = ["etc/os-release", "usr/lib/os-release"].map(|path| distribution(&read(path)));
    Platform {
        distribution: releases.into_iter().find(|release| !release.name.is_empty()).unwrap_or_default(),
        kernel: kernel(&|path| read(path).trim().to_owned()),
        cpu: cpu(&read("proc/cpuinfo")),
        memory: memory(&read("proc/meminfo")),
        ..detect_key(root)
    }
}

/// Of the platform only what counts into keys; a plan needs no more.
pub(crate) fn detect_key(root: &Path) -> Platform {
    Platform {
        os: std::env::consts::OS.to_owned(),
        architecture: std::env::consts::ARCH.to_owned(),
        libc: libc::libc(root),
        ..Platform::default()
    }
}

/// A small file. Those of `/proc` have no size, by which a reader would know how much to ask for at once.
fn text(path: &Path) -> Option<String> {
    let mut text = Vec::with_capacity(TYPICAL);
    File::open(path).ok()?.read_to_end(&mut text).ok()?;
    String::from_utf8(text).ok()
}

fn kernel(read: &dyn Fn(&str) -> String) -> Kernel {
    let machine = read("proc/sys/kernel/arch"); // Linux 6.1 and later
    Kernel {
        name: read("proc/sys/kernel/ostype"),
        release: read("proc/sys/kernel/osrelease"),
        version: read("proc/sys/kernel/version"),
        machine: if machine.is_empty() { std::env::consts::ARCH.to_owned() } else { machine },
    }
}

/// Reads an `os-release` file.
fn distribution(text: &str) -> Distribution {
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
        unquote(value.unwrap_or_default())
    };
    let name = field("ID");
    let family = family(&name, &field("ID_LIKE"));
    Distribution { family, version: field("VERSION_ID"), name }
}

/// The value of a shell assignment; `os-release` allows no more than quotes and backslashes.
fn unquote(value: &str) -> String {
    let value = value.trim();
    let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    let mut chars = quoted.unwrap_or(value).chars();
    let mut text = String::new();
    while let Some(char) = chars.next() {
        text.extend(if char == '\\' { chars.next() } else { Some(char) });
    }
    text
}

/// The family of a distribution, by its own name or else by what it says it is like, nearest first.
fn family(name: &str, like: &str) -> String {
    let known = |name: &str| match name {
        "debian" | "ubuntu" => Some("debian"),
        "rhel" | "centos" | "rocky" | "almalinux" | "ol" | "scientific" => Some("rhel"),
        "fedora" => Some("fedora"),
        "arch" | "archarm" => Some("arch"),
        "alpine" => Some("alpine"),
        "suse" | "sles" | "sled" => Some("suse"),
        _ if name.starts_with("opensuse") => Some("suse"),
        _ => None,
    };
    let mut names = std::iter::once(name).chain(like.split_whitespace());
    names.find_map(known).unwrap_or(name).to_owned()
}

/// Reads `/proc/cpuinfo`. What it does not tell (on ARM, no sockets) stays 0.
fn cpu(cpuinfo: &str) -> Cpu {
    let values = |name: &'static str| cpuinfo.lines().filter_map(move |line| value(line, name));
    let number = |name: &'static str| values(name).next().and_then(|text| text.parse().ok()).unwrap_or(0_usize);
    let cores_per_socket = number("cpu cores");
    Cpu {
        count: std::thread::available_parallelism().map_or(1, usize::from),
        sockets: values("physical id").collect::<BTreeSet<_>>().len(),
        cores_per_socket,
        threads_per_core: number("siblings").checked_div(cores_per_socket).unwrap_or(0),
    }
}

/// Reads `/proc/meminfo`.
fn memory(meminfo: &str) -> u64 {
    let total = meminfo.lines().find_map(|line| value(line, "MemTotal")).unwrap_or_default();
    let kibibytes: u64 = total.trim_end_matches("kB").trim().parse().unwrap_or(0);
    kibibytes.saturating_mul(1024)
}

/// The value of a line `NAME : VALUE`.
fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = line.split_once(':')?;
    (found.trim() == name).then(|| value.trim())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn facts(os_release: &str) -> [String; 3] {
        let Distribution { name, family, version } = distribution(os_release);
        [name, family, version]
    }

    #[test]
    fn distributions_are_known_by_their_os_release() {
        let debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n\
                      VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n";
        let ubuntu = "NAME=\"Ubuntu\"\nVERSION_ID=\"24.04\"\nID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=noble\n";
        let fedora = "NAME=\"Fedora Linux\"\nVERSION=\"41 (Container Image)\"\nID=fedora\nVERSION_ID=41\n";
        let rhel = "NAME=\"Red Hat Enterprise Linux\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"9.4\"\n";
        let rocky = "NAME=\"Rocky Linux\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.4\"\n";
        let alpine = "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.3\n";
        let arch = "NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n";
        let leap = "NAME=\"openSUSE Leap\"\nVERSION_ID=\"15.6\"\nID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n";
        assert_eq!(facts(debian), ["debian", "debian", "12"]);
        assert_eq!(facts(ubuntu), ["ubuntu", "debian", "24.04"]);
        assert_eq!(facts(fedora), ["fedora", "fedora", "41"]);
        assert_eq!(facts(rhel), ["rhel", "rhel", "9.4"]);
        assert_eq!(facts(rocky), ["rocky", "rhel", "9.4"]);
        assert_eq!(facts(alpine), ["alpine", "alpine", "3.20.3"]);
        assert_eq!(facts(arch), ["arch", "arch", ""]);
        assert_eq!(facts(leap), ["opensuse-leap", "suse", "15.6"]);
    }

    #[test]
    fn an_unknown_distribution_belongs_to_what_it_is_like_or_to_itself() {
        assert_eq!(
            facts("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID='21.3'\n"),
            ["linuxmint", "debian", "21.3"]
        );
        assert_eq!(facts("ID=nixos\n"), ["nixos", "nixos", ""]);
        assert_eq!(facts("no os-release at all"), ["", "", ""]);
    }

    #[test]
    fn quotes_and_backslashes_are_the_shells() {
        assert_eq!(unquote(r#""a \"b\" \$c""#), r#"a "b" $c"#);
        assert_eq!(unquote("'a b'"), "a b");
        assert_eq!(unquote("\""), "\"");
    }

    #[test]
    fn processors_and_memory_are_read_from_proc() {
        let one = "processor\t: 0\nphysical id\t: 0\nsiblings\t: 16\ncpu cores\t: 8\n";
        let found = cpu(&format!("{one}\n{}", one.replace("physical id\t: 0", "physical id\t: 1")));
        assert_eq!((found.sockets, found.cores_per_socket, found.threads_per_core), (2, 8, 2));
        assert!(found.count >= 1);
        let arm = cpu("processor\t: 0\nBogoMIPS\t: 50.00\n");
        assert_eq!((arm.sockets, arm.cores_per_socket, arm.threads_per_core), (0, 0, 0));
        assert_eq!(memory("MemTotal:       16384 kB\nMemFree: 1 kB\n"), 16 << 20);
        assert_eq!(memory(""), 0);
    }

    #[test]
    fn a_tree_is_looked_at_like_a_machine() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, content: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        };
        write("usr/lib/os-release", "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n");
        write("usr/lib/x86_64-linux-gnu/libc.so.6", "GNU C Library (Ubuntu) stable release version 2.39.\n");
        write("lib/ld-musl-x86_64.so.1", "musl libc (x86_64)\0\x31.2.4\0");
        write("proc/sys/kernel/osrelease", "6.8.0-45-generic\n");
        let platform = detect(root.path());
        assert!(platform.ubuntu());
        assert_eq!((platform.libc.family.as_str(), platform.libc.version.as_str()), ("glibc", "2.39"));
        assert_eq!(platform.kernel.release, "6.8.0-45-generic");
        fs::remove_dir_all(root.path().join("usr/lib/x86_64-linux-gnu")).unwrap();
        assert_eq!(detect(root.path()).libc.family, "musl");
    }

    #[test]
    fn an_empty_tree_leaves_everything_unknown_but_what_is_built_in() {
        let root = tempfile::tempdir().unwrap();
        let platform = detect(root.path());
        assert_eq!((platform.libc, platform.distribution), Default::default());
        assert_eq!(platform.os, std::env::consts::OS);
    }
}
