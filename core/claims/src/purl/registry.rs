//! Where packages of a type are from unless something else is said: the public registries, in all
//! spellings of their addresses.

use super::{Components, Purl};

/// The public registries of types: type, host, and what its paths begin with.
const REGISTRIES: &[(&str, &str, &str)] = &[
    ("bazel", "bcr.bazel.build", ""),
    ("bitnami", "downloads.bitnami.com", "/files/stacksmith"),
    ("brew", "formulae.brew.sh", ""),
    ("cargo", "crates.io", ""),
    ("cargo", "index.crates.io", ""),
    ("cargo", "static.crates.io", ""),
    ("cargo", "github.com", "/rust-lang/crates.io-index"),
    ("chrome-extension", "chromewebstore.google.com", ""),
    ("cocoapods", "cdn.cocoapods.org", ""),
    ("cocoapods", "github.com", "/cocoapods/specs"),
    ("composer", "packagist.org", ""),
    ("composer", "repo.packagist.org", ""),
    ("conan", "center.conan.io", ""),
    ("conan", "center2.conan.io", ""),
    ("conda", "repo.anaconda.com", ""),
    ("cpan", "cpan.org", ""),
    ("cpan", "metacpan.org", ""),
    ("cpan", "www.cpan.org", ""),
    ("cran", "cran.r-project.org", ""),
    ("gem", "index.rubygems.org", ""),
    ("gem", "rubygems.org", ""),
    ("gem", "www.rubygems.org", ""),
    ("golang", "proxy.golang.org", ""),
    ("hackage", "hackage.haskell.org", ""),
    ("hex", "hex.pm", ""),
    ("hex", "repo.hex.pm", ""),
    ("julia", "github.com", "/juliaregistries/general"),
    ("luarocks", "luarocks.org", ""),
    ("luarocks", "www.luarocks.org", ""),
    ("maven", "central.maven.org", ""),
    ("maven", "repo.maven.apache.org", "/maven2"),
    ("maven", "repo1.maven.org", "/maven2"),
    ("npm", "registry.npmjs.com", ""),
    ("npm", "registry.npmjs.org", ""),
    ("npm", "registry.yarnpkg.com", ""),
    ("nuget", "api.nuget.org", ""),
    ("nuget", "nuget.org", ""),
    ("nuget", "www.nuget.org", ""),
    ("opam", "opam.ocaml.org", ""),
    ("pub", "pub.dartlang.org", ""),
    ("pub", "pub.dev", ""),
    ("pypi", "files.pythonhosted.org", ""),
    ("pypi", "pypi.org", ""),
    ("pypi", "pypi.python.org", ""),
    ("pypi", "www.pypi.org", ""),
    ("vcpkg", "github.com", "/microsoft/vcpkg"),
    (
        "vscode-extension",
        "marketplace.visualstudio.com",
        "/vscode-extension",
    ),
];

/// Public registries of types in which each user has a path: without one they are the registry, and
/// with one they are some user's place.
const OF_USERS: &[(&str, &str)] = &[
    ("bitbucket", "bitbucket.org"),
    ("docker", "docker.io"),
    ("docker", "hub.docker.com"),
    ("docker", "index.docker.io"),
    ("docker", "registry-1.docker.io"),
    ("docker", "registry.hub.docker.com"),
    ("github", "github.com"),
    ("githubactions", "github.com"),
    ("gitlab", "gitlab.com"),
    ("huggingface", "huggingface.co"),
];

/// What paths of a registry of images are if they name none.
const OF_API: [&str; 3] = ["", "/v1", "/v2"];

