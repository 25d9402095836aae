//! Stories of unpacking: what comes back equal, and what is refused.

mod artifact;
mod damage;
mod place;
mod refusal;
mod source;
mod tar;
