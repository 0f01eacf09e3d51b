//! Who spoke of a name, however many: censuses of parts of its labels, one after the other.
//!
//! A node refuses a census of more than 65,536 labels. The labels of one name differ in who speaks,
//! so a part of them are those whose speaker begins with some bits. [`Parts`] goes through all, in
//! order: narrower where a node refuses, wider where hardly anybody speaks. Counts are the log's
//! word, and those who speak can choose how their ids begin; so neither decides what is left out,
//! only how many questions it takes.

use crate::{Client, ClientError, Head};
use assay_claims::index::{By, Found, Label, Name, Prefix, Query};

/// Most censuses of one name in a row. Nobody can grind ids so that it takes as many.
const CENSUSES: usize = 1024;

/// Most labels of one name that are listed, so that no log fills the memory with them: some
/// hundred MiB.
pub(crate) const LABELS: usize = 1 << 22;

/// A way through the labels of a name, from one speaker on, part by part.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    name: Name,
    /// The first speaker of the next part; nobody at the end.
    at: Option<u128>,
    /// How many bits all speakers of the next part have in common.
    bits: u16,
    asked: usize,
}

impl Parts {
    /// All labels of a name by speakers after one of them, in parts of about `most` labels, if
    /// `count` speak of it.
    pub(crate) fn new(name: Name, after: Option<By>, count: u64, most: usize) -> Self {
        let parts = count / (most as u64).max(1);
        let at = match after {
            Some(by) => u128::from_be_bytes(*by.as_bytes()).checked_add(1),
            None => Some(0),
        };
        Parts {
            name,
            at,
            bits: (u64::BITS - parts.leading_zeros()) as u16,
            asked: 0,
        }
    }

    /// What the labels of the next part begin with; nothing at the end. Labels of speakers before
    /// the part's first may begin so, too.
    pub(crate) fn next(&self) -> Result<Option<Prefix>, ClientError> {
        if self.asked >= CENSUSES {
            return Err(unavailable(format!(
                "who spoke is not known after {CENSUSES} questions"
            )));
        }
        Ok(self.at.map(|at| {
            let by = By::from_slice(&at.to_be_bytes());
            let label = by.map_or_else(|| *self.name.prefix().first(), |by| self.label(by));
            Prefix::of(&label, Name::BITS + self.bits)
        }))
    }

    /// Goes on after a part in which so many labels were found. Where that is less than half of
    /// `most`, the next part is wider.
    pub(crate) fn pass(&mut self, found: usize, most: usize) {
        self.asked += 1;
        let Some(at) = self.at else { return };
        let rest = self.rest();
        self.at = (at | rest).checked_add(1);
        let twice = (rest << 1) | 1;
        let fits = self.at.is_some_and(|at| at & twice == 0);
        if self.bits > 0 && found < most / 2 && fits {
            self.bits -= 1;
        }
    }

    /// Asks for less at once. `false` if the part is a single label.
    pub(crate) fn narrow(&mut self) -> bool {
        self.asked += 1;
        let can = self.bits < Label::BITS - Name::BITS;
        self.bits += u16::from(can);
        can
    }

    fn label(&self, by: By) -> Label {
        Label::of(self.name, by)
    }

    /// Ones where the speakers of a part differ.
    fn rest(&self) -> u128 {
        u128::MAX.checked_shr(self.bits.into()).unwrap_or(0)
    }
}

fn unavailable(what: String) -> ClientError {
    ClientError::Unavailable {
        what,
        retry_after: None,
        source: None,
    }
}

/// Whether a node refuses a census because too many labels begin so.
pub(crate) fn is_too_many(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused { code, .. } if *code == tonic::Code::OutOfRange)
}

