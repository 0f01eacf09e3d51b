//! Files that are known and not read, and what to do instead.

pub(super) const USE_AN_SBOM: &str =
    "write an SBOM of the project (CycloneDX or SPDX in JSON), and check that";
const USE_AN_SBOM_WITH_UUIDS: &str = "if it is Julia's, write an SBOM of the project in which each \
    package URL has the package's uuid, and check that";
const USE_THE_LOCK: &str =
    "it says what the project asks for, not what it got; check its lock file";
const SBOM_FOR_LOCK: &str = "it says what the project asks for, not what it got; write an SBOM of \
    the project, and check that";
const USE_NUGET_LOCK: &str = "it says what the project asks for, not what it got; let `dotnet \
    restore --use-lock-file` write packages.lock.json, and check that";
const USE_GRADLE_LOCK: &str = "it says what may be asked for, not what is built; let Gradle lock \
    its versions (--write-locks), and check gradle.lockfile";
const EXPLICIT: &str =
    "it is an explicit list of conda's; let conda-lock write conda-lock.yml, and check that";
const USE_CONDA_LOCK: &str =
    "it says what the project asks for; let conda-lock write its lock file, and check that";
pub(super) const USE_JSON: &str = "export it as JSON";

/// Names of files that are known and not read, and what to do instead. A star is for any text.
pub const NOT_READ: &[(&str, &str)] = &[
    (
        "bun.lockb",
        "let `bun install --save-text-lockfile` write bun.lock, and check that",
    ),
    ("renv.lock", USE_AN_SBOM),
    ("conan.lock", USE_AN_SBOM),
    ("flake.lock", USE_AN_SBOM),
    ("paket.lock", USE_AN_SBOM),
    ("rebar.lock", USE_AN_SBOM),
    ("Cartfile.resolved", USE_AN_SBOM),
    ("stack.yaml.lock", USE_AN_SBOM),
    ("cabal.project.freeze", USE_AN_SBOM),
    ("shard.lock", USE_AN_SBOM),
    ("dub.selections.json", USE_AN_SBOM),
    ("Chart.lock", USE_AN_SBOM),
    ("conda-*.lock", EXPLICIT),
    ("Manifest.toml", USE_AN_SBOM_WITH_UUIDS),
    ("environment.yml", USE_CONDA_LOCK),
    ("environment.yaml", USE_CONDA_LOCK),
    ("setup.py", USE_THE_LOCK),
    (
        "go.work",
        "it names the modules of a workspace; check the go.mod of each",
    ),
    (
        "Dockerfile",
        "it says how an image is built; write an SBOM of the image, and check that",
    ),
    ("libs.versions.toml", USE_GRADLE_LOCK),
    ("build.gradle", USE_GRADLE_LOCK),
    ("build.gradle.kts", USE_GRADLE_LOCK),
    ("build.sbt", SBOM_FOR_LOCK),
    ("ivy.xml", SBOM_FOR_LOCK),
    ("*.csproj", USE_NUGET_LOCK),
    ("*.fsproj", USE_NUGET_LOCK),
    ("*.vbproj", USE_NUGET_LOCK),
    ("Directory.Packages.props", USE_NUGET_LOCK),
    ("Cargo.toml", USE_THE_LOCK),
    ("package.json", USE_THE_LOCK),
    ("pyproject.toml", USE_THE_LOCK),
    ("composer.json", USE_THE_LOCK),
    ("Gemfile", USE_THE_LOCK),
    ("Pipfile", USE_THE_LOCK),
    ("Podfile", USE_THE_LOCK),
    ("pubspec.yaml", USE_THE_LOCK),
    ("mix.exs", USE_THE_LOCK),
    ("Package.swift", USE_THE_LOCK),
    ("*.gemspec", USE_THE_LOCK),
    ("bower.json", SBOM_FOR_LOCK),
    ("conanfile.py", SBOM_FOR_LOCK),
    ("conanfile.txt", SBOM_FOR_LOCK),
    ("vcpkg.json", SBOM_FOR_LOCK),
    ("MODULE.bazel", SBOM_FOR_LOCK),
    ("spdx.xml", USE_JSON),
    ("spdx.rdf", USE_JSON),
];

/// Roots of XML that is known and not read, and what to do instead.
pub(super) const ROOTS: &[(&str, &str)] =
    &[("Project", USE_NUGET_LOCK), ("ivy-module", SBOM_FOR_LOCK)];

/// What a line begins with in texts that are known and not read, and what to do instead.
pub(super) const TEXTS: &[(&str, &str)] = &[
    ("@EXPLICIT", EXPLICIT),
    (
        "[INFO] The following files have been resolved:",
        "it is a list of Maven's: check what `mvn dependency:tree` writes",
    ),
    (
        "+--- ",
        "it looks like what `gradle dependencies` writes: let Gradle lock its versions \
         (--write-locks), and check gradle.lockfile",
    ),
];

/// The row of [`NOT_READ`] that a name without folders is of.
pub(super) fn not_read(name: &str) -> Option<(&'static str, &'static str)> {
    let mut rows = NOT_READ.iter();
    rows.find(|(known, _)| is_exactly(name, known)).copied()
}

/// Whether `name` is `known`, perhaps with a prefix that ends with a dot. Manifests have plain
/// names, which end others.
fn is_exactly(name: &str, known: &str) -> bool {
    if let Some((begins, ends)) = known.split_once('*') {
        let rest = name.strip_prefix(begins);
        return rest.is_some_and(|rest| rest.len() > ends.len() && rest.ends_with(ends));
    }
    name.strip_suffix(known)
        .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
}
