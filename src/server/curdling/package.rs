//! A package, as the name of its file tells it: `zlib-1.3-py3-none-any.whl`.

use super::version::Version;

/// The longest name of a file, in bytes.
const LONGEST: usize = 200;

/// Ends of files that have two parts.
const DOUBLE: [&str; 4] = ["tar.gz", "tar.bz2", "tar.xz", "tar.Z"];

/// What the name of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct Package {
    /// The file.
    pub(in crate::server) file: String,
    /// The name of the package, as PEP 503 writes it: `my-pkg` for `My_Pkg`.
    pub(in crate::server) name: String,
    pub(in crate::server) version: Version,
    /// The end of the file's name: `whl`, `tar.gz`.
    pub(in crate::server) ending: String,
    /// For a wheel, whether it runs on every platform.
    is_for_all: bool,
}

impl Package {
    /// Reads the name of a file; `None` when it is no package's. What a store cannot name, or a shell may misunderstand, is
    /// none either.
    pub(super) fn parse(file: &str) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._+-!".contains(c);
        if !file.starts_with(|c: char| c.is_ascii_alphanumeric()) || file.len() > LONGEST || !file.chars().all(is_plain)
        {
            return None;
        }
        let (stem, ending) = split(file)?;
        let (name, version, is_for_all) = match ending {
            "whl" => wheel(stem)?,
            "egg" | "exe" => built(stem).map(|(name, version)| (name, version, false))?,
            _ => source(stem).map(|(name, version)| (name, version, true))?,
        };
        let name = normal(name).filter(|name| !name.is_empty())?;
        let (file, ending) = (file.to_owned(), ending.to_owned());
        Some(Self { file, name, version, ending, is_for_all })
    }

    /// Whether it has a format: the whole end of its name, or the last part of it, as `gz`.
    pub(super) fn has_format(&self, format: &str) -> bool {
        self.ending == format || self.ending.rsplit('.').next() == Some(format)
    }

    /// The order of the files of a version: what installs quickest comes first, and what runs everywhere before what does not.
    pub(super) fn preference(&self) -> impl Ord + '_ {
        (self.ending != "whl", !self.is_for_all, &self.file)
    }
}

/// A name as PEP 503 writes it; `None` for what is no name.
pub(super) fn normal(name: &str) -> Option<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let whole = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_name);
    let words = name.split(['.', '_', '-']).filter(|word| !word.is_empty());
    whole.then(|| words.collect::<Vec<_>>().join("-").to_ascii_lowercase())
}

