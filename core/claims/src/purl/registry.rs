//! Where packages of a type are from unless something else is said: the public registries, in all
//! spellings of their addresses.

use super::{Components, Purl};

/// The public registries of types: type, host, and what its paths begin with.
const REGISTRIES: &[(&str, &str, &str)] = &[
    ("cargo", "crates.io", ""),
    ("cargo", "index.crates.io", ""),
    ("cargo", "static.crates.io", ""),
    ("cargo", "github.com", "/rust-lang/crates.io-index"),
    ("cocoapods", "cdn.cocoapods.org", ""),
    ("cocoapods", "github.com", "/cocoapods/specs"),
    ("composer", "packagist.org", ""),
    ("composer", "repo.packagist.org", ""),
    ("conda", "repo.anaconda.com", ""),
    ("gem", "index.rubygems.org", ""),
    ("gem", "rubygems.org", ""),
    ("gem", "www.rubygems.org", ""),
    ("golang", "proxy.golang.org", ""),
    ("hex", "hex.pm", ""),
    ("hex", "repo.hex.pm", ""),
    ("maven", "central.maven.org", ""),
    ("maven", "repo.maven.apache.org", "/maven2"),
    ("maven", "repo1.maven.org", "/maven2"),
    ("npm", "registry.npmjs.com", ""),
    ("npm", "registry.npmjs.org", ""),
    ("npm", "registry.yarnpkg.com", ""),
    ("nuget", "api.nuget.org", ""),
    ("nuget", "nuget.org", ""),
    ("nuget", "www.nuget.org", ""),
    ("pub", "pub.dartlang.org", ""),
    ("pub", "pub.dev", ""),
    ("pypi", "files.pythonhosted.org", ""),
    ("pypi", "pypi.org", ""),
    ("pypi", "pypi.python.org", ""),
    ("pypi", "www.pypi.org", ""),
];

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
    registries.any(|(of, at, prefix)| *of == ty && *at == host && is_below(path, prefix))
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
    pub fn places(&self) -> impl Iterator<Item = &(String, String)> {
        let ty = self.components().ty.as_str();
        let qualifiers = self.components().qualifiers.iter();
        qualifiers.filter(move |(key, address)| match key.as_str() {
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
        let parts = self.components();
        let Some((_, path)) = place(address) else {
            return false;
        };
        let path = path.replace("%2f", "/").replace("%2F", "/");
        let path = path
            .replace("%40", "@")
            .replace("%2b", "+")
            .replace("%2B", "+");
        let version = parts.version.as_deref().unwrap_or_default();
        let name = &parts.name;
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let namespace = parts.namespace.as_deref();
        match parts.ty.as_str() {
            "npm" => {
                let of_scope = namespace.map(|scope| format!("/{scope}"));
                let (at, version) = (of_scope.unwrap_or_default(), without_build(version));
                path == format!("{at}/{name}/-/{name}-{version}.tgz")
            }
            "pypi" => distribution_of(file).is_some_and(|(name, version)| {
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
            "cargo" => file == format!("{name}-{version}.crate"),
            "gem" => file == format!("{name}-{version}.gem"),
            "hex" => file == format!("{name}-{version}.tar"),
            "nuget" => file.eq_ignore_ascii_case(&format!("{name}.{version}.nupkg")),
            _ => false,
        }
    }

    /// The same package without what says that it comes from one of these registries; `None` if
    /// nothing says so.
    pub fn without_places(&self, is_one: impl Fn(&str) -> bool) -> Option<Purl> {
        let mut parts = self.components().clone();
        let before = parts.qualifiers.len();
        parts
            .qualifiers
            .retain(|(key, address)| key != REPOSITORY || !is_one(address));
        let fewer = parts.qualifiers.len() < before;
        Purl::build(parts).ok().filter(|_| fewer)
    }
}

/// Whether two qualifiers name one place.
fn is_same_place((key, address): &(String, String), other: &(String, String)) -> bool {
    if (key, address) == (&other.0, &other.1) {
        return true;
    }
    // A query can name another file, and what is in version control has its own syntax.
    let is_plain = !address.contains(['?', '#']) && !other.1.contains(['?', '#']);
    let compared = *key == other.0 && (key == REPOSITORY || key == DOWNLOAD && is_plain);
    compared && place(address).is_some_and(|at| place(&other.1) == Some(at))
}

/// The version without its build metadata, which names of files do not have.
fn without_build(version: &str) -> &str {
    version.split('+').next().unwrap_or_default()
}

/// The name and the version in the name of a wheel or of sources of Python, which goes on with
/// nothing else than the tags of a wheel.
fn distribution_of(file: &str) -> Option<(&str, &str)> {
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
mod tests {
    use super::*;

    #[test]
    fn a_public_registry_has_many_spellings() {
        for (ty, address) in [
            ("npm", "https://registry.npmjs.org"),
            ("npm", "http://registry.npmjs.org/"),
            ("npm", "https://REGISTRY.npmjs.org:443/a/-/a-1.tgz"),
            ("npm", "http://registry.npmjs.com:80"),
            ("npm", "https://registry.yarnpkg.com"),
            ("npm", "https://user:secret@registry.npmjs.org/"),
            ("pypi", "https://pypi.org/simple/"),
            ("pypi", "http://pypi.python.org/simple"),
            ("gem", "http://rubygems.org/"),
            ("cargo", "https://github.com/rust-lang/crates.io-index.git"),
            ("cargo", "sparse+https://index.crates.io/"),
            ("maven", "https://repo.maven.apache.org/maven2"),
            ("maven", "repo.maven.apache.org/maven2"),
            ("npm", "registry.npmjs.org"),
            ("maven", "http://repo1.maven.org/maven2/a/b"),
            ("nuget", "https://api.nuget.org/v3/index.json"),
            ("composer", "https://repo.packagist.org"),
            ("pub", "https://pub.dartlang.org"),
            ("hex", "https://repo.hex.pm"),
        ] {
            assert!(is_public_registry(ty, address), "{address}");
        }
        for (ty, address) in [
            ("npm", "https://registry.npmjs.org.evil.test/"),
            ("npm", "https://registry.npmjs.org@evil.test/"),
            ("npm", "https://evil.test/registry.npmjs.org"),
            ("npm", "https://registry.npmjs.org:8443/"),
            ("npm", "http://registry.npmjs.org:443/"),
            ("npm", "ftp://registry.npmjs.org/"),
            ("npm", "https://pypi.org/simple"),
            ("npm", "//registry.npmjs.org"),
            ("npm", "git@registry.npmjs.org:a"),
            ("npm", "https://evil.test\\@registry.npmjs.org/a"),
            ("npm", "https://evil.test/\t@registry.npmjs.org/a"),
            ("npm", "https://registry.npm\njs.org/a"),
            ("npm", "https://registry.npmjs.org/a/../b"),
            ("npm", "https://registry.npmjs.org/a/%2E%2e/b"),
            ("npm", "https://registry.npmjs.org/a/.%2e%2Fb"),
            ("maven", "https://repo1.maven.org/other"),
            ("cargo", "https://github.com/rust-lang/crates.io-index-fork"),
            ("cargo", "https://github.com/someone/crates.io-index"),
        ] {
            assert!(!is_public_registry(ty, address), "{address}");
        }
    }

    #[test]
    fn what_is_at_a_mirror_is_below_its_address() {
        let mirror = "https://mirror.test/api/npm/virtual/";
        assert!(is_at(
            "https://MIRROR.test:443/api/npm/virtual/a/-/a.tgz",
            mirror
        ));
        assert!(is_at("http://mirror.test/api/npm/virtual", mirror));
        assert!(!is_at("https://mirror.test/api/npm/virtual2/a", mirror));
        assert!(!is_at("https://mirror.test/api/npm", mirror));
        for out in ["../../other", "%2e%2E/a", "a/..", "a\\b", "a\tb", "a\nb"] {
            assert!(!is_at(&format!("{mirror}{out}"), mirror), "{out}");
        }
        assert!(!is_at("https://other.test/api/npm/virtual/a", mirror));
    }

    /// Purls, files at npm's registry, and how many other places that makes.
    const NPM: &[(&str, &str, usize)] = &[
        ("pkg:npm/a@1.0", "a/-/a-1.0.tgz", 0),
        ("pkg:npm/%40s/a@1.0", "@s/a/-/a-1.0.tgz", 0),
        ("pkg:npm/a@1.0", "b/-/b-1.0.tgz", 1),
        ("pkg:npm/a@1.0", "@s/a/-/a-1.0.tgz", 1),
        ("pkg:npm/%40s/a@1.0", "a/-/a-1.0.tgz", 1),
        ("pkg:npm/a@1.0", "a/-/a-1.1.tgz", 1),
        ("pkg:npm/a@1.0.0", "a/-/a-1.0.0-rc.1.tgz", 1),
        ("pkg:npm/a@1.0.0%2Bb", "a/-/a-1.0.0.tgz", 0),
        ("pkg:npm/a@1.0", "a/-/../../@evil/a/-/a-1.0.tgz", 1),
        ("pkg:npm/a@1.0", "x/a/-/a-1.0.tgz", 1),
    ];

    /// The same, of other types: type, package, address.
    const FILES: &[(&str, &str, &str, usize)] = &[
        (
            "pypi",
            "a-b@1.0",
            "files.pythonhosted.org/p/a_b-1.0-py3-none-any.whl",
            0,
        ),
        (
            "pypi",
            "a-b@1.0",
            "files.pythonhosted.org/p/a_b-1.0-1-py3-none-any.whl",
            0,
        ),
        (
            "pypi",
            "a-b@1.0",
            "files.pythonhosted.org/p/a-b-1.0.0.tar.gz",
            0,
        ),
        (
            "pypi",
            "a@1.0%2Bcpu",
            "files.pythonhosted.org/p/a-1.0%252Bcpu.tar.gz",
            0,
        ),
        (
            "pypi",
            "b@1.0",
            "files.pythonhosted.org/p/a_b-1.0-py3-none-any.whl",
            1,
        ),
        (
            "pypi",
            "a@1.0",
            "files.pythonhosted.org/p/a-1.0.1.tar.gz",
            1,
        ),
        (
            "pypi",
            "a@1.0",
            "files.pythonhosted.org/p/a-1.0-2.tar.gz",
            1,
        ),
        (
            "pypi",
            "a@1.0",
            "files.pythonhosted.org/p/a-1.0-x-py3-none-any.whl",
            1,
        ),
        (
            "maven",
            "org.a/b@1",
            "repo1.maven.org/maven2/org/a/b/1/b-1.jar",
            0,
        ),
        (
            "maven",
            "org.a/b@1",
            "repo1.maven.org/maven2/org/evil/b/1/b-1.jar",
            1,
        ),
        (
            "cargo",
            "a@1.0.0",
            "static.crates.io/crates/a/a-1.0.0.crate",
            0,
        ),
        (
            "cargo",
            "a@1.0.0",
            "static.crates.io/crates/a/a-1.0.0-rc.1.crate",
            1,
        ),
        ("gem", "a@1.0", "rubygems.org/downloads/a-1.0.gem", 0),
        ("gem", "a@1.0", "rubygems.org/downloads/a-1.0.1.gem", 1),
        (
            "nuget",
            "A@1.0",
            "api.nuget.org/v3-flatcontainer/a/1.0/a.1.0.nupkg",
            0,
        ),
        (
            "nuget",
            "A@1.0",
            "api.nuget.org/v3-flatcontainer/a/1.0/a.1.0.1.nupkg",
            1,
        ),
    ];

    #[test]
    fn the_public_registry_is_no_other_place() {
        let places = |text: &str| Purl::canonicalize(text).unwrap().places().count();
        assert_eq!(
            places("pkg:npm/a@1?repository_url=http://registry.npmjs.org"),
            0
        );
        assert_eq!(places("pkg:npm/a@1?repository_url=https://mirror.test"), 1);
        assert_eq!(
            places("pkg:pypi/a@1?repository_url=http://registry.npmjs.org"),
            1
        );
        assert_eq!(
            places("pkg:npm/a@1?vcs_url=git%2Bhttps://github.com/a/a"),
            1
        );
        let npm = "?download_url=https://registry.npmjs.org";
        for (purl, file, elsewhere) in NPM {
            let text = format!("{purl}{npm}/{}", file.replace('@', "%40"));
            assert_eq!(places(&text), *elsewhere, "{text}");
        }
        for (ty, package, at, elsewhere) in FILES {
            let text = format!("pkg:{ty}/{package}?download_url=https://{at}");
            assert_eq!(places(&text), *elsewhere, "{text}");
        }
        let mirrored = Purl::canonicalize("pkg:npm/a@1?repository_url=https://m.test/npm").unwrap();
        let own = mirrored
            .without_places(|at| is_at(at, "https://m.test/npm"))
            .map(|purl| purl.to_string());
        assert_eq!(own.as_deref(), Some("pkg:npm/a@1"));
        assert_eq!(mirrored.without_places(|_| false), None);
    }

    #[test]
    fn a_place_has_many_spellings() {
        let purl =
            |ty: &str, at: &str| Purl::canonicalize(&format!("pkg:{ty}/g/a@1?{at}")).unwrap();
        let same =
            |ty: &str, one: &str, other: &str| purl(ty, one).is_from_same_place(&purl(ty, other));
        let ours = "repository_url=https://m.test/npm/";
        for at in [
            "https://m.test/npm",
            "http://M.test/npm",
            "https://m.test:443/npm",
            "m.test/npm",
        ] {
            assert!(same("npm", ours, &format!("repository_url={at}")), "{at}");
        }
        for at in [
            "https://m.test/np",
            "https://m.test:8443/npm",
            "ftp://m.test/npm",
        ] {
            assert!(!same("npm", ours, &format!("repository_url={at}")), "{at}");
        }
        assert!(!same("npm", ours, "download_url=https://m.test/npm"));
        assert!(!same("npm", ours, ""));
        let central = "repository_url=repo.maven.apache.org/maven2";
        assert!(same("maven", central, ""));
        let asked = |number: u8| format!("download_url=https://m.test/a%3Fid%3D{number}");
        assert!(same("npm", &asked(1), &asked(1)));
        assert!(!same("npm", &asked(1), &asked(2)));
    }
}
