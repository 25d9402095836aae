//! The cache: what was built once is restored, exactly; what is damaged is built again.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;

use cortado::{CacheMode, CachePolicy, Clean, Engine, Miss, Task, closures};

use crate::support::{Shop, look};

/// Two closures and a directory: the first example of the documentation.
fn with_closures(shop: &Shop, project: &cortado::Project) -> crate::support::Seen {
    let (fetch, update) = (shop.path("kept"), shop.path("kept"));
    shop.run_with(project, |engine| {
        engine.callbacks(closures(
            move |cacher| cacher.unpack(fetch.join(cacher.filename())),
            move |artifact| artifact.copy_to(&update),
        ))
    })
}

/// Everything that a file system can hold and an artifact has to bring back.
fn odd_task(shop: &Shop) -> Task {
    Task::new("odd").version("1").command(shop.counting("odd")).command(
        r#"cd "@{stage_install_dir}"
        mkdir -p empty/nested 'a dir with spaces' lib locked
        printf one > ' leading and trailing '
        printf two > "$(printf 'new\nline')"
        printf three > "quote'\"\`\$(x);&"
        printf four > "$(printf 'not-utf8-\377\376')"
        printf five > ./-dash
        printf six > "$(printf '%0255d' 7)"
        : > nothing
        printf tool > setuid && chmod 4755 setuid
        printf r > read-only && chmod 0444 read-only
        printf p > private && chmod 0600 private
        printf linked > lib/one && ln lib/one lib/two && ln lib/one three
        ln -s lib lib64
        ln -s nowhere dangling
        ln -s /absolute/target absolute
        printf x > locked/file && chmod 0555 locked
        touch -d '2001-02-03 04:05:06' private"#,
    )
}

#[test]
fn what_was_built_once_is_restored_and_no_command_runs() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("zlib", "z"), shop.ware("app", "a").depends_on("zlib")]);
    let first = with_closures(&shop, &project);
    assert_eq!(first.all(), "zlib built, app built");
    assert_eq!(first.cache(), [0, 2, 0, 2, 0]);
    for name in shop.names("kept") {
        let (prefix, hex) = name.strip_suffix(".tar.gz").unwrap().rsplit_once('-').unwrap();
        assert!(["shop-zlib", "shop-app"].contains(&prefix) && hex.len() == 64, "{name}");
        assert!(hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{name}");
    }
    let built = look(&shop.path("install"));
    shop.clean();
    let second = with_closures(&shop, &project);
    assert_eq!(second.all(), "zlib restored, app restored");
    assert_eq!(second.cache(), [2, 0, 0, 0, 0]);
    assert_eq!([shop.count("zlib"), shop.count("app")], [1, 1]);
    assert_eq!(look(&shop.path("install")), built);
    assert!(shop.is_tidy());
    assert_eq!(with_closures(&shop, &project).all(), "zlib up to date, app up to date");
}

#[test]
fn everything_odd_comes_back_as_it_was_built() {
    let shop = Shop::new();
    let project = shop.project([odd_task(&shop)]);
    assert_eq!(shop.run(&project).of("odd"), "built");
    let built = look(&shop.path("install"));
    assert!(built.len() > 20 && built.contains_key(Path::new("lib64")), "{built:?}");
    shop.clean();
    assert_eq!(shop.run(&project).of("odd"), "restored");
    assert_eq!(look(&shop.path("install")), built);
    fs::remove_dir_all(shop.path("install/a dir with spaces")).unwrap();
    fs::remove_file(shop.path("install/-dash")).unwrap();
    assert_eq!(shop.run(&project).of("odd"), "installed");
    assert_eq!(look(&shop.path("install")), built);
    assert_eq!(shop.count("odd"), 1);
}

#[test]
fn equal_builds_give_equal_artifacts() {
    let shop = Shop::new();
    let project = shop.project([odd_task(&shop)]);
    shop.run(&project);
    let first = fs::read(&shop.objects()[0]).unwrap();
    shop.clean();
    fs::remove_file(&shop.objects()[0]).unwrap();
    assert_eq!(shop.run(&project).of("odd"), "built");
    assert!(fs::read(&shop.objects()[0]).unwrap() == first, "built twice, packed twice, the same bytes");
}

