//! What a bridge has published, as lines of a file that is only appended to: the last line of a
//! record holds.

use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::json::{self, object};
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use assay_tlog::Hash;
use std::collections::BTreeMap;

/// Why claims of a record are withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It says something else now.
    Changed,
    /// The source took it back.
    Withdrawn,
    /// The source does not have it any more.
    Vanished,
    /// It says nothing any more that can be claimed.
    Emptied,
}

const WHYS: [(Why, &str, &str); 4] = [
    (Why::Changed, "changed", "The source changed the record."),
    (
        Why::Withdrawn,
        "withdrawn",
        "The source withdrew the record.",
    ),
    (
        Why::Vanished,
        "vanished",
        "The source no longer has the record.",
    ),
    (
        Why::Emptied,
        "emptied",
        "The record no longer says anything that can be claimed.",
    ),
];

impl Why {
    /// The reason that a withdrawal gives.
    pub fn reason(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Why, &'static str, &'static str) {
        let mut rows = WHYS.iter();
        rows.find(|(why, _, _)| *why == self).unwrap_or(&WHYS[0])
    }
}

/// What is published of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Where the source had it.
    pub place: String,
    /// What it said.
    pub print: Hash,
    /// The time that its claims were made with: RFC 3339.
    pub at: String,
    /// How often it was published.
    pub revision: u64,
    /// The claims that stand; none if it was taken back.
    pub claims: Vec<ClaimId>,
    /// Whether the log has said that it has these claims.
    pub settled: bool,
    /// Claims that are still to be withdrawn.
    pub stale: Vec<ClaimId>,
    /// Why they are.
    pub why: Why,
}

impl Default for Held {
    /// A record of which nothing was published.
    fn default() -> Self {
        Held {
            place: String::new(),
            print: Hash::of(b""),
            at: String::new(),
            revision: 0,
            claims: Vec::new(),
            settled: false,
            stale: Vec::new(),
            why: Why::Changed,
        }
    }
}

impl Held {
    /// Whether there is something to replace: what was sent and not answered may never have been
    /// logged.
    pub fn is_replaced(&self) -> bool {
        !self.claims.is_empty() && (self.settled || !self.stale.is_empty())
    }

    /// The revision that a record has when it is published next. What was sent and not answered is
    /// sent again as it was.
    pub fn next_revision(&self, print: &Hash) -> u64 {
        let again = !self.claims.is_empty() && !self.settled && self.print == *print;
        self.revision + u64::from(!again)
    }

    /// The same when claims were sent in the place of those that stood, which have to be withdrawn.
    #[must_use]
    pub fn sends(mut self, place: &str, print: Hash, at: &str, claims: Vec<ClaimId>) -> Self {
        self.revision = self.next_revision(&print);
        if !self.claims.is_empty() {
            self.why = Why::Changed;
        }
        let old = std::mem::replace(&mut self.claims, claims);
        self.stale.extend(old);
        self.stale.retain(|id| !self.claims.contains(id));
        self.stale.dedup();
        (self.place, self.print, self.at) = (place.to_owned(), print, at.to_owned());
        self.settled = false;
        self
    }

    /// The log has the claims that were sent.
    pub fn settles(&mut self) {
        self.settled = true;
    }

    /// What stands is to be withdrawn.
    pub fn ends(&mut self, why: Why) {
        self.stale.append(&mut self.claims);
        self.why = why;
    }

    /// The log has the withdrawals.
    pub fn took(&mut self) {
        self.stale.clear();
    }

    /// The line of a record, without its end.
    pub fn to_line(&self, key: &str) -> String {
        let ids = |ids: &[ClaimId]| {
            let ids = ids.iter().map(|id| format!("\"{}\"", id.to_hex()));
            ids.collect::<Vec<_>>().join(",")
        };
        // As text, and not as a tree: a bridge writes millions of them.
        format!(
            "{{\"record\":{},\"place\":{},\"print\":\"{}\",\"at\":{},\"revision\":{},\"claims\":[{}],\
             \"settled\":{},\"stale\":[{}],\"why\":\"{}\"}}",
            json::string(key),
            json::string(&self.place),
            self.print.to_hex(),
            json::string(&self.at),
            self.revision,
            ids(&self.claims),
            self.settled,
            ids(&self.stale),
            self.why.row().1,
        )
    }

    fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let ids = |key: &'static str| -> Result<Vec<ClaimId>, PredicateError> {
            node.need(key)?.items()?.map(|id| id.claim_id()).collect()
        };
        let print = node.need("print")?;
        let revision = node.need("revision")?;
        let settled = node.need("settled")?;
        let why = node.need("why")?;
        let why = WHYS
            .iter()
            .find(|(_, name, _)| why.value().as_str() == Some(*name))
            .ok_or_else(|| why.fault("is no reason"))?;
        Ok(Held {
            place: node.need("place")?.string()?.to_owned(),
            print: Hash::from_hex(print.string()?).ok_or_else(|| print.fault("is no SHA-256"))?,
            at: node.need("at")?.string()?.to_owned(),
            revision: revision
                .value()
                .as_u64()
                .ok_or_else(|| revision.fault("is no number"))?,
            claims: ids("claims")?,
            settled: settled
                .value()
                .as_bool()
                .ok_or_else(|| settled.fault("is neither true nor false"))?,
            stale: ids("stale")?,
            why: why.0,
        })
    }
}

/// Whose a ledger is: it is of no use to another bridge, issuer or log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The bridge's name.
    pub bridge: String,
    /// Who signs.
    pub issuer: IssuerId,
    /// The origin of the log.
    pub log: String,
}

impl Owner {
    /// The first line of a ledger, without its end.
    pub fn to_line(&self) -> String {
        object([
            ("ledger", Some("assay bridge v1".into())),
            ("bridge", Some(self.bridge.as_str().into())),
            ("signs", Some(self.issuer.to_hex().into())),
            ("log", Some(self.log.as_str().into())),
        ])
        .to_json()
    }
}

/// Why a ledger cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// It is of another bridge, issuer or log, or no ledger.
    #[error("it is not the state of this bridge, issuer and log: it begins with {0}")]
    OfAnother(String),
    /// A line is not what it should be.
    #[error("line {line}: {reason}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
}

fn read_line(node: &Node<'_, '_>) -> Result<(String, Held), PredicateError> {
    let key = node.need("record")?.string()?.to_owned();
    Ok((key, Held::read(node)?))
}

/// What a bridge has published, by the records' names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    records: BTreeMap<String, Held>,
}

impl Ledger {
    /// Reads the lines of `text`. A last line without an end was being written when the program was
    /// stopped, and is left out; nothing was sent before its line was whole.
    pub fn read(text: &str, owner: &Owner) -> Result<Self, LedgerError> {
        let mut ledger = Ledger::default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let own = owner.to_line();
        let mut lines = whole.split('\n').enumerate();
        let first = lines.next().map_or("", |(_, line)| line);
        let is_begun = whole.is_empty() && !text.contains('\n') && own.starts_with(text);
        if first != own && !is_begun {
            let seen = if first.is_empty() { text } else { first };
            let seen: String = seen.chars().take(200).collect();
            return Err(LedgerError::OfAnother(seen));
        }
        for (at, line) in lines {
            let failed = |reason: String| LedgerError::Line {
                line: at + 1,
                reason,
            };
            let value = json::parse(line.as_bytes()).map_err(|e| failed(e.reason))?;
            let read = read_line(&Node::root("$", &value));
            let (key, held) = read.map_err(|e| failed(e.to_string()))?;
            ledger.records.insert(key, held);
        }
        Ok(ledger)
    }

    /// What is published of a record, if anything ever was.
    pub fn get(&self, key: &str) -> Option<&Held> {
        self.records.get(key)
    }

    /// Takes down what is published of a record.
    pub fn put(&mut self, key: &str, held: Held) {
        self.records.insert(key.to_owned(), held);
    }

