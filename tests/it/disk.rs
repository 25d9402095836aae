//! A full disk: whatever was being written is not there, what was there is whole, and the next run heals.
//!
//! A limit on the size of files stands for the disk's end. It holds for a whole process, so each story is told by a
//! child of this test binary.

use std::fs;
use std::process::Command;

use cortado::{CachePolicy, DirectoryStore, Project, Task};

use crate::support::{Shop, look};

/// The child's room.
const ROOM: &str = "CORTADO_DISK_ROOM";

/// What files may hold in the child, in the 512 byte blocks of `ulimit`: the state and the logs fit, an artifact does not.
const LIMIT: &str = "512";

/// A file that does not fit, and that does not shrink when it is packed.
fn large(shop: &Shop) -> Task {
    Task::new("large").version("1").command(shop.counting("large")).command(
        "cd @{stage_install_dir}; i=0; while [ $i -lt 4 ]; do
           printf %s $i > part$i; head -c 200000 /dev/urandom >> part$i; i=$((i+1)); done",
    )
}

fn project(shop: &Shop) -> Project {
    shop.project([large(shop)])
}

/// The story of a child.
fn tell(story: &str, shop: &Shop) -> std::process::Output {
    let script = format!("trap '' XFSZ; ulimit -f {LIMIT}; exec \"$0\" \"$@\"");
    let test = std::env::current_exe().unwrap();
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(test)
        .args(["--exact", &format!("disk::{story}"), "--nocapture"])
        .env(ROOM, shop.path(""))
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    output
}

/// The shop of the parent, in the child alone.
fn room() -> Option<Shop> {
    std::env::var_os(ROOM).map(Shop::at)
}

#[test]
fn packing_without_room() {
    let Some(shop) = room() else { return };
    let seen = shop.run(&project(&shop));
    assert_eq!((seen.of("large"), seen.cache()), ("built".into(), [0, 1, 0, 0, 1]));
    let reason = seen.stored()[0].as_ref().unwrap_err();
    assert!(reason.contains("File too large"), "{reason}");
}

#[test]
fn a_full_disk_while_packing_costs_the_artifact_and_no_more() {
    let shop = Shop::new();
    tell("packing_without_room", &shop);
    assert_eq!((shop.objects().len(), shop.is_tidy()), (0, true));
    assert_eq!(shop.run(&project(&shop)).of("large"), "up to date");
}

#[test]
fn requiring_without_room() {
    let Some(shop) = room() else { return };
    let project = project(&shop);
    let seen = shop.run_with(&project, |engine| engine.store(shop.store()).cache_policy(CachePolicy::RequireWrite));
    assert!(matches!(seen.error("large"), cortado::Error::Cache { operation: "update", .. }));
}

#[test]
fn a_full_disk_while_packing_ends_a_run_that_needs_the_artifact() {
    let shop = Shop::new();
    tell("requiring_without_room", &shop);
    let seen = shop.run(&project(&shop));
    assert_eq!((seen.of("large"), seen.cache()), ("built".into(), [0, 1, 0, 1, 0]));
}

/// A task with one file that does not fit, though its artifact does.
fn compressible(shop: &Shop) -> Project {
    let zeros = "head -c 1000000 /dev/zero > @{stage_install_dir}/zeros; echo x > @{stage_install_dir}/x";
    shop.project([Task::new("zeros").version("1").command(shop.counting("zeros")).command(zeros)])
}

#[test]
fn unpacking_without_room() {
    let Some(shop) = room() else { return };
    let seen = shop.run(&compressible(&shop));
    let [cortado::Miss::Failed(why)] = seen.misses()[..] else { panic!("{:?}", seen.misses()) };
    assert!(why.contains("File too large"), "{why}");
    assert!(seen.of("zeros").starts_with("failed: "), "it cannot be built either");
}

#[test]
fn a_full_disk_while_unpacking_is_a_miss_and_leaves_no_torn_tree() {
    let shop = Shop::new();
    shop.run(&compressible(&shop));
    let product = look(&shop.path("install"));
    shop.clean();
    tell("unpacking_without_room", &shop);
    assert_eq!((shop.names("work/trees"), shop.names("install")), (vec![], vec![]));
    assert_eq!(shop.objects().len(), 1, "the good artifact is still there");
    assert!(shop.is_tidy());
    assert_eq!(shop.run(&compressible(&shop)).of("zeros"), "restored");
    assert_eq!((look(&shop.path("install")), shop.count("zeros")), (product, 2));
}

/// A project whose install takes copies, which need room.
fn copied(shop: &Shop) -> Project {
    let zeros = "head -c 1000000 /dev/zero > @{stage_install_dir}/zeros; echo x > @{stage_install_dir}/a";
    let task = Task::new("zeros").version("1").command(zeros);
    shop.builder().link_mode(cortado::LinkMode::Copy).task(task).build().unwrap()
}

#[test]
fn installing_without_room() {
    let Some(shop) = room() else { return };
    let seen = shop.run(&copied(&shop));
    assert!(seen.of("zeros").contains("File too large"), "{}", seen.all());
}

#[test]
fn a_full_disk_while_installing_is_healed_by_the_next_run() {
    let shop = Shop::new();
    shop.run(&copied(&shop));
    let product = look(&shop.path("install"));
    crate::support::remove(&shop.path("install"));
    tell("installing_without_room", &shop);
    assert!(!shop.installed("zeros").exists() && shop.is_tidy(), "nothing half-written bears a final name");
    let work = cortado::Digest::of(shop.path("work").as_os_str().as_encoded_bytes()).to_string();
    shop.write(format!("install/.tmp-cortado-{}-4711-0", &work[..8]), "what a killed process has no time to remove");
    assert_eq!(shop.run(&copied(&shop)).of("zeros"), "installed");
    assert_eq!(look(&shop.path("install")), product);
}

#[test]
fn storing_without_room() {
    let Some(shop) = room() else { return };
    let store = DirectoryStore::open(shop.path("cache")).unwrap();
    let content = fs::read(shop.path("content")).unwrap();
    let put = cortado::Store::put(&store, "object", &mut &content[..], &cortado::Put::default());
    assert!(format!("{:#}", put.unwrap_err()).contains("File too large"));
}

#[test]
fn a_store_without_room_keeps_nothing_of_an_object() {
    let shop = Shop::new();
    shop.write("content", vec![0; 1_000_000]);
    tell("storing_without_room", &shop);
    assert_eq!((shop.objects().len(), shop.names("cache/writers")), (0, vec![]), "neither an object nor a draft");
}