#[test]
fn a_damaged_artifact_is_a_miss_and_is_replaced_by_the_rebuild() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "content")]);
    shop.run(&project);
    let object = shop.objects().remove(0);
    let whole = fs::read(&object).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let cut = |length: usize| whole[..length].to_vec();
    let damages = [
        flipped,
        Vec::new(),
        b"<html>404 not found</html>".to_vec(),
        cut(1),
        cut(10),
        cut(whole.len() / 2),
        cut(whole.len() - 1),
        [&whole[..], b"tail"].concat(),
    ];
    for damaged in damages {
        shop.clean();
        fs::write(&object, &damaged).unwrap();
        let again = shop.run(&project);
        assert!(matches!(again.misses()[..], [Miss::Corrupt(_)]), "{} bytes: {:?}", damaged.len(), again.misses());
        assert_eq!(again.cache(), [0, 0, 1, 1, 0]);
        assert_eq!(again.of("a"), "built");
        assert!(fs::read(&object).unwrap() == whole, "the store has the whole object again");
        shop.clean();
        assert_eq!(shop.run(&project).of("a"), "restored");
    }
    assert!(shop.is_tidy());
}

#[test]
fn an_artifact_under_the_name_of_another_is_a_miss() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "one"), shop.ware("b", "two")]);
    shop.run(&project);
    let objects = shop.objects();
    let [first, second] = &objects[..] else { panic!("{objects:?}") };
    let aside = shop.path("aside");
    for (from, to) in [(first, &aside), (second, first), (&aside, second)] {
        fs::rename(from, to).unwrap();
    }
    let flaws: Vec<_> = shop.store().verify().unwrap().map(|flaw| flaw.unwrap().name).collect();
    assert_eq!(flaws.len(), 2, "{flaws:?}");
    shop.clean();
    let again = shop.run(&project);
    assert_eq!(again.all(), "a built, b built");
    assert!(matches!(again.misses()[..], [Miss::Corrupt(_), Miss::Corrupt(_)]), "{:?}", again.misses());
    assert_eq!((shop.text("install/share/a"), shop.text("install/share/b")), ("one".into(), "two".into()));
    shop.clean();
    assert_eq!(shop.run(&project).all(), "a restored, b restored");
}

#[test]
fn closures_that_keep_what_they_have_replace_what_proved_corrupt() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "content")]);
    with_closures(&shop, &project);
    let object = shop.path("kept").join(&shop.names("kept")[0]);
    let whole = fs::read(&object).unwrap();
    fs::write(&object, &whole[..whole.len() / 2]).unwrap();
    shop.clean();
    with_closures(&shop, &project);
    assert!(fs::read(&object).unwrap() == whole);
}

/// A `.tar.gz` of members: each a name and a content.
fn archive(members: &[(&str, &str)]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, content.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

#[test]
fn an_artifact_of_another_tool_is_as_good_as_ours() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "content")]);
    shop.run(&project);
    let below = shop.installed("share/a");
    let below = below.strip_prefix("/").unwrap().to_str().unwrap().to_owned();
    fs::write(&shop.objects()[0], archive(&[(&below, "by another tool")])).unwrap();
    shop.clean();
    assert_eq!(shop.run(&project).of("a"), "restored");
    assert_eq!(shop.text("install/share/a"), "by another tool");
}

#[test]
fn a_hostile_artifact_writes_nothing_and_is_built_anew() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "content")]);
    shop.run(&project);
    let object = shop.objects().remove(0);
    let outside = shop.path("outside");
    let outside_below = outside.strip_prefix("/").unwrap().to_str().unwrap();
    let up = format!("{}{outside_below}", "../".repeat(12));
    for name in [up.as_str(), outside.to_str().unwrap(), outside_below, "etc/cron.d/job"] {
        shop.clean();
        fs::write(&object, archive(&[(name, "evil")])).unwrap();
        let again = shop.run(&project);
        assert!(matches!(again.misses()[..], [Miss::Corrupt(_)]), "{name}: {:?}", again.misses());
        assert_eq!(again.of("a"), "built", "{name}");
        assert!(!outside.exists(), "{name}");
    }
}

