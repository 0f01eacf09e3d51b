//! What a CycloneDX BOM calls things (`bom-ref`), by which others point at them.

use super::component::Component;
use std::collections::BTreeSet;

/// Takes names out that a component has twice.
pub(super) fn list_each_once(list: &mut [Component]) {
    for component in list.iter_mut().filter(|one| one.bom_refs.len() > 1) {
        let mut known = BTreeSet::new();
        let refs = &mut component.bom_refs;
        refs.retain(|name| known.insert(name.clone()));
    }
}

/// The names that a BOM gives to several things (CycloneDX, "bom-ref": unique within the BOM):
/// several of the list, or of what is not in it, which `others` are the names of.
pub(super) fn disputed(list: &[Component], others: &[String]) -> BTreeSet<String> {
    // Each with the place of what has it; what is not in the list stands behind it.
    let listed = list.iter().enumerate().flat_map(|(place, component)| {
        let names = component.bom_refs.iter();
        names.map(move |name| (name.as_str(), place))
    });
    let others = others.iter().enumerate();
    let others = others.map(|(place, name)| (name.as_str(), list.len() + place));
    let mut all: Vec<(&str, usize)> = listed.chain(others).collect();
    all.sort_unstable();
    all.dedup();
    let mut disputed = BTreeSet::new();
    for two in all.windows(2) {
        if let [(one, _), (other, _)] = two
            && one == other
        {
            disputed.insert((*one).to_owned());
        }
    }
    disputed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(refs: &[&str]) -> Component {
        Component {
            bom_refs: refs.iter().map(|name| (*name).to_owned()).collect(),
            ..Component::default()
        }
    }

    #[test]
    fn a_name_of_several_things_is_disputed() {
        let mut list = [component(&["a", "b", "a"]), component(&["b", "c"])];
        list_each_once(&mut list);
        assert_eq!(list[0].bom_refs, ["a", "b"]);
        let others = ["c".to_owned(), "d".to_owned(), "d".to_owned()];
        let disputed = disputed(&list, &others);
        assert_eq!(disputed.into_iter().collect::<Vec<_>>(), ["b", "c", "d"]);
    }
}
