//! CycloneDX JSON (`bom-1.x.schema.json`), 1.2 to 1.7.

use super::component::Component;
use super::elsewhere;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::named;
use super::reader::{Reader, Sign};
use super::sbom::{self, Element};
use super::wrapped;
use assay_claims::json::Part;
use assay_claims::kind::sbom::CYCLONEDX_VERSIONS;

pub(super) const READER: Reader = Reader {
    name: "CycloneDX JSON",
    is_sbom: true,
    remedy: "nothing of the document is taken; have the tool that wrote it write it again",
    files: &["cdx.json"],
    path: None,
    sign: Sign::Member("bomFormat"),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let whole = input.json()?;
    let (path, document) = wrapped::wrapper(whole).unwrap_or(("$", whole));
    let bom = Node::root(path, document);
    bom.need("bomFormat")?.one_of(&["CycloneDX"])?;
    bom.need("specVersion")?.one_of(CYCLONEDX_VERSIONS)?;
    let mut list = List::default();
    let version = match bom.value().get("version") {
        Some(version) => version.as_u64(),
        None => Some(sbom::FIRST),
    };
    let link = bom.shown("serialNumber").zip(version);
    list.bom = link.and_then(|(serial, version)| sbom::bom_link(serial, version));
    if let Some(metadata) = bom.get("metadata")
        && let Some(component) = metadata.get("component")
    {
        read_component(&component, true, &mut list)?;
        read_links(&component, bom.shown("serialNumber"), &mut list)?;
    }
    read_components(&bom, &mut list)?;
    read_links(&bom, bom.shown("serialNumber"), &mut list)?;
    if let Some(services) = bom.get("services") {
        sbom::note_services(services.items()?.count(), &mut list);
        name_services(&services, &mut list)?;
    }
    note_formulation(&bom, &mut list)?;
    sbom::note_vex(bom.value(), &mut list);
    note_gaps(&bom, &mut list)?;
    Ok(list)
}

/// Takes note of what services are called: nothing else is meant by these names.
fn name_services(services: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    for service in services.items()? {
        list.unlisted(service.shown("bom-ref").map(str::to_owned));
        if let Some(parts) = service.get("services") {
            name_services(&parts, list)?;
        }
    }
    Ok(())
}

/// Says how many components a BOM lists only because it was made with them, and takes note of what
/// these are called.
fn note_formulation(bom: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    let Some(formulas) = bom.get("formulation") else {
        return Ok(());
    };
    let mut count = 0;
    for formula in formulas.items()? {
        count += name_components(&formula, list)?;
        if let Some(services) = formula.get("services") {
            name_services(&services, list)?;
        }
    }
    sbom::note_formulation(count, list);
    Ok(())
}

/// Takes note of what components are called that are not read. Returns how many there are.
fn name_components(parent: &Node<'_, '_>, list: &mut List) -> Result<usize, Fault> {
    let Some(components) = parent.get("components") else {
        return Ok(0);
    };
    let mut count = 0;
    for component in components.items()? {
        list.unlisted(component.shown("bom-ref").map(str::to_owned));
        count += 1 + name_components(&component, list)?;
    }
    Ok(count)
}

fn read_components(parent: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    let Some(components) = parent.get("components") else {
        return Ok(());
    };
    components
        .items()?
        .try_for_each(|component| read_component(&component, false, list))
}

fn read_component(component: &Node<'_, '_>, own: bool, list: &mut List) -> Result<(), Fault> {
    let version = component
        .get("version")
        .map(|version| version.string())
        .transpose()?
        .filter(|v| !v.is_empty());
    let digests = sbom::digests(component, "hashes", ("alg", "content"), list)?;
    let [purl, name] = ["purl", "name"].map(|key| component.get(key));
    let purl = purl.map(|purl| purl.string()).transpose()?;
    let purl = purl.filter(|purl| !purl.is_empty());
    let name = name.map(|name| name.string()).transpose()?;
    let name = match named::name(name, purl) {
        Some(name) => name,
        None => component.need("name")?.text()?.into(),
    };
    let scope = component.shown("scope");
    let described = Component {
        digests,
        bom_refs: component
            .shown("bom-ref")
            .map(str::to_owned)
            .into_iter()
            .collect(),
        own,
        // The specification's "excluded" is for tests and other uses that are not at run time.
        dev: scope == Some("excluded"),
        optional: scope == Some("optional"),
        ..sbom::component(&name, version)
    };
    let is_file = component.shown("type") == Some("file") || is_list(component);
    if purl.is_none() && !own && is_file {
        sbom::file(described, list);
        return read_components(component, list);
    }
    Element {
        component: described,
        purls: purl.into_iter().map(Into::into).collect(),
        upstream: upstream(component),
    }
    .add(list)?;
    if !own {
        remark_pedigree(component, &name, list);
        read_links(component, None, list)?;
    }
    read_components(component, list)
}

/// Tells of a component that it is not what is published under its name, if the BOM says so.
fn remark_pedigree(component: &Node<'_, '_>, name: &str, list: &mut List) {
    let value = component.value();
    let is_any = |key| {
        let stated = value.get("pedigree").and_then(|it| it.get(key)?.as_array());
        stated.is_some_and(|mut all| all.next().is_some())
    };
    if is_any("patches") || value.get("modified").and_then(Part::as_bool) == Some(true) {
        list.remark(sbom::CHANGED, None, name);
    }
    if is_any("ancestors") {
        list.remark(sbom::DERIVED, None, name);
    }
}

/// What stands in other BOMs. A link to one by its number leads to parts; an address may be of what
/// is published of this one.
fn read_links(holder: &Node<'_, '_>, serial: Option<&str>, list: &mut List) -> Result<(), Fault> {
    let Some(references) = holder.get("externalReferences") else {
        return Ok(());
    };
    for reference in references.items()? {
        let url = reference.shown("url").unwrap_or_default();
        if reference.shown("type") == Some("bom") {
            elsewhere::link(url, serial, list)?;
        }
    }
    Ok(())
}

/// A property that Trivy states of a component.
fn of_trivy<'v>(component: &Node<'v, '_>, name: &str) -> Option<&'v str> {
    let mut properties = component.value().get("properties")?.as_array()?;
    let property = properties.find(|property| {
        let key = property.get("name").and_then(Part::as_str);
        key.and_then(|key| key.strip_prefix(sbom::TRIVY)) == Some(name)
    });
    property?.get("value")?.as_str()
}

/// The source package that Trivy states in properties.
fn upstream(component: &Node<'_, '_>) -> Option<String> {
    sbom::upstream(|name| of_trivy(component, name))
}

/// Whether a component is a lock file, which Trivy lists beside the packages that it found in it.
fn is_list(component: &Node<'_, '_>) -> bool {
    of_trivy(component, "Class") == Some(sbom::LOCK_FILE)
}

/// A document may say itself that it is not complete.
fn note_gaps(bom: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    let Some(compositions) = bom.get("compositions") else {
        return Ok(());
    };
    for composition in compositions.items()? {
        if let Some(aggregate) = composition
            .shown("aggregate")
            .filter(|a| a.starts_with("incomplete") || *a == "unknown")
        {
            list.note(
                None,
                &format!("the document says of itself that parts of it are {aggregate}"),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
