//! Stories of the jobserver, told with the real `make`.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileTypeExt;
use std::thread;
use std::time::Duration;

use super::*;
use crate::host::process::Process;

fn tokens(jobserver: &Jobserver) -> u64 {
    rustix::io::ioctl_fionread(&jobserver.fifo).unwrap()
}

/// The environment of a step, with the PATH of the tests, so that another `make` can be put in front of it.
fn env() -> BTreeMap<OsString, OsString> {
    BTreeMap::from([("PATH".into(), std::env::var_os("PATH").unwrap())])
}

/// A directory with a build of six jobs below a recursive `make`. Each job leaves a mark when it starts, ends when it
/// is let through a gate, and leaves another mark before that. All marks go through one FIFO: their order is true.
struct Yard {
    dir: tempfile::TempDir,
    marks: fs::File,
    gate: fs::File,
}

impl Yard {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fifo = |name| {
            let path = dir.path().join(name);
            rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            OpenOptions::new().read(true).write(true).open(path).unwrap()
        };
        let makefile = "all:\n\t@$(MAKE) --no-print-directory jobs\njobs: a b c d e f\na b c d e f:\n\
                        \t@echo running; echo start >marks; read go <gate; echo stop >marks\n";
        fs::write(dir.path().join("Makefile"), makefile).unwrap();
        Self { marks: fifo("marks"), gate: fifo("gate"), dir }
    }

    /// Lets jobs through whenever `together` of them run at once; says how many ever did, and how many ended.
    fn guard(&self, together: usize) -> (usize, usize) {
        let (mut running, mut most, mut ended) = (0_usize, 0, 0);
        for mark in BufReader::new(&self.marks).lines() {
            match mark.unwrap().as_str() {
                "start" => (running, most) = (running + 1, most.max(running + 1)),
                "stop" => (running, ended) = (running - 1, ended + 1),
                _ => break,
            }
            if running == together {
                (&self.gate).write_all(&vec![b'\n'; together]).unwrap();
            }
        }
        (most, ended)
    }

    /// Runs `builds` builds side by side, as tasks do, with the gate guarded.
    fn build(&self, builds: usize, words: &[&str], jobserver: &Jobserver) -> (usize, usize) {
        let (env, cancel) = (env(), Cancel::new());
        let build = || {
            let _token = jobserver.acquire(&cancel)?;
            // Where fewer jobs run than should, the gate stays shut: the limit turns that into a failure.
            let make = Process::program(words, &env, self.dir.path(), &cancel).limit(Some(Duration::from_secs(60)));
            make.jobserver(Some(jobserver)).run(&mut |line| assert_eq!(line, b"running"))
        };
        thread::scope(|scope| {
            let guard = scope.spawn(|| self.guard(jobserver.jobs));
            let builds: Vec<_> = (0..builds).map(|_| scope.spawn(build)).collect();
            let results: Vec<_> = builds.into_iter().map(|build| build.join()).collect();
            (&self.marks).write_all(b"end\n").unwrap();
            let counts = guard.join().unwrap();
            results.into_iter().for_each(|result| assert!(result.unwrap().is_ok()));
            counts
        })
    }
}

#[test]
fn four_builds_together_run_as_many_jobs_as_there_are_tokens_and_never_more() {
    let yard = Yard::new();
    let jobserver = Jobserver::new(yard.dir.path(), 3).unwrap();
    assert_eq!(yard.build(4, &["/bin/sh", "-e", "-c", "make"], &jobserver), (3, 24));
    assert_eq!(tokens(&jobserver), 3, "all tokens came back");
}

#[test]
fn a_program_that_is_no_shell_text_takes_part_too() {
    let yard = Yard::new();
    let jobserver = Jobserver::new(yard.dir.path(), 2).unwrap();
    assert_eq!(yard.build(1, &["make", "all"], &jobserver), (2, 6));
}

#[test]
fn a_missing_program_is_missing_with_a_jobserver_as_well() {
    let (env, cancel, dir) = (env(), Cancel::new(), tempfile::tempdir().unwrap());
    let jobserver = Jobserver::new(dir.path(), 2).unwrap();
    let process = Process::program(&["no-such-program"], &env, dir.path(), &cancel);
    let result = process.jobserver(Some(&jobserver)).run(&mut |_| {});
    assert!(matches!(result, Err(Error::Spawn { program, .. }) if program == "no-such-program"));
}

#[test]
fn tokens_of_a_killed_make_are_there_again_when_no_task_runs() {
    let (env, cancel, yard) = (env(), Cancel::new(), Yard::new());
    let jobserver = Jobserver::new(yard.dir.path(), 4).unwrap();
    let token = jobserver.acquire(&cancel).unwrap();
    let other = jobserver.acquire(&cancel).unwrap();
    let make = Process::shell("make", &env, yard.dir.path(), &cancel);
    let make = make.jobserver(Some(&jobserver)).grace(Duration::from_secs(60));
    let mut started = 0;
    let result = make.run(&mut |_| {
        started += 1;
        if started == 3 {
            cancel.force(); // make holds all tokens but the two of ours
        }
    });
    assert!(matches!(result, Err(Error::Interrupted)));
    assert_eq!(tokens(&jobserver), 0, "they went down with make");
    drop(token);
    assert_eq!(tokens(&jobserver), 1, "another task runs: they may still be out");
    drop(other);
    assert_eq!(tokens(&jobserver), 4);
}

#[test]
fn a_token_too_many_goes_when_no_task_runs() {
    let dir = tempfile::tempdir().unwrap();
    let jobserver = Jobserver::new(dir.path(), 2).unwrap();
    let token = jobserver.acquire(&Cancel::new()).unwrap();
    rustix::io::write(&jobserver.fifo, b"+++").unwrap();
    drop(token);
    assert_eq!(tokens(&jobserver), 2);
}

#[test]
fn whoever_waits_for_a_token_gets_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let jobserver = Jobserver::new(dir.path(), 1).unwrap();
    let cancel = Cancel::new();
    let token = jobserver.acquire(&cancel).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| jobserver.acquire(&cancel).map(drop));
        drop(token);
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn waiting_for_a_token_ends_when_the_run_is_cancelled() {
    let dir = tempfile::tempdir().unwrap();
    let jobserver = Jobserver::new(dir.path(), 1).unwrap();
    let cancel = Cancel::new();
    let _token = jobserver.acquire(&cancel).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| jobserver.acquire(&cancel).map(drop));
        cancel.cancel();
        assert!(matches!(waiting.join().unwrap(), Err(Error::Interrupted)));
    });
}

#[test]
fn the_fifo_is_private_and_goes_with_the_pool() {
    let dir = tempfile::tempdir().unwrap();
    let jobserver = Jobserver::new(dir.path(), 0).unwrap();
    assert_eq!(tokens(&jobserver), 1, "a pool has at least one token");
    assert!(jobserver.path.metadata().unwrap().file_type().is_fifo());
    drop(jobserver);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
