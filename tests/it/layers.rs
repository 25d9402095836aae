//! The layers hold: no file imports from above or sideways, the library is silent, and a lean build is lean.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The layer of each folder or file of `src`; a file imports from lower layers or its own folder.
const LAYERS: [(&str, u8); 13] = [
    ("error", 0),
    ("text", 0),
    ("model", 1),
    ("plan", 2),
    ("host", 2),
    ("cache", 3),
    ("run", 4),
    ("config", 4),
    ("report", 5),
    ("package", 6),
    ("cli", 7),
    ("lua", 7),
    ("server", 7),
];

const LONGEST: usize = 500;

struct File {
    /// Its path below `src`, without `.rs`, as module names.
    module: Vec<String>,
    path: PathBuf,
    text: String,
}

impl File {
    /// The folder or file of `src` that it belongs to: `plan`, `error`.
    fn room(&self) -> &str {
        self.module.first().unwrap()
    }

    /// Its text line by line without comments and tests, which are free to look anywhere.
    fn code(&self) -> String {
        if self.module.iter().any(|name| name == "tests") {
            return String::new();
        }
        let product = self.text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
        product.lines().flat_map(|line| [code_of(line), "\n"]).collect()
    }

    /// Where in the file an offset into its code is.
    fn at(&self, offset: usize) -> String {
        let line = 1 + self.code().bytes().take(offset).filter(|byte| *byte == b'\n').count();
        format!("{}:{line}", self.path.display())
    }
}

/// A line without the comment at its end. Good enough for text that rustfmt has formatted.
fn code_of(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line.split(" // ").next().unwrap() }
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut dirs = vec![root.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => dirs.push(path),
                Some(ending) if ending == "rs" => files.push(read(&root, path)),
                _ => {}
            }
        }
    }
    assert!(files.len() > 20, "src has more files than that");
    files
}

fn read(root: &Path, path: PathBuf) -> File {
    let below = path.strip_prefix(root).unwrap().with_extension("");
    let names = below.iter().map(|name| name.to_str().unwrap().to_owned());
    File { module: names.filter(|name| name != "mod").collect(), text: fs::read_to_string(&path).unwrap(), path }
}

fn layer(room: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == room).map(|(_, layer)| *layer)
}

/// The rooms that code names, as `crate::room` or by `super` beyond its own folder, each with its offset.
fn rooms_named(file: &File, code: &str) -> Vec<(usize, String)> {
    let supers = "super::".repeat(file.module.len());
    let paths = ["crate::", &supers].into_iter().flat_map(|root| code.match_indices(root));
    let named = paths.flat_map(|(at, root)| {
        let rest = code.split_at(at + root.len()).1;
        first_words(rest).into_iter().map(move |word| (at, word))
    });
    named.filter(|(_, word)| word.starts_with(char::is_lowercase)).collect()
}

/// The first word of a path, or of each path of a `{…}` group, which may run over several lines.
fn first_words(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else { return vec![first_word(rest)] };
    let mut words = vec![first_word(group.trim_start())];
    let mut depth = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => words.push(first_word(group.split_at(at + 1).1.trim_start())),
            _ => {}
        }
    }
    words
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// What is wrong with importing `room` from `file`, if anything.
fn fault(file: &File, room: &str) -> Option<&'static str> {
    match (layer(file.room())?, layer(room)?) {
        _ if file.room() == room => None,
        // Everything that speaks to people speaks in one voice.
        (7, _) if room == "text" => None,
        // What a server is made of is public there, since few need it.
        (7, _) if (file.room(), room) == ("cli", "server") => None,
        (7, _) => Some("is not public, and a front end uses public names alone"),
        (0, 0) => None,
        (from, to) if to > from => Some("lies above"),
        (from, to) if to == from => Some("lies beside"),
        _ => None,
    }
}

