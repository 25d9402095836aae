//! The directory store's own stories: of what only it does, and of processes that die or stop half-way.

mod crash;
pub(super) mod fault;
mod memory;
mod room;
