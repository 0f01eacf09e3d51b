use super::*;
use crate::purl::Purl;

#[test]
fn the_table_is_sorted_and_lower_case() {
    assert!(TABLE.windows(2).all(|pair| pair[0].ty < pair[1].ty));
    let keys = TABLE.iter().flat_map(|rules| rules.keys).copied();
    assert!(
        TABLE
            .iter()
            .map(|rules| rules.ty)
            .chain(keys)
            .all(|s| s == s.to_lowercase())
    );
}

#[test]
fn every_namespace_rule_is_applied() {
    for rules in TABLE {
        let (name, qualifiers) = match rules.ty {
            "chrome-extension" => ("abcdefghijklmnopabcdefghijklmnop", ""),
            "julia" => ("n", "?uuid=1"),
            "swid" => ("n", "?tag_id=1"),
            _ => ("n", ""),
        };
        let plain = Purl::parse(&format!("pkg:{}/{name}{qualifiers}", rules.ty));
        let spaced = Purl::parse(&format!("pkg:{}/s/{name}{qualifiers}", rules.ty));
        assert_eq!(plain.is_ok(), rules.namespace != Required, "{}", rules.ty);
        assert_eq!(
            spaced.is_ok(),
            rules.namespace != Prohibited,
            "{}",
            rules.ty
        );
    }
}

/// Purls, and their canonical forms.
const FORMS: &[(&str, &str)] = &[
    (
        "pkg:alpm/Arch/Pacman@6.0.1-1",
        "pkg:alpm/arch/pacman@6.0.1-1",
    ),
    (
        "pkg:brew/Postgresql@12@12.17",
        "pkg:brew/postgresql%4012@12.17",
    ),
    (
        "pkg:chrome-extension/ABCDEFGHIJKLMNOPabcdefghijklmnop",
        "pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop",
    ),
    ("pkg:cpan/gdt/URI-PackageURL", "pkg:cpan/GDT/URI-PackageURL"),
    ("pkg:docker/library/a@1", "pkg:docker/a@1"),
    ("pkg:docker/other/a@1", "pkg:docker/other/a@1"),
    ("pkg:gem/a@1.0.0-java", "pkg:gem/a@1.0.0?platform=java"),
    (
        "pkg:gem/a@1.0-x86_64-linux-musl?arch=z&repository_url=b",
        "pkg:gem/a@1.0?arch=z&platform=x86_64-linux-musl&repository_url=b",
    ),
    (
        "pkg:gem/a@1.0-java?platform=java",
        "pkg:gem/a@1.0?platform=java",
    ),
    (
        "pkg:gem/a@1.0-java?platform=ruby",
        "pkg:gem/a@1.0-java?platform=ruby",
    ),
    ("pkg:gem/a@1.0.0-rc1", "pkg:gem/a@1.0.0-rc1"),
    (
        "pkg:githubactions/Own/Act@v1",
        "pkg:githubactions/own/act@v1",
    ),
    (
        "pkg:golang/h.test/a%2Fb%2Fv2@v2.0.0",
        "pkg:golang/h.test/a/b/v2@v2.0.0",
    ),
    ("pkg:swift/h.test/a/b.git@1", "pkg:swift/h.test/a/b@1"),
    ("pkg:swift/h.test/a/b.git/B@1", "pkg:swift/h.test/a/b@1"),
    (
        "pkg:swift/github.com/o/a.git/a@1",
        "pkg:swift/github.com/o/a@1",
    ),
    ("pkg:swift/github.com/o/a/b@1", "pkg:swift/github.com/o/a@1"),
    ("pkg:swift/github.com/a/a@1", "pkg:swift/github.com/a/a@1"),
    // A group on other hosts may hold a repository of its name.
    ("pkg:swift/h.test/o/a/a@1", "pkg:swift/h.test/o/a/a@1"),
    ("pkg:swift/h.test/.git/a@1", "pkg:swift/h.test/.git@1"),
    ("pkg:swift/h.test/a.git/b.git/c@1", "pkg:swift/h.test/a@1"),
    ("pkg:swift/h.test/a/b.git.git@1", "pkg:swift/h.test/a/b@1"),
    ("pkg:cocoapods/A%2FB@1", "pkg:cocoapods/A@1#B"),
    ("pkg:cocoapods/A%2FB%2FC@1", "pkg:cocoapods/A@1#B/C"),
    ("pkg:cocoapods/A%2FB@1#C", "pkg:cocoapods/A%2FB@1#C"),
    ("pkg:cocoapods/A%2F..@1", "pkg:cocoapods/A%2F..@1"),
    ("pkg:hackage/AC_HalfInteger", "pkg:hackage/AC-HalfInteger"),
    ("pkg:huggingface/A/B@04AB", "pkg:huggingface/A/B@04ab"),
    (
        "pkg:luarocks/Hisham/LuaFileSystem@1.8.0-1",
        "pkg:luarocks/hisham/luafilesystem@1.8.0-1",
    ),
    (
        "pkg:mlflow/Ab@1?repository_url=x.databricks.net",
        "pkg:mlflow/ab@1?repository_url=x.databricks.net",
    ),
    (
        "pkg:mlflow/Ab@1?repository_url=x.azureml.ms",
        "pkg:mlflow/Ab@1?repository_url=x.azureml.ms",
    ),
    ("pkg:otp/StdLib@3#Src", "pkg:otp/stdlib@3#src"),
    ("pkg:opam/git@3/16.1", "pkg:opam/git@3%2F16.1"),
    ("pkg:pub/My-Pkg", "pkg:pub/my_pkg"),
    ("pkg:rpm/Fedora/Curl@7", "pkg:rpm/fedora/Curl@7"),
    (
        "pkg:swid/a?tag_id=75B8C285-FA7B-485B-B199-4745E3004D0D",
        "pkg:swid/a?tag_id=75b8c285-fa7b-485b-b199-4745e3004d0d",
    ),
    (
        "pkg:swid/a?tag_id=Org.Fedora",
        "pkg:swid/a?tag_id=Org.Fedora",
    ),
    (
        "pkg:vscode-extension/MS-Python/Python@2023.A",
        "pkg:vscode-extension/ms-python/python@2023.a",
    ),
    ("pkg:yocto/Core/Glibc@2.35", "pkg:yocto/core/Glibc@2.35"),
    (
        "pkg:nuget/EnterpriseLibrary.Common@6",
        "pkg:nuget/EnterpriseLibrary.Common@6",
    ),
    ("pkg:unheard-of/N/M@V", "pkg:unheard-of/N/M@V"),
];

#[test]
fn parts_take_the_form_of_their_type() {
    for &(text, canonical) in FORMS {
        assert_eq!(
            Purl::parse(text).map(|p| p.to_string()).as_deref(),
            Ok(canonical)
        );
    }
}

#[test]
fn rules_beyond_the_table_are_enforced() {
    for bad in [
        "pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnoq",
        "pkg:chrome-extension/abc",
        "pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop@1.2.3.4.5",
        "pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop@1..2",
        "pkg:cocoapods/.a",
        "pkg:cocoapods/a+b",
        "pkg:cocoapods/a%20b",
        "pkg:cpan/URI::PackageURL",
        "pkg:julia/Dates",
        "pkg:julia/Dates?uuid=",
        "pkg:swid/a",
        "pkg:swid/a/b/c/d?tag_id=1",
    ] {
        assert!(
            matches!(Purl::parse(bad), Err(PurlError::Rule { .. })),
            "{bad}"
        );
    }
}
