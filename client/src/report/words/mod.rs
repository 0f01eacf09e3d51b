//! Words for people: what a claim says, what it is worth, why a policy decides as it does, and what
//! a policy demands.
//!
//! `assay-policy` holds data; every sentence about that data is here. Parts of the sentences are
//! the words of issuers: what is more than one word stands in quotation marks, a name behind the
//! id, so that nobody can write the words about trust. Whoever shows a sentence still makes it
//! inert in its format ([`plain`](crate::plain), and [`markdown`](super::markdown) and
//! [`sarif`](super::sarif) for theirs).

mod asked;
mod besides;
mod claim;
mod explain;
mod gate;
mod lines;
mod names;
mod paragraph;
mod reach;
mod reader;
mod reason;
mod sentence;
mod stood;
mod summary;
mod time;
mod versions;
mod whole;
mod worth;
mod wrote;

#[cfg(test)]
mod tests;

pub use asked::{hint, lacking, name, unanswered};
pub use besides::no_longer_ignored;
pub(super) use claim::fact;
pub use claim::says as line_says;
pub use explain::{Section, explain, lax_logs, what_is_ignored};
pub use lines::{Marked, log_line, privacy, reply, says, signed_title, title, voices, who_says};
pub use names::{ago, at, self_named, short, short_list, shorten, who};
pub use paragraph::paragraph;
pub use reach::reaches;
pub use reader::Reader;
pub use reason::reason;
pub use sentence::{Sentence, Stand, sentence};
pub use stood::{convicted, not_enough, stood_behind};
pub use summary::{completeness, judgment, lines, not_met};
pub(super) use whole::tell;
pub use whole::{against, version_stands};
pub(super) use worth::reply_why_not;
pub use worth::{note, standing};
pub use wrote::{Wrote, wrote};

use crate::one_word;
use assay_claims::kind;
use assay_policy::posture::Question;
use assay_policy::rules::Whom;
use std::borrow::Cow;

/// A question, as people ask it.
pub const fn question(question: Question) -> &'static str {
    match question {
        Question::Authentic => "Is it authentic?",
        Question::Supported => "Until when is it supported?",
        Question::Vulnerable => "Which vulnerabilities are known, and can they be exploited?",
        Question::Reviewed => "Who has reviewed it?",
        Question::Built => "How was it built, and of what?",
        Question::Practices => "How is it made, and what does it do with data?",
        Question::Demanded => "What is demanded of it?",
        Question::Other => "What else is said?",
        Question::Disagreement => "Who disagrees?",
        Question::Vouched => "Who vouches for those who say this?",
    }
}

/// `a, b or c`.
fn or<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// `anyone with a role`, or `maintainer or supplier`.
fn whom(whom: &Whom) -> String {
    match whom {
        Whom::Anyone => "anyone with a role".to_owned(),
        Whom::Roles(roles) => or(roles.iter().map(|role| role.name())),
    }
}

/// The name of a predicate type without what tells its versions apart; its URI if it has no name.
fn type_name(uri: &str) -> Cow<'_, str> {
    match kind::by_uri(uri) {
        Some(known) => Cow::Borrowed(known.short_name()),
        None => one_word(uri),
    }
}
