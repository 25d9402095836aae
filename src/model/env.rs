//! The environment that a project, a task or a command declares.
//!
//! Declared values count into the shasum; path words in them are replaced when a step runs. The clean environment
//! below them (`PATH`, `HOME`, the C locale …) is made by the engine.

use std::collections::BTreeMap;

/// Declared environment variables, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Env {
    variables: BTreeMap<String, Value>,
}

/// A declared value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) secret: bool,
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.secret { f.write_str("(secret)") } else { self.text.fmt(f) }
    }
}

impl Env {
    /// The `PATH` of a step whose task declares none.
    pub const DEFAULT_PATH: &'static str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a variable, replacing an earlier value.
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), Value { text: value.into(), secret: false });
        self
    }

    /// Declares a variable whose value is never printed: plans and reports show its digest, and the engine masks it
    /// in the output of commands.
    pub fn secret(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), Value { text: value.into(), secret: true });
        self
    }

    /// Adds what most C and C++ packages need to find headers and libraries of the same product, and to find them
    /// again at run time: `CFLAGS`, `CPPFLAGS`, `CXXFLAGS`, `LDFLAGS`, `LD_RUN_PATH`, `PKG_CONFIG_PATH`.
    /// Variables that are declared already keep their values.
    pub fn with_standard_compiler_flags(self) -> Self {
        let flags = "-I@{install_dir}/embedded/include -I@{install_dir}/include \
                     -O3 -D_FORTIFY_SOURCE=2 -fstack-protector";
        let libraries = "@{install_dir}/embedded/lib:@{install_dir}/lib";
        self.unless_set("CFLAGS", flags)
            .unless_set("CPPFLAGS", flags)
            .unless_set("CXXFLAGS", flags)
            .unless_set(
                "LDFLAGS",
                "-Wl,-rpath,@{install_dir}/embedded/lib -L@{install_dir}/embedded/lib \
                 -Wl,-rpath,@{install_dir}/lib -L@{install_dir}/lib",
            )
            .unless_set("LD_RUN_PATH", libraries)
            .unless_set("PKG_CONFIG_PATH", "@{install_dir}/embedded/lib/pkgconfig:@{install_dir}/lib/pkgconfig")
    }

    /// Sets `DESTDIR` to the stage, unless it is declared already. The engine does so by itself for every staged
    /// step; this form states it in the recipe.
    pub fn with_destdir(self) -> Self {
        self.unless_set("DESTDIR", "@{stage_dir}")
    }

    /// Puts the product's own `bin` and `embedded/bin` before the rest of `PATH`.
    pub fn with_embedded_path(mut self) -> Self {
        let rest = self.variables.get("PATH").map_or(Self::DEFAULT_PATH, |value| value.text.as_str());
        let path = format!("@{{install_dir}}/bin:@{{install_dir}}/embedded/bin:{rest}");
        self.variables.insert("PATH".into(), Value { text: path, secret: false });
        self
    }

    /// These variables, with those of `over` replacing equal names.
    pub fn merged(&self, over: &Env) -> Env {
        let mut variables = self.variables.clone();
        variables.extend(over.variables.iter().map(|(name, value)| (name.clone(), value.clone())));
        Env { variables }
    }

    /// Whether nothing is declared.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// The variables in the order of their names.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value))
    }

    fn unless_set(mut self, name: &str, value: &str) -> Self {
        self.variables.entry(name.to_owned()).or_insert_with(|| Value { text: value.to_owned(), secret: false });
        self
    }
}

impl<N: Into<String>, V: Into<String>, const COUNT: usize> From<[(N, V); COUNT]> for Env {
    fn from(pairs: [(N, V); COUNT]) -> Self {
        pairs.into_iter().fold(Env::new(), |env, (name, value)| env.set(name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'e>(env: &'e Env, name: &str) -> Option<&'e str> {
        env.variables.get(name).map(|value| value.text.as_str())
    }

    #[test]
    fn helpers_never_replace_what_the_caller_said() {
        let env = Env::from([("CFLAGS", "-Os"), ("DESTDIR", "/elsewhere")]);
        let env = env.with_standard_compiler_flags().with_destdir();
        assert_eq!(value(&env, "CFLAGS"), Some("-Os"));
        assert_eq!(value(&env, "DESTDIR"), Some("/elsewhere"));
        assert!(value(&env, "LDFLAGS").is_some_and(|flags| flags.contains("-rpath,@{install_dir}/embedded/lib")));
    }

    #[test]
    fn the_embedded_path_comes_before_the_callers_own() {
        let env = Env::from([("PATH", "/my/bin")]).with_embedded_path();
        assert_eq!(value(&env, "PATH"), Some("@{install_dir}/bin:@{install_dir}/embedded/bin:/my/bin"));
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let env = Env::new().secret("TOKEN", "hunter2");
        assert!(!format!("{env:?}").contains("hunter2"));
    }
}
