//! The configuration: what each says is merged key by key, what is wrong is named with its place, and what came with a
//! project leads nobody's credentials astray.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cortado::{CacheMode, Configuration, Error, Holder, Settings, StoreKind, StoreSpec, Surroundings};

/// What is said, by whom.
#[derive(Default)]
struct Said<'a> {
    user: &'a str,
    project: &'a str,
    variables: &'a [(&'a str, &'a str)],
    options: &'a [(&'a str, &'a str, &'a str)],
}

impl Said<'_> {
    fn merged(&self) -> Result<Settings, Error> {
        let around =
            Surroundings::new("/here").home(Some("/home/kai".into())).cache_dir(Some("/caches/cortado".into()));
        let mut configuration = Configuration::new(around).user(self.user, "/home/kai/.config/cortado/config.toml")?;
        configuration = configuration.project(self.project, "shop/cortado.toml")?;
        let variables = self.variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        configuration = configuration.environment(variables);
        for (store, key, value) in self.options {
            let store = Some(*store).filter(|store| !store.is_empty());
            configuration = configuration.option(store, key, value, "--config");
        }
        configuration.merge()
    }

    /// Every setting with its origin.
    fn holds(&self) -> Vec<String> {
        let settings = self.merged().unwrap();
        settings.iter().map(|setting| format!("{} = {} ({})", setting.key, setting.value, setting.origin)).collect()
    }

    /// What is wrong with it, and the hint.
    #[track_caller]
    fn told(&self) -> (String, String) {
        let error = match self.merged().map(|settings| settings.cache("shop")) {
            Err(error) | Ok(Err(error)) => error,
            Ok(Ok(cache)) => panic!("{cache:?}"),
        };
        assert_eq!(cortado::Exit::of_error(&error), cortado::Exit::Usage, "{error}");
        (error.to_string(), error.hint().unwrap_or_default())
    }
}

fn project(text: &str) -> Said<'_> {
    Said { project: text, ..Said::default() }
}

/// A store over HTTP in the project's file, with more keys.
const TEAM: &str = "[stores.team]\ntype = 'http'\nurl = 'https://cache.example.org'\n";

#[test]
fn nothing_said_is_a_directory_of_the_user() {
    let cache = Said::default().merged().unwrap().cache("shop").unwrap();
    assert_eq!((cache.mode, cache.tiers.len()), (CacheMode::ReadWrite, 1));
    let store = cache.tiers[0].store(&|_| unreachable!()).unwrap();
    let StoreSpec::Directory(directory) = store else { panic!("{store:?}") };
    assert_eq!(directory.path, PathBuf::from("/caches/cortado/artifacts"));
    assert!(cache.sign.is_none() && cache.trust.is_none());
}

#[test]
fn setting_one_key_leaves_the_others() {
    let said = Said {
        user: "[cache]\npolicy = 'warn'\n[stores.local]\nsize = '50G'\n",
        project: "[cache]\nmode = 'read-only'\n[stores.local]\nperm = 'group'\n",
        variables: &[
            ("CORTADO_CACHE_DIR", "elsewhere"),
            ("CORTADO_CACHE_POLICY", "require-read"),
            ("CORTADO_JOBS", "1"),
        ],
        options: &[("", "mode", "off")],
    };
    let expected = [
        "cache.mode = \"off\" (--config)",
        "cache.policy = \"require-read\" (CORTADO_CACHE_POLICY)",
        "stores.local.path = \"/here/elsewhere\" (CORTADO_CACHE_DIR)",
        "stores.local.perm = \"group\" (shop/cortado.toml:4)",
        "stores.local.size = 53687091200 (/home/kai/.config/cortado/config.toml:4)",
    ];
    assert_eq!(said.holds(), expected);
}

/// What is said by a server's file.
fn server(text: &str) -> Result<Configuration, Error> {
    let around = Surroundings::new("/here").home(Some("/home/kai".into()));
    Configuration::new(around).server(text, "/etc/cortado/serve.toml")
}

