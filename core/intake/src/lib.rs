//! What tools write: documents, made into claims; and lock files, SBOMs and package databases, read
//! into the components that they name.
//!
//! Every function is a pure function of its arguments. Nothing is fetched, nothing compressed is
//! expanded, and nothing is judged.

pub mod bridge;
pub mod components;
pub mod documents;
mod image;
mod jsonc;
pub mod limits;
mod tag_value;
mod text;
mod toml;
mod yaml;
