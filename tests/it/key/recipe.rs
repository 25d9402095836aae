//! The notation of `vectors.json`: projects as plain JSON, so that any implementation can read them.

use std::collections::BTreeMap;

use cortado::command::{self, Command, Variables};
use cortado::{Env, Input, Inputs, PlatformKey, Source, Task};
use serde::Deserialize;
use serde_json::Value;

/// One project with the answers to its inputs and the expected shasums.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vector {
    pub(super) name: String,
    project: ProjectWords,
    inputs: Vec<Answer>,
    tasks: Vec<TaskWords>,
    pub(super) shasums: BTreeMap<String, String>,
}

impl Vector {
    pub(super) fn project(&self) -> cortado::Project {
        let words = &self.project;
        let platform = match &words.platform {
            Platform::Word(word) if word == "host" => PlatformKey::Host,
            Platform::Word(word) => (word == "any").then_some(PlatformKey::Any).expect("host or any"),
            Platform::Is { is } => PlatformKey::Is(is.clone()),
        };
        let project = cortado::Project::new("golden").install_dir(&words.install_dir).work_dir("/w").platform(platform);
        let project = project.salt(&words.salt).source_date_epoch(words.source_date_epoch).env(env(&words.env));
        project.tasks(self.tasks.iter().map(TaskWords::task)).build().unwrap()
    }