#[test]
fn the_install_directory_is_not_touched_by_an_artifact_that_proves_corrupt() {
    let shop = Shop::new();
    let first = shop.project([shop.ware("a", "old")]);
    shop.run(&first);
    let seen = shop.path("seen");
    let task = shop.ware("a", "new").command(format!("ls @{{install_dir}}/share > '{}' || true", seen.display()));
    let second = shop.project([task]);
    shop.run(&second);
    let corrupt = shop.objects().into_iter().map(|object| (fs::read(&object).unwrap(), object));
    for (content, object) in corrupt {
        fs::write(object, &content[..content.len() - 9]).unwrap();
    }
    // Back at the first version, with its file in place, the second one is asked for and found corrupt.
    shop.clean();
    shop.run_with(&first, |engine| engine.cache_mode(CacheMode::Off).store(shop.store()));
    let before = look(&shop.path("install"));
    let room = shop.path("install");
    let witness = std::sync::Arc::new(Mutex::new(None));
    let (report, store) = (witness.clone(), shop.store());
    let again = shop.run_with(&second, |engine| {
        engine.store(store).observe(move |event| {
            if matches!(event, cortado::Event::Missed { .. }) {
                *report.lock().unwrap() = Some(look(&room));
            }
        })
    });
    assert!(matches!(again.misses()[..], [Miss::Corrupt(_)]));
    assert_eq!(witness.lock().unwrap().take(), Some(before));
    assert_eq!(shop.text("install/share/a"), "new");
}

#[test]
fn a_valid_artifact_that_lacks_a_license_file_is_not_used() {
    let shop = Shop::new();
    shop.write("recipe/src/COPYING", "free");
    let licensed = || shop.ware("a", "x").source(cortado::Source::local("src")).license_file("COPYING");
    let project = shop.project([licensed()]);
    shop.run(&project);
    let object = shop.objects().remove(0);
    let whole = fs::read(&object).unwrap();
    let below = shop.installed("share/a");
    fs::write(&object, archive(&[(below.strip_prefix("/").unwrap().to_str().unwrap(), "x")])).unwrap();
    shop.clean();
    let again = shop.run(&project);
    let [Miss::Corrupt(why)] = again.misses()[..] else { panic!("{:?}", again.misses()) };
    assert_eq!(why, "it lacks the license file `COPYING`");
    assert_eq!(shop.text("install/LICENSES/a/COPYING"), "free");
    assert!(fs::read(&object).unwrap() == whole, "the rebuilt artifact took its place");
}

#[test]
fn a_mode_says_which_way_artifacts_travel() {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "x")]);
    let run = |mode: CacheMode| {
        shop.clean();
        shop.run_with(&project, |engine| engine.store(shop.store()).cache_mode(mode))
    };
    let read_only = run(CacheMode::ReadOnly);
    assert_eq!((read_only.of("a"), read_only.cache()), ("built".into(), [0, 1, 0, 0, 0]));
    let off = run(CacheMode::Off);
    assert_eq!((off.of("a"), off.cache()), ("built".into(), [0; 5]));
    assert_eq!(shop.objects().len(), 0);
    let write_only = run(CacheMode::WriteOnly);
    assert_eq!((write_only.of("a"), write_only.cache()), ("built".into(), [0, 0, 0, 1, 0]));
    let write_only = run(CacheMode::WriteOnly);
    assert_eq!((write_only.of("a"), write_only.misses().len()), ("built".into(), 0));
    assert_eq!(run(CacheMode::ReadOnly).of("a"), "restored");
    assert_eq!(shop.count("a"), 4);
}

#[test]
fn recaching_builds_everything_and_replaces_what_is_kept() {
    let shop = Shop::new();
    let salt = shop.write("salt", "one");
    let task = shop.ware("a", "x").command(format!("cp '{}' @{{stage_install_dir}}/salt", salt.display()));
    let project = shop.project([task, Task::new("all").virtual_task(true).depends_on("a")]);
    shop.run(&project);
    fs::write(salt, "two").unwrap();
    assert_eq!(shop.run(&project).all(), "a up to date, all up to date");
    let recached = shop.run_with(&project, |engine| engine.store(shop.store()).cache_mode(CacheMode::Recache));
    assert_eq!(recached.all(), "a built, all built");
    shop.clean();
    assert_eq!(shop.run(&project).of("a"), "restored");
    assert_eq!(shop.text("install/salt"), "two");
}