/// An address as it can be compared: host in lower case without the port that its scheme has
/// anyway, and path without slashes at its end; without a scheme it is of HTTPS, as purl-spec
/// writes addresses. `None` if it is not of HTTP, or if clients may read it as another: with white
/// space, a backslash, or steps to a folder above.
pub fn place(address: &str) -> Option<(String, &str)> {
    if address.contains(|c: char| c == '\\' || c.is_control() || c.is_whitespace()) {
        return None;
    }
    let (scheme, rest) = address.split_once("://").unwrap_or(("https", address));
    let port = match scheme.to_ascii_lowercase().rsplit('+').next()? {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if has_steps(path) {
        return None;
    }
    let host = authority
        .rsplit('@')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let host = host.strip_suffix(port).unwrap_or(&host);
    Some((
        host.trim_end_matches('.').to_owned(),
        path.trim_end_matches('/'),
    ))
}

/// Whether a path has a segment `.` or `..`, in whatever spelling.
fn has_steps(path: &str) -> bool {
    let plain = path.to_ascii_lowercase().replace("%2e", ".");
    let plain = plain.replace("%2f", "/").replace("%5c", "/");
    let mut segments = plain.split('/');
    segments.any(|segment| [".", ".."].contains(&segment))
}

/// Whether a path is `prefix`, or below it; case means nothing in those that are compared.
fn is_below(path: &str, prefix: &str) -> bool {
    let beginning = path.get(..prefix.len());
    let rest = path.get(prefix.len()..).unwrap_or_default();
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(prefix))
        && (rest.is_empty() || prefix.is_empty() || rest.starts_with(['/', '.']))
}

/// Whether an address is one of the public registry of a type of packages, or of a file there, in
/// any spelling: HTTP or HTTPS, with its port, with another of its hosts.
pub fn is_public_registry(ty: &str, address: &str) -> bool {
    let Some((host, path)) = place(address) else {
        return false;
    };
    let mut registries = REGISTRIES.iter();
    let mut of_users = OF_USERS.iter();
    registries.any(|(of, at, prefix)| *of == ty && *at == host && is_below(path, prefix))
        || of_users.any(|(of, at)| *of == ty && *at == host && OF_API.contains(&path))
}

