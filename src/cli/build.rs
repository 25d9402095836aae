//! `cortado build`: carries a recipe out and tells about it, on a terminal, as plain lines, or as JSON.

use serde::Serialize;

use super::args::{Build, Common};
use super::cache;
use super::interrupt::Interrupt;
use super::live::Live;
use super::recipe::Loaded;
use super::screen::Screen;
use super::terminal::Terminal;
use crate::{Cancel, Closing, Detail, Engine, Event, Exit, Failure, Narrator, Report, Result, summary};

pub(super) fn run(common: &Common, args: &Build, terminal: &Terminal) -> Result<Exit> {
    let loaded = Loaded::new(common, terminal)?;
    let cancel = Cancel::new();
    let engine = cache::connect(loaded.engine(), &args.cache, args.cache_policy.into(), &loaded, terminal)?;
    let engine = configure(engine, args).cancel(&cancel);
    let (engine, say) = watch(engine, common, args, terminal);
    let interrupt = Interrupt::listen(&cancel, say)?;
    let report = loaded.locate(engine.run());
    drop(interrupt);
    let report = report?;
    conclude(&report, common, terminal);
    Ok(Exit::of_report(&report))
}

fn configure<'p>(engine: Engine<'p>, args: &Build) -> Engine<'p> {
    let mut engine = engine
        .only(&args.tasks)
        .keep_going(args.keep_going)
        .replace_unowned(args.replace_unowned)
        .wait(args.lock.wait())
        .holder("cortado build");
    if let Some(jobs) = args.jobs {
        engine = engine.jobs(jobs.get());
    }
    if let Some(transfers) = args.transfers {
        engine = engine.transfers(transfers.get());
    }
    if let Some(proxy) = &args.proxy {
        engine = engine.proxy(proxy);
    }
    if let Some(file) = &args.ca_file {
        engine = engine.ca_file(file);
    }
    args.sources.iter().fold(engine, Engine::sources)
}

/// What says something to people while the run goes on.
type Say = Box<dyn Fn(&str) + Send>;

/// Observes the run in the way that was asked for.
fn watch<'p>(engine: Engine<'p>, common: &Common, args: &Build, terminal: &Terminal) -> (Engine<'p>, Say) {
    let terminal = terminal.clone();
    if common.json {
        let said = terminal.clone();
        return (engine.observe(move |event| line_of_json(&terminal, event)), Box::new(move |text| said.line(text)));
    }
    let live = !args.plain && Terminal::is_live();
    let detail = match (common.quiet, common.verbose || !live) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Full,
        _ => Detail::Brief,
    };
    let mut narrator = Narrator::new(detail, terminal.err_paint());
    if live && !common.quiet {
        let screen = Screen::open();
        let said = terminal.clone();
        let mut live = Live::new(&screen, move |text: &str| said.line(text), narrator);
        let say = move |text: &str| screen.suspend(|| terminal.line(text));
        return (engine.observe(move |event| live.show(event)), Box::new(say));
    }
    let said = terminal.clone();
    let observe = move |event: &Event| narrator.tell(event).iter().for_each(|line| terminal.line(line));
    (engine.observe(observe), Box::new(move |text| said.line(text)))
}

fn line_of_json(terminal: &Terminal, value: &impl Serialize) {
    if let Ok(line) = serde_json::to_string(value) {
        // Nobody may be listening: that is no reason to stop building.
        let _nobody_listens = terminal.report(&(line + "\n"));
    }
}

/// The end: the report, and what to do about each failure.
fn conclude(report: &Report, common: &Common, terminal: &Terminal) {
    if common.json {
        return line_of_json(terminal, &Closing::of(report));
    }
    if !common.quiet || !report.success() {
        terminal.say(&summary(report, terminal.err_paint()));
    }
    for error in report.tasks.iter().filter_map(|task| task.error.as_ref()) {
        terminal.say(&Failure::of(error).text(terminal.err_paint()));
    }
}
