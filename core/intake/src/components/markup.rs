//! Elements of XML, as readers look for them.

use roxmltree::Node;
use std::borrow::Cow;

/// The line in which an element begins. It counts from the start: for errors, or see
/// [`Input::places`].
pub(super) fn line(node: &Node<'_, '_>) -> u32 {
    node.document().text_pos_at(node.range().start).row
}

/// The elements right below one.
pub(super) fn elements<'a, 'i>(
    parent: &Node<'a, 'i>,
) -> impl Iterator<Item = Node<'a, 'i>> + use<'a, 'i> {
    parent.children().filter(Node::is_element)
}

/// The first element of a name right below one.
pub(super) fn child<'a, 'i>(parent: &Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    elements(parent).find(|child| child.tag_name().name() == name)
}

/// The text of the first element of a name right below one, if it has any.
pub(super) fn text<'a>(parent: &Node<'a, '_>, name: &str) -> Option<Cow<'a, str>> {
    let text = match own_text(&child(parent, name)?) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    Some(text).filter(|text| !text.is_empty())
}

/// The text right in an element: comments stand in it, and do not end it.
pub(super) fn own_text<'a>(node: &Node<'a, '_>) -> Cow<'a, str> {
    let mut texts = node
        .children()
        .filter(Node::is_text)
        .filter_map(|text| text.text());
    let first = texts.next().unwrap_or_default();
    match texts.next() {
        None => Cow::Borrowed(first),
        Some(next) => Cow::Owned([first, next].into_iter().chain(texts).collect()),
    }
}
