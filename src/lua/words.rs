//! Every word of the language, gathered from the lists that the bindings read: what documentation is compared with.

use std::collections::{BTreeMap, BTreeSet};

use super::{callbacks, env, platform, project, scope, source, steps, table, task};

/// Words by the class that `lua/types.lua` calls them after.
pub(super) fn words() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let step_names = || steps::STEPS.iter().map(|step| step.name);
    let block = step_names().chain(scope::WORDS.iter().map(|word| word.name)).chain(["name"]);
    let globals = env::HELPERS.iter().map(|helper| helper.name);
    BTreeMap::from([
        ("globals", globals.chain(["project", "platform", "read_file", "secret", "print", "require"]).collect()),
        ("cortado.Platform", platform::NAMES.into_iter().collect()),
        ("cortado.ProjectOptions", table::names(project::WORDS).into_iter().collect()),
        ("cortado.Project", project::METHODS.into_iter().collect()),
        ("cortado.TaskOptions", table::names(task::WORDS).into_iter().collect()),
        ("cortado.UrlSource", table::names(source::URL).into_iter().collect()),
        ("cortado.PathSource", table::names(source::PATH).into_iter().collect()),
        ("cortado.GitSource", table::names(source::GIT).into_iter().collect()),
        ("cortado.Task", steps::names().into_iter().collect()),
        ("cortado.BlockTask", block.collect()),
        ("cortado.CommandOptions", table::names(steps::COMMAND).into_iter().collect()),
        ("cortado.BinOptions", table::names(steps::BIN).into_iter().collect()),
        ("cortado.CopyOptions", table::names(steps::COPY).into_iter().collect()),
        ("cortado.SyncOptions", table::names(steps::SYNC).into_iter().collect()),
        ("cortado.LinkOptions", table::names(steps::LINK).into_iter().collect()),
        ("cortado.MkdirOptions", table::names(steps::MKDIR).into_iter().collect()),
        ("cortado.PatchOptions", table::names(steps::PATCH).into_iter().collect()),
        ("cortado.TemplateOptions", table::names(steps::TEMPLATE).into_iter().collect()),
        ("cortado.CacheCallbacks", table::names(callbacks::WORDS).into_iter().collect()),
        ("cortado.Cacher", callbacks::CACHER.into_iter().collect()),
        ("cortado.Artifact", callbacks::ARTIFACT.into_iter().collect()),
    ])
}