#[test]
fn a_file_edited_in_place_does_not_reach_the_next_install() {
    let shop = Shop::new();
    let project = shop.builder().link_mode(cortado::LinkMode::Hardlink).task(shop.ware("a", "true")).build().unwrap();
    shop.run(&project);
    fs::write(shop.installed("share/a"), "edited").unwrap();
    let again = shop.run(&project);
    assert_eq!(again.of("a"), "restored");
    assert!(again.warnings()[0].starts_with("its tree was changed by someone"), "{:?}", again.warnings());
    assert_eq!(shop.text("install/share/a"), "true");
    fs::set_permissions(shop.installed("share/a"), fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(shop.run(&project).of("a"), "restored");
    assert_eq!(shop.run(&project).of("a"), "up to date");
}

#[test]
fn a_socket_in_the_stage_is_left_out_and_the_artifact_is_refused() {
    let task = |shop: &Shop| shop.ware("a", "x").command("mkfifo @{stage_install_dir}/pipe");
    let shop = Shop::new();
    let built = shop.run_tasks([task(&shop)]);
    assert_eq!(built.of("a"), "built");
    assert!(built.warnings()[0].ends_with("pipe` is a fifo and is not installed"), "{:?}", built.warnings());
    let [Err(reason)] = built.stored()[..] else { panic!("{:?}", built.stored()) };
    assert!(reason.ends_with("pipe` is a fifo, which an artifact cannot hold"), "{reason}");
    assert_eq!(built.cache(), [0, 1, 0, 0, 1]);
    assert_eq!((shop.objects().len(), shop.names("install")), (0, vec!["LICENSE".into(), "share".into()]));
    let strict = Shop::new();
    let project = strict.project([task(&strict)]);
    let failed =
        strict.run_with(&project, |engine| engine.store(strict.store()).cache_policy(CachePolicy::RequireWrite));
    assert!(matches!(failed.error("a"), cortado::Error::Cache { operation: "update", .. }));
}

#[test]
fn many_builds_with_one_cache_keep_one_object_for_each_tag() {
    let shop = Shop::new();
    let store = shop.store();
    let build = || {
        let own = Shop::new();
        // The install directory counts, so all have one; they share directories there, but no files.
        let tasks = ["a", "b", "c"]
            .map(|name| Task::new(name).version("1").command(format!("mkdir -p @{{stage_install_dir}}/{name}")));
        let project = own.builder().install_dir(shop.path("install")).tasks(tasks).build().unwrap();
        let seen = own.run_with(&project, |engine| engine.store(store.clone()));
        assert!(seen.report.success(), "{}", seen.all());
        seen.report.tasks.into_iter().map(|task| task.tag).collect::<Vec<_>>()
    };
    let tags: HashSet<Vec<String>> = std::thread::scope(|scope| {
        let builds: Vec<_> = (0..6).map(|_| scope.spawn(build)).collect();
        builds.into_iter().map(|build| build.join().unwrap()).collect()
    });
    assert_eq!(tags.len(), 1);
    let mut wanted: Vec<_> = tags.iter().flatten().map(|tag| format!("{tag}.tar.gz")).collect();
    let name = |object: &std::path::PathBuf| object.file_name().unwrap().to_str().unwrap().to_owned();
    let mut kept: Vec<_> = shop.objects().iter().map(name).collect();
    wanted.sort();
    kept.sort();
    assert_eq!(kept, wanted);
}

#[test]
fn what_is_known_of_artifacts_does_not_grow_with_every_version() {
    let shop = Shop::new();
    let size = |version: usize| {
        let project = shop.project([shop.ware("a", &version.to_string()), shop.ware("b", "same")]);
        assert!(shop.run(&project).report.success());
        Engine::new(&project).clean(&Clean::new().trees(true)).unwrap();
        fs::metadata(shop.work("artifacts")).unwrap().len()
    };
    let first = size(0);
    let most = (1..12).map(size).max().unwrap();
    assert!(most <= 3 * first, "{first} and {most}");
}
