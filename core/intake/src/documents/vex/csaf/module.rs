//! Modules of Red Hat's distributions, of which there are several streams side by side: packages as
//! parts of one, in all ways in which the documents of Red Hat write that.

use assay_claims::purl::{Components, Purl};

/// The type of the purls of modules: `pkg:rpmmod/redhat/nodejs@14:8060020221115:ad008a3a`.
const TYPE: &str = "rpmmod";

/// The qualifier for the module of a package.
const MODULE: &str = "rpmmod";

/// The package that is meant: `pkg:rpmmod/redhat/ruby:2.6/ruby` is the package in the module.
pub(super) fn package(purl: Purl) -> Purl {
    if purl.ty() == TYPE {
        let Some((vendor, module)) = purl.namespace().and_then(cut_module) else {
            return purl;
        };
        let qualifiers = [("arch", "src"), (MODULE, module)];
        let stated = Components {
            ty: "rpm".to_owned(),
            namespace: Some(vendor.to_owned()),
            name: purl.name().to_owned(),
            qualifiers: qualifiers
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .to_vec(),
            ..Components::default()
        };
        return Purl::build(stated).unwrap_or(purl);
    }
    purl
}

/// What is spoken against. In `pkg:rpm/redhat/php@7.2?rpmmod=php:7.2` the version is the stream's
/// and not the package's: any build of the stream may be meant. What clears that clears none.
pub(super) fn any_of_stream(purl: Purl) -> Purl {
    let stream = purl.module().and_then(|module| module.split(':').nth(1));
    if stream.is_none() || stream != purl.version() {
        return purl;
    }
    let mut parts = purl.components();
    parts.version = None;
    Purl::build(parts).unwrap_or(purl)
}

/// Vendor and module, of `redhat/ruby:2.6`.
fn cut_module(namespace: &str) -> Option<(&str, &str)> {
    namespace
        .split_once('/')
        .filter(|(_, module)| module.contains(':') && !module.contains('/'))
}

/// The package as a part of a module; `None` if that is none.
pub(super) fn in_module(purl: &Purl, module: &Purl) -> Option<Purl> {
    let stream = module.version().filter(|_| module.ty() == TYPE)?;
    let mut parts = purl.components();
    if purl.module().is_none() {
        let module = format!("{}:{stream}", module.name());
        parts.qualifiers.push((MODULE.to_owned(), module));
    }
    Purl::build(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purl(text: &str) -> Purl {
        Purl::canonicalize(text).unwrap()
    }

    #[test]
    fn a_stream_is_no_version() {
        for (stated, meant) in [
            (
                "pkg:rpm/redhat/php@7.2?arch=src&rpmmod=php:7.2",
                "pkg:rpm/redhat/php?arch=src&rpmmod=php:7.2",
            ),
            (
                "pkg:rpmmod/redhat/ruby:2.6/ruby",
                "pkg:rpm/redhat/ruby?arch=src&rpmmod=ruby:2.6",
            ),
            // A build, and modules as such.
            (
                "pkg:rpm/redhat/php@7.2.24-1.module?rpmmod=php:7.2",
                "pkg:rpm/redhat/php@7.2.24-1.module?rpmmod=php:7.2",
            ),
            (
                "pkg:rpmmod/redhat/ruby@3.0:8060:c",
                "pkg:rpmmod/redhat/ruby@3.0:8060:c",
            ),
            ("pkg:rpm/redhat/php@7.2", "pkg:rpm/redhat/php@7.2"),
            ("pkg:npm/a@1?rpmmod=a:1", "pkg:npm/a@1?rpmmod=a:1"),
        ] {
            assert_eq!(
                any_of_stream(package(purl(stated))),
                purl(meant),
                "{stated}"
            );
        }
    }

    #[test]
    fn a_package_is_a_part_of_a_module() {
        let module = purl("pkg:rpmmod/redhat/m@14:8060:c");
        for (one, module, expected) in [
            (
                "pkg:rpm/redhat/a@1",
                &module,
                Some("pkg:rpm/redhat/a@1?rpmmod=m:14:8060:c"),
            ),
            (
                "pkg:rpm/redhat/a?rpmmod=m:14",
                &module,
                Some("pkg:rpm/redhat/a?rpmmod=m:14"),
            ),
            ("pkg:rpm/redhat/a@1", &purl("pkg:rpm/redhat/m@14"), None),
            ("pkg:rpm/redhat/a@1", &purl("pkg:rpmmod/redhat/m"), None),
        ] {
            let found = in_module(&purl(one), module);
            assert_eq!(found, expected.map(purl), "{one}");
        }
    }
}
