//! Stories of products: installed, upgraded, disputed, damaged and taken away.

mod dispute;
mod interruption;
mod machine;
mod many;
mod outside;
mod product;
