//! `platform`: facts about the machine, as a table that knows what it lacks.

use mlua::{Lua, Table};

use super::mistake::Mistake;
use super::sandbox;
use crate::Platform;

/// The names in the table, for comparing with the annotations.
#[cfg(test)]
pub(super) const NAMES: [&str; 18] = [
    "os",
    "architecture",
    "libc",
    "distribution",
    "kernel",
    "cpu",
    "memory",
    "short_name",
    "major_version",
    "linux",
    "macos",
    "debian",
    "ubuntu",
    "rhel",
    "fedora",
    "suse",
    "arch",
    "alpine",
];

/// The table of a platform. What is not known is empty, or 0 where it is a number.
pub(super) fn table(lua: &Lua, platform: &Platform) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("os", platform.os.as_str())?;
    table.raw_set("architecture", platform.architecture.as_str())?;
    let libc = [("family", &platform.libc.family), ("version", &platform.libc.version)];
    table.raw_set("libc", facts(lua, libc.map(|(name, text)| (name, text.as_str())))?)?;
    table.raw_set("distribution", distribution(lua, platform)?)?;
    table.raw_set("kernel", kernel(lua, platform)?)?;
    table.raw_set("cpu", cpu(lua, platform)?)?;
    table.raw_set("memory", platform.memory)?;
    table.raw_set("short_name", platform.short_name())?;
    table.raw_set("major_version", platform.major_version().unwrap_or(0))?;
    for (name, answer) in answers(platform) {
        table.raw_set(name, answer)?;
    }
    strict(lua, &table, "`platform`")?;
    Ok(table)
}

fn answers(platform: &Platform) -> [(&'static str, bool); 9] {
    [
        ("linux", platform.linux()),
        ("macos", platform.macos()),
        ("debian", platform.debian()),
        ("ubuntu", platform.ubuntu()),
        ("rhel", platform.rhel()),
        ("fedora", platform.fedora()),
        ("suse", platform.suse()),
        ("arch", platform.arch()),
        ("alpine", platform.alpine()),
    ]
}

fn distribution(lua: &Lua, platform: &Platform) -> mlua::Result<Table> {
    let distribution = &platform.distribution;
    let names = [&distribution.name, &distribution.family, &distribution.version];
    let [name, family, version] = names.map(String::as_str);
    facts(lua, [("name", name), ("family", family), ("version", version)])
}

fn kernel(lua: &Lua, platform: &Platform) -> mlua::Result<Table> {
    let kernel = &platform.kernel;
    let names = [&kernel.name, &kernel.release, &kernel.version, &kernel.machine];
    let [name, release, version, machine] = names.map(String::as_str);
    facts(lua, [("name", name), ("release", release), ("version", version), ("machine", machine)])
}

fn cpu(lua: &Lua, platform: &Platform) -> mlua::Result<Table> {
    let cpu = &platform.cpu;
    facts(
        lua,
        [
            ("count", cpu.count),
            ("sockets", cpu.sockets),
            ("cores_per_socket", cpu.cores_per_socket),
            ("threads_per_core", cpu.threads_per_core),
        ],
    )
}

fn facts<V: mlua::IntoLua, const COUNT: usize>(lua: &Lua, facts: [(&str, V); COUNT]) -> mlua::Result<Table> {
    let table = lua.create_table_from(facts)?;
    strict(lua, &table, "this part of `platform`")?;
    Ok(table)
}

fn strict(lua: &Lua, table: &Table, what: &'static str) -> mlua::Result<()> {
    sandbox::strict(lua, table, move |name, known| {
        Mistake::unknown_name(format!("{what} has no `{name}`"), name, known)
    })
}
