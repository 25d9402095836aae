//! The configuration, as commands find it: files, variables, options, `cortado config` and `cortado doctor`.

use std::fs;

use super::{SHOP, Shop};

/// A shop with a file of its user's own.
fn shop(user: &str, project: &str) -> Shop {
    let shop = Shop::new(SHOP);
    shop.write("config/cortado/config.toml", user);
    shop.write("cortado.toml", project);
    shop
}

fn with_user(shop: &Shop, args: &[&str]) -> super::Ran {
    let config = shop.path("config");
    shop.run_with(args, &[("XDG_CONFIG_HOME", config.to_str().unwrap())])
}

#[test]
fn what_holds_is_shown_with_where_it_is_said() {
    let shop = shop(
        "[cache]\npolicy = 'warn'\n[stores.team]\ntype = 'http'\nurl = 'http://kai:hush@127.0.0.1:1/x'\ntoken = 'hush'\n",
        "[cache]\nmode = 'read-only'\n",
    );
    let ran = with_user(&shop, &["config", "--config", "cache.tiers=local"]).ends(0);
    let expected = "cache.mode         read-only             cortado.toml:2\n\
                    cache.policy       warn                  [shop]/config/cortado/config.toml:2\n\
                    cache.tiers        [\"local\"]             --config cache.tiers\n\
                    stores.team.token  ***                   [shop]/config/cortado/config.toml:6\n\
                    stores.team.type   http                  [shop]/config/cortado/config.toml:4\n\
                    stores.team.url    http://127.0.0.1:1/x  [shop]/config/cortado/config.toml:5\n";
    assert_eq!(ran.out, expected);
    let json = with_user(&shop, &["config", "--json"]).ends(0).out;
    assert!(!json.contains("hush"), "{json}");
    assert_eq!(Shop::new(SHOP).run(&["config"]).ends(0).out, "nothing is configured\n");
}

#[test]
fn a_mistake_ends_the_command_and_names_the_line() {
    let shop = shop("", "[cache]\nmodus = 'off'\n");
    for command in ["build", "plan", "config"] {
        shop.run(&[command])
            .ends(2)
            .says("error: cortado.toml:2: `cache.modus` is not a known key\nhint: did you mean `mode`?\n");
    }
    shop.write("cortado.toml", "[cache\n");
    shop.run(&["build"]).ends(2).mentions("error: cortado.toml:1: this is no TOML: ");
    shop.write("cortado.toml", "");
    shop.run(&["build", "--config", "mode=off"]).ends(2).says(
        "error: --config mode=off: this is no key with a value\nhint: write `cache.mode=off` or `stores.NAME.KEY=VALUE`\n",
    );
}

#[test]
fn options_come_over_variables_over_files() {
    let shop = shop("", "[cache]\nmode = 'off'\n");
    let action = |args: &[&str], env: &[(&str, &str)]| {
        let ran = shop.run_with(&[&["plan", "--json"], args].concat(), env).ends(0);
        let plan: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        plan["tasks"][0]["action"].as_str().unwrap().to_owned()
    };
    assert_eq!(action(&[], &[]), "build");
    assert_eq!(action(&[], &[("CORTADO_CACHE_MODE", "read-write")]), "restore-or-build");
    assert_eq!(action(&["--no-cache"], &[("CORTADO_CACHE_MODE", "read-write")]), "build");
    assert_eq!(action(&["--cache-mode", "read-only"], &[("CORTADO_CACHE_MODE", "off")]), "restore-or-build");
}

#[test]
fn a_build_fills_the_near_store_from_the_far_one() {
    let shop = shop("", "[stores.team]\ntype = 'directory'\npath = 'team'\n");
    shop.run(&["build"]).ends(0);
    assert!(shop.path("team/format").exists());
    fs::remove_dir_all(shop.path("cache")).unwrap();
    shop.run(&["clean", "--all"]).ends(0);
    shop.run(&["build"]).ends(0).mentions("restored");
    let near = shop.json(&["cache", "list", "--json"]);
    assert_eq!((&near["store"], near["objects"].as_array().unwrap().len()), (&"local".into(), 2));
}

#[test]
fn what_nobody_trusted_signed_is_built_again() {
    let shop = shop("", "");
    let key = shop.run(&["cache", "key", "new", "key"]).ends(0).out.trim().to_owned();
    shop.run(&["build"]).ends(0);
    shop.run(&["clean", "--all"]).ends(0);
    shop.write("cortado.toml", &format!("[cache]\ntrust = ['{key}']\n"));
    shop.run(&["build"]).ends(0).mentions("built");
    shop.run(&["clean", "--all"]).ends(0);
    shop.run_with(&["build", "--recache"], &[("CORTADO_CACHE_SIGN", "key")]).ends(0);
    shop.run(&["clean", "--all"]).ends(0);
    shop.run(&["build"]).ends(0).mentions("restored");
    shop.run(&["clean", "--all"]).ends(0);
    shop.write("cortado.toml", "[cache]\ntrust = ['me']\n");
    shop.run(&["build"]).ends(2).says(
        "error: `cache.trust`: a public key is `cortado-public-1:` and 64 hex digits\n\
         hint: `cortado cache key new` prints the public key of the key that it makes\n",
    );
}

