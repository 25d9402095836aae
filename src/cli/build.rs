//! `cortado build`: carries a recipe out and tells about it, on a terminal, as plain lines, or as JSON.

use serde::Serialize;

use super::args::{Build, Common};
use super::connect::connect;
use super::interrupt::Interrupt;
use super::live::Live;
use super::memory::Memory;
use super::recipe::{Loaded, equip};
use super::screen::Screen;
use super::settings;
use super::terminal::Terminal;
use crate::{Cancel, Closing, Detail, Engine, Event, Exit, Failure, Narrator, Report, Result, summary};

pub(super) fn run(common: &Common, args: &Build, terminal: &Terminal) -> Result<Exit> {
    let memory = Memory::of(common);
    if let Some(report) = memory.as_ref().and_then(|memory| rest(memory, common, args, terminal)) {
        conclude(&report, common, terminal);
        return Ok(leave(report));
    }
    let loaded = Loaded::on(memory.as_ref().map(Memory::platform), common, terminal)?;
    let cancel = Cancel::new();
    let spec = settings::gather(common, &args.cache, Some(loaded.recipe()))?.cache(loaded.project().name())?;
    let engine = connect(loaded.engine(), &spec, &loaded, terminal)?;
    let engine = match memory.as_ref().and_then(|memory| memory.origin(loaded.recipe())) {
        Some(origin) => engine.remember(origin),
        None => engine,
    };
    let engine = match spec.transfers {
        Some(transfers) => engine.transfers(transfers),
        None => engine,
    };
    let engine = configure(engine, args).cancel(&cancel);
    let (engine, say) = watch(engine, common, args, terminal);
    let interrupt = Interrupt::listen(&cancel, say)?;
    let report = loaded.locate(engine.run());
    drop(interrupt);
    let report = report?;
    conclude(&report, common, terminal);
    let exit = leave(report);
    std::mem::forget(loaded);
    Ok(exit)
}

/// Does without the recipe, if nothing has changed since it was read last and nothing is to be done.
///
/// No cache is looked at then, so that one that has to be there is looked at in the other way.
fn rest(memory: &Memory, common: &Common, args: &Build, terminal: &Terminal) -> Option<Report> {
    let standing = memory.standing(common)?;
    let spec =
        settings::gather(common, &args.cache, None).and_then(|settings| settings.cache(standing.project().name()));
    let spec = spec.ok()?; // what is wrong with it is told in the other way
    if spec.policy.requires_read() || spec.tiers.iter().any(|tier| tier.settings().required) {
        return None;
    }
    let engine = equip(Engine::new(standing.project()), common.offline).cache_mode(spec.mode);
    let (engine, _) = watch(configure(engine, args), common, args, terminal);
    let report = engine.rest(&standing);
    if report.is_some() {
        standing.notes().iter().for_each(|note| terminal.say(&format!("{note}\n")));
        std::mem::forget(standing);
    }
    report
}

/// The exit of a run. What is large is not given back piece by piece: the process ends, and gives back all of it.
fn leave(report: Report) -> Exit {
    let exit = Exit::of_report(&report);
    std::mem::forget(report);
    exit
}

fn configure<'p>(engine: Engine<'p>, args: &Build) -> Engine<'p> {
    let mut engine = engine
        .only(&args.tasks)
        .keep_going(args.keep_going)
        .compression_level(args.compression_level)
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
    for error in report.tasks.iter().filter_map(|task| task.error.as_deref()) {
        terminal.say(&Failure::of(error).text(terminal.err_paint()));
    }
}
