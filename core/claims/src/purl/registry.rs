//! Where packages of a type are from unless something else is said: the public registries, in all
//! spellings of their addresses.

use super::Purl;

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
/// anyway, and path without slashes at its end. `None` if it is not of HTTP.
fn comparable(address: &str) -> Option<(String, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    let port = match scheme.to_ascii_lowercase().rsplit('+').next()? {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split(['?', '#']).next().unwrap_or_default();
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
    let Some((host, path)) = comparable(address) else {
        return false;
    };
    let mut registries = REGISTRIES.iter();
    registries.any(|(of, at, prefix)| *of == ty && *at == host && is_below(path, prefix))
}

/// Whether an address is `base` or below it, in any spelling of both.
pub fn is_at(address: &str, base: &str) -> bool {
    match (comparable(address), comparable(base)) {
        (Some((host, path)), Some((base, prefix))) => {
            let beginning = path.strip_prefix(prefix);
            host == base && beginning.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        _ => false,
    }
}

/// The qualifiers that say where a package comes from, if not from where its type's packages are
/// (purl-spec, "Known qualifiers").
const PLACES: [&str; 3] = [DOWNLOAD, REPOSITORY, "vcs_url"];
const DOWNLOAD: &str = "download_url";
const REPOSITORY: &str = "repository_url";

impl Purl {
    /// The qualifiers that say that a package comes from elsewhere than the packages of its type,
    /// key and value: not those that name the public registry.
    pub fn places(&self) -> impl Iterator<Item = &(String, String)> {
        let ty = self.components().ty.as_str();
        let qualifiers = self.components().qualifiers.iter();
        qualifiers.filter(move |(key, address)| match key.as_str() {
            REPOSITORY => !is_public_registry(ty, address),
            DOWNLOAD => !(is_public_registry(ty, address) && self.is_file_of_it(address)),
            key => PLACES.contains(&key),
        })
    }

    /// Whether the file at an address has its name and version: a registry has those of all others,
    /// too.
    fn is_file_of_it(&self, address: &str) -> bool {
        let parts = self.components();
        let address = address.split(['?', '#']).next().unwrap_or_default();
        let plain = |text: &str| text.to_ascii_lowercase().replace(['_', '.'], "-");
        let version = parts.version.as_deref().unwrap_or_default();
        let file = address.rsplit('/').next().unwrap_or_default();
        let wanted = plain(&format!("{}-{version}", parts.name));
        let rest = plain(file).strip_prefix(&wanted).map(str::to_owned);
        let named = rest.is_some_and(|rest| rest.starts_with('-'));
        let folder = match &parts.namespace {
            Some(namespace) => format!("/{namespace}/{}/-/", parts.name),
            None => format!("/{}/-/", parts.name),
        };
        let decoded = address
            .replace("%2f", "/")
            .replace("%2F", "/")
            .replace("%40", "@");
        let host = decoded
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('/'));
        let path = host.map_or("", |(_, path)| path);
        named && (parts.ty != "npm" || format!("/{path}").starts_with(&folder))
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
            ("npm", "registry.npmjs.org"),
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
        assert!(!is_at("https://other.test/api/npm/virtual/a", mirror));
    }

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
        for (purl, file, elsewhere) in [
            ("pkg:npm/a@1.0", "a/-/a-1.0.tgz", 0),
            ("pkg:npm/%40s/a@1.0", "@s/a/-/a-1.0.tgz", 0),
            ("pkg:npm/a@1.0", "b/-/b-1.0.tgz", 1),
            ("pkg:npm/a@1.0", "@s/a/-/a-1.0.tgz", 1),
            ("pkg:npm/%40s/a@1.0", "a/-/a-1.0.tgz", 1),
            ("pkg:npm/a@1.0", "a/-/a-1.1.tgz", 1),
        ] {
            let text = format!("{purl}{npm}/{}", file.replace('@', "%40"));
            assert_eq!(places(&text), elsewhere, "{text}");
        }
        let wheel =
            "?download_url=https://files.pythonhosted.org/packages/a_b-1.0-py3-none-any.whl";
        assert_eq!(places(&format!("pkg:pypi/a-b@1.0{wheel}")), 0);
        assert_eq!(places(&format!("pkg:pypi/b@1.0{wheel}")), 1);
        let mirrored = Purl::canonicalize("pkg:npm/a@1?repository_url=https://m.test/npm").unwrap();
        let own = mirrored
            .without_places(|at| is_at(at, "https://m.test/npm"))
            .map(|purl| purl.to_string());
        assert_eq!(own.as_deref(), Some("pkg:npm/a@1"));
        assert_eq!(mirrored.without_places(|_| false), None);
    }
}