#[test]
fn a_secret_comes_from_whoever_has_it_and_goes_nowhere_else() {
    let shop = shop("[stores.team]\ntype = 'http'\nurl = 'http://127.0.0.1:1/'\ntoken_command = 'exit 3'\n", "");
    let ran = with_user(&shop, &["build"]).ends(0);
    assert!(
        ran.err.contains(
            "warning: going on without the store `team`: `stores.team.token`: its command failed: exit status: 3\n"
        ),
        "{}",
        ran.err
    );
    shop.write(
        "config/cortado/config.toml",
        "[stores.team]\ntype = 'http'\nurl = 'http://127.0.0.1:1/'\ntoken_file = '~/none'\n",
    );
    shop.run(&["clean", "--all"]).ends(0);
    let config = shop.path("config");
    let home = [("XDG_CONFIG_HOME", config.to_str().unwrap()), ("HOME", "/nonexistent")];
    shop.run_with(&["build"], &home).ends(0).mentions("could not read `/nonexistent/none`");
}

#[test]
fn the_doctor_probes_every_store() {
    let shop = shop("", "[stores.team]\ntype = 'directory'\npath = 'team'\n");
    let ran = shop.run(&["doctor"]).ends(0);
    let expected = "well     configuration: 2 keys are set\n\
                    well     store local: directory [shop]/cache/cortado/artifacts: written, read back, compared and removed in T\n\
                    well     store team: directory [shop]/team: written, read back, compared and removed in T\n\
                    all is well\n";
    ran.reports(expected);
    assert_eq!(shop.json(&["cache", "list", "--store", "team", "--json"])["objects"], serde_json::json!([]));
}

#[test]
fn the_doctor_leaves_a_store_in_order() {
    let shop = Shop::new(super::SHOP);
    shop.run(&["doctor"]).ends(0);
    assert_eq!(super::names(&shop.path("cache/cortado/artifacts/writers")), [""; 0]);
}

#[test]
fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let shop = shop("", "[stores.team]\ntype = 'http'\nurl = 'http://127.0.0.1:1/shop'\n");
    let ran = shop.run(&["doctor", "--store", "team"]).ends(1);
    assert!(ran.out.contains("wrong    store team: server http://127.0.0.1:1/shop: "), "{}", ran.out);
    assert!(ran.out.contains("nobody listens there: see whether the server runs, and on that port\n"), "{}", ran.out);
    assert!(ran.out.ends_with("something is wrong\n"), "{}", ran.out);
    shop.write("cortado.toml", "[cache]\nmodus = 'off'\n");
    shop.run(&["doctor"]).ends(1).reports(
        "wrong    configuration: cortado.toml:2: `cache.modus` is not a known key\n         did you mean `mode`?\nsomething is wrong\n",
    );
    shop.write("cortado.toml", "");
    shop.write("other/notes", "mine");
    let foreign = shop.run(&["doctor", "--json", "--config", "stores.local.path=other"]).ends(1);
    let foreign: serde_json::Value = serde_json::from_str(&foreign.out).unwrap();
    assert_eq!((&foreign["healthy"], &foreign["checks"][1]["verdict"]), (&false.into(), &"wrong".into()));
    assert_eq!(shop.read("other/notes"), "mine");
}

#[test]
fn the_doctor_notices_that_one_does_not_trust_oneself() {
    let shop = shop("", "");
    shop.run(&["cache", "key", "new", "mine"]).ends(0);
    let other = shop.run(&["cache", "key", "new", "other"]).ends(0).out.trim().to_owned();
    shop.write("cortado.toml", &format!("[cache]\ntrust = ['{other}']\n"));
    let ran = shop.run_with(&["doctor"], &[("CORTADO_CACHE_SIGN", "mine")]).ends(1);
    assert!(
        ran.out
            .contains("wrong    keys: what is signed here is not trusted here, so it would be built again and again\n"),
        "{}",
        ran.out
    );
}

/// A server that has nothing, and the `Authorization` of each request that came to it.
fn empty_server(requests: usize) -> (String, std::thread::JoinHandle<Vec<String>>) {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/shop", listener.local_addr().unwrap());
    let seen = std::thread::spawn(move || {
        let answer = |connection: std::io::Result<std::net::TcpStream>| {
            let connection = connection.unwrap();
            let lines = BufReader::new(&connection).lines().map(Result::unwrap).take_while(|line| !line.is_empty());
            let headers: Vec<_> = lines.collect();
            (&connection)
                .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
            let said = headers.iter().filter_map(|line| line.split_once(": "));
            let mut said = said.filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
            said.next().map_or("nobody".to_owned(), |(_, value)| value.to_owned())
        };
        listener.incoming().take(requests).map(answer).collect()
    });
    (url, seen)
}

#[test]
fn a_server_gets_the_credentials_that_are_meant_for_it() {
    let (url, seen) = empty_server(5);
    let shop = Shop::new(SHOP);
    let user = |more: &str| {
        let store = format!("[stores.team]\ntype = 'http'\nurl = '{url}'\nmode = 'read'\n{more}\n");
        shop.write("config/cortado/config.toml", &store);
    };
    shop.write("secrets/token", "from-a-file\nand nothing more\n");
    shop.write("netrc", "machine 127.0.0.1 login kai password hush\ndefault login all password no\n");
    let (config, netrc) = (shop.path("config"), shop.path("netrc"));
    let ask = |more: &[(&str, &str)]| {
        let always = [("XDG_CONFIG_HOME", config.to_str().unwrap()), ("NETRC", netrc.to_str().unwrap())];
        shop.run_with(&["doctor", "--store", "team"], &[&always, more].concat()).ends(0);
    };
    user("");
    ask(&[]);
    ask(&[("CORTADO_STORES_TEAM_TOKEN", "from-a-variable")]);
    user("token_file = '../../secrets/token'");
    ask(&[]);
    user("token_command = 'echo from-a-command'");
    ask(&[]);
    user("netrc = true");
    ask(&[]);
    let expected =
        ["nobody", "Bearer from-a-variable", "Bearer from-a-file", "Bearer from-a-command", "Basic a2FpOmh1c2g="];
    assert_eq!(seen.join().unwrap(), expected);
}
