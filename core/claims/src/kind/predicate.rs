//! What the file of a claim type provides. The list of the types in [`super`] calls it.

use super::descriptor::check_attachments;
use super::error::PredicateError;
use super::node::Node;
use crate::claim::ClaimId;
use crate::json::Value;
use crate::statement::Statement;

/// A typed predicate: what a claim of one type, or of several types alike, says.
pub(crate) trait Predicate: Sized + 'static {
    /// The kind's short name, such as `sbom`.
    const NAME: &'static str;

    /// The types that are read as this. The first is the most usual.
    const TYPES: &'static [TypeOf<Self>];

    /// Checks the subjects, where the type says what they are. By default anything goes.
    fn check_subject(&self, _statement: &Statement) -> Result<(), PredicateError> {
        Ok(())
    }

    /// The claim that the predicate is about, for the index (docs/index.md 3.4). By default none.
    ///
    /// It is read from the JSON, whether or not the rest of the predicate is well-formed. Every
    /// change is one of the index's mapping version; so is a URI more in [`Self::TYPES`] of a kind
    /// that names claims or vulnerabilities.
    fn target(_predicate: &Value) -> Option<ClaimId> {
        None
    }

    /// The values that may be identifiers of vulnerabilities, in their order, for the index
    /// (docs/index.md 3.4). By default none. What holds for [`Self::target`] holds here.
    fn vulnerabilities(_predicate: &Value) -> Vec<&Value> {
        Vec::new()
    }
}

/// A predicate type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PredicateType {
    /// Its name, for people: its kind's, and in parentheses what tells it from others of the kind.
    pub name: &'static str,
    /// Every URI that it goes by, the preferred one first.
    pub uris: &'static [&'static str],
}

impl PredicateType {
    /// Its kind's name: `provenance` of `provenance (SLSA v1)`.
    pub fn short_name(&self) -> &'static str {
        self.name.split(" (").next().unwrap_or(self.name)
    }
}

/// A predicate type whose predicates are read as `T`.
pub(crate) struct TypeOf<T: 'static> {
    /// The type.
    pub known: PredicateType,
    read: fn(&Node<'_, '_>) -> Result<T, PredicateError>,
}

impl<T> TypeOf<T> {
    /// `read` is given the predicate, which is an object.
    pub const fn new(
        name: &'static str,
        uris: &'static [&'static str],
        read: fn(&Node<'_, '_>) -> Result<T, PredicateError>,
    ) -> Self {
        TypeOf {
            known: PredicateType { name, uris },
            read,
        }
    }
}

/// The type of `T` that goes by `uri`.
pub(crate) fn find<T: Predicate>(uri: &str) -> Option<&'static TypeOf<T>> {
    T::TYPES
        .iter()
        .find(|known| known.known.uris.contains(&uri))
}

impl<T: Predicate> TypeOf<T> {
    /// Reads a predicate of this type where it stands, but not its `attachments`.
    pub fn read_at(&self, node: &Node<'_, '_>) -> Result<T, PredicateError> {
        (self.read)(node)
    }

    /// Reads a predicate of this type: an object, what the type asks for, and well-formed
    /// `attachments`.
    pub fn read(&self, predicate: &Value) -> Result<T, PredicateError> {
        let node = Node::root("$.predicate", predicate);
        node.object()?;
        let read = self.read_at(&node)?;
        check_attachments(&node)?;
        Ok(read)
    }
}