    pub(super) fn inputs(&self) -> Inputs {
        let mut inputs = Inputs::new(&self.project.host);
        self.inputs.iter().for_each(|answer| inputs.insert(answer.input(), &answer.answer));
        inputs
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectWords {
    install_dir: String,
    platform: Platform,
    host: String,
    #[serde(default)]
    salt: String,
    #[serde(default)]
    source_date_epoch: u64,
    #[serde(default)]
    env: EnvWords,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Platform {
    Word(String),
    Is { is: String },
}

type EnvWords = BTreeMap<String, VariableWords>;

#[derive(Deserialize)]
#[serde(untagged)]
enum VariableWords {
    Plain(String),
    Secret { secret: String },
}

fn env(words: &EnvWords) -> Env {
    words.iter().fold(Env::new(), |env, (name, value)| match value {
        VariableWords::Plain(text) => env.set(name, text),
        VariableWords::Secret { secret } => env.secret(name, secret),
    })
}

#[derive(Deserialize)]
struct Answer {
    #[serde(flatten)]
    input: InputWords,
    answer: String,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum InputWords {
    File { path: String },
    Tree { path: String },
    Mention { path: String },
    GitReference { url: String, reference: String },
    Probe { command: String },
}

impl Answer {
    fn input(&self) -> Input {
        match &self.input {
            InputWords::File { path } => Input::File(path.into()),
            InputWords::Tree { path } => Input::Tree { path: path.into(), excludes: Vec::new() },
            InputWords::Mention { path } => Input::Mention(path.into()),
            InputWords::GitReference { url, reference } => {
                Input::GitReference { url: url.clone(), reference: reference.clone() }
            }
            InputWords::Probe { command } => Input::Probe(command.clone()),
        }
    }
}

fn yes() -> bool {
    true
}

fn one() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskWords {
    name: String,
    version: String,
    #[serde(default, rename = "virtual")]
    is_virtual: bool,
    #[serde(default)]
    depends_on: Vec<String>,
    source: Option<SourceWords>,
    license: Option<String>,
    #[serde(default)]
    license_files: Vec<String>,
    #[serde(default)]
    build: Vec<StepWords>,
    #[serde(default)]
    env: EnvWords,
    #[serde(default = "yes")]
    preserve_symlinks: bool,
    relative_path: Option<String>,
    #[serde(default)]
    probes: Vec<String>,
    #[serde(default)]
    inputs: Vec<String>,
}

impl TaskWords {
    fn task(&self) -> Task {
        let mut task = Task::new(&self.name).version(&self.version).virtual_task(self.is_virtual);
        task = task.env(env(&self.env)).preserve_symlinks(self.preserve_symlinks);
        task = self.depends_on.iter().fold(task, Task::depends_on);
        task = self.license_files.iter().fold(task, Task::license_file);
        task = self.probes.iter().fold(task, Task::probe);
        task = self.inputs.iter().fold(task, Task::input);
        task = self.license.iter().fold(task, Task::license);
        task = self.relative_path.iter().fold(task, Task::relative_path);
        task = self.source.iter().fold(task, |task, source| task.source(source.source()));
        self.build.iter().fold(task, |task, step| task.step(step.command()))
    }
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum SourceWords {
    Url {
        url: String,
        checksums: Vec<(String, String)>,
        #[serde(default = "one")]
        strip: usize,
        format: Option<String>,
    },
    Local {
        path: String,
    },
    Git {
        url: String,
        commit: Option<String>,
        reference: Option<String>,
        #[serde(default)]
        submodules: bool,
    },
}

impl SourceWords {
    fn source(&self) -> Source {
        match self {
            SourceWords::Url { url, checksums, strip, format } => {
                let archive = checksums.iter().fold(Source::url(url), |archive, (algorithm, hex)| {
                    archive.checksum(algorithm.parse().unwrap(), hex)
                });
                let formats = format.iter().map(|name| name.parse().unwrap());
                formats.fold(archive.strip(*strip), cortado::Archive::format).into()
            }
            SourceWords::Local { path } => Source::local(path).into(),
            SourceWords::Git { url, commit, reference, submodules } => {
                let git = Source::git(url).submodules(*submodules);
                let git = commit.iter().fold(git, cortado::Git::commit);
                reference.iter().fold(git, cortado::Git::reference).into()
            }
        }
    }
}

#[derive(Deserialize)]
struct StepWords {
    #[serde(flatten)]
    kind: KindWords,
    dir: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum KindWords {
    Command {
        line: String,
        #[serde(default)]
        env: EnvWords,
    },
    Bin {
        program: String,
        #[serde(default)]
        args: Vec<String>,
        #[serde(default)]
        env: EnvWords,
    },
    Copy {
        source: String,
        dest: String,
    },
    Sync {
        source: String,
        dest: String,
        #[serde(default)]
        excludes: Vec<String>,
        decide: Option<String>,
    },
    Link {
        target: String,
        path: String,
    },
    Mkdir {
        path: String,
        #[serde(default = "yes")]
        parents: bool,
        mode: Option<String>,
    },
    Patch {
        file: Option<String>,
        text: Option<String>,
        #[serde(default = "one")]
        strip: usize,
    },
    Template {
        file: Option<String>,
        text: Option<String>,
        dest: String,
        mode: Option<String>,
        #[serde(default)]
        variables: BTreeMap<String, Value>,
    },
    Block {
        text: String,
    },
    Emit {
        text: String,
        #[serde(default)]
        error: bool,
    },
}

fn octal(text: &str) -> u32 {
    u32::from_str_radix(text, 8).unwrap()
}

impl StepWords {
    fn command(&self) -> Command {
        let dirs = self.dir.iter();
        match &self.kind {
            KindWords::Command { line, env: words } => {
                dirs.fold(command::Shell::new(line).env(env(words)), command::Shell::dir).into()
            }
            KindWords::Bin { program, args, env: words } => {
                dirs.fold(command::Bin::new(program).args(args).env(env(words)), command::Bin::dir).into()
            }
            KindWords::Copy { source, dest } => dirs.fold(command::Copy::new(source, dest), command::Copy::dir).into(),
            KindWords::Sync { source, dest, excludes, decide } => {
                let sync = excludes.iter().fold(command::Sync::new(source, dest), command::Sync::exclude);
                let sync = decide.iter().fold(sync, |sync, text| sync.decide(text, |_, _| Ok(true)));
                dirs.fold(sync, command::Sync::dir).into()
            }
            KindWords::Link { target, path } => dirs.fold(command::Link::new(target, path), command::Link::dir).into(),
            KindWords::Mkdir { path, parents, mode } => {
                let mkdir = command::Mkdir::new(path).parents(*parents);
                mode.iter().fold(mkdir, |mkdir, mode| mkdir.mode(octal(mode))).into()
            }
            KindWords::Patch { file, text, strip } => {
                let patch = match (file, text) {
                    (Some(file), None) => command::Patch::file(file),
                    (None, Some(text)) => command::Patch::text(text.as_str()),
                    _ => panic!("a patch has a file or a text"),
                };
                dirs.fold(patch.strip(*strip), command::Patch::dir).into()
            }
            KindWords::Template { file, text, dest, mode, variables } => {
                let template = match (file, text) {
                    (Some(file), None) => command::Template::file(file, dest),
                    (None, Some(text)) => command::Template::text(text.as_str(), dest),
                    _ => panic!("a template has a file or a text"),
                };
                let template = template.variables(Variables::from_iter(variables.clone()));
                mode.iter().fold(template, |template, mode| template.mode(octal(mode))).into()
            }
            KindWords::Block { text } => command::Block::new(text, |_| Ok(())).into(),
            KindWords::Emit { text, error: false } => command::Emit::new(text).into(),
            KindWords::Emit { text, error: true } => command::Emit::error(text).into(),
        }
    }
}
