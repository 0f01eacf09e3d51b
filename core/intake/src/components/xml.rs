//! CycloneDX XML (`bom-1.x.xsd`), 1.0 to 1.7.

use super::component::Component;
use super::cut::{Cut, Piece};
use super::digest::{self, Digests};
use super::elsewhere;
use super::fault::Fault;
use super::input::{Input, Lines, parse_xml};
use super::list::List;
use super::markup::{child, elements, own_text, text};
use super::named;
use super::reader::{Reader, Sign};
use super::sbom::{self, Element};
use assay_claims::kind::node::quoted;
use assay_claims::kind::sbom::CYCLONEDX_VERSIONS;
use roxmltree::Node;
use std::borrow::Cow;

pub(super) const READER: Reader = Reader {
    name: "CycloneDX XML",
    is_sbom: true,
    remedy: "nothing of the document is taken; have the tool that wrote it write it again",
    files: &["cdx.xml", "bom.xml"],
    path: None,
    sign: Sign::Root("bom"),
    read: |input, _| read(input),
};

/// What the namespace of every version begins with; the version is the rest.
const NAMESPACE: &str = "http://cyclonedx.org/schema/bom/";

/// Versions that have no JSON.
const XML_ALONE: [&str; 2] = ["1.0", "1.1"];

/// Deepest nesting of components that is read.
const DEPTH: usize = 64;

/// Why a BOM is not read in pieces.
enum Trouble {
    Fault(Fault),
    /// A piece is no XML by itself.
    Piece,
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Trouble::Fault(fault)
    }
}

/// A BOM that is being read.
struct Reading<'l> {
    list: List,
    lines: Lines<'l>,
}

/// An element, and where it stands in the file: it may be a piece of that by itself.
struct Placed<'n, 'd, 'i> {
    node: &'n Node<'d, 'i>,
    of: Option<&'n Piece>,
}

impl<'d, 'i> Placed<'_, 'd, 'i> {
    fn with<'n>(&'n self, node: &'n Node<'d, 'i>) -> Placed<'n, 'd, 'i> {
        Placed { node, of: self.of }
    }
}

impl Reading<'_> {
    fn of<'l>(input: &'l Input<'_>) -> Reading<'l> {
        Reading {
            list: List::default(),
            lines: input.places(),
        }
    }

    /// The line in which an element begins.
    fn line(&mut self, element: &Placed<'_, '_, '_>) -> u32 {
        let range = element.node.range();
        let start = element
            .of
            .map_or(range.start, |piece| piece.place(range.start));
        self.lines.of(start..start)
    }
}

fn read(input: &Input<'_>) -> Result<List, Fault> {
    if let Some(cut) = input.xml_list("bom", "components")? {
        match read_pieces(input, &cut) {
            Ok(list) => return Ok(list),
            Err(Trouble::Fault(fault)) => return Err(fault),
            // What is wrong is said of the whole.
            Err(Trouble::Piece) => {}
        }
    }
    let document = input.xml()?;
    let mut reading = Reading::of(input);
    let (node, of) = (&document.root_element(), None);
    read_bom(&Placed { node, of }, &mut reading, |_| Ok::<(), Fault>(()))?;
    Ok(reading.list)
}

/// Reads a BOM component by component: its tree would take several times its memory.
fn read_pieces(input: &Input<'_>, cut: &Cut<'_>) -> Result<List, Trouble> {
    let mut reading = Reading::of(input);
    reading.list.expect(cut.len());
    let rest = cut.rest().ok_or(Trouble::Piece)?;
    let document = parse_xml(&rest.text).map_err(|_| Trouble::Piece)?;
    let bom = Placed {
        node: &document.root_element(),
        of: Some(&rest),
    };
    read_bom(&bom, &mut reading, |reading| {
        for piece in cut.items() {
            let piece = piece.ok_or(Trouble::Piece)?;
            let document = parse_xml(&piece.text).map_err(|_| Trouble::Piece)?;
            let bom = Placed {
                node: &document.root_element(),
                of: Some(&piece),
            };
            read_components(&bom, 0, reading)?;
        }
        Ok::<(), Trouble>(())
    })?;
    Ok(reading.list)
}