#[test]
fn files_import_from_lower_layers_or_their_own_folder() {
    let mut faults = Vec::new();
    for file in files() {
        for (at, room) in rooms_named(&file, &file.code()) {
            faults.extend(fault(&file, &room).map(|fault| format!("{}: `{room}` {fault}", file.at(at))));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn imports_are_found_and_judged() {
    let faults = |module: &[&str], code: &str| {
        let module = module.iter().map(|name| (*name).to_owned()).collect();
        let file = File { module, path: PathBuf::new(), text: String::new() };
        rooms_named(&file, code).iter().filter_map(|(_, room)| fault(&file, room)).count()
    };
    assert_eq!(faults(&["model", "task"], "use crate::plan::Plan;"), 1);
    assert_eq!(faults(&["plan", "graph"], "use crate::host::fs;"), 1);
    assert_eq!(faults(&["host", "fs"], "let plan: &crate::plan::Plan = x;"), 1);
    assert_eq!(faults(&["host", "fs"], "use super::super::plan::Plan;"), 1);
    assert_eq!(faults(&["cache"], "use super::run::{Executor};"), 1);
    assert_eq!(faults(&["cache", "store"], "use crate::{\n    error::{Error, Result},\n    run::Engine,\n};"), 1);
    assert_eq!(faults(&["cli", "build"], "use crate::model::Task;"), 1);
    assert_eq!(faults(&["cli", "build"], "use crate::lua::Recipe;"), 1);
    assert_eq!(faults(&["cli", "build"], "use crate::{Engine, Error, closures, command::Shell};"), 0);
    assert_eq!(faults(&["run", "engine"], "use crate::{cache::Store, host::fs, model::Task};"), 0);
    assert_eq!(faults(&["plan", "fields", "source"], "use super::super::reader::Reader;"), 0);
}

#[test]
fn tests_and_comments_are_not_code() {
    let text = "//! x\n#[cfg(test)]\nmod tests;\nuse a; // crate::b\n#[cfg(test)]\nmod tests {\n    use c;\n}\n";
    let file = |name: &str| File { module: vec![name.into()], path: "x".into(), text: text.into() };
    assert_eq!(
        file("plan").code().split_whitespace().collect::<Vec<_>>(),
        ["#[cfg(test)]", "mod", "tests;", "use", "a;"]
    );
    assert_eq!(file("plan").at(file("plan").code().find("use a").unwrap()), "x:4");
    assert_eq!(file("tests").code(), "");
}

#[test]
fn every_file_belongs_to_a_layer() {
    let strays: Vec<_> = files()
        .iter()
        .filter(|file| layer(file.room()).is_none() && !["lib", "main"].contains(&file.room()))
        .map(|file| file.path.display().to_string())
        .collect();
    assert!(strays.is_empty(), "add to LAYERS: {}", strays.join(", "));
}

#[test]
fn every_file_opens_with_what_it_is() {
    for file in files() {
        let opening = file.text.lines().next().unwrap();
        let says = opening.strip_prefix("//! ").is_some_and(|sentence| sentence.len() > 12);
        assert!(says, "{} opens with `{opening}`", file.path.display());
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    // Stories of one noun may be many.
    for file in files().into_iter().filter(|file| !file.path.ends_with("tests.rs")) {
        let lines = file.text.lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines: find its second noun", file.path.display());
    }
}

#[test]
fn only_the_cli_meets_the_terminal_and_the_environment() {
    const WORDS: [&str; 16] = [
        "println!",
        "eprintln!",
        "print!(",
        "dbg!",
        "io::stdin",
        "io::stdout",
        "io::stderr",
        "env::var",
        "env::args",
        "env::current_dir",
        "env::home_dir",
        "env::set_var",
        "env::temp_dir",
        "tempfile::tempdir()",
        "TempDir::new()",
        "NamedTempFile::new()",
    ];
    let mut faults = Vec::new();
    for file in files().into_iter().filter(|file| !["cli", "main"].contains(&file.room())) {
        let code = file.code();
        let found = WORDS.iter().flat_map(|word| code.match_indices(word));
        faults.extend(found.map(|(at, word)| format!("{}: `{word}` belongs into cli", file.at(at))));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_build_without_features_links_no_network_lua_or_terminal() {
    let heavy = ["tokio", "hyper", "ureq", "rustls", "ring", "mlua", "clap", "indicatif"];
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-e", "normal", "--no-default-features", "--prefix", "none", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("sha2"), "{tree}");
    let linked: Vec<_> = heavy.into_iter().filter(|name| names.contains(name)).collect();
    assert!(linked.is_empty(), "{linked:?}");
}