#[test]
fn a_server_has_a_file_of_its_own() {
    let text = "[server]\ndir = 'store'\nlisten = ['[::]:80']\nsize = '1.5T'\nread_only = true\ngrace = '2m'\n\
                htpasswd = '~/users'\nupstream = 'far'\n[stores.far]\ntype = 'directory'\npath = '/far'\nmode = 'read'\n";
    let configuration = server(text).unwrap();
    let spec = configuration.server_spec().unwrap();
    assert_eq!(spec.dir, Some("/etc/cortado/store".into()));
    assert_eq!((spec.listen, spec.size), (Some(vec!["[::]:80".into()]), Some(3 << 39)));
    assert_eq!((spec.read_only, spec.grace), (Some(true), Some(std::time::Duration::from_secs(120))));
    assert_eq!((spec.htpasswd, spec.max_rate), (Some("/home/kai/users".into()), None));
    assert_eq!(
        configuration.merge().unwrap().tier(&spec.upstream.unwrap()).unwrap().settings().mode,
        cortado::TierMode::Read
    );
}

#[test]
fn what_a_servers_file_gets_wrong_is_named() {
    let cases = [
        ("[server]\nsise = '1G'", "serve.toml:2: `server.sise` is not a known key", "did you mean `size`?"),
        ("[server]\nsize = 'much'", "serve.toml:2: `server.size` cannot be `much`", ""),
        ("[server]\naccess_log = 'xml'", "serve.toml:2: `server.access_log` must be one of `text`, `json`", ""),
        ("[server]\nlisten = ':80'", "serve.toml:2: `server.listen` must be a list of texts", ""),
        ("[server]\nmax_rate = 5000000000", "serve.toml:2: `server.max_rate` cannot be that: ", ""),
        ("[servers]\n", "serve.toml:1: unknown table or key `servers`", "did you mean `server`?"),
        ("\n[cache]\nmode = 'off'", "serve.toml:2: unknown table or key `cache`", "known tables: server, stores"),
        ("dir = 'x'", "serve.toml:1: unknown table or key `dir`", "known tables: server, stores"),
        ("server = 1", "serve.toml:1: `server` must be a table", ""),
    ];
    for (text, problem, hint) in cases {
        let error = server(text).and_then(|configuration| configuration.server_spec()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("/etc/cortado/{problem}")), "{error}");
        assert!(error.hint().unwrap_or_default().starts_with(hint), "{error:?}");
    }
    let told = project("[server]\ndir = 'x'").told();
    assert!(told.0.ends_with("unknown table or key `server`"), "{told:?}");
}

