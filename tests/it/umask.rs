//! The umask: whoever builds, under whatever umask, makes the same product.

use std::fs;
use std::process::Command;

use cortado::command::{Mkdir, Template};
use cortado::{Project, Source, Task};

use crate::support::{Shop, look, remove};

const ROOM: &str = "CORTADO_UMASK_ROOM";

fn project(shop: &Shop) -> Project {
    let task = Task::new("a").version("1").source(Source::local("src")).license_file("COPYING");
    let stage = |below: &str| format!("@{{stage_install_dir}}/{below}");
    let task = task
        .command("mkdir -p @{stage_install_dir}/shell/deep; echo x > @{stage_install_dir}/shell/deep/x")
        .copy("tree", stage("new/copied"))
        .link("x", stage("newer/link"))
        .step(Mkdir::new(stage("made/deep")))
        .step(Template::text("x", stage("newest/rendered")));
    let git = Source::git(format!("file://{}", shop.path("repo").display())).reference("main");
    let checkout = Task::new("b").version("1").source(git).copy(".", stage("checkout"));
    let local = Source::local("src/tree/file");
    shop.project([task, checkout, Task::new("c").version("1").source(local).copy("file", stage("file"))])
}

/// Not a story of its own: the part of the next one that runs under another umask.
#[test]
fn a_build_under_another_umask() {
    let Some(room) = std::env::var_os(ROOM) else { return };
    let shop = Shop::at(room);
    let project = project(&shop);
    let path = [("PATH".into(), std::env::var_os("PATH").unwrap())];
    let seen = shop.run_with(&project, |engine| engine.store(shop.store()).environment(path));
    assert_eq!(seen.all(), "a built, b built, c built");
}

#[test]
fn the_umask_of_the_caller_does_not_reach_the_product() {
    let shop = Shop::new();
    shop.write("recipe/src/COPYING", "free");
    shop.write("recipe/src/tree/file", "x");
    shop.write("repo/dir/run.sh", "#!/bin/sh\n");
    let commit = "chmod 755 dir/run.sh; git init -q -b main; git add .; \
                  git -c user.name=Shop -c user.email=shop@example.org commit -q -m one";
    assert!(Command::new("sh").args(["-ec", commit]).current_dir(shop.path("repo")).status().unwrap().success());
    let built_under = |umask: &str| {
        shop.clean();
        remove(&shop.path("cache"));
        let output = Command::new("sh")
            .args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "umask::a_build_under_another_umask"])
            .env(ROOM, shop.path(""))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let objects: Vec<_> = shop.objects().iter().map(|object| (object.clone(), fs::read(object).unwrap())).collect();
        (look(&shop.path("install")), objects)
    };
    let (product, artifact) = built_under("022");
    for umask in ["077", "002", "0"] {
        let (other, others) = built_under(umask);
        assert_eq!(other, product, "{umask}");
        assert!(others == artifact, "{umask}");
    }
}
