//! Words for people: every sentence of a report is here.

mod asked;
mod lines;
mod names;
mod paragraph;
mod summary;
mod versions;

pub use asked::{hint, lacking, name, unanswered};
pub use lines::{Marked, log_line, privacy, reply, says, signed_title, title, voices, who_says};
pub use names::{ago, at, short, short_list, shorten, who};
pub use paragraph::paragraph;
pub use summary::{completeness, judgment, lines, not_met};
