//! Packages of Python that are files of their own: wheels and sources, wherever a lock file has
//! them from.

use super::component::Component;
use super::fault::Fault;
use super::list::List;
use super::origin;
use assay_claims::bom_link::decoded;
use assay_claims::purl::{self, Purl};

/// Whether a path or an address is of a file that is installed, and not of a folder.
pub(super) fn is_archive(text: &str) -> bool {
    let plain = origin::without_query(text);
    [".whl", ".zip", ".tar.gz", ".tar.bz2"]
        .iter()
        .any(|end| plain.ends_with(end))
}

/// The name of the package whose file is at an address: what stands before the version in that of a
/// wheel (PEP 427) or of sources (PEP 625).
pub(super) fn name_of(address: &str) -> Option<&str> {
    let file = address.split(['?', '#']).next()?.rsplit('/').next()?;
    let name = match file.strip_suffix(".whl") {
        Some(wheel) if wheel.matches('-').count() >= 4 => wheel.split('-').next(),
        Some(_) => None,
        None => Some(file.strip_suffix(".tar.gz")?.rsplit_once('-')?.0),
    };
    name.filter(|name| !name.is_empty())
}

/// Adds a package that is one file: at an address, or beside the project. The name of the file says
/// the version if nothing else does. Without one it has to be known by its digests.
pub(super) fn add_file(
    mut component: Component,
    address: &str,
    list: &mut List,
) -> Result<(), Fault> {
    if component.version.is_none() {
        component.version = version_of(&component.name, address);
    }
    let is_local = is_local(address);
    if component.version.is_none() {
        let reason = if is_local {
            "is a local file without digest"
        } else {
            "is from an address, without a hash of what is there"
        };
        return list.without_purl(component, reason);
    }
    let mut parts = origin::package("pypi", &component.name, component.version.as_deref());
    let (line, name) = (component.line, &component.name);
    if is_local {
        origin::qualify_local(&mut parts, address);
        list.remark(
            "from local files, so that what is known of PyPI's package need not hold",
            line,
            name,
        );
    } else if !purl::is_public_registry("pypi", address) || is_of_another(name, address) {
        origin::qualify(&mut parts, "download_url", address);
        list.remark(
            "from an address of its own, so that what is known of PyPI's package need not hold",
            line,
            name,
        );
    }
    list.package(component, parts)
}

/// The first of the addresses of a package's files that is not of PyPI, or of another package
/// there: one such file is enough for another package to be installed.
pub(super) fn elsewhere<'a>(
    package: &str,
    files: impl IntoIterator<Item = Option<&'a str>>,
) -> Option<&'a str> {
    let mut stated = files.into_iter().flatten();
    stated.find(|at| {
        is_local(at) || !purl::is_public_registry("pypi", at) || is_of_another(package, at)
    })
}

/// Whether a file at an address has the name of another package (PEP 503, "Normalized Names").
/// Versions in names of old files are written in too many ways to be compared.
fn is_of_another(package: &str, address: &str) -> bool {
    let plain = |text: &str| {
        let letters = text
            .chars()
            .map(|c| if "-_.".contains(c) { '-' } else { c });
        let mut plain = letters.collect::<String>().to_ascii_lowercase();
        while plain.contains("--") {
            plain = plain.replace("--", "-");
        }
        plain
    };
    let path = origin::without_query(address);
    let file = path.rsplit('/').next().unwrap_or_default();
    let is_file = is_archive(address);
    is_file && !plain(file).starts_with(&format!("{}-", plain(package)))
}

fn is_local(address: &str) -> bool {
    !address.contains("://") || address.starts_with("file:")
}

/// The version in the name of a file of the package. In an address it is percent-encoded: that of
/// `2.0+cpu` has `2.0%2Bcpu`.
fn version_of(package: &str, address: &str) -> Option<String> {
    let plain = origin::without_query(address);
    let file = plain.rsplit(['/', '\\']).next()?;
    let file = if address.contains("://") {
        decoded(file)
    } else {
        file.to_owned()
    };
    let (named, version) = purl::python_file(&file)?;
    let build = |name: &str| Purl::build(origin::package("pypi", name, Some(version))).ok();
    let is_same = build(named)?.is_same_version(&build(package)?);
    is_same.then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, version and address of a file, and its purl.
    const FILES: &[(&str, Option<&str>, &str, &str)] = &[
        (
            "a.b",
            None,
            "https://host/x/a_b-1.0-py3-none-any.whl#sha256=0",
            "pkg:pypi/a.b@1.0?download_url=https:%2F%2Fhost%2Fx%2Fa_b-1.0-py3-none-any.whl",
        ),
        (
            "a",
            None,
            "file:///home/me/a-1.0.tar.gz",
            "pkg:pypi/a@1.0?download_url=file:a-1.0.tar.gz",
        ),
        (
            "a",
            Some("2.0"),
            "..\\dist\\a-1.0.zip",
            "pkg:pypi/a@2.0?download_url=file:a-1.0.zip",
        ),
        (
            "a",
            None,
            "https://files.pythonhosted.org/p/a-1.0.tar.gz",
            "pkg:pypi/a@1.0",
        ),
        (
            "a",
            Some("1.0"),
            "https://files.pythonhosted.org/p/b-1.0.tar.gz",
            "pkg:pypi/a@1.0?download_url=https:%2F%2Ffiles.pythonhosted.org%2Fp%2Fb-1.0.tar.gz",
        ),
        (
            "zope.a",
            Some("1.0"),
            "https://files.pythonhosted.org/p/Zope_A-1.0-py3-none-any.whl",
            "pkg:pypi/zope.a@1.0",
        ),
        (
            "a",
            None,
            "https://host/cpu/a-1.0%2Bcpu-cp310-cp310-linux_x86_64.whl",
            "pkg:pypi/a@1.0%2Bcpu?download_url=https:%2F%2Fhost%2Fcpu%2F\
             a-1.0%252Bcpu-cp310-cp310-linux_x86_64.whl",
        ),
        (
            "a",
            None,
            "file:///home/me/a-1.0%2Blocal.tar.gz#sha256=0",
            "pkg:pypi/a@1.0%2Blocal?download_url=file:a-1.0%252Blocal.tar.gz",
        ),
        (
            "a",
            None,
            "./a-1.0+local.zip",
            "pkg:pypi/a@1.0%2Blocal?download_url=file:a-1.0%2Blocal.zip",
        ),
        ("a", None, "https://host/b-1.0.tar.gz", ""),
        ("a", None, "./a", ""),
    ];

    #[test]
    fn a_file_says_its_version_and_where_it_lies() {
        for &(name, version, address, expected) in FILES {
            let component = Component {
                name: name.to_owned(),
                version: version.map(str::to_owned),
                ..Component::default()
            };
            let mut list = List::default();
            add_file(component, address, &mut list).unwrap();
            let found = list.finish(false);
            let purls = found.list.iter().filter_map(|one| one.purl.as_ref());
            let purls: Vec<_> = purls.map(Purl::as_str).collect();
            assert_eq!(purls.concat(), expected, "{address}");
            assert_eq!(found.unidentified.is_empty(), !expected.is_empty());
        }
    }
}