/// Whether an address is `base` or below it, in any spelling of both.
pub fn is_at(address: &str, base: &str) -> bool {
    match (place(address), place(base)) {
        (Some((host, path)), Some((base, prefix))) => {
            let beginning = path.strip_prefix(prefix);
            host == base && beginning.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        _ => false,
    }
}

const DOWNLOAD: &str = "download_url";
const REPOSITORY: &str = "repository_url";

/// Whether a qualifier is one of those that say where a package comes from, if not from where its
/// type's packages are (purl-spec, "Known qualifiers").
pub fn is_place(key: &str) -> bool {
    [DOWNLOAD, REPOSITORY, "vcs_url"].contains(&key)
}

impl Purl {
    /// The qualifiers that say that a package comes from elsewhere than the packages of its type,
    /// key and value: not those that name the public registry.
    pub fn places(&self) -> impl Iterator<Item = (&str, &str)> {
        let ty = self.ty();
        self.qualifiers().filter(move |(key, address)| match *key {
            REPOSITORY => !is_public_registry(ty, address),
            DOWNLOAD => !(is_public_registry(ty, address) && self.is_file_of_it(address)),
            key => is_place(key),
        })
    }

    /// Whether both come from one place, however its address is spelled.
    pub fn is_from_same_place(&self, other: &Purl) -> bool {
        let mut theirs = other.places();
        let mut ours = self.places();
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(one), Some(other)) if is_same_place(one, other) => {}
                _ => return false,
            }
        }
    }

    /// Whether the file at an address of the public registry has its name and version: a registry
    /// has those of all others, too.
    fn is_file_of_it(&self, address: &str) -> bool {
        let Some((_, path)) = place(address) else {
            return false;
        };
        let path = path.replace("%2f", "/").replace("%2F", "/");
        let path = path
            .replace("%40", "@")
            .replace("%2b", "+")
            .replace("%2B", "+");
        let version = self.version().unwrap_or_default();
        let name = self.name();
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let namespace = self.namespace();
        match self.ty() {
            "npm" => {
                let of_scope = namespace.map(|scope| format!("/{scope}"));
                let (at, version) = (of_scope.unwrap_or_default(), without_build(version));
                path == format!("{at}/{name}/-/{name}-{version}.tgz")
            }
            "pypi" => python_file(file).is_some_and(|(name, version)| {
                let named = Components {
                    ty: "pypi".to_owned(),
                    name: name.to_owned(),
                    version: Some(version.to_owned()),
                    ..Components::default()
                };
                Purl::build(named).is_ok_and(|named| named.is_same_version(self))
            }),
            "maven" => {
                let group = namespace.unwrap_or_default().replace('.', "/");
                let rest = file.strip_prefix(&format!("{name}-{version}"));
                folder.ends_with(&format!("/{group}/{name}/{version}"))
                    && rest.is_some_and(|rest| rest.starts_with(['.', '-']))
            }
            "cargo" => {
                let of_api = path.strip_prefix("/api/v1").unwrap_or(&path);
                file == format!("{name}-{version}.crate")
                    || of_api == format!("/crates/{name}/{version}/download")
            }
            "cran" => file == format!("{name}_{version}.tar.gz"),
            "gem" => file == format!("{name}-{version}.gem"),
            "golang" => {
                let of_module = namespace.map(|namespace| format!("/{namespace}"));
                path == format!("{}/{name}/@v/{version}.zip", of_module.unwrap_or_default())
            }
            "hackage" => file == format!("{name}-{version}.tar.gz"),
            "hex" => file == format!("{name}-{version}.tar"),
            "nuget" => {
                file.eq_ignore_ascii_case(&format!("{name}.{version}.nupkg"))
                    || path.eq_ignore_ascii_case(&format!("/api/v2/package/{name}/{version}"))
            }
            "pub" => {
                file == format!("{name}-{version}.tar.gz")
                    || path == format!("/packages/{name}/versions/{version}.tar.gz")
            }
            _ => false,
        }
    }

    /// The same package without what says that it comes from one of these registries; `None` if
    /// nothing says so.
    pub fn without_places(&self, is_one: impl Fn(&str) -> bool) -> Option<Purl> {
        let mut parts = self.components();
        let before = parts.qualifiers.len();
        parts.qualifiers.retain(|(key, address)| {
            // A file of another package is not the registry's.
            let could_be = key == REPOSITORY || key == DOWNLOAD && self.is_file_of_it(address);
            !(could_be && is_one(address))
        });
        let fewer = parts.qualifiers.len() < before;
        Purl::build(parts).ok().filter(|_| fewer)
    }
}

/// Whether two qualifiers name one place.
fn is_same_place((key, address): (&str, &str), other: (&str, &str)) -> bool {
    if (key, address) == other {
        return true;
    }
    // A query can name another file, and what is in version control has its own syntax.
    let is_plain = !address.contains(['?', '#']) && !other.1.contains(['?', '#']);
    let compared = key == other.0 && (key == REPOSITORY || key == DOWNLOAD && is_plain);
    compared && place(address).is_some_and(|at| place(other.1) == Some(at))
}

/// The version without its build metadata, which names of files do not have.
fn without_build(version: &str) -> &str {
    version.split('+').next().unwrap_or_default()
}

/// The name and the version in the name of a wheel or of sources of Python, which goes on with
/// nothing else than the tags of a wheel. `None` if it is the name of something else.
pub fn python_file(file: &str) -> Option<(&str, &str)> {
    if let Some(wheel) = file.strip_suffix(".whl") {
        return match wheel.split('-').collect::<Vec<_>>().as_slice() {
            [name, version, _, _, _] => Some((name, version)),
            [name, version, build, _, _, _] if build.starts_with(|c: char| c.is_ascii_digit()) => {
                Some((name, version))
            }
            _ => None,
        };
    }
    let mut ends = [".tar.gz", ".zip"].into_iter();
    ends.find_map(|end| file.strip_suffix(end))?
        .rsplit_once('-')
}

#[cfg(test)]
mod tests;
