//! Stories of processes: their output, their ends, and what they leave behind.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::time::Instant;

use rustix::fs::{CWD, FileType, Mode, OFlags};

use super::*;
use crate::host::lines::Lines;

/// A directory to run in, an environment, and what a test wants to say about the run.
struct Story {
    dir: tempfile::TempDir,
    env: BTreeMap<OsString, OsString>,
    cancel: Cancel,
}

impl Story {
    fn new() -> Self {
        let env = BTreeMap::from([("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())]);
        Self { dir: tempfile::tempdir().unwrap(), env, cancel: Cancel::new() }
    }

    fn shell(&self, text: &str) -> Process<'_> {
        Process::shell(text, &self.env, self.dir.path(), &self.cancel)
    }

    fn program(&self, words: &[&str]) -> Process<'_> {
        Process::program(words, &self.env, self.dir.path(), &self.cancel)
    }

    /// A FIFO that a test and its processes meet at. Opening it waits for the other side.
    fn fifo(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        path
    }

    /// The reading end of the FIFO `held`, which [`HOLDER`] writes to, and the FIFO `never` that it waits for.
    fn held(&self) -> File {
        self.fifo("never");
        let path = self.fifo("held");
        File::from(rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()).unwrap())
    }
}

/// Waits until every process that has the FIFO open for writing is dead.
fn await_death(held: File) {
    rustix::fs::fcntl_setfl(&held, OFlags::RDONLY).unwrap(); // from now on, reading waits for writers
    io::copy(&mut &held, &mut io::sink()).unwrap();
}

fn output(process: &Process<'_>) -> (Vec<String>, Result<Ending>) {
    let mut lines = Vec::new();
    let result = process.run(&mut |line| lines.push(String::from_utf8(line.to_vec()).unwrap()));
    (lines, result)
}

fn silent(_line: &[u8]) {}

/// A shell that holds the FIFO `held` open, says so there, and would never end by itself.
const HOLDER: &str = "(exec 7>held; echo >&7; read forever <> never)";

#[test]
fn output_and_errors_arrive_in_the_order_in_which_they_were_written() {
    let story = Story::new();
    let (lines, result) = output(&story.shell("for i in 1 2 3; do echo out $i; echo err $i >&2; done"));
    assert_eq!(result.unwrap(), Ending::Complete);
    assert_eq!(lines, ["out 1", "err 1", "out 2", "err 2", "out 3", "err 3"]);
}

#[test]
fn a_hundred_thousand_lines_all_reach_a_slow_observer() {
    let story = Story::new();
    let mut next = 1_u32;
    let process = story.shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); echo $i; done");
    let result = process.run(&mut |line| {
        let until = Instant::now() + Duration::from_micros(5);
        while Instant::now() < until {}
        assert_eq!(line, next.to_string().as_bytes());
        next += 1;
    });
    assert_eq!(result.unwrap(), Ending::Complete);
    assert_eq!(next, 100_001);
}

#[test]
fn a_last_line_without_newline_arrives() {
    let (lines, result) = output(&Story::new().shell("printf 'one\\ntwo'"));
    assert_eq!(lines, ["one", "two"]);
    assert!(result.is_ok());
}

#[test]
fn output_that_is_not_utf8_arrives_as_it_was_written() {
    let mut seen = Vec::new();
    Story::new().shell(r"printf '\377\000\r\n'").run(&mut |line| seen.push(line.to_vec())).unwrap();
    assert_eq!(seen, [b"\xff\0\r".to_vec()]);
}

#[test]
fn an_endless_line_does_not_fill_the_memory() {
    let story = Story::new();
    let (mut longest, mut total) = (0, 0);
    let process = story.shell("head -c 20000000 /dev/zero");
    process.run(&mut |piece| (longest, total) = (longest.max(piece.len()), total + piece.len())).unwrap();
    assert_eq!(total, 20_000_000);
    assert!(longest <= Lines::LONGEST);
}

#[test]
fn the_environment_is_exactly_the_one_given() {
    let mut story = Story::new();
    story.env.insert("GREETING".into(), "a b $(x)".into());
    let (lines, _) = output(&story.program(&["env"]));
    assert_eq!(lines, ["GREETING=a b $(x)", "PATH=/usr/local/bin:/usr/bin:/bin"]);
}

#[test]
fn arguments_are_handed_on_without_a_shell_looking_at_them() {
    let (lines, _) = output(&Story::new().program(&["printf", "%s\\n", "a b", "$(x)", "; exit 3", ""]));
    assert_eq!(lines, ["a b", "$(x)", "; exit 3", ""]);
}

#[test]
fn standard_input_is_empty() {
    let (lines, result) = output(&Story::new().shell("cat; echo end"));
    assert_eq!((lines, result.unwrap()), (vec!["end".to_owned()], Ending::Complete));
}

