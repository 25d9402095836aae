//! A place to unpack into, and what is to be refused there.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::super::*;
use crate::host::listing::Listing;

pub(super) const ARTIFACT: UnpackOptions = UnpackOptions {
    archive: "A",
    profile: Profile::Artifact,
    strip: 0,
    limits: Limits { entries: 1000, bytes: 1 << 24 },
};

pub(super) const SOURCE: UnpackOptions = UnpackOptions { profile: Profile::Source, strip: 1, ..ARTIFACT };

/// A directory to unpack into, with a sibling that nothing may touch.
pub(super) struct Place(pub(super) tempfile::TempDir);

impl Place {
    pub(super) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.dest()).unwrap();
        fs::write(place.outside(), "untouched").unwrap();
        place
    }

    pub(super) fn dest(&self) -> PathBuf {
        self.0.path().join("dest")
    }

    pub(super) fn outside(&self) -> PathBuf {
        self.0.path().join("outside")
    }

    pub(super) fn unpack(&self, tar: &[u8], options: &UnpackOptions) -> Result<Unpacked> {
        unpack(tar, &self.dest(), options)
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.dest().join(path)).unwrap()
    }

    pub(super) fn mode(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.dest().join(path)).unwrap().mode() & 0o7777
    }
}

/// What both profiles have to refuse, without a trace outside the directory.
pub(super) fn refusal(tar: &[u8]) -> String {
    let source = UnpackOptions { strip: 0, ..SOURCE };
    let texts = [&ARTIFACT, &source].map(|options| {
        let place = Place::new();
        let error = place.unpack(tar, options).unwrap_err().to_string();
        let names: Vec<_> = Listing::of(place.0.path()).unwrap().entries.into_iter().map(|entry| entry.path).collect();
        assert!(names.iter().all(|name| name.starts_with("dest") || name == "outside"), "{names:?}");
        assert_eq!(fs::read_to_string(place.outside()).unwrap(), "untouched");
        assert_eq!(fs::metadata(place.outside()).unwrap().nlink(), 1);
        error
    });
    assert_eq!(texts[0], texts[1]);
    for top in ["d", "d/e", "elsewhere"] {
        let place = Place::new();
        let error = extract(tar, Layout::below(&place.dest(), Path::new(top)), &ARTIFACT).map(drop).unwrap_err();
        assert_eq!(error.to_string(), texts[0], "from `{top}` down");
        let names: Vec<_> = fs::read_dir(place.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(names.iter().all(|name| name == "dest" || name == "outside"), "{names:?}");
        assert_eq!(fs::metadata(place.outside()).unwrap().nlink(), 1);
    }
    texts[0].strip_prefix("archive `A`: ").expect(&texts[0]).to_owned()
}

/// What only an artifact may not hold.
pub(super) fn artifact_refusal(tar: &[u8]) -> String {
    let error = Place::new().unpack(tar, &ARTIFACT).unwrap_err().to_string();
    for top in ["d", "d/e", "elsewhere"] {
        let place = Place::new();
        let narrow = extract(tar, Layout::below(&place.dest(), Path::new(top)), &ARTIFACT).map(drop).unwrap_err();
        assert_eq!(narrow.to_string(), error, "from `{top}` down");
    }
    error.strip_prefix("archive `A`: ").expect(&error).to_owned()
}
