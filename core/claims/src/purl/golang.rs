//! What the type `golang` adds to the syntax of purls.

use super::{Components, Purl};

/// The standard library has one name of the two that tools give it. What ends in a major version is
/// the path of a module, of which some tools make a subpath (`…/a/b#v2`): a folder of a module can
/// be called so, too, and then the version is not of that major one.
pub(super) fn apply(components: &mut Components) -> Result<(), &'static str> {
    if components.namespace.is_none() && components.name == "std" {
        components.name = "stdlib".into();
    }
    let version = components.version.as_deref();
    let module = components.subpath.take_if(|path| {
        let last = path.rsplit('/').next().filter(|last| is_major(last));
        last.is_some_and(|last| version.is_none_or(|version| is_of_major(version, last)))
    });
    if let Some(path) = module {
        let mut all: Vec<&str> = components
            .namespace
            .iter()
            .flat_map(|n| n.split('/'))
            .collect();
        all.push(&components.name);
        all.extend(path.split('/'));
        let name = all.pop().unwrap_or_default().to_lowercase();
        (components.namespace, components.name) = (Some(all.join("/").to_lowercase()), name);
    }
    Ok(())
}

/// The other name of Go itself, which is released as one with its standard library.
pub(super) fn other_name(purl: &Purl) -> Option<&'static str> {
    let is_module = purl.namespace().is_some() || purl.ty() != "golang";
    match purl.name() {
        _ if is_module => None,
        "go" => Some("stdlib"),
        "stdlib" => Some("go"),
        _ => None,
    }
}

/// Whether a segment of a module's path is `v2` or more.
fn is_major(segment: &str) -> bool {
    let number = segment.strip_prefix('v');
    number.is_some_and(|number| {
        number != "1"
            && number.starts_with(|c: char| ('1'..='9').contains(&c))
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Whether a version is of the module whose path ends with this major version.
fn is_of_major(version: &str, segment: &str) -> bool {
    let number = version
        .strip_prefix('v')
        .unwrap_or(version)
        .split('.')
        .next();
    number == segment.strip_prefix('v') && !version.ends_with("+incompatible")
}

#[cfg(test)]
mod tests {
    use crate::purl::Purl;

    #[test]
    fn a_subpath_is_a_module_if_the_version_is_of_its_major_one() {
        for (text, canonical) in [
            (
                "pkg:golang/k8s.io/api@v0.28.0#autoscaling/v2",
                "pkg:golang/k8s.io/api@v0.28.0#autoscaling/v2",
            ),
            (
                "pkg:golang/a.org/b@v2.1.0#c/v2",
                "pkg:golang/a.org/b/c/v2@v2.1.0",
            ),
            ("pkg:golang/a.org/b#v2", "pkg:golang/a.org/b/v2"),
            (
                "pkg:golang/a.org/b@v2.1.0%2Bincompatible#v2",
                "pkg:golang/a.org/b@v2.1.0%2Bincompatible#v2",
            ),
        ] {
            let purl = Purl::canonicalize(text).map(|purl| purl.to_string());
            assert_eq!(purl.as_deref(), Ok(canonical));
        }
    }

    #[test]
    fn only_go_itself_is_its_standard_library() {
        let purl = |text: &str| Purl::canonicalize(text).unwrap();
        let same = |one: &str, other: &str| purl(one).is_same_package(&purl(other));
        assert!(same("pkg:golang/go@1.22", "pkg:golang/stdlib@1.22"));
        assert!(!same("pkg:golang/a.org/go", "pkg:golang/a.org/stdlib"));
        assert!(!same("pkg:npm/go", "pkg:npm/stdlib"));
    }
}