#[test]
fn a_step_stops_at_its_first_failure_and_says_how_it_ended() {
    let (lines, result) = output(&Story::new().shell("echo before\n(exit 7)\necho after"));
    assert_eq!(lines, ["before"]);
    assert_eq!(result.unwrap_err().to_string(), "`echo before …` exited with code 7");
    let (_, result) = output(&Story::new().shell("kill -SEGV $$"));
    assert_eq!(result.unwrap_err().to_string(), "`kill -SEGV $$` was killed by signal 11");
}

#[test]
fn a_missing_program_is_named() {
    let story = Story::new();
    let error = story.program(&["no-such-program", "-v"]).run(&mut silent).unwrap_err();
    assert!(matches!(&error, Error::Spawn { program, .. } if program == "no-such-program"), "{error}");
    assert!(error.hint().is_some());
    let error = story.program(&["./neither-this"]).run(&mut silent).unwrap_err();
    assert!(matches!(&error, Error::Spawn { program, .. } if program == "./neither-this"), "{error}");
}

#[test]
fn a_missing_directory_is_not_mistaken_for_a_missing_program() {
    let story = Story::new();
    let process = Process::shell("true", &story.env, Path::new("/no/such/dir"), &story.cancel);
    let error = process.run(&mut silent).unwrap_err().to_string();
    assert!(error.starts_with("could not run a command in `/no/such/dir`: "), "{error}");
}

#[test]
fn programs_are_looked_up_in_the_path_of_the_step() {
    let mut story = Story::new();
    let tool = story.dir.path().join("bin/tool");
    fs::create_dir(story.dir.path().join("bin")).unwrap();
    std::os::unix::fs::symlink("/bin/echo", &tool).unwrap();
    story.env.insert("PATH".into(), tool.parent().unwrap().into());
    assert_eq!(output(&story.program(&["tool", "mine"])).0, ["mine"]);
    assert_eq!(output(&story.program(&["bin/tool", "mine"])).0, ["mine"]);
}

#[test]
fn output_of_a_background_process_is_kept_after_its_leader_has_gone() {
    let story = Story::new();
    let go = story.fifo("go");
    let process = story.shell("(read x < go; echo late; echo later) & echo early");
    let mut lines = Vec::new();
    let result = process.run(&mut |line| {
        if line == b"early" {
            OpenOptions::new().write(true).open(&go).unwrap().write_all(b"\n").unwrap();
        }
        lines.push(String::from_utf8_lossy(line).into_owned());
    });
    assert_eq!(result.unwrap(), Ending::Complete);
    assert_eq!(lines, ["early", "late", "later"]);
}

#[test]
fn a_background_process_has_the_whole_grace_after_each_of_its_lines() {
    let story = Story::new();
    let go = OpenOptions::new().read(true).write(true).open(story.fifo("go")).unwrap();
    let grace = Duration::from_secs(1); // long against any scheduling delay
    let leader_has_exited = "until grep -q ') Z' /proc/$$/stat; do :; done";
    let process = story.shell(&format!("({leader_has_exited}; for i in 1 2; do echo $i; read x <go; done) &"));
    let mut lines = Vec::new();
    let result = process.grace(grace).run(&mut |line| {
        lines.push(line.to_vec());
        if line == b"1" {
            Cancel::new().pause(grace).unwrap(); // a slow observer's time does not count
        }
        (&go).write_all(b"\n").unwrap();
    });
    assert_eq!(result.unwrap(), Ending::Complete);
    assert_eq!(lines, [b"1", b"2"]);
}

#[test]
fn a_silent_straggler_that_holds_the_output_open_is_killed_and_reported() {
    let story = Story::new();
    let held = story.held();
    let process = story.shell(&format!("{HOLDER} & echo done")).grace(Duration::from_millis(20));
    let (lines, result) = output(&process);
    assert_eq!(result.unwrap(), Ending::Abandoned);
    assert_eq!(lines, ["done"]);
    await_death(held);
}

#[test]
fn a_straggler_that_has_let_go_of_the_output_costs_no_time_and_is_killed_too() {
    let story = Story::new();
    let held = story.held();
    let process = story.shell(&format!("{HOLDER} >/dev/null 2>&1 & echo done")).grace(Duration::MAX);
    assert_eq!(output(&process).1.unwrap(), Ending::Complete);
    await_death(held);
}

#[test]
fn a_time_limit_kills_the_grandchildren_too() {
    let story = Story::new();
    let held = story.held();
    let process = story.shell(&format!("sh -c '{HOLDER}'; true")).limit(Some(Duration::from_millis(50)));
    let error = process.run(&mut silent).unwrap_err();
    assert!(error.to_string().ends_with("did not finish within 50 ms"), "{error}");
    await_death(held);
}

