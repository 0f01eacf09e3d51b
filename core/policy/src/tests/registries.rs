//! What a policy takes for public registries.

use super::*;

#[test]
fn a_mirror_that_the_policy_names_is_the_registry() {
    let policy =
        parse("version = 1\n[[registry]]\ntype = \"npm\"\nmirrors = [\"https://m.test/npm\"]");
    let of = |text: &str| {
        let purl = assay_claims::purl::Purl::canonicalize(text).unwrap();
        policy.unmirrored(&purl).map(|purl| purl.to_string())
    };
    let own = Some("pkg:npm/a@1".to_owned());
    assert_eq!(
        of("pkg:npm/a@1?repository_url=https://m.test:443/npm/"),
        own
    );
    assert_eq!(
        of("pkg:npm/a@1?repository_url=https://other.test/npm"),
        None
    );
    assert_eq!(
        of("pkg:npm/a@1?download_url=https://m.test/npm/b/-/b-1.tgz"),
        None
    );
    assert_eq!(of("pkg:pypi/a@1?repository_url=https://m.test/npm"), None);
    assert_eq!(of("pkg:npm/a@1"), None);
    for (rest, key) in [
        ("type = \"npm\"\nmirrors = []", "registry.mirrors"),
        ("type = \"npm\"\nmirrors = [\"m.test\"]", "registry.mirrors"),
        (
            "type = \"\"\nmirrors = [\"https://m.test\"]",
            "registry.type",
        ),
    ] {
        assert_eq!(
            error(&format!("version = 1\n[[registry]]\n{rest}")).key,
            key
        );
    }
}
