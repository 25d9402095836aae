//! What counts of a source: where it comes from and what pins it.

use super::Reader;
use crate::model::{Archive, At, Git, Input, Local, Source, without_credentials};
use crate::plan::inputs::Answers;

pub(super) fn tell(reader: &mut impl Reader, source: Option<&Source>, answers: &Answers<'_>) {
    reader.open("source", usize::from(source.is_some()));
    match source {
        None => {}
        Some(Source::Archive(source)) => archive(reader, source),
        Some(Source::Local(source)) => local(reader, source, answers),
        Some(Source::Git(source)) => git(reader, source, answers),
    }
    reader.close();
}

/// Headers, credentials, retries and time-outs do not count: the checksum pins the content.
fn archive(reader: &mut impl Reader, source: &Archive) {
    let mut checksums: Vec<_> = source.checksums.iter().collect();
    checksums.sort();
    reader.open("url", 4);
    reader.text("url", &without_credentials(&source.url));
    reader.open("checksums", checksums.len());
    checksums.iter().for_each(|(algorithm, hex)| reader.text(algorithm.name(), hex));
    reader.close();
    reader.number("strip", source.strip as u64);
    reader.optional("format", source.format.map(|format| format.name().as_bytes()));
    reader.close();
}

/// The path does not count: the content does.
fn local(reader: &mut impl Reader, source: &Local, answers: &Answers<'_>) {
    let input = Input::Tree { path: source.path.clone(), excludes: source.excludes.clone() };
    reader.open("local", 1);
    reader.text("content", answers.get(&input));
    reader.close();
}

fn git(reader: &mut impl Reader, source: &Git, answers: &Answers<'_>) {
    let commit = match &source.at {
        At::Commit(commit) => commit.to_ascii_lowercase(),
        At::Reference(reference) => {
            let input = Input::GitReference { url: source.url.clone(), reference: reference.clone() };
            answers.get(&input).to_ascii_lowercase()
        }
        At::Nothing => String::new(),
    };
    reader.open("git", 3);
    reader.text("url", &without_credentials(&source.url));
    reader.text("commit", &commit);
    reader.flag("submodules", source.submodules);
    reader.close();
}
