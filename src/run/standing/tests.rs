//! Whatever is not exactly what was kept is nothing.

use proptest::prelude::*;

use super::*;
use crate::model::Task;
use crate::plan::{Graph, Inputs};

/// A work directory with what was kept of these tasks, and the file in it.
fn kept(tasks: Vec<Task>, origin: &Origin) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let project = Project::new("shop").install_dir("/opt/shop").work_dir(dir.path()).tasks(tasks).build().unwrap();
    let graph = Graph::new(&project).unwrap();
    let mut inputs = Inputs::new("host");
    project.tasks().iter().flat_map(Task::all_inputs).for_each(|input| inputs.insert(input, "answer"));
    let plan = Plan::new(&graph, &graph.select(&[] as &[&str]).unwrap(), inputs).unwrap();
    keep(origin, &plan, Digest::of("summary")).unwrap();
    let path = WorkDir::look(dir.path()).standing(&origin.name);
    (dir, path)
}

fn read(dir: &tempfile::TempDir, key: &str) -> Option<Standing> {
    Standing::read(dir.path(), &Digest::of("name"), &Digest::of(key))
}

fn origin() -> Origin {
    let files = vec![("/shop/cortado.lua".into(), Digest::of("recipe"))];
    Origin { files, notes: vec!["a note".into()], ..Origin::new(Digest::of("name"), Digest::of("key")) }
}

fn zlib() -> Task {
    let task = Task::new("zlib").version("1").overrides("zlib").probe("cc --version").input("etc");
    task.source(crate::model::Source::local("src").exclude("*.o")).command("cp @{recipe_dir}/conf x")
}

#[test]
fn what_was_kept_is_read_under_its_key_alone() {
    let (dir, _) = kept(vec![zlib()], &origin());
    let standing = read(&dir, "key").unwrap();
    assert_eq!((standing.project().name(), standing.project().install_dir()), ("shop", Path::new("/opt/shop")));
    assert_eq!((standing.notes(), standing.summary), (&["a note".to_owned()][..], Digest::of("summary")));
    assert_eq!(standing.project().license_summary(), Path::new("/opt/shop/LICENSE"));
    assert!(standing.inputs.contains(&(Input::File("/shop/cortado.lua".into()), Digest::of("recipe").to_string())));
    assert_eq!(standing.inputs.len(), 1 + zlib().all_inputs().len());
    let [task] = standing.tasks.as_slice() else { panic!("{:?}", standing.tasks) };
    assert_eq!((task.name.as_str(), task.overrides.as_slice()), ("zlib", &["zlib".to_owned()][..]));
    assert_eq!(task.tag, format!("shop-zlib-{}", task.shasum));
    assert!(read(&dir, "another key").is_none());
}

#[test]
fn a_plan_with_a_branch_is_not_kept() {
    let git =
        Task::new("git").version("1").source(crate::model::Source::git("https://example.org/x.git").reference("main"));
    let (_dir, path) = kept(vec![git], &origin());
    assert!(!path.exists());
}

proptest! {
    #[test]
    fn a_file_with_any_bit_changed_or_byte_missing_is_nothing(place: prop::sample::Index, bit in 0..8u8) {
        let (dir, path) = kept(vec![zlib()], &origin());
        let whole = fs::read(&path).unwrap();
        let place = place.index(whole.len());
        fs::write(&path, &whole[..place]).unwrap();
        prop_assert!(read(&dir, "key").is_none());
        let mut harmed = whole;
        harmed[place] ^= 1 << bit;
        fs::write(&path, &harmed).unwrap();
        prop_assert!(read(&dir, "key").is_none());
    }

    #[test]
    fn any_content_is_read_without_harm(content: Vec<u8>) {
        let (dir, path) = kept(vec![zlib()], &origin());
        let content = [Digest::of("key").as_bytes(), &content[..]].concat();
        fs::write(&path, [HEADER, &frame(&content).unwrap()].concat()).unwrap();
        let _ = read(&dir, "key");
    }
}