/// Reads a BOM, and what is in its list of components besides those that stand there.
fn read_bom<E: From<Fault>>(
    bom: &Placed<'_, '_, '_>,
    reading: &mut Reading<'_>,
    more: impl FnOnce(&mut Reading<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let root = bom.node;
    if let Err(reason) = check_root(root) {
        return Err(Fault::new(Some(reading.line(bom)), reason).into());
    }
    let version = match root.attribute("version") {
        Some(version) => version.parse().ok(),
        None => Some(sbom::FIRST),
    };
    let serial = root.attribute("serialNumber");
    let link = serial.zip(version);
    reading.list.bom = link.and_then(|(serial, version)| sbom::bom_link(serial, version));
    let about = child(root, "metadata").and_then(|metadata| child(&metadata, "component"));
    if let Some(component) = about {
        read_component(&bom.with(&component), true, 0, reading)?;
        read_links(&component, serial, &mut reading.list)?;
    }
    read_components(bom, 0, reading)?;
    more(reading)?;
    read_links(root, serial, &mut reading.list)?;
    let services = child(root, "services");
    if let Some(services) = services {
        sbom::note_services(elements(&services).count(), &mut reading.list);
    }
    name_services(bom, 0, reading)?;
    note_formulation(bom, reading)?;
    let vex = child(root, "vulnerabilities");
    if vex.is_some_and(|all| elements(&all).next().is_some()) {
        let text = "what it says of vulnerabilities (VEX) is not weighed here; written as JSON, \
                    its issuer can publish it: assay publish vex FILE";
        reading.list.note(None, text);
    }
    Ok(())
}

/// Refuses what is no BOM of a version that is known.
fn check_root(root: &Node<'_, '_>) -> Result<(), String> {
    let (name, namespace) = (root.tag_name().name(), root.tag_name().namespace());
    let namespace = namespace.unwrap_or_default();
    let version = namespace.strip_prefix(NAMESPACE).unwrap_or_default();
    if name == "bom" && (XML_ALONE.contains(&version) || CYCLONEDX_VERSIONS.contains(&version)) {
        return Ok(());
    }
    Err(format!(
        "the root is {} of the namespace {}, and has to be \"bom\" of {NAMESPACE} with one of {}, \
         {}",
        quoted(name),
        quoted(namespace),
        XML_ALONE.join(", "),
        CYCLONEDX_VERSIONS.join(", ")
    ))
}

/// Takes note of what services are called: nothing else is meant by these names.
fn name_services(
    parent: &Placed<'_, '_, '_>,
    depth: usize,
    reading: &mut Reading<'_>,
) -> Result<(), Fault> {
    if depth > DEPTH {
        let reason = format!("services are nested deeper than {DEPTH} levels");
        return Err(Fault::at(reading.line(parent), reason));
    }
    let services = child(parent.node, "services");
    for service in services.iter().flat_map(elements) {
        let name = service.attribute("bom-ref").map(str::to_owned);
        reading.list.unlisted(name);
        name_services(&parent.with(&service), depth + 1, reading)?;
    }
    Ok(())
}

/// Says how many components a BOM lists only because it was made with them, and takes note of what
/// these are called.
fn note_formulation(bom: &Placed<'_, '_, '_>, reading: &mut Reading<'_>) -> Result<(), Fault> {
    let mut count = 0;
    let formulas = child(bom.node, "formulation");
    for formula in formulas.iter().flat_map(elements) {
        let formula = bom.with(&formula);
        count += name_components(&formula, 0, reading)?;
        name_services(&formula, 0, reading)?;
    }
    sbom::note_formulation(count, &mut reading.list);
    Ok(())
}

/// Takes note of what components are called that are not read. Returns how many there are.
fn name_components(
    parent: &Placed<'_, '_, '_>,
    depth: usize,
    reading: &mut Reading<'_>,
) -> Result<usize, Fault> {
    check_depth(parent, depth, reading)?;
    let mut count = 0;
    let components = child(parent.node, "components");
    for component in components.iter().flat_map(elements) {
        let name = component.attribute("bom-ref").map(str::to_owned);
        reading.list.unlisted(name);
        count += 1 + name_components(&parent.with(&component), depth + 1, reading)?;
    }
    Ok(count)
}

fn check_depth(
    parent: &Placed<'_, '_, '_>,
    depth: usize,
    reading: &mut Reading<'_>,
) -> Result<(), Fault> {
    if depth > DEPTH {
        let reason = format!("components are nested deeper than {DEPTH} levels");
        return Err(Fault::at(reading.line(parent), reason));
    }
    Ok(())
}

fn read_components(
    parent: &Placed<'_, '_, '_>,
    depth: usize,
    reading: &mut Reading<'_>,
) -> Result<(), Fault> {
    check_depth(parent, depth, reading)?;
    let components = child(parent.node, "components");
    for component in components.iter().flat_map(elements) {
        read_component(&parent.with(&component), false, depth, reading)?;
    }
    Ok(())
}

fn read_component(
    placed: &Placed<'_, '_, '_>,
    own: bool,
    depth: usize,
    reading: &mut Reading<'_>,
) -> Result<(), Fault> {
    let at = reading.line(placed);
    let (component, list) = (placed.node, &mut reading.list);
    let (name, purl) = (text(component, "name"), text(component, "purl"));
    let Some(name) = named::name(name.as_deref(), purl.as_deref()) else {
        return Err(Fault::at(at, "a component has no name"));
    };
    let (version, scope) = (text(component, "version"), text(component, "scope"));
    let described = Component {
        digests: digests(component, at, list),
        bom_refs: component
            .attribute("bom-ref")
            .map(str::to_owned)
            .into_iter()
            .collect(),
        line: Some(at),
        own,
        dev: scope.as_deref() == Some("excluded"),
        optional: scope.as_deref() == Some("optional"),
        ..sbom::component(&name, version.as_deref())
    };
    if purl.is_none() && !own && component.attribute("type") == Some("file") {
        sbom::file(described, list);
        return read_components(placed, depth + 1, reading);
    }
    if !own {
        remark_pedigree(component, (&name, at), list);
        read_links(component, None, list)?;
    }
    Element {
        component: described,
        purls: purl.clone().into_iter().collect(),
        upstream: upstream(component),
    }
    .add(list)?;
    read_components(placed, depth + 1, reading)
}

/// Tells of a component that it is not what is published under its name, if the BOM says so.
fn remark_pedigree(component: &Node<'_, '_>, (name, at): (&str, u32), list: &mut List) {
    let pedigree = child(component, "pedigree");
    let is_any = |key| {
        let all = pedigree.as_ref().and_then(|it| child(it, key));
        all.is_some_and(|all| elements(&all).next().is_some())
    };
    if is_any("patches") || text(component, "modified").as_deref() == Some("true") {
        list.remark(sbom::CHANGED, Some(at), name);
    }
    if is_any("ancestors") {
        list.remark(sbom::DERIVED, Some(at), name);
    }
}

/// What stands in other BOMs.
fn read_links(holder: &Node<'_, '_>, serial: Option<&str>, list: &mut List) -> Result<(), Fault> {
    for reference in child(holder, "externalReferences")
        .iter()
        .flat_map(elements)
    {
        if reference.attribute("type") == Some("bom") {
            let url = text(&reference, "url").unwrap_or_default();
            elsewhere::link(url.trim(), serial, list)?;
        }
    }
    Ok(())
}

/// The source package that Trivy states in properties.
fn upstream(component: &Node<'_, '_>) -> Option<String> {
    let properties = child(component, "properties")?;
    let all: Vec<(&str, Cow<'_, str>)> = elements(&properties)
        .filter_map(|property| {
            let name = property.attribute("name")?.strip_prefix(sbom::TRIVY)?;
            Some((name, own_text(&property)))
        })
        .collect();
    sbom::upstream(|name| {
        let mut named = all.iter().filter(|(key, _)| *key == name);
        named.next().map(|(_, value)| value.trim())
    })
}

/// One that is none of its algorithm is left out with a note.
fn digests(component: &Node<'_, '_>, at: u32, list: &mut List) -> Digests {
    let mut digests = Vec::new();
    for hash in child(component, "hashes").iter().flat_map(elements) {
        let (algorithm, value) = (hash.attribute("alg"), own_text(&hash));
        match digest::hex(algorithm.unwrap_or_default(), value.trim()) {
            Ok(digest) => digests.extend(digest),
            Err(reason) => {
                let value = quoted(value.trim());
                list.note(Some(at), &format!("{value} {reason}, and was left out"));
            }
        }
    }
    digests
}

#[cfg(test)]
mod tests;
