//! Recipes: projects written in Lua, read into the same model that Rust programs build.
//!
//! A [`Recipe`] is read once, in a sandbox that can do nothing but read files below the recipe's own directory, and
//! ends as a [`ProjectBuilder`](crate::ProjectBuilder): plain data, no Lua in it. Lua runs again only in blocks and
//! decide functions, which are closed code run from their own text in a fresh state, and in the cache callbacks, which
//! run on threads of their own (`pool`). No two threads ever share a Lua state.
//!
//! Every word of the language is listed once, beside the function that carries it out; `lua/types.lua` and
//! `docs/recipes.md` are compared with those lists by tests.

mod args;
mod block;
mod cache;
mod call;
mod callbacks;
mod closed;
mod decide;
mod declared;
mod env;
mod explain;
mod files;
mod globals;
mod lexer;
mod limits;
mod mistake;
mod object;
mod options;
mod origin;
mod pattern;
mod platform;
mod pool;
mod project;
mod queue;
mod reading;
mod recipe;
mod sandbox;
mod scope;
mod script;
mod source;
mod steps;
mod store_words;
mod stores;
mod strings;
mod table;
mod task;
mod value;

pub use options::RecipeOptions;
pub use recipe::Recipe;

#[cfg(test)]
mod tests;
