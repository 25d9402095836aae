use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
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

/// Jobs that report to whoever reads the output of their `make`, and end when they are let through a gate.
struct Gate {
    dir: tempfile::TempDir,
    gate: fs::File,
    running: usize,
    most: usize,
    finished: usize,
}

impl Gate {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gate");
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let gate = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let makefile = "all: a b c d e f\na b c d e f:\n\t@echo start; read go < gate; echo stop\n";
        fs::write(dir.path().join("Makefile"), makefile).unwrap();
        Self { dir, gate, running: 0, most: 0, finished: 0 }
    }

    /// Lets jobs through only when `together` of them run at once.
    fn observe(&mut self, line: &[u8], together: usize) {
        match line {
            b"start" => {
                self.running += 1;
                self.most = self.most.max(self.running);
                if self.running == together {
                    self.gate.write_all(&vec![b'\n'; together]).unwrap();
                }
            }
            b"stop" => (self.running, self.finished) = (self.running - 1, self.finished + 1),
            other => panic!("make said: {}", String::from_utf8_lossy(other)),
        }
    }
}

#[test]
fn four_builds_together_run_as_many_jobs_as_there_are_tokens_and_never_more() {
    const JOBS: usize = 3;
    let (env, cancel, gate) = (env(), Cancel::new(), Gate::new());
    let dir = gate.dir.path().to_owned();
    let jobserver = Jobserver::new(&dir, JOBS).unwrap();
    let gate = Mutex::new(gate);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let _token = jobserver.acquire(&cancel).unwrap();
                let make = Process::shell("make", &env, &dir, &cancel);
                // A build of which nothing moves would hang: the limit turns that into a failure.
                let make = make.jobserver(Some(&jobserver)).limit(Some(Duration::from_secs(60)));
                make.run(&mut |line| gate.lock().unwrap().observe(line, JOBS)).unwrap();
            });
        }
    });
    let gate = gate.into_inner().unwrap();
    assert_eq!((gate.most, gate.finished), (JOBS, 24));
    assert_eq!(tokens(&jobserver), JOBS as u64, "all tokens came back");
}

#[test]
fn a_program_that_is_no_shell_text_takes_part_too() {
    let (env, cancel, gate) = (env(), Cancel::new(), Gate::new());
    let dir = gate.dir.path().to_owned();
    let jobserver = Jobserver::new(&dir, 2).unwrap();
    let _token = jobserver.acquire(&cancel).unwrap();
    let make = Process::program(&["make", "all"], &env, &dir, &cancel);
    let gate = Mutex::new(gate);
    make.jobserver(Some(&jobserver))
        .limit(Some(Duration::from_secs(60)))
        .run(&mut |line| gate.lock().unwrap().observe(line, 2))
        .unwrap();
    assert_eq!(gate.into_inner().unwrap().most, 2);
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
    let (env, cancel, gate) = (env(), Cancel::new(), Gate::new());
    let jobserver = Jobserver::new(gate.dir.path(), 4).unwrap();
    let token = jobserver.acquire(&cancel).unwrap();
    let other = jobserver.acquire(&cancel).unwrap();
    let make = Process::shell("make", &env, gate.dir.path(), &cancel);
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