#[test]
fn a_process_that_ignores_sigterm_is_killed_after_its_grace() {
    let story = Story::new();
    story.fifo("never");
    let process = story
        .shell("trap '' TERM; echo ready; read forever <> never")
        .limit(Some(Duration::from_millis(20)))
        .grace(Duration::from_millis(20));
    assert!(matches!(process.run(&mut silent), Err(Error::TimedOut { .. })));
}

#[test]
fn a_process_asked_to_end_may_still_clean_up_and_say_so() {
    let story = Story::new();
    story.fifo("never");
    let process =
        story.shell("trap 'echo cleaned; exit 0' TERM; echo ready; read forever <> never").grace(Duration::MAX);
    let mut lines = Vec::new();
    let result = process.run(&mut |line| {
        story.cancel.cancel();
        lines.push(line.to_vec());
    });
    assert!(matches!(result, Err(Error::Interrupted)));
    assert_eq!(lines, [b"ready".to_vec(), b"cleaned".to_vec()]);
}

#[test]
fn a_stopped_process_is_woken_to_end() {
    let story = Story::new();
    let process = story.shell("trap 'echo cleaned; exit' TERM; echo $$; kill -STOP $$");
    let mut lines = Vec::new();
    let result = process.grace(Duration::MAX).run(&mut |line| {
        let line = String::from_utf8_lossy(line).into_owned();
        let stat = format!("/proc/{line}/stat");
        while !story.cancel.is_cancelled() {
            if fs::read_to_string(&stat).unwrap().contains(") T ") {
                story.cancel.cancel();
            }
        }
        lines.push(line);
    });
    assert!(matches!(result, Err(Error::Interrupted)));
    assert_eq!(lines.last().unwrap(), "cleaned");
}

#[test]
fn what_a_killed_process_has_written_is_not_lost() {
    let story = Story::new();
    let written = story.fifo("written");
    story.fifo("never");
    let (mut lines, mut pid) = (0, String::new());
    let process = story.shell("echo $$; seq 1 8000; echo >written; read forever <> never");
    let result = process.run(&mut |line| {
        match lines {
            0 => {
                pid = String::from_utf8_lossy(line).into_owned();
                File::open(&written).unwrap();
                story.cancel.force();
            }
            2000 => while !fs::read_to_string(format!("/proc/{pid}/stat")).unwrap().contains(") Z ") {},
            _ => {}
        }
        lines += 1;
    });
    assert!(matches!(result, Err(Error::Interrupted)));
    assert_eq!(lines, 8001);
}

#[test]
fn a_time_limit_holds_for_what_the_leader_has_left_behind() {
    let story = Story::new();
    story.fifo("never");
    let process = story.shell("(read forever <> never) &").limit(Some(Duration::from_millis(20)));
    assert!(matches!(process.grace(Duration::from_secs(3600)).run(&mut silent), Err(Error::TimedOut { .. })));
}

#[test]
fn cancelling_from_another_thread_wakes_a_silent_process_at_once() {
    let story = Story::new();
    let (held, _) = (story.fifo("held"), story.fifo("never"));
    let cancel = story.cancel.clone();
    let canceller = std::thread::spawn(move || {
        let mut held = File::open(held).unwrap();
        held.read_exact(&mut [0]).unwrap(); // it runs
        cancel.cancel();
        held
    });
    let process = story.shell(HOLDER).grace(Duration::MAX);
    assert!(matches!(process.run(&mut silent), Err(Error::Interrupted)));
    await_death(canceller.join().unwrap());
}

#[test]
fn a_second_request_does_not_wait_for_the_grace() {
    let story = Story::new();
    story.fifo("never");
    let process =
        story.shell("trap 'echo no' TERM; echo ready; while :; do read forever <> never; done").grace(Duration::MAX);
    let result = process.run(&mut |line| match line {
        b"ready" => story.cancel.cancel(),
        _ => story.cancel.force(),
    });
    assert!(matches!(result, Err(Error::Interrupted)));
}

#[test]
fn nothing_starts_once_cancelled() {
    let story = Story::new();
    story.cancel.cancel();
    assert!(matches!(story.shell("touch started").run(&mut silent), Err(Error::Interrupted)));
    assert!(!story.dir.path().join("started").exists());
}

#[test]
fn a_panicking_observer_leaves_nobody_alive() {
    let story = Story::new();
    let held = story.held();
    let process = story.shell("exec 7>held; echo ready; read forever <> never");
    let run = std::panic::AssertUnwindSafe(|| process.run(&mut |_| std::panic::resume_unwind(Box::new("boom"))));
    assert!(std::panic::catch_unwind(run).is_err());
    await_death(held);
}
