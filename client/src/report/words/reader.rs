//! To whom sentences about trust speak.

/// Whoever reads a report, and whose policy weighed what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Whose policy it is: "you".
    Owner,
    /// Somebody who reads on a site what the policy of that site makes of it.
    Visitor,
    /// Somebody who reads what nobody's policy weighed: there are no words about trust.
    Unweighed,
}

impl Reader {
    /// Who trusts, with the verb.
    pub(super) const fn trust(self) -> &'static str {
        match self {
            Reader::Visitor => "this site trusts",
            Reader::Owner | Reader::Unweighed => "you trust",
        }
    }

    /// Who does not.
    pub(super) const fn do_not_trust(self) -> &'static str {
        match self {
            Reader::Visitor => "this site does not trust",
            Reader::Owner | Reader::Unweighed => "you do not trust",
        }
    }

    /// Who knows, with the verb.
    pub(super) const fn knows(self) -> &'static str {
        match self {
            Reader::Visitor => "this site knows",
            Reader::Owner | Reader::Unweighed => "you know",
        }
    }

    /// Whose policy it is.
    pub(super) const fn policy(self) -> &'static str {
        match self {
            Reader::Visitor => "the policy of this site",
            Reader::Owner | Reader::Unweighed => "your policy",
        }
    }

    /// The same at the beginning of a sentence.
    pub(super) const fn policy_first(self) -> &'static str {
        match self {
            Reader::Visitor => "The policy of this site",
            Reader::Owner | Reader::Unweighed => "Your policy",
        }
    }
}
