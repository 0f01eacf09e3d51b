//! Elements of XML, as readers look for them.

use roxmltree::Node;

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
pub(super) fn text<'a>(parent: &Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(parent, name)?
        .text()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}
