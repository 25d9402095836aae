//! Callbacks written in Lua: what they see, what is told when they fail, and that slow ones overlap.

use std::path::Path;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use super::super::options::RecipeOptions;
use super::super::origin::tests::Rendezvous;
use super::super::recipe::Recipe;
use super::*;
use crate::model::Platform;

fn origin(dir: &Path, recipe: &str) -> Origin {
    std::fs::write(dir.join("cortado.lua"), recipe).unwrap();
    Origin {
        shown_dir: dir.to_owned(),
        dir: dir.canonicalize().unwrap(),
        name: "cortado.lua".to_owned(),
        options: RecipeOptions::default(),
        platform: Platform::default(),
        record: None,
        rendezvous: None,
    }
}

fn callbacks(dir: &Path, recipe: &str) -> Arc<dyn Callbacks> {
    Recipe::read(origin(dir, recipe)).unwrap().callbacks().unwrap()
}

fn cacher(dir: &Path) -> Cacher {
    Cacher::new("zlib", "shop-zlib-1", dir.join("scratch"), crate::cache::Trust::default())
}

fn artifact(dir: &Path) -> Artifact {
    let mut file = tempfile::NamedTempFile::new_in(dir).unwrap();
    std::io::Write::write_all(&mut file, b"packed").unwrap();
    Artifact::new(crate::cache::artifact::Inner {
        name: "zlib".into(),
        tag: "shop-zlib-1".into(),
        filename: "shop-zlib-1.tar.gz".into(),
        path: file.into_temp_path(),
        digest: crate::model::Digest::of("packed"),
        size: 6,
        provenance: crate::Provenance::new(),
        replace: false,
        remarks: crate::cache::remarks::Remarks::default(),
    })
}

/// Lets everyone go once `wanted` have come; says no if they do not come in time.
fn meeting(wanted: usize) -> Rendezvous {
    let (come, all_here) = (Mutex::new(0), Condvar::new());
    Rendezvous(Arc::new(move || {
        let mut here = come.lock().unwrap();
        *here += 1;
        all_here.notify_all();
        let waited = all_here.wait_timeout_while(here, Duration::from_secs(20), |here| *here < wanted).unwrap();
        !waited.1.timed_out()
    }))
}

#[test]
fn slow_callbacks_overlap() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = "local shop = project 'shop'\n\
                  shop:cache { fetch = function(cacher) return rendezvous() end,\n\
                  update = function(artifact) return rendezvous() end }";
    let origin = Origin { rendezvous: Some(meeting(3)), ..origin(dir.path(), recipe) };
    let callbacks = Recipe::read(origin).unwrap().callbacks().unwrap();
    let (cacher, artifact) = (cacher(dir.path()), artifact(dir.path()));
    std::thread::scope(|threads| {
        let calls = [
            threads.spawn(|| callbacks.fetch(&cacher).unwrap()),
            threads.spawn(|| callbacks.fetch(&cacher).unwrap()),
            threads.spawn(|| callbacks.update(&artifact).unwrap()),
        ];
        assert!(calls.into_iter().all(|call| call.join().unwrap()), "each call waits until all three are running");
    });
}

#[test]
fn a_thread_is_used_again_and_keeps_its_state() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = "local shop = project 'shop' local calls = 0\n\
                  shop:cache { fetch = function(cacher) calls = calls + 1 return calls == 2 end }";
    let callbacks = callbacks(dir.path(), recipe);
    let answers: Vec<_> = (0..3).map(|_| callbacks.fetch(&cacher(dir.path())).unwrap()).collect();
    assert_eq!(answers, [false, true, false]);
}

#[test]
fn callbacks_see_what_they_are_handed() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = "local shop = project 'shop'\n\
        shop:cache {\n\
          fetch = function(cacher)\n\
            assert(cacher.name == 'zlib' and cacher.tag == 'shop-zlib-1' and cacher.filename == 'shop-zlib-1.tar.gz')\n\
            return cacher:unpack('absent/' .. cacher.filename)\n\
          end,\n\
          update = function(artifact)\n\
            assert(artifact.name == 'zlib' and artifact.tag == 'shop-zlib-1' and artifact.size == 6)\n\
            assert(#artifact.digest == 64 and #artifact.path > 0)\n\
            return artifact:copy_to('kept')\n\
          end,\n\
        }";
    let callbacks = callbacks(dir.path(), recipe);
    assert!(!callbacks.fetch(&cacher(dir.path())).unwrap());
    assert!(callbacks.update(&artifact(dir.path())).unwrap());
    assert_eq!(std::fs::read(dir.path().join("kept/shop-zlib-1.tar.gz")).unwrap(), b"packed");
}

#[test]
fn a_callback_that_is_not_given_is_a_miss() {
    let dir = tempfile::tempdir().unwrap();
    let callbacks = callbacks(dir.path(), "project 'shop' :cache { fetch = function() return true end }");
    assert!(!callbacks.update(&artifact(dir.path())).unwrap());
}

#[test]
fn mistakes_in_callbacks_come_with_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let told = |body: &str| {
        let recipe = format!("local shop = project 'shop'\nshop:cache {{ fetch = function(cacher)\n{body}\nend }}");
        let error = callbacks(dir.path(), &recipe).fetch(&cacher(dir.path())).unwrap_err();
        format!("{error:#}").replace(&format!("{}/", dir.path().display()), "")
    };
    assert_eq!(told("error 'no network'"), "cortado.lua:3: no network");
    assert_eq!(told("return cacher:unpak 'x'"), "cortado.lua:3: a cacher has no `unpak`");
    assert_eq!(told("return cacher.unpack 'x'"), "cortado.lua:3: `unpack` is not called on its object");
    assert_eq!(told("while true do end"), "cortado.lua:3: has not ended after 50 million instructions");
    assert_eq!(
        told("shop:task 'late' {}"),
        "cortado.lua:3: the recipe is finished: a callback can declare and print nothing"
    );
    assert_eq!(told(""), "cortado.lua:2: `fetch` must return true or false, it returned nothing");
}

#[test]
fn a_callback_reads_the_recipe_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("answer"), "yes").unwrap();
    let recipe = "local shop = project 'shop' local answer = read_file 'answer'\n\
                  shop:cache { fetch = function() return answer == 'yes' and answer == read_file 'answer' end }";
    let callbacks = callbacks(dir.path(), recipe);
    std::fs::write(dir.path().join("answer"), "no").unwrap();
    std::fs::write(dir.path().join("cortado.lua"), "this is no Lua").unwrap();
    assert!(callbacks.fetch(&cacher(dir.path())).unwrap());
}
