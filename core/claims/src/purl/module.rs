//! Modules, of which some distributions of RPM packages have several streams side by side: what is
//! said of one stream is not said of another.

use super::Purl;

/// The qualifiers that name the module, as `NAME:STREAM[:VERSION:CONTEXT]`: as Red Hat and syft
/// write it, and as Trivy does.
const MODULE: [&str; 2] = ["rpmmod", "modularitylabel"];

/// What versions of modules' packages are tagged with: `14.21.1-2.module+el8.6.0+17070+d38ec1e5`.
const TAG: &str = ".module";

/// Whether a qualifier says of which module a package is.
pub fn names_module(key: &str) -> bool {
    MODULE.contains(&key)
}

impl Purl {
    /// The module that it says that it is of.
    pub fn module(&self) -> Option<&str> {
        let rpm = self.ty() == "rpm";
        let mut stated = MODULE.iter().filter_map(|key| self.qualifier(key));
        stated.next().filter(|_| rpm)
    }

    /// Whether its version is that of a build in a module, which is in no other one.
    pub fn is_built_in_module(&self) -> bool {
        let version = self.version().filter(|_| self.ty() == "rpm");
        version.is_some_and(|version| version.contains(TAG))
    }

    /// Whether it says that it is of the module that is stated, as far as that says which.
    pub fn is_of_module(&self, stated: &str) -> bool {
        let rest = self.module().and_then(|ours| ours.strip_prefix(stated));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }

    /// Whether both say which module they are of, and are of different streams of one.
    pub fn is_of_other_stream(&self, other: &Purl) -> bool {
        let stream = |module: &str| {
            let mut parts = module.split(':').map(str::to_owned);
            Some((parts.next()?, parts.next()?))
        };
        let ours = self.module().and_then(stream);
        let theirs = other.module().and_then(stream);
        ours.zip(theirs)
            .is_some_and(|((ours, one), (theirs, other))| ours == theirs && one != other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purl(text: &str) -> Purl {
        Purl::canonicalize(text).unwrap()
    }

    #[test]
    fn a_package_is_of_a_stream_of_a_module() {
        let build = purl("pkg:rpm/redhat/a@1-1.module%2Bel8?rpmmod=m:14:8060:ctx");
        let label = purl("pkg:rpm/redhat/a@1-1?modularitylabel=m:14");
        for (of, module, expected) in [
            (&build, "m:14", true),
            (&build, "m:14:8060:ctx", true),
            (&build, "m:1", false),
            (&build, "m:16", false),
            (&label, "m:14", true),
            (&label, "m:14:8060:ctx", false),
        ] {
            assert_eq!(of.is_of_module(module), expected, "{of:?} {module}");
        }
        assert!(build.is_built_in_module() && !label.is_built_in_module());
        for (other, expected) in [
            ("pkg:rpm/redhat/a?rpmmod=m:16", true),
            ("pkg:rpm/redhat/a?modularitylabel=m:14:9:c", false),
            ("pkg:rpm/redhat/a?rpmmod=n:16", false),
            ("pkg:rpm/redhat/a?rpmmod=rhel10", false),
            ("pkg:rpm/redhat/a", false),
            ("pkg:npm/a?rpmmod=m:16", false),
        ] {
            assert_eq!(build.is_of_other_stream(&purl(other)), expected, "{other}");
            assert_eq!(purl(other).is_of_other_stream(&build), expected, "{other}");
        }
    }
}
