//! Blocks as they run: what they can do, and what is told when they fail.

use cortado::{Engine, Report};

use super::Dir;

/// Builds a project of one task, whose build function is this, with a source that holds `amount`.
fn build(dir: &Dir) -> Report {
    let project = dir.load().unwrap().project().build().unwrap();
    Engine::new(&project).run().unwrap()
}

fn shop(build: &str) -> Dir {
    let recipe = format!(
        "local shop = project 'shop' {{ install_dir = 'out' }}\n\
         shop:task 'beans' {{ version = '1', source = {{ path = 'src' }}, build = function(t)\n{build}\nend }}"
    );
    Dir::with(&recipe).file("src/amount", "250")
}

fn installed(dir: &Dir, path: &str) -> String {
    std::fs::read_to_string(dir.path().join("out").join(path)).unwrap()
}

/// Why the task failed, without the directory.
fn failure(build: &str) -> String {
    let dir = shop(build);
    let error = self::build(&dir).check().unwrap_err();
    format!("{}", error.root()).replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn a_block_reads_writes_and_runs_steps() {
    let dir = shop(
        "t:block('count', { unit = 'g', list = { 1, 2 } }, function(t, vars)\n\
           local amount = tonumber(t:read 'amount')\n\
           assert(t:exists 'amount' and not t:exists 'nothing' and t.name == 'beans')\n\
           assert(t:path('amount'):find('/', 1, true) == 1 and t:expand('@{install_dir}') ~= '@{install_dir}')\n\
           t:write('@{stage_install_dir}/share/amount', ('%d %s %d'):format(amount, vars.unit, #vars.list), '640')\n\
           t:command('cp amount \"$TO\"/raw', { env = { TO = '@{stage_install_dir}/share' } })\n\
           t:template({ text = '{{ x }}!' }, '@{stage_install_dir}/share/hello', { variables = { x = 'hello' } })\n\
         end)",
    );
    drop(build(&dir).check().unwrap());
    assert_eq!(installed(&dir, "share/amount"), "250 g 2");
    assert_eq!(installed(&dir, "share/raw"), "250");
    assert_eq!(installed(&dir, "share/hello"), "hello!");
}

#[test]
fn decide_is_asked_when_a_target_exists() {
    let dir = shop(
        "t:mkdir '@{stage_install_dir}'\nt:command 'echo old > @{stage_install_dir}/amount; echo 1 > other'\n\
         t:sync('.', '@{stage_install_dir}', { decide = function(source, target)\n\
           return not target:find('amount', 1, true)\nend })",
    );
    drop(build(&dir).check().unwrap());
    assert_eq!((installed(&dir, "amount"), installed(&dir, "other")), ("old\n".into(), "1\n".into()));
}

#[test]
fn a_failure_in_a_block_names_the_line_of_the_recipe() {
    assert!(failure("\nt:block(function(t)\n  error 'no beans'\nend)").contains("cortado.lua:5: no beans"));
    assert!(
        failure("t:block(function(t)\n\n  t:command 'exit 3'\nend)")
            .contains("cortado.lua:5: `exit 3` exited with code 3")
    );
    assert!(
        failure("t:block(function(t)\n  t:comand 'x'\nend)").contains("cortado.lua:4: a block's task has no `comand`")
    );
    assert!(failure("t:block(function(t)\n  t:read 'nothing'\nend)").contains("cortado.lua:4: could not read `"));
    assert!(
        failure("t:block(function(t)\n  t.read 'nothing'\nend)")
            .contains("cortado.lua:4: `read` is not called on its object")
    );
    assert!(
        failure("t:block(function(t)\n  while true do end\nend)")
            .contains("cortado.lua:4: has not ended after 50 million")
    );
}

#[test]
fn globals_of_the_recipe_are_not_there_when_a_block_runs() {
    let told = failure("helper = 1\nt:block(function(t)\n  t:emit(helper)\nend)");
    assert!(told.contains("cortado.lua:5: unknown name `helper`"), "{told}");
    let told = failure("t:block(function(t)\n  print 'x'\nend)");
    assert!(told.contains("cortado.lua:4: `print` is not available here"), "{told}");
}

#[test]
fn a_block_may_catch_the_failure_of_a_step() {
    let dir = shop(
        "t:block(function(t)\n  local worked, why = pcall(t.command, t, 'exit 3')\n\
         t:write('@{stage_install_dir}/why', tostring(worked) .. ': ' .. tostring(why))\nend)",
    );
    drop(build(&dir).check().unwrap());
    assert!(installed(&dir, "why").starts_with("false: `exit 3` exited with code 3"), "{}", installed(&dir, "why"));
}

#[test]
fn callbacks_of_a_recipe_carry_artifacts_from_one_run_to_the_next() {
    let recipe = "local shop = project 'shop' { install_dir = 'out' }\n\
        shop:cache { fetch = function(cacher) return cacher:unpack('kept/' .. cacher.filename) end,\n\
                     update = function(artifact) return artifact:copy_to 'kept' end }\n\
        for i = 1, 4 do shop:task('beans' .. i, { version = '1', build = function(t)\n\
          t:command('mkdir -p @{stage_install_dir}; echo x > @{stage_install_dir}/' .. i) end }) end";
    let dir = Dir::with(recipe);
    let run = || {
        let recipe = dir.load().unwrap();
        let project = recipe.project().build().unwrap();
        let report = Engine::new(&project).shared_callbacks(recipe.callbacks().unwrap()).run().unwrap();
        drop(report.check().unwrap());
    };
    run();
    assert_eq!(std::fs::read_dir(dir.path().join("kept")).unwrap().count(), 4);
    for gone in ["out", ".cortado"] {
        std::fs::remove_dir_all(dir.path().join(gone)).unwrap();
    }
    run();
    assert_eq!(installed(&dir, "3"), "x\n");
}
