//! What a text is read into: there is one grammar, and a tree is not made by way of a tape, which
//! would take half again the time of a claim.

use super::value::{Number, Value};

/// What a text is read into. `place` is always where in the text something begins.
pub(super) trait Target<'t> {
    /// A string that was read, which may be a key.
    type Text;
    type Value;
    /// An array that is not finished.
    type Array;
    /// An object that is not finished.
    type Object;

    /// `null`, or a boolean.
    fn word(&mut self, word: Option<bool>) -> Self::Value;
    /// A number, as it is written.
    fn number(&mut self, place: usize, text: &'t str) -> Self::Value;
    /// A string without escapes.
    fn plain(&mut self, place: usize, text: &'t str) -> Self::Text;
    /// A string whose escapes are resolved.
    fn resolved(&mut self, place: usize, text: String) -> Self::Text;
    /// A string that is a value.
    fn string(&mut self, text: Self::Text) -> Self::Value;
    /// Begins an array.
    fn array(&mut self) -> Self::Array;
    /// Appends to an array.
    fn item(&mut self, array: &mut Self::Array, value: Self::Value);
    /// Ends an array.
    fn end_array(&mut self, array: Self::Array) -> Self::Value;
    /// Begins an object.
    fn object(&mut self) -> Self::Object;
    /// Whether a key stands in an object already.
    fn has(&self, object: &Self::Object, key: &Self::Text) -> bool;
    /// Appends to an object. `late` is where the key stands if it was not compared.
    fn member(
        &mut self,
        object: &mut Self::Object,
        key: Self::Text,
        late: Option<usize>,
        value: Self::Value,
    );
    /// The first key of an object that stands before it already, and where it stands. It is one of
    /// those that were not compared.
    fn twin<'s>(&'s self, object: &'s Self::Object) -> Option<(usize, &'s str)>;
    /// Ends an object.
    fn end_object(&mut self, object: Self::Object) -> Self::Value;
    /// A string, for error messages.
    fn name<'s>(&'s self, text: &'s Self::Text) -> &'s str;
}

/// Makes a tree.
pub(super) struct Tree;

/// An object of a tree.
#[derive(Default)]
pub(super) struct Members {
    list: Vec<(String, Value)>,
    /// Where the keys stand that were not compared yet: the last ones.
    places: Vec<usize>,
}

impl<'t> Target<'t> for Tree {
    type Text = String;
    type Value = Value;
    type Array = Vec<Value>;
    type Object = Members;

    fn word(&mut self, word: Option<bool>) -> Value {
        word.map_or(Value::Null, Value::Bool)
    }

    fn number(&mut self, _: usize, text: &'t str) -> Value {
        Value::Number(Number(text.into()))
    }

    fn plain(&mut self, _: usize, text: &'t str) -> String {
        text.to_owned()
    }

    fn resolved(&mut self, _: usize, text: String) -> String {
        text
    }

    fn string(&mut self, text: String) -> Value {
        Value::String(text)
    }

    fn array(&mut self) -> Vec<Value> {
        Vec::new()
    }

    fn item(&mut self, array: &mut Vec<Value>, value: Value) {
        array.push(value);
    }

    fn end_array(&mut self, array: Vec<Value>) -> Value {
        Value::Array(array)
    }

    fn object(&mut self) -> Members {
        Members::default()
    }

    fn has(&self, object: &Members, key: &String) -> bool {
        object.list.iter().any(|(k, _)| k == key)
    }

    fn member(&mut self, object: &mut Members, key: String, late: Option<usize>, value: Value) {
        object.list.push((key, value));
        object.places.extend(late);
    }

    fn twin<'s>(&'s self, object: &'s Members) -> Option<(usize, &'s str)> {
        let keys = object.list.iter().map(|(key, _)| key.as_str());
        let mut keys: Vec<(&str, usize)> = keys.zip(0..).collect();
        keys.sort_unstable();
        let twins = keys.windows(2).filter_map(|pair| match pair {
            [(one, _), (other, at)] if one == other => Some(*at),
            _ => None,
        });
        let twin = twins.min()?;
        let compared = object.list.len().saturating_sub(object.places.len());
        let place = object.places.get(twin.saturating_sub(compared))?;
        Some((*place, object.list.get(twin)?.0.as_str()))
    }

    fn end_object(&mut self, object: Members) -> Value {
        Value::Object(object.list)
    }

    fn name<'s>(&'s self, text: &'s String) -> &'s str {
        text
    }
}
