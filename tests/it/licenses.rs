//! Licences: what is built or restored brings its licence files, and a summary says what is in the product.

use cortado::{Error, Source, Task};

use crate::support::Shop;

fn licensed(shop: &Shop, name: &str) -> Task {
    for (path, text) in [("COPYING", "main"), ("doc/COPYING", "of the docs")] {
        shop.write(format!("recipe/{name}/{path}"), format!("{name} {text}"));
    }
    shop.ware(name, "x").source(Source::local(name)).license("MIT").license_file("COPYING").license_file("doc/COPYING")
}

#[test]
fn license_files_come_with_the_build_and_with_the_artifact() {
    let shop = Shop::new();
    shop.write("recipe/EXTRA", "extra");
    let project = shop.project([licensed(&shop, "a").license_file("@{recipe_dir}/EXTRA")]);
    for outcome in ["built", "restored"] {
        assert_eq!(shop.run(&project).of("a"), outcome);
        let files = ["COPYING", "doc/COPYING", "EXTRA"].map(|file| shop.text(format!("install/LICENSES/a/{file}")));
        assert_eq!(files, ["a main", "a of the docs", "extra"], "equal base names are kept apart");
        let summary = shop.text("install/LICENSE");
        assert!(
            summary.contains("This product bundles a 1,\nwhich is available under a \"MIT\" License.\n"),
            "{summary}"
        );
        shop.clean();
    }
}

#[test]
fn a_license_file_that_is_missing_is_named_with_its_task() {
    for file in ["LICENCE", "COPYING/x"] {
        let shop = Shop::new();
        let seen = shop.run_tasks([licensed(&shop, "a").license_file(file)]);
        let Error::LicenseMissing { task, file: named } = seen.error("a") else { panic!("{}", seen.all()) };
        assert_eq!((&**task, &**named, shop.objects().len()), ("a", file, 0));
        assert!(!shop.path("install/LICENSE").exists());
    }
}

#[test]
fn the_summary_lists_what_is_installed_and_not_what_was_filtered_out() {
    let shop = Shop::new();
    let project = shop.project([licensed(&shop, "a"), licensed(&shop, "b"), Task::new("all").virtual_task(true)]);
    let bundled = || {
        let summary = shop.text("install/LICENSE");
        ["a", "b", "all"].map(|name| summary.contains(&format!("bundles {name} ")))
    };
    shop.run_with(&project, |engine| engine.only(["a"]));
    assert_eq!(bundled(), [true, false, false]);
    shop.run_with(&project, |engine| engine.only(["b"]));
    assert_eq!(bundled(), [true, true, false]);
}

#[test]
fn a_license_of_the_product_itself_is_not_overwritten_by_the_summary() {
    let shop = Shop::new();
    let task = Task::new("jdk").version("1").command("echo 'GPL with exception' > @{stage_install_dir}/LICENSE");
    let project = shop.project([task.clone()]);
    let seen = shop.run(&project);
    assert!(seen.warnings()[0].contains("set `license_file_path`"), "{:?}", seen.warnings());
    assert_eq!(shop.text("install/LICENSE"), "GPL with exception\n");
    assert_eq!(shop.run(&project).of("jdk"), "up to date");
    let elsewhere = shop.builder().license_file_path(shop.path("install/share/SUMMARY")).task(task).build().unwrap();
    assert_eq!(shop.run(&elsewhere).warnings(), [""; 0]);
    assert!(shop.text("install/share/SUMMARY").contains("bundles jdk 1"));
}
