//! Trivy with the VEX repository that a node serves: it loses the findings that those cleared whose
//! word clears under the policy of the site, and no other.

use super::Row;
use super::scanners::{Kind, Scanner};
use super::vex::{BOMS, row, sbom, world};
use crate::{ports::free_address, world::World};
use anyhow::ensure;
use std::fs;

/// What the rows call it.
pub(super) const GIVEN: &str = "a VEX repository";

/// What Trivy makes of each SBOM.
///
/// # Errors
/// Where a program cannot be run.
pub fn rows() -> anyhow::Result<Vec<Row>> {
    let (mut world, records) = world()?;
    let scanner = Kind::Trivy.build(world.folder.path())?;
    scanner.know(&records)?;
    serve(&mut world)?;
    follow(&world, &scanner)?;
    let mut rows = Vec::new();
    for bom in &BOMS {
        world.write(bom.name, &sbom(bom).to_string())?;
        let input = world.path(bom.name);
        let before = scanner.scan(&input, None, &[])?;
        let after = scanner.scan(&input, None, &["--vex", "repo"]);
        rows.push(row(Kind::Trivy, bom, GIVEN, &before, after));
    }
    Ok(rows)
}

/// Has the node serve a repository, under the consumer's policy, and say where.
fn serve(world: &mut World) -> anyhow::Result<()> {
    world.node.stop()?;
    let listen = free_address()?;
    world
        .node
        .configure(&format!("server.listen = \"{listen}\""))?;
    let file = world.node.folder().join("node.toml");
    let mut text = fs::read_to_string(&file)?;
    let policy = world.path("policy.toml");
    let settings = [
        (
            "# policy = \"page.policy.toml\"",
            format!("policy = {policy:?}"),
        ),
        (
            "# address = \"https://log.example.org\"",
            format!("address = \"http://{listen}\""),
        ),
    ];
    for (example, setting) in settings {
        ensure!(text.contains(example), "the template was changed");
        text = text.replace(example, &setting);
    }
    fs::write(&file, text)?;
    world.node.run()
}

/// Points the scanner to the repository, as docs/page.md has it.
fn follow(world: &World, scanner: &Scanner) -> anyhow::Result<()> {
    let folder = scanner.home().join(".trivy/vex");
    fs::create_dir_all(&folder)?;
    let url = &world.node.ready().url;
    let settings = format!("repositories:\n  - name: assay\n    url: {url}\n    enabled: true\n");
    fs::write(folder.join("repository.yaml"), settings)?;
    let output = scanner.run(&["vex", "repo", "download"])?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "trivy vex repo download: {said}");
    Ok(())
}
