//! The worked example of `docs/key.md`: its dumps are the bytes that are hashed.

use cortado::Digest;

use super::golden;

const PAGE: &str = include_str!("../../../docs/key.md");

/// The bytes of each hex dump on the page: lines of an offset, up to sixteen bytes, and their characters.
fn dumps() -> Vec<Vec<u8>> {
    let blocks = PAGE.split("```hexdump\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.map(|block| block.lines().flat_map(bytes).collect()).collect()
}

fn bytes(line: &str) -> Vec<u8> {
    line[6..53].split_whitespace().map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn the_dumps_on_the_page_hash_to_the_key() {
    let [project, task] = dumps().try_into().unwrap();
    let project = Digest::of(project).to_string();
    let shasum = Digest::of(&task).to_string();
    assert!(task.ends_with(project.as_bytes()), "the task's record ends with the project's shasum");
    assert_eq!(golden::shasums(&golden::vector("the worked example"))["zlib"], shasum);
    assert!(PAGE.contains(&format!("`{project}`")) && PAGE.contains(&format!("`golden-zlib-{shasum}`")));
}
