//! Words for people.

mod names;

pub use names::{ago, at, count, short, short_list, shorten};