impl Client {
    /// Everybody who spoke of a name, ascending, each with the length of its list; and the size of
    /// the oldest checkpoint that it is complete as of. Every head that it rests on is added to
    /// `heads`. It fails as [`Client::lookup`] does.
    pub(crate) async fn census(
        &self,
        name: Name,
        heads: &mut Vec<Head>,
    ) -> Result<(u64, Vec<Found>), ClientError> {
        let most = assay_claims::limits::LOOKUP_NAMES;
        let mut parts = Parts::new(name, None, 0, most);
        let (mut size, mut labels) = (u64::MAX, Vec::new());
        while let Some(prefix) = parts.next()? {
            let answer = match self.lookup(&Query::Census(prefix)).await {
                Ok(looked) => looked.answer,
                Err(error) if is_too_many(&error) && parts.narrow() => continue,
                Err(error) => return Err(error),
            };
            size = size.min(answer.checkpoint().size().get());
            Head::add(heads, answer.proven());
            labels.extend_from_slice(answer.census());
            parts.pass(answer.census().len(), most);
            if labels.len() > LABELS {
                return Err(unavailable(format!("more than {LABELS} spoke of one name")));
            }
        }
        Ok((size, labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::index::Kind;
    use std::collections::BTreeSet;

    fn by(first: u8, rest: u64) -> By {
        let mut half = [0; 16];
        half[0] = first;
        half[8..].copy_from_slice(&rest.to_be_bytes());
        By::from_slice(&half).unwrap()
    }

    /// Everybody after `after` who is found where a node shows at most `shown` labels, and how many
    /// questions that took.
    fn found(
        all: &BTreeSet<Label>,
        after: Option<By>,
        shown: usize,
        most: usize,
    ) -> (Vec<By>, usize) {
        let name = all
            .first()
            .map_or(Name::new(Kind::Package, "x"), Label::name);
        let mut parts = Parts::new(name, after, all.len() as u64, most);
        let (mut found, mut questions) = (Vec::new(), 0);
        while let Some(prefix) = parts.next().unwrap() {
            questions += 1;
            let part = all.range(*prefix.first()..=prefix.last());
            let part: Vec<By> = part.map(Label::by).collect();
            if part.len() > shown {
                assert!(parts.narrow());
                continue;
            }
            let new = part
                .iter()
                .filter(|by| after.is_none_or(|after| **by > after));
            found.extend(new);
            parts.pass(part.len(), most);
        }
        (found, questions)
    }

    #[test]
    fn all_are_found_in_order_wherever_they_are() {
        let name = Name::new(Kind::Package, "pkg:cargo/example");
        let spread = (0..=255).flat_map(|first| [by(first, 0), by(first, u64::MAX)]);
        let spread: Vec<By> = spread.collect();
        let crowded: Vec<By> = (0..3000).map(|n| by(0x80, n)).collect();
        let both = [spread.clone(), crowded.clone()].concat();
        for who in [Vec::new(), spread, crowded, both] {
            let all: BTreeSet<Label> = who.iter().map(|by| Label::of(name, *by)).collect();
            let want: Vec<By> = all.iter().map(Label::by).collect();
            for most in [20, 5000] {
                for shown in [most, 100, 5000] {
                    let (found, questions) = found(&all, None, shown, most);
                    assert_eq!(found, want);
                    assert!(questions < 600, "{questions}");
                }
            }
            for after in [by(0, 0), by(0x7f, 7), by(0x80, 2999), by(255, u64::MAX)] {
                let (found, _) = found(&all, Some(after), 100, 50);
                let want = want.iter().filter(|by| **by > after);
                assert!(found.iter().eq(want));
            }
        }
        let last = By::from_slice(&[255; 16]).unwrap();
        assert_eq!(found(&BTreeSet::new(), Some(last), 1, 1), (Vec::new(), 0));
    }

    /// The worst that those who speak can do: all ids begin alike.
    #[test]
    fn ids_that_begin_alike_cost_few_questions() {
        let name = Name::new(Kind::Package, "pkg:cargo/example");
        let all: BTreeSet<Label> = (0..70_000).map(|n| Label::of(name, by(9, n))).collect();
        for most in [100, 65_536] {
            let mut parts = Parts::new(name, None, all.len() as u64, most);
            let (mut questions, mut seen) = (0, 0);
            while let Some(prefix) = parts.next().unwrap() {
                questions += 1;
                let part = all.range(*prefix.first()..=prefix.last()).count();
                if part > 65_536 {
                    assert!(parts.narrow());
                    continue;
                }
                seen += part;
                parts.pass(part, most);
                if seen >= 100 && most == 100 {
                    break;
                }
            }
            assert!(questions < 300, "{questions}");
            assert!(seen == all.len() || most == 100);
        }
    }
}
