//! The platform: what a recipe may ask about the machine, and the few of these facts that count into a key.
//!
//! It is a value like any other: `host` fills it in by looking, tests and cross builds by saying.

/// A machine and the system on it.
///
/// What is not known is empty, or 0 where it is a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Platform {
    /// The operating system: `linux`, `macos`.
    pub os: String,
    /// The instruction set that programs are built for, as Rust names it: `x86_64`, `aarch64`.
    pub architecture: String,
    /// The C library that programs are linked to.
    pub libc: Libc,
    /// The distribution.
    pub distribution: Distribution,
    /// The kernel, as `uname` tells it.
    pub kernel: Kernel,
    /// The processors.
    pub cpu: Cpu,
    /// Main memory in bytes.
    pub memory: u64,
}

/// A C library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Libc {
    /// `glibc` or `musl`.
    pub family: String,
    /// Its version: `2.36`, `1.2.5`.
    pub version: String,
}

/// A distribution, as its `/etc/os-release` tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Distribution {
    /// `debian`, `ubuntu`, `fedora`, `rocky`.
    pub name: String,
    /// What it descends from: `debian`, `rhel`, `fedora`, `suse`, `arch`, `alpine`; its own name where that is not known.
    pub family: String,
    /// `12`, `24.04`, `9.4`; empty for rolling releases.
    pub version: String,
}

/// A kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kernel {
    /// `Linux`.
    pub name: String,
    /// `6.1.0-31-amd64`.
    pub release: String,
    /// `#1 SMP PREEMPT_DYNAMIC Debian 6.1.128-1 (2025-02-07)`.
    pub version: String,
    /// The hardware's name, where a kernel may differ from its programs: `x86_64`.
    pub machine: String,
}

/// The processors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cpu {
    /// How many threads can run at once, within the limits set for this process.
    pub count: usize,
    /// Sockets of the machine.
    pub sockets: usize,
    /// Cores on each socket.
    pub cores_per_socket: usize,
    /// Hardware threads on each core.
    pub threads_per_core: usize,
}

impl Platform {
    /// What counts into a key, labelled and in order. Artifacts of machines that differ in these do not fit each
    /// other; all else here may differ.
    pub fn key_fields(&self) -> [(&'static str, &str); 4] {
        [
            ("os", &self.os),
            ("architecture", &self.architecture),
            ("libc family", &self.libc.family),
            ("libc version", &self.libc.version),
        ]
    }

    /// The name that packages bear: `el` for the RHEL family, `sles` for the SUSE family, else the family.
    pub fn short_name(&self) -> &str {
        match self.distribution.family.as_str() {
            "rhel" => "el",
            "suse" => "sles",
            "" => &self.os,
            family => family,
        }
    }

    /// The number before the first dot of the distribution's version: `rhel() && major_version() == Some(9)`.
    pub fn major_version(&self) -> Option<u32> {
        self.distribution.version.split('.').next()?.parse().ok()
    }

    /// Linux, whichever distribution.
    pub fn linux(&self) -> bool {
        self.os == "linux"
    }

    /// macOS.
    pub fn macos(&self) -> bool {
        self.os == "macos"
    }

    /// Debian or a descendant, Ubuntu included.
    pub fn debian(&self) -> bool {
        self.distribution.family == "debian"
    }

    /// Ubuntu itself.
    pub fn ubuntu(&self) -> bool {
        self.distribution.name == "ubuntu"
    }

    /// Red Hat Enterprise Linux or a rebuild of it.
    pub fn rhel(&self) -> bool {
        self.distribution.family == "rhel"
    }

    /// Fedora or a descendant that is not of the RHEL family.
    pub fn fedora(&self) -> bool {
        self.distribution.family == "fedora"
    }

    /// SUSE Linux Enterprise, openSUSE or a descendant.
    pub fn suse(&self) -> bool {
        self.distribution.family == "suse"
    }

    /// Arch Linux or a descendant.
    pub fn arch(&self) -> bool {
        self.distribution.family == "arch"
    }

    /// Alpine Linux or a descendant.
    pub fn alpine(&self) -> bool {
        self.distribution.family == "alpine"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(name: &str, family: &str, version: &str) -> Platform {
        let distribution = Distribution { name: name.into(), family: family.into(), version: version.into() };
        let libc = Libc { family: "glibc".into(), version: "2.34".into() };
        Platform { os: "linux".into(), architecture: "x86_64".into(), libc, distribution, ..Platform::default() }
    }

    #[test]
    fn distributions_of_one_libc_share_their_keys() {
        let rocky = platform("rocky", "rhel", "9.4");
        assert_eq!(rocky.key_fields(), platform("debian", "debian", "12").key_fields());
        let names = rocky.key_fields().map(|(name, value)| format!("{name}={value}"));
        assert_eq!(names, ["os=linux", "architecture=x86_64", "libc family=glibc", "libc version=2.34"]);
    }

    #[test]
    fn packages_are_named_after_the_family() {
        assert_eq!(platform("rocky", "rhel", "9.4").short_name(), "el");
        assert_eq!(platform("opensuse-leap", "suse", "15.6").short_name(), "sles");
        assert_eq!(platform("ubuntu", "debian", "24.04").short_name(), "debian");
        assert_eq!(platform("", "", "").short_name(), "linux");
    }

    #[test]
    fn questions_are_about_the_family_except_for_ubuntu() {
        let ubuntu = platform("ubuntu", "debian", "24.04");
        assert!(ubuntu.debian() && ubuntu.ubuntu() && ubuntu.linux());
        assert!(!ubuntu.rhel() && !ubuntu.fedora() && !ubuntu.suse() && !ubuntu.arch() && !ubuntu.macos());
        assert!(!platform("debian", "debian", "12").ubuntu());
    }

    #[test]
    fn a_major_version_is_a_number_or_nothing() {
        assert_eq!(platform("rocky", "rhel", "9.4").major_version(), Some(9));
        assert_eq!(platform("arch", "arch", "").major_version(), None);
    }
}
