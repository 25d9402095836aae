//! Help, completions, and the page that says the same: `docs/cli.md`.

use std::collections::BTreeSet;

use super::Shop;

const COMMANDS: [&str; 12] = [
    "build",
    "plan",
    "list",
    "why",
    "manifest",
    "licenses",
    "clean",
    "cache",
    "config",
    "doctor",
    "serve",
    "completions",
];
const CACHE: [&str; 9] = ["stats", "list", "show", "rm", "prune", "pin", "unpin", "verify", "repair"];
const PAGE: &str = include_str!("../../../docs/cli.md");

/// The options of a help text, each with its line.
fn options(help: &str) -> BTreeSet<String> {
    let words = help.lines().filter(|line| line.trim_start().starts_with('-')).flat_map(str::split_whitespace);
    let long = words.filter(|word| word.starts_with("--"));
    long.map(|word| word.trim_end_matches([',', '.']).to_owned()).collect()
}

#[test]
fn every_command_and_option_is_on_the_page() {
    let shop = Shop::new("");
    for command in COMMANDS {
        assert!(PAGE.contains(&format!("## `cortado {command}")), "`{command}` is not in docs/cli.md");
        let help = shop.run(&[command, "--help"]).ends(0);
        let options = options(&help.out);
        assert!(options.contains("--json"), "{}", help.out);
        for option in options {
            assert!(PAGE.contains(&format!("`{option}")), "`{option}` of `{command}` is not in docs/cli.md");
        }
    }
    for verb in CACHE {
        assert!(PAGE.contains(&format!("`cortado cache {verb}")), "`{verb}` is not in docs/cli.md");
        for option in options(&shop.run(&["cache", verb, "--help"]).ends(0).out) {
            assert!(PAGE.contains(&format!("`{option}")), "`{option}` of `cache {verb}` is not in docs/cli.md");
        }
    }
}

#[test]
fn every_option_on_the_page_exists() {
    let shop = Shop::new("");
    let commands = COMMANDS.map(|command| vec![command]).into_iter();
    let commands = commands.chain(CACHE.map(|verb| vec!["cache", verb]));
    let known: BTreeSet<_> =
        commands.flat_map(|command| options(&shop.run(&[&command[..], &["--help"]].concat()).out)).collect();
    let named = PAGE.split('`').filter_map(|code| code.split_whitespace().find(|word| word.starts_with("--")));
    for option in named.filter(|option| !["--version", "--help"].contains(option)) {
        assert!(known.contains(option), "`{option}` of docs/cli.md does not exist");
    }
}

#[test]
fn every_variable_of_the_help_is_on_the_page() {
    let shop = Shop::new("");
    let help: String = COMMANDS.map(|command| shop.run(&[command, "--help"]).out).concat();
    let variables: BTreeSet<_> = help.split(|c: char| !c.is_ascii_uppercase() && c != '_').collect();
    let ours: Vec<_> = variables.into_iter().filter(|name| name.starts_with("CORTADO_")).collect();
    assert!(ours.len() > 10, "{ours:?}");
    for name in ours {
        assert!(PAGE.contains(&format!("`{name}`")), "`{name}` is not in docs/cli.md");
    }
}

#[test]
fn the_help_lists_the_commands_and_the_exit_codes() {
    let help = Shop::new("").run(&["--help"]).ends(0).out;
    for word in COMMANDS.into_iter().chain(["Exit codes:", "130  interrupted"]) {
        assert!(help.contains(word), "`{word}` is not in\n{help}");
    }
    let expected = format!("cortado {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(Shop::new("").run(&["--version"]).ends(0).out, expected);
}

#[test]
fn options_stand_below_their_headings() {
    let help = Shop::new("").run(&["build", "--help"]).ends(0).out;
    let place = |text: &str| help.find(text).unwrap_or_else(|| panic!("`{text}` is not in\n{help}"));
    let order = ["--plain", "--no-wait", "\nCommon options:", "--work-dir", "\nCache:", "--cache-dir", "\nSources:"];
    for pair in [[0, 2], [1, 2], [2, 3], [4, 5]] {
        assert!(place(order[pair[0]]) < place(order[pair[1]]), "{pair:?}\n{help}");
    }
    let cache = &help[place("\nCache:") + 1..];
    let cache = cache.split("\n\n").take_while(|part| !part.starts_with("Sources:")).collect::<String>();
    assert!(!cache.contains("--no-wait") && !cache.contains("--plain"), "{help}");
}

#[test]
fn shells_get_scripts_that_know_the_options() {
    let shop = Shop::new("");
    for shell in ["bash", "zsh", "fish"] {
        let script = shop.run(&["completions", shell]).ends(0).out;
        assert!(script.contains("keep-going") && script.contains("licenses"), "{shell}");
    }
}

#[test]
fn bash_accepts_its_script() {
    let shop = Shop::new("");
    let script = shop.run(&["completions", "bash"]).ends(0).out;
    shop.write("completions.bash", &script);
    let status = std::process::Command::new("bash").arg("-n").arg(shop.path("completions.bash")).status();
    assert!(status.unwrap().success());
}

#[cfg(not(feature = "server"))]
#[test]
fn a_build_without_a_server_says_how_to_get_one() {
    let ran = Shop::new("").run(&["serve", "store"]).ends(2);
    assert!(ran.err.contains("cargo install cortado --features server"), "{}", ran.err);
}
