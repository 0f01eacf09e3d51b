//! Packages that are built from sources, which no registry has in that form.

use super::component::Component;
use super::fault::Fault;
use super::list::List;
use super::origin::{self, Repository};
use assay_claims::purl;

impl List {
    /// Adds a package in whose place a folder of the project is built: something may be said of it
    /// by its name.
    pub(super) fn by_folder(
        &mut self,
        ty: &'static str,
        (name, version): (&str, &str),
        line: Option<u32>,
    ) -> Result<(), Fault> {
        let shown = format!("{name} {version}");
        self.remark("a folder stands in for it", line, &shown);
        let component = Component {
            name: name.into(),
            version: Some(version.into()),
            line,
            own: true,
            by_path: true,
            ..Component::default()
        };
        self.package(component, origin::spaced(ty, name, Some(version)))
    }

    /// Adds a package that is built from sources. It has to be pinned to a commit.
    pub(super) fn sources(
        &mut self,
        mut component: Component,
        mut parts: purl::Components,
        repository: &Repository<'_>,
    ) -> Result<(), Fault> {
        component.digests.extend(repository.commit());
        if component.digests.is_empty() {
            let reason = "is from git, and not pinned to a commit";
            return self.without_purl(component, reason);
        }
        repository.qualify(&mut parts);
        self.package(component, parts)
    }
}