/// The end of a file's name, which has a letter: `1.0` has none.
fn split(file: &str) -> Option<(&str, &str)> {
    let double = DOUBLE.into_iter().find_map(|ending| Some((file.strip_suffix(ending)?.strip_suffix('.')?, ending)));
    let (stem, ending) = double.or_else(|| file.rsplit_once('.'))?;
    let begins = ending.starts_with(|c: char| c.is_ascii_alphabetic());
    (begins && ending.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')).then_some((stem, ending))
}

/// `name-version[-build]-python-abi-platform`, where no part has a `-` (PEP 427). There are old ones whose name has.
fn wheel(stem: &str) -> Option<(&str, Version, bool)> {
    let mut parts = stem.rsplitn(4, '-');
    let (platform, abi, python, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (name, version) = match rest.split('-').collect::<Vec<_>>().as_slice() {
        [name, version] | [name, version, _] if Version::new(version).is_known() => (*name, Version::new(version)),
        _ => source(rest)?,
    };
    let is_whole = ![platform, abi, python, name].contains(&"");
    is_whole.then_some((name, version, platform == "any"))
}

/// `name-version[.platform][-pyX.Y[-platform]]`, as `bdist_egg`, `bdist_dumb` and `bdist_wininst` write it.
fn built(stem: &str) -> Option<(&str, Version)> {
    let platforms = ["-py", ".win", ".linux", ".macosx"];
    let end = platforms.iter().filter_map(|platform| stem.find(platform)).min();
    source(stem.get(..end.unwrap_or(stem.len()))?)
}

/// `name-version`, where both may have a `-`: the version begins where all that follows is one. One that is not of PEP 440
/// begins at the last `-` with a digit behind it.
fn source(stem: &str) -> Option<(&str, Version)> {
    let dashes: Vec<_> =
        stem.match_indices('-').filter_map(|(at, _)| Some((stem.get(..at)?, stem.get(at + 1..)?))).collect();
    let known =
        dashes.iter().map(|(name, version)| (*name, Version::new(version))).find(|(_, version)| version.is_known());
    let begins = |version: &str| version.starts_with(|c: char| c.is_ascii_digit());
    known.or_else(|| {
        dashes.iter().rfind(|(_, version)| begins(version)).map(|(name, version)| (*name, Version::new(version)))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(file: &str) -> Option<(String, String, String)> {
        Package::parse(file).map(|package| (package.name, package.version.to_string(), package.ending))
    }

    #[test]
    fn names_versions_and_formats_are_told() {
        for (file, name, version, ending) in [
            ("zpk-2.0b1.tar.gz", "zpk", "2.0b1", "tar.gz"),
            ("my_pkg-1.0.post1-py3-none-any.whl", "my-pkg", "1.0.post1", "whl"),
            ("My.Pkg-1.0-1-cp27-none-linux_x86_64.whl", "my-pkg", "1.0", "whl"),
            ("cupping-form-1.10-py3-none-any.whl", "cupping-form", "1.10", "whl"),
            ("AA-0.1.zip", "aa", "0.1", "zip"),
            ("my-pkg-2-1.0.tar.bz2", "my-pkg-2", "1.0", "tar.bz2"),
            ("curdling-0.3.egg", "curdling", "0.3", "egg"),
            ("distlib-0.1.2-py2.7-linux-x86_64.egg", "distlib", "0.1.2", "egg"),
            ("gevent-1.0.win32-py2.7.exe", "gevent", "1.0", "exe"),
            ("pkg-1!2.0+local.1.tar.gz", "pkg", "1!2.0+local.1", "tar.gz"),
            ("beans-2013-spring.tar", "beans", "2013-spring", "tar"),
        ] {
            assert_eq!(read(file), Some((name.into(), version.into(), ending.into())), "{file}");
        }
    }

    #[test]
    fn what_is_no_package_is_told_apart() {
        let long = format!("{}-1.0.tar.gz", "x".repeat(200));
        for bad in [
            "",
            "beans",
            "beans.tar.gz",
            "beans-1.0",
            "-1.0.tar.gz",
            "a-1.0-any.whl",
            ".hidden-1.0.zip",
            "../a-1.0.zip",
            "a/b-1.0.zip",
            "a b-1.0.zip",
            "a-1.0.z\0p",
            "ä-1.0.zip",
            "a~-1.0.zip",
            "a--py3-none-any.whl",
            "a+b-1.0.zip",
            &long,
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn wheels_come_first_and_those_for_all_before_others() {
        let mut files = ["a-1.tar.gz", "a-1-cp39-cp39-macosx_11_0_arm64.whl", "a-1-py3-none-any.whl", "a-1.zip"]
            .map(|file| Package::parse(file).unwrap());
        files.sort_by(|one, other| one.preference().cmp(&other.preference()));
        let names: Vec<_> = files.iter().map(|package| package.file.as_str()).collect();
        assert_eq!(names, ["a-1-py3-none-any.whl", "a-1-cp39-cp39-macosx_11_0_arm64.whl", "a-1.tar.gz", "a-1.zip"]);
    }

    proptest! {
        #[test]
        fn nothing_is_read_into_a_name_that_is_not_there(file in "[A-Za-z0-9._+!-]{0,40}|\\PC{0,40}") {
            if let Some(package) = Package::parse(&file) {
                prop_assert!(file.ends_with(&package.ending) && file.contains(&package.version.to_string()));
                prop_assert_eq!(normal(&package.name), Some(package.name.clone()));
            }
        }
    }
}
