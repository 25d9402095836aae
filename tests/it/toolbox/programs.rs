//! The programs of the toolbox at work, each with a file that another one made.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A workbench: the installed programs, and a directory to use them in.
struct Bench<'p> {
    install_dir: &'p Path,
    dir: tempfile::TempDir,
}

/// Does something with every program, and fails unless it comes out right.
pub(super) fn try_out(install_dir: &Path) {
    let bench = Bench { install_dir, dir: tempfile::tempdir().unwrap() };
    fs::write(bench.dir.path().join("menu"), "espresso 2.10\ncortado 2.80\n").unwrap();
    fs::write(bench.dir.path().join("sum.lua"), "print(_VERSION, arg[1] + arg[2], package.path)").unwrap();

    bench.run("bzip2", &["--keep", "menu"]);
    assert_eq!(bench.run("bzcat", &["menu.bz2"]), "espresso 2.10\ncortado 2.80\n");
    assert_eq!(bench.run("pcre2grep", &["-n", r"^(?=c)\w+ \d", "menu.bz2"]), "2:cortado 2.80\n");

    bench.run("bsdtar", &["-cJf", "menu.tar.xz", "menu"]);
    bench.run("xz", &["--test", "menu.tar.xz"]);
    bench.run("bsdtar", &["-cjf", "menu.tar.bz2", "menu"]);
    bench.run("bzip2", &["--test", "menu.tar.bz2"]);
    assert_eq!(bench.run("bsdcat", &["menu.bz2"]), bench.run("bsdtar", &["-xOf", "menu.tar.xz"]));

    let path = format!("{}/share/lua/5.4/", install_dir.display());
    assert!(bench.run("lua", &["sum.lua", "2", "3"]).starts_with(&format!("Lua 5.4\t5\t{path}")));

    bench.assert_uses("xz", "lib/liblzma.so.5");
    bench.assert_uses("bsdtar", "lib/liblzma.so.5");
    bench.assert_uses("bsdtar", "lib/libbz2.so.1.0");
    bench.assert_uses("pcre2grep", "lib/libpcre2-8.so.0");
    bench.assert_uses("pcre2grep", "lib/libbz2.so.1.0");
}

impl Bench<'_> {
    /// What a program prints. It finds nothing in its environment that would help it to its libraries.
    fn run(&self, program: &str, args: &[&str]) -> String {
        self.output(self.command(program).args(args))
    }

    /// Fails unless the program loads the toolbox's own library, and not one of the machine.
    fn assert_uses(&self, program: &str, library: &str) {
        // This makes the dynamic loader say what it loads, instead of starting the program.
        let loaded = self.output(self.command(program).env("LD_TRACE_LOADED_OBJECTS", "1"));
        let library = self.install_dir.join(library);
        assert!(loaded.contains(library.to_str().unwrap()), "{program} does not use {}:\n{loaded}", library.display());
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.install_dir.join("bin").join(program));
        command.env_clear().current_dir(self.dir.path());
        command
    }

    fn output(&self, command: &mut Command) -> String {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}
