//! What is asked of the index, on its way down the trie. Who writes a cut and who reads one take
//! the same steps, so that a cut shows what was asked for if it was written for it.

use super::answer::Query;
use super::label::{By, Label, Name, Prefix};

/// What is asked of the labels below a node.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    Nothing,
    Everything,
    /// All labels that begin with this.
    Prefix(Prefix),
    /// Each of these names by each of these; both sorted, at least one of each.
    Names(&'a [Name], &'a [By]),
    /// Every name that begins with this prefix, of at most [`Name::BITS`] bits, by each of these,
    /// sorted. A name shows that it is there even if none of these speak of it.
    Crowd(Prefix, &'a [By]),
    /// Labels by these, sorted, at least one. Only below a node that all labels of one name are
    /// under.
    By(&'a [By]),
}

impl<'a> Wanted<'a> {
    /// What a query asks of the whole trie.
    pub fn of(query: &'a Query) -> Self {
        match query {
            Query::Names { names, by } => Wanted::names(names, by),
            Query::Crowd { prefix, by } => Wanted::Crowd(*prefix, by),
            Query::Page { label, .. } => Wanted::label(label),
            Query::Census(prefix) => Wanted::Prefix(*prefix),
        }
    }

    /// This label.
    pub fn label(label: &Label) -> Self {
        Wanted::Prefix(Prefix::of(label, Label::BITS))
    }

    /// Each of `names` by each of `by`.
    pub fn names(names: &'a [Name], by: &'a [By]) -> Self {
        if names.is_empty() || by.is_empty() {
            Wanted::Nothing
        } else {
            Wanted::Names(names, by)
        }
    }

    fn by(by: &'a [By]) -> Self {
        if by.is_empty() {
            Wanted::Nothing
        } else {
            Wanted::By(by)
        }
    }

    /// What is asked of the two children of an inner node.
    pub fn below(self, node: &Prefix) -> (Self, Self) {
        let nothing = (Wanted::Nothing, Wanted::Nothing);
        let within_name = node.bits() >= Name::BITS;
        match self {
            Wanted::Nothing => nothing,
            Wanted::Everything => (self, self),
            Wanted::Prefix(prefix) if prefix.covers(node) => {
                (Wanted::Everything, Wanted::Everything)
            }
            Wanted::Prefix(prefix) => self.toward(&prefix, node),
            Wanted::Names(names, by) if within_name => {
                match names.binary_search(&node.first().name()) {
                    Ok(_) => split_by(by, node),
                    Err(_) => nothing,
                }
            }
            Wanted::Names(names, by) => {
                let (left, right) = split_names(names, node);
                (Wanted::names(left, by), Wanted::names(right, by))
            }
            Wanted::Crowd(prefix, by) if prefix.covers(node) && within_name => split_by(by, node),
            Wanted::Crowd(prefix, _) if prefix.covers(node) => (self, self),
            Wanted::Crowd(prefix, _) => self.toward(&prefix, node),
            Wanted::By(by) => split_by(by, node),
        }
    }

    /// The side of `node` where `prefix` is, if the node covers it.
    fn toward(self, prefix: &Prefix, node: &Prefix) -> (Self, Self) {
        if !node.covers(prefix) {
            (Wanted::Nothing, Wanted::Nothing)
        } else if prefix.first().bit(node.bits().min(255) as u8) {
            (Wanted::Nothing, self)
        } else {
            (self, Wanted::Nothing)
        }
    }

    /// Whether this label is asked for.
    pub fn asks_for(self, label: &Label) -> bool {
        let has = |by: &[By]| by.binary_search(&label.by()).is_ok();
        match self {
            Wanted::Nothing => false,
            Wanted::Everything => true,
            Wanted::Prefix(prefix) => prefix.holds(label),
            Wanted::Names(names, by) => names.binary_search(&label.name()).is_ok() && has(by),
            Wanted::Crowd(prefix, by) => prefix.holds(label) && has(by),
            Wanted::By(by) => has(by),
        }
    }
}

/// Those names that begin as the node does, parted by the bit after its prefix.
fn split_names<'a>(names: &'a [Name], node: &Prefix) -> (&'a [Name], &'a [Name]) {
    let (first, last) = (node.first().name(), node.last().name());
    let start = names.partition_point(|name| *name < first);
    let end = names.partition_point(|name| *name <= last);
    let inside = &names[start..end];
    let at = node.bits().min(Name::BITS - 1) as u8;
    inside.split_at(inside.partition_point(|name| !name.prefix().first().bit(at)))
}

/// Those of `by` that go on as the node does, parted by the bit after its prefix.
fn split_by<'a>(by: &'a [By], node: &Prefix) -> (Wanted<'a>, Wanted<'a>) {
    let (first, last) = (node.first().by(), node.last().by());
    let start = by.partition_point(|half| *half < first);
    let end = by.partition_point(|half| *half <= last);
    let inside = &by[start..end];
    let at = node.bits().min(255) as u8;
    let name = node.first().name();
    let middle = inside.partition_point(|half| !Label::of(name, *half).bit(at));
    let (left, right) = inside.split_at(middle);
    (Wanted::by(left), Wanted::by(right))
}
