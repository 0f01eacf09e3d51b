use super::*;

/// Types, and addresses of their public registries.
const PUBLIC: &[(&str, &str)] = &[
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
    ("bazel", "https://bcr.bazel.build/"),
    ("bitbucket", "https://bitbucket.org"),
    ("bitnami", "https://downloads.bitnami.com/files/stacksmith"),
    ("brew", "https://formulae.brew.sh/"),
    ("chrome-extension", "https://chromewebstore.google.com"),
    ("conan", "https://center.conan.io"),
    ("cpan", "https://www.cpan.org/"),
    ("cran", "https://cran.r-project.org"),
    ("docker", "https://hub.docker.com"),
    ("docker", "docker.io"),
    ("docker", "https://index.docker.io/v1/"),
    ("github", "https://github.com"),
    ("gitlab", "https://gitlab.com/"),
    ("hackage", "https://hackage.haskell.org"),
    ("huggingface", "https://huggingface.co"),
    ("julia", "https://github.com/JuliaRegistries/General"),
    ("luarocks", "https://luarocks.org"),
    ("opam", "https://opam.ocaml.org"),
    ("vcpkg", "https://github.com/microsoft/vcpkg/"),
    (
        "vscode-extension",
        "https://marketplace.visualstudio.com/vscode-extension",
    ),
];

/// The same of others.
const OTHERS: &[(&str, &str)] = &[
    ("npm", "https://registry.npmjs.org.evil.test/"),
    ("docker", "docker.io/evil/a"),
    ("github", "https://github.com/evil/a"),
    ("oci", "docker.io"),
    ("bitnami", "https://downloads.bitnami.com/other"),
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
];

#[test]
fn a_public_registry_has_many_spellings() {
    for (ty, address) in PUBLIC {
        assert!(is_public_registry(ty, address), "{address}");
    }
    for (ty, address) in OTHERS {
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
        "cargo",
        "a@1.0",
        "crates.io/api/v1/crates/a/1.0/download",
        0,
    ),
    (
        "cargo",
        "a@1.0",
        "crates.io/api/v1/crates/b/1.0/download",
        1,
    ),
    (
        "cargo",
        "a@1.0",
        "static.crates.io/crates/a/1.0/download",
        0,
    ),
    (
        "cran",
        "a@1.0",
        "cran.r-project.org/src/contrib/a_1.0.tar.gz",
        0,
    ),
    (
        "cran",
        "a@1.0",
        "cran.r-project.org/src/contrib/b_1.0.tar.gz",
        1,
    ),
    (
        "golang",
        "h.test/b/a@v1.0.0",
        "proxy.golang.org/h.test/b/a/@v/v1.0.0.zip",
        0,
    ),
    (
        "golang",
        "h.test/b/a@v1.0.0",
        "proxy.golang.org/h.test/a/@v/v1.0.0.zip",
        1,
    ),
    (
        "hackage",
        "a@1.0",
        "hackage.haskell.org/package/a-1.0/a-1.0.tar.gz",
        0,
    ),
    (
        "hackage",
        "a@1.0",
        "hackage.haskell.org/package/a-1.1/a-1.1.tar.gz",
        1,
    ),
    ("nuget", "A@1.0", "www.nuget.org/api/v2/package/a/1.0", 0),
    ("nuget", "A@1.0", "www.nuget.org/api/v2/package/b/1.0", 1),
    ("pub", "a@1.0", "pub.dev/api/archives/a-1.0.tar.gz", 0),
    ("pub", "a@1.0", "pub.dev/packages/a/versions/1.0.tar.gz", 0),
    ("pub", "a@1.0", "pub.dev/packages/b/versions/1.0.tar.gz", 1),
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
    for (file, expected) in [("a-1.0.tar.gz", true), ("b-1.0.tar.gz", false)] {
        let text = format!("pkg:pypi/a@1.0?download_url=https://m.test/f/{file}");
        let purl = Purl::canonicalize(&text).unwrap();
        let own = purl.without_places(|at| is_at(at, "https://m.test"));
        assert_eq!(own.is_some(), expected, "{file}");
    }
}

#[test]
fn a_place_has_many_spellings() {
    let purl = |ty: &str, at: &str| Purl::canonicalize(&format!("pkg:{ty}/g/a@1?{at}")).unwrap();
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