    /// All records, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Held)> {
        self.records.iter()
    }

    /// Whether nothing was ever published.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            bridge: "osv".into(),
            issuer: IssuerId::derive(1, &[[7; 32]]),
            log: "log.example".into(),
        }
    }

    fn id(text: &str) -> ClaimId {
        ClaimId::new(Hash::of(text.as_bytes()))
    }

    #[test]
    fn the_last_whole_line_of_a_record_holds() {
        let (print, other) = (Hash::of(b"1"), Hash::of(b"2"));
        let sent = Held::default().sends("p", print, "t", vec![id("a")]);
        let mut held = sent.clone();
        held.settles();
        let changed = held.clone().sends("q", other, "t", vec![id("b")]);
        let mut gone = changed.clone();
        gone.ends(Why::Vanished);
        let first = owner().to_line() + "\n";
        let mut text = first.clone();
        for state in [&sent, &held, &changed, &gone] {
            text.push_str(&(state.to_line("k\"\n") + "\n"));
            let ledger = Ledger::read(&text, &owner()).unwrap();
            assert_eq!(ledger.get("k\"\n"), Some(state));
            // Cut anywhere in the next line, it says the same.
            let next = gone.to_line("k\"\n");
            for cut in [1, next.len() / 2, next.len()] {
                let torn = text.clone() + &next[..cut];
                assert_eq!(Ledger::read(&torn, &owner()).as_ref(), Ok(&ledger));
            }
        }
        assert!(Ledger::read("", &owner()).unwrap().is_empty());
        assert!(Ledger::read(&first, &owner()).unwrap().is_empty());
        // Stopped in the first line, it is begun anew.
        assert!(Ledger::read(&first[..9], &owner()).unwrap().is_empty());
    }

    #[test]
    fn the_ledger_of_another_is_refused() {
        let others = [
            Owner {
                bridge: "debian".into(),
                ..owner()
            },
            Owner {
                log: "other.example".into(),
                ..owner()
            },
            Owner {
                issuer: IssuerId::derive(1, &[[8; 32]]),
                ..owner()
            },
        ];
        for other in others {
            let text = other.to_line() + "\n";
            let error = Ledger::read(&text, &owner()).unwrap_err();
            assert!(matches!(error, LedgerError::OfAnother(_)), "{error}");
        }
        for text in ["x", "x\n", "\n", "{\"a\":1}\n"] {
            assert!(Ledger::read(text, &owner()).is_err(), "{text:?}");
        }
        let wrong = owner().to_line() + "\n{\"record\":\"a\"}\n";
        let error = Ledger::read(&wrong, &owner()).unwrap_err();
        assert!(
            matches!(error, LedgerError::Line { line: 2, .. }),
            "{error}"
        );
    }

    #[test]
    fn a_record_is_counted_and_what_it_replaces_is_remembered() {
        let (print, other) = (Hash::of(b"1"), Hash::of(b"2"));
        let sent = Held::default().sends("p", print, "t", vec![id("a")]);
        assert_eq!((sent.revision, sent.stale.len()), (1, 0));
        // Sent again, before it was answered.
        let again = sent.clone().sends("p", print, "t", vec![id("a")]);
        assert_eq!((again.revision, again.stale.len()), (1, 0));
        let moved = sent.clone().sends("p", print, "t", vec![id("a2")]);
        assert_eq!((moved.revision, &moved.stale[..]), (1, &[id("a")][..]));
        let mut held = sent;
        held.settles();
        let changed = held.clone().sends("p", other, "t", vec![id("b")]);
        assert_eq!((changed.revision, &changed.stale[..]), (2, &[id("a")][..]));
        // What is published again after it was withdrawn is another claim.
        held.ends(Why::Withdrawn);
        assert_eq!((held.claims.len(), &held.stale[..]), (0, &[id("a")][..]));
        held.took();
        let back = held.sends("p", print, "t", vec![id("c")]);
        assert_eq!((back.revision, back.stale.len()), (2, 0));
    }
}
