//! Who wrote a statement that is handed on, and where it stands.

use crate::{one_word, quoted, quoted_name};

/// A statement, and who makes it.
pub struct Wrote<'a> {
    /// Who, for people.
    pub who: &'a str,
    /// The issuer's id.
    pub issuer: &'a str,
    /// The roles that the issuer has under the policy.
    pub roles: &'a str,
    /// What is said.
    pub status: &'a str,
    /// Who wrote the document, in its own words.
    pub author: &'a str,
    /// What else the author writes.
    pub notes: Option<&'a str>,
    /// The claim's id.
    pub claim: &'a str,
    /// The log that holds it.
    pub log: &'a str,
    /// Its place there.
    pub leaf: u64,
    /// Since when.
    pub logged_at: &'a str,
}

/// The sentences.
pub fn wrote(said: &Wrote<'_>) -> String {
    let notes = match said.notes.filter(|notes| !notes.trim().is_empty()) {
        Some(notes) => format!(" Note: {}.", quoted(notes)),
        None => String::new(),
    };
    format!(
        "According to {} ({}): {}. Claim {} by issuer {} in log {}, leaf {}, since {}; author of \
         the document by its own words: {}.{notes}",
        said.who,
        said.roles,
        said.status,
        said.claim,
        said.issuer,
        one_word(said.log),
        said.leaf,
        said.logged_at,
        quoted_name(said.author)
    )
}