#[test]
fn variables_name_stores_of_files_and_stores_of_their_own() {
    let said = Said {
        project: "[stores.far-away]\ntype = 'directory'\npath = 'far'\n",
        variables: &[
            ("CORTADO_STORES_FAR_AWAY_TIMEOUT", "2m"),
            ("CORTADO_STORES_NEW_ONE_TYPE", "directory"),
            ("CORTADO_STORES_NEW_ONE_FILE_SYNC", "sync"),
            ("CORTADO_STORES_NEW_ONE_PATH", "/new"),
            ("CORTADO_CACHE_TIERS", "new-one, far-away"),
            ("CORTADO_CACHE_MODE", ""),
        ],
        ..Said::default()
    };
    let cache = said.merged().unwrap().cache("shop").unwrap();
    let names: Vec<_> = cache.tiers.iter().map(|tier| tier.name()).collect();
    assert_eq!(names, ["new-one", "far-away"]);
    assert_eq!(cache.tiers[1].settings().timeout.unwrap().as_secs(), 120);
    let StoreSpec::Directory(far) = cache.tiers[1].store(&|_| unreachable!()).unwrap() else { panic!() };
    assert_eq!(far.path, PathBuf::from("/here/shop/far"), "beside the file that names it");
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_the_nearest_right_one() {
    let cases = [
        ("[cache]\nmdoe = 'off'", "shop/cortado.toml:2: `cache.mdoe` is not a known key", "did you mean `mode`?"),
        (
            "[stores.local]\nfile_snyc = 'dir'",
            "shop/cortado.toml:2: `stores.local.file_snyc` is unknown: a store of type `directory` has no such key",
            "did you mean `file_sync`?",
        ),
        (
            "[cache]\nmode = 'readonly'",
            "shop/cortado.toml:2: `cache.mode` must be one of `read-write`, `read-only`, `write-only`, `recache`, `off`, not \
             `readonly`; did you mean `read-only`?",
            "",
        ),
        (
            "[stores.local]\nsize = '10GB '",
            "shop/cortado.toml:2: `stores.local.size` cannot be `10GB `: a size is a number of bytes, or a number with one of k, \
             K, M, G, T, P, E (powers of 1024) behind it",
            "",
        ),
        (
            "[stores.tema]\nurl = 'x'\n[stores.team]\ntype = 'http'\nurl = 'y'",
            "shop/cortado.toml:2: `stores.tema` has no `type`",
            "did you mean the store `team`?",
        ),
        (
            "[stores.far]\ntype = 'htpt'",
            "shop/cortado.toml:2: `stores.far.type` must be one of `directory`, `http`, `s3`, `gcs`, `azblob`, `redis`, `memcached`, \
             `webdav`, not `htpt`; did you mean `http`?",
            "",
        ),
        ("[stores.far]\ntype = 'http'", "shop/cortado.toml:2: `stores.far.url` is missing", ""),
        (
            "[stores.Far]\ntype = 'http'",
            "shop/cortado.toml:2: `Far` is not a name for a store",
            "use lower-case letters, digits and `-`, beginning with a letter",
        ),
        ("[cache]\ntiers = ['locale']", "shop/cortado.toml:2: there is no store `locale`", "did you mean `local`?"),
        (
            "[stores.a]\ntype = 'directory'\npath = 'a'\n[stores.b]\ntype = 'directory'\npath = 'b'",
            "shop/cortado.toml:5: `b` is one of several stores, and nobody says in which order they are asked",
            "write `tiers = [\"local\", \"a\", \"b\"]` in `[cache]`, nearest first",
        ),
    ];
    for (text, problem, hint) in cases {
        assert_eq!(project(text).told(), (problem.to_owned(), hint.to_owned()), "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_variable_is_named_too() {
    let told = |name: &str, value: &str| Said { project: TEAM, variables: &[(name, value)], ..Said::default() }.told();
    let said = |problem: &str, hint: &str| (problem.to_owned(), hint.to_owned());
    assert_eq!(
        told("CORTADO_CACHE_MDOE", "off"),
        said("CORTADO_CACHE_MDOE: no key has this name", "did you mean `CORTADO_CACHE_MODE`?")
    );
    assert_eq!(
        told("CORTADO_STORES_TEAM_TIMOUT", "3s"),
        said(
            "CORTADO_STORES_TEAM_TIMOUT: `stores.team.timout` is unknown: a store of type `http` has no such key",
            "did you mean `timeout`?"
        )
    );
    assert_eq!(
        told("CORTADO_STORES_TEAM_RETRIES", "many"),
        said(
            "CORTADO_STORES_TEAM_RETRIES: `stores.team.retries` must be a whole number that is not negative, not `many`",
            ""
        )
    );
    assert!(told("CORTADO_STORES_OTHER_URL", "x").0.ends_with("`stores.other` has no `type`"));
}

#[test]
fn a_mistake_does_not_hide_behind_somebody_who_overrules_it() {
    let said = Said { user: "[cache]\nmode = 'of'", variables: &[("CORTADO_CACHE_MODE", "off")], ..Said::default() };
    assert!(said.told().0.starts_with("/home/kai/.config/cortado/config.toml:2: `cache.mode` must be one of"));
}

#[test]
fn what_a_project_may_not_say_is_refused_with_the_reason() {
    let told = |line: &str| project(&format!("{TEAM}{line}\n")).told().0;
    let cases = [
        ("token = 'hush'", "`stores.team.token` cannot be said here: whoever has the project would have the secret"),
        (
            "token_file = '/etc/passwd'",
            "`stores.team.token_file` cannot be said here: a project could send any file of yours to a server",
        ),
        (
            "token_command = 'rm -r ~'",
            "`stores.team.token_command` cannot be said here: a project could run any command where nobody expects one",
        ),
        ("netrc = true", "`stores.team.netrc` cannot be said here: it sends a password of yours"),
        (
            "[cache]\nsign = 'key'",
            "`cache.sign` cannot be said here: a signature is a person's or a CI's, not a project's",
        ),
        (
            "[projects.shop]\nmode = 'off'",
            "`projects.shop.mode` cannot be said here: what holds for one project alone is the user's choice; a project's own file has `[cache]`",
        ),
    ];
    for (line, problem) in cases {
        assert!(told(line).ends_with(problem), "{}", told(line));
    }
    let address = "[stores.team]\ntype = 'http'\nurl = 'https://kai:hush@cache.example.org'\n";
    let (problem, _) = project(address).told();
    assert!(
        problem.ends_with("whoever has the project would have the secret") && !problem.contains("hush"),
        "{problem}"
    );
}

#[test]
fn credentials_of_the_user_go_where_the_user_says() {
    let user = "[stores.team]\ntype = 'http'\nurl = 'https://cache.example.org'\ntoken_file = '~/token'\n";
    let astray = "[stores.team]\ntype = 'http'\nurl = 'https://evil.example.org'\n";
    let (problem, hint) = Said { user, project: astray, ..Said::default() }.told();
    assert_eq!(
        problem,
        "shop/cortado.toml:3: `stores.team.url` does not stand in /home/kai/.config/cortado/config.toml:4, which has \
         credentials for this store"
    );
    assert_eq!(hint, "credentials go only where their owner says: write the same `url` there");
    let fine = Said { user, project: &format!("{TEAM}mode = 'read'\n"), ..Said::default() }.merged().unwrap();
    let tier = fine.tier("team").unwrap();
    let store = tier.store(&|source| match &source.holder {
        Holder::File(path) if path == Path::new("/home/kai/token") => Ok("tea-leaves".into()),
        other => panic!("{other:?}"),
    });
    let StoreSpec::Http(server) = store.unwrap() else { panic!() };
    assert_eq!(server.token.unwrap().expose(), "tea-leaves");
}

#[test]
fn a_secret_has_one_form_at_a_time_and_a_later_one_replaces_the_former() {
    let user = "[stores.team]\ntype = 'http'\nurl = 'https://c'\ntoken_command = 'pass show c'\n";
    let said = Said { user, variables: &[("CORTADO_STORES_TEAM_TOKEN", "hush")], ..Said::default() };
    let shown = said.holds().join("\n");
    assert!(shown.contains("stores.team.token = \"***\" (CORTADO_STORES_TEAM_TOKEN)"), "{shown}");
    assert!(!shown.contains("pass show"), "{shown}");
    let both = format!("{user}token_file = 't'\n");
    assert!(Said { user: &both, ..Said::default() }.told().0.contains("is said in two forms"));
    let (problem, _) = Said { user, options: &[("team", "token", "hush")], ..Said::default() }.told();
    assert_eq!(
        problem,
        "--config: `stores.team.token` cannot be said here: everybody on this machine sees the command line"
    );
}

#[test]
fn nothing_shows_a_secret() {
    let user = "[stores.team]\ntype = 'http'\nurl = 'https://kai:hush@c/x?sig=hush'\ntoken = 'hush'\n";
    let settings = Said { user, ..Said::default() }.merged().unwrap();
    let shown: Vec<_> = settings.iter().collect();
    let tier = settings.tier("team").unwrap();
    let all = format!("{} {tier:?}", serde_json::to_string(&shown).unwrap());
    assert!(all.contains("***") && !serde_json::to_string(&shown).unwrap().contains("hush"), "{all}");
    let wrong = Said { user: "[stores.team]\ntype = 'http'\nurl = 'x'\ntoken = 4711\n", ..Said::default() }.told().0;
    assert!(!wrong.contains("4711"), "{wrong}");
}

#[test]
fn the_user_has_the_last_word_about_one_project() {
    let said = Said {
        user: "[cache]\nmode = 'read-only'\n[projects.shop]\ntrust = []\n[projects.other]\nmode = 'off'\n",
        project: "[cache]\ntrust = ['x']\nmode = 'write-only'\n",
        ..Said::default()
    };
    let settings = said.merged().unwrap();
    let (shop, other) = (settings.cache("shop").unwrap(), settings.cache("other").unwrap());
    assert_eq!((shop.mode, shop.trust), (CacheMode::WriteOnly, Some(Vec::new())));
    assert_eq!((other.mode, other.trust), (CacheMode::Off, Some(vec!["x".to_owned()])));
    let forced = Said { variables: &[("CORTADO_CACHE_MODE", "recache")], ..said };
    assert_eq!(forced.merged().unwrap().cache("other").unwrap().mode, CacheMode::Recache);
}

/// A value that a key of that kind takes.
fn sample(kind: cortado::Kind) -> &'static str {
    use cortado::Kind;
    match kind {
        Kind::Flag => "true",
        Kind::Whole => "3",
        Kind::Size => "1.5M",
        Kind::Length | Kind::Patience => "2m",
        Kind::Address => "http://127.0.0.1:1/x",
        Kind::Choice(words) => words[0],
        _ => "text",
    }
}

#[test]
fn every_key_of_every_store_reaches_its_specification() {
    for kind in StoreKind::ALL.into_iter().filter(|kind| kind.is_compiled()) {
        let keys = kind.keys().iter().chain(cortado::Key::OF_TIERS);
        let options: Vec<_> = keys.map(|key| (key.name, sample(key.kind))).collect();
        let user = options.iter().map(|(key, value)| match value.parse::<u64>().is_ok() || *value == "true" {
            true => format!("{key} = {value}\n"),
            false => format!("{key} = '{value}'\n"),
        });
        let user = format!("[stores.it]\ntype = '{}'\n{}", kind.word(), user.collect::<String>());
        let said = Said { user: &user, ..Said::default() };
        let tier = said.merged().unwrap().tier("it").unwrap();
        let store = tier.store(&|source| match &source.holder {
            Holder::Given(secret) => Ok(secret.clone()),
            other => panic!("{other:?}"),
        });
        store.unwrap_or_else(|error| panic!("{}: {error}", kind.word()));
        assert!(tier.settings().required);
    }
}

#[test]
fn a_store_that_is_not_compiled_in_says_how_to_get_it() {
    let Some(kind) = StoreKind::ALL.into_iter().find(|kind| !kind.is_compiled()) else { return };
    let word = kind.word();
    let needed: String = kind
        .keys()
        .iter()
        .filter(|key| ["bucket", "url", "endpoint"].contains(&key.name))
        .map(|key| format!("{} = 'x'\n", key.name))
        .collect();
    let (problem, hint) = Said { user: &format!("[stores.far]\ntype = '{word}'\n{needed}"), ..Said::default() }.told();
    assert!(
        problem.ends_with(&format!("store `far`: this cortado was built without stores of type `{word}`")),
        "{problem}"
    );
    assert_eq!(hint, format!("install one that has them: `cargo install cortado --features {word}`"));
}

/// The page says every key, and its examples are configurations.
#[test]
fn the_reference_has_every_key_and_its_examples_hold() {
    const PAGE: &str = include_str!("../../docs/configuration.md");
    for kind in StoreKind::ALL {
        for key in kind.keys().iter().chain(cortado::Key::OF_TIERS) {
            assert!(PAGE.contains(&format!("| `{}` |", key.name)), "`{}` of {}", key.name, kind.word());
            let row = PAGE.lines().find(|line| line.starts_with(&format!("| `{}` |", key.name))).unwrap();
            let secret = key.kind == cortado::Kind::Secret;
            assert!(!key.is_own() || secret || PAGE.contains("*Yours*"), "{row}");
        }
    }
    let pages = [PAGE, include_str!("../../README.md")];
    let examples: Vec<_> = pages
        .iter()
        .flat_map(|page| page.split("\n```toml\n").skip(1))
        .map(|part| part.split("\n```").next().unwrap())
        .collect();
    assert!(examples.len() >= 5, "{examples:?}");
    for example in examples.into_iter().filter(|example| !example.contains("\"s3\"")) {
        let said = Said { user: example, ..Said::default() };
        let made =
            said.merged().and_then(|settings| settings.stores().try_for_each(|store| settings.tier(store).map(drop)));
        assert!(made.is_ok(), "{}\n{example}", made.unwrap_err());
    }
}

#[test]
fn every_key_of_a_server_is_on_its_page() {
    let page = include_str!("../../docs/server.md");
    for key in cortado::Key::OF_SERVERS {
        assert!(page.contains(&format!("`{}`", key.name)), "`{}` is not in docs/server.md", key.name);
    }
}
