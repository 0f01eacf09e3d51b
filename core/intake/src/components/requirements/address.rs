//! Requirements that say where something is, and not which version of it.

use crate::components::component::Component;
use crate::components::digest;
use crate::components::fault::Fault;
use crate::components::list::List;
use crate::components::origin::{self, Repository, without_secrets};
use crate::components::python::{add_file, is_archive};
use assay_claims::kind::node::quoted;

/// Sources in git, perhaps installed so that they can be edited: a commit is one all the same.
pub(super) fn read_sources(number: u32, address: &str, list: &mut List) -> Result<(), Fault> {
    let component = Component {
        name: egg(address).map_or_else(|| without_secrets(address), str::to_owned),
        line: Some(number),
        ..Component::default()
    };
    read_address(component, address, list)
}

/// The name of the package that the fragment of an address says: `#egg=NAME[EXTRAS]`.
pub(super) fn egg(address: &str) -> Option<&str> {
    let (_, fragment) = address.split_once('#')?;
    let mut pairs = fragment.split('&').filter_map(|pair| pair.split_once('='));
    let (_, egg) = pairs.find(|(key, _)| *key == "egg")?;
    let name = egg.split(['[', '=', '<', '>', '!', '~']).next()?;
    Some(name).filter(|name| !name.is_empty())
}

/// A path or an address without name is a requirement; anything else is none.
pub(super) fn read_unnamed(number: u32, requirement: &str, list: &mut List) -> Result<(), Fault> {
    let plain = !requirement.contains(char::is_whitespace);
    if requirement.contains("://") {
        let reason = "is an address without name and version: write `NAME @ ADDRESS` with a hash";
        return list.unidentified(Some(number), &without_secrets(requirement), reason);
    }
    if plain
        && (is_archive(requirement) || requirement.contains('/') || requirement.starts_with('.'))
    {
        return list.unidentified(Some(number), requirement, "is a local file or folder");
    }
    Err(Fault::at(
        number,
        format!("{} is no requirement", quoted(requirement)),
    ))
}

/// `NAME @ ADDRESS`: known by a digest, whether an option, the fragment, or the commit says it.
pub(super) fn read_address(
    mut component: Component,
    address: &str,
    list: &mut List,
) -> Result<(), Fault> {
    let line = component.line;
    if address.starts_with("git+") {
        let repository = Repository::read_pip(address);
        if component.name.contains("://") {
            component.digests.extend(repository.commit());
            let reason = "is from git, and has neither a name nor a commit: write `NAME @ ADDRESS`";
            return list.without_purl(component, reason);
        }
        let parts = origin::package("pypi", &component.name, None);
        return list.sources(component, parts, &repository);
    }
    let fragment = address.split_once('#').map_or("", |(_, fragment)| fragment);
    for (algorithm, value) in fragment.split('&').filter_map(|pair| pair.split_once('=')) {
        let digest = digest::hex(algorithm, value);
        component.digests.extend(
            digest.map_err(|reason| Fault::new(line, format!("{} {reason}", quoted(value))))?,
        );
    }
    add_file(component, address, list)
}
