//! The page in Chromium: what it says, that it fits and can be read, and how it looks.
//!
//! The pictures lie in `target/pages` afterwards.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::super::served::Served;
use super::shop;
use crate::support::browser::{Browser, View};

const WIDE: u32 = 1280;
const NARROW: u32 = 400;

/// Where the pictures go: beside what the build has made.
fn pictures() -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("pages");
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// Every page of a server, with a name for its picture.
const PAGES: [(&str, &str); 7] = [
    ("overview", "/"),
    ("month", "/?range=month"),
    ("project", "/page/project?name=coffeeshop"),
    ("objects", "/page/objects?project=coffeeshop&task=openssl"),
    ("search", "/page/objects?q=coffeeshop"),
    ("packages", "/page/packages"),
    ("connect", "/page/connect"),
];

/// What a table says, row by row.
const ROWS: &str = "[...document.querySelectorAll('table')].map(table => [...table.rows].map(row =>
    [...row.cells].map(cell => cell.innerText.trim())))";

/// Texts that are hard to read: those with less contrast to what is behind them than WCAG 2 AA asks for.
const FAINT: &str = r#"(() => {
  const parse = text => { const m = text.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const light = c => { const f = c.slice(0, 3).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
  const ground = element => { for (let e = element; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, style = getComputedStyle(element);
    if (!walker.currentNode.textContent.trim() || !element.getClientRects().length || element.closest('svg')) continue;
    const [one, other] = [light(parse(style.color)), light(ground(element))].sort((a, b) => b - a);
    const large = parseFloat(style.fontSize) >= 24;
    if ((one + .05) / (other + .05) < (large ? 3 : 4.5)) faint.push(element.outerHTML.slice(0, 120));
  }
  return faint;
})()"#;

/// What somebody who sees nothing has to be told, and is not.
const MUTE: &str = r#"[
  ...[...document.querySelectorAll('img:not([alt]), svg[role=img]:not([aria-labelledby]), table:not(:has(caption)), th:not([scope])')],
  ...[...document.querySelectorAll('input')].filter(input => !input.labels.length),
  ...[...document.querySelectorAll('[aria-labelledby]')].filter(e => !document.getElementById(e.getAttribute('aria-labelledby'))),
  ...[...document.querySelectorAll('a, button')].filter(e => !e.textContent.trim()),
  ...[...document.querySelectorAll('[tabindex="-1"]')],
].map(element => element.outerHTML.slice(0, 120))"#;

fn check(browser: &mut Browser, url: &str) {
    let width = browser.evaluate("[document.documentElement.scrollWidth, innerWidth]");
    assert_eq!(width[0], width[1], "{url} is wider than its window");
    assert_eq!(browser.evaluate(FAINT), json!([]), "{url} is hard to read");
    assert_eq!(browser.evaluate(MUTE), json!([]), "{url} hides something");
    let landmarks =
        browser.evaluate("['header', 'main', 'footer', 'h1'].map(tag => document.querySelectorAll(tag).length)");
    assert_eq!(landmarks, json!([1, 1, 1, 1]), "{url}");
    let ids = browser
        .evaluate("[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, n, all) => all.indexOf(id) < n)");
    assert_eq!(ids, json!([]), "{url} has an id twice");
}

fn tour(browser: &mut Browser, served: &Served, width: u32, is_dark: bool) {
    let kind = match (width, is_dark) {
        (NARROW, _) => "narrow",
        (_, true) => "dark",
        (_, false) => "light",
    };
    for (name, path) in PAGES {
        let url = served.url(path);
        browser.open(&url, View { width, is_dark });
        check(browser, &url);
        browser.shoot(&pictures().join(format!("{name}-{kind}.png")));
    }
}

#[test]
fn pages_are_whole_readable_and_fit_in_a_real_browser() {
    let Some(mut browser) = Browser::start() else { return };
    let served = shop::open();
    for (width, is_dark) in [(WIDE, false), (WIDE, true), (NARROW, false)] {
        tour(&mut browser, &served, width, is_dark);
    }
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[test]
fn the_first_page_says_what_there_is_in_a_real_browser() {
    let Some(mut browser) = Browser::start() else { return };
    let served = shop::open();
    browser.open(&served.url("/"), View { width: WIDE, is_dark: false });
    assert_eq!(browser.evaluate("document.title"), "Overview · cortado");
    let tables = browser.evaluate(ROWS);
    let rows =
        |table: usize| tables[table].as_array().unwrap().iter().map(|row| row[0].clone()).collect::<Vec<Value>>();
    assert_eq!(rows(1), ["Project", "coffeeshop", "deliveries", "roastery", "tasting-notes"]);
    let objects: usize = shop::WARES.iter().filter(|ware| ware.0 == "coffeeshop").map(|ware| ware.2.len()).sum();
    assert_eq!(tables[1][1][1], objects.to_string());
    assert_eq!(rows(2), ["Protocol", "gradle", "curdling"]);
    assert!(browser.evaluate("document.querySelectorAll('svg.load .hits').length").as_u64() > Some(20));
    // What the picture shows, the table says.
    let bars = browser.evaluate("document.querySelectorAll('svg.load .spot').length").as_u64().unwrap() as usize;
    let lines = browser.evaluate("document.querySelectorAll('details tbody tr').length").as_u64().unwrap() as usize;
    assert!(bars <= lines && bars > 20, "{bars} bars, {lines} lines");
    let colors = ["light", "dark"].map(|scheme| {
        browser.open(&served.url("/"), View { width: WIDE, is_dark: scheme == "dark" });
        browser.evaluate("getComputedStyle(document.body).backgroundColor")
    });
    assert_ne!(colors[0], colors[1], "the reader's choice of light or dark is followed");
}

#[test]
fn an_empty_store_looks_friendly_in_a_real_browser() {
    let Some(mut browser) = Browser::start() else { return };
    let served = Served::new();
    for width in [WIDE, NARROW] {
        browser.open(&served.url("/"), View { width, is_dark: false });
        check(&mut browser, "an empty store");
        let kind = if width == NARROW { "narrow" } else { "light" };
        browser.shoot(&pictures().join(format!("empty-{kind}.png")));
    }
    assert_eq!(browser.complaints, Vec::<String>::new());
}
