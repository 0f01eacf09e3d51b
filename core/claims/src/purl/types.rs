//! What each purl type adds to the syntax: the rules of purl-spec's type definitions, as one table.
//! A type that is not in the table has no rules of its own.

use super::{Components, PurlError, golang};
use crate::order::gem;
use Namespace::{Optional, Prohibited, Required};

/// Whether purls of a type have a namespace.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Namespace {
    Optional,
    Required,
    Prohibited,
}

/// Parts that are not case sensitive, and so written in lower case.
const NAMESPACE: u8 = 1;
const NAME: u8 = 2;
const VERSION: u8 = 4;
const SUBPATH: u8 = 8;

struct Rules {
    ty: &'static str,
    namespace: Namespace,
    /// Which parts are lowered.
    lower: u8,
    /// Qualifiers that the type defines.
    keys: &'static [&'static str],
    /// What a table cannot say: brings the parts into canonical form, or names the rule that they
    /// break.
    more: fn(&mut Components) -> Result<(), &'static str>,
}

const fn rules(
    ty: &'static str,
    namespace: Namespace,
    lower: u8,
    keys: &'static [&'static str],
) -> Rules {
    Rules {
        ty,
        namespace,
        lower,
        keys,
        more: |_| Ok(()),
    }
}

/// The types with rules, sorted.
const TABLE: &[Rules] = &[
    rules("alpm", Required, NAMESPACE | NAME, &["arch"]),
    rules("apk", Required, NAMESPACE | NAME, &["arch"]),
    rules("bazel", Prohibited, 0, &[]),
    rules("bitbucket", Required, NAMESPACE | NAME, &[]),
    rules("bitnami", Prohibited, NAME, &["arch", "distro"]),
    rules("brew", Optional, NAMESPACE | NAME, &[]),
    rules("cargo", Prohibited, 0, &[]),
    Rules {
        more: chrome_extension,
        ..rules("chrome-extension", Prohibited, NAME, &[])
    },
    Rules {
        more: cocoapods,
        ..rules("cocoapods", Prohibited, 0, &[])
    },
    rules("composer", Required, NAMESPACE | NAME, &[]),
    rules("conan", Optional, 0, &["user", "channel", "rrev", "prev"]),
    rules(
        "conda",
        Prohibited,
        0,
        &["build", "channel", "subdir", "type"],
    ),
    Rules {
        more: cpan,
        ..rules("cpan", Optional, 0, &["author", "distpath", "ext"])
    },
    rules("cran", Prohibited, 0, &[]),
    rules("deb", Required, NAMESPACE | NAME, &["arch"]),
    Rules {
        more: docker,
        ..rules("docker", Optional, 0, &[])
    },
    Rules {
        more: of_gem,
        ..rules("gem", Prohibited, 0, &["platform"])
    },
    rules("generic", Optional, 0, &[]),
    rules("git", Required, 0, &[]),
    rules("github", Required, NAMESPACE | NAME, &[]),
    rules("githubactions", Optional, NAMESPACE | NAME, &[]),
    Rules {
        more: golang::apply,
        ..rules("golang", Optional, NAMESPACE | NAME, &[])
    },
    Rules {
        more: hackage,
        ..rules("hackage", Prohibited, 0, &[])
    },
    rules("hex", Optional, NAMESPACE | NAME, &[]),
    rules("huggingface", Required, VERSION, &[]),
    Rules {
        more: julia,
        ..rules("julia", Prohibited, 0, &["uuid"])
    },
    rules("luarocks", Optional, NAMESPACE | NAME | VERSION, &[]),
    rules("maven", Required, 0, &["classifier", "type"]),
    Rules {
        more: mlflow,
        ..rules("mlflow", Prohibited, 0, &["model_uuid", "run_id"])
    },
    rules("npm", Optional, 0, &[]),
    rules("nuget", Prohibited, 0, &[]),
    rules("oci", Prohibited, NAME | VERSION, &["arch", "tag"]),
    rules("opam", Prohibited, 0, &[]),
    rules("otp", Prohibited, NAME | SUBPATH, &["platform", "arch"]),
    Rules {
        more: r#pub,
        ..rules("pub", Prohibited, NAME, &[])
    },
    Rules {
        more: pypi,
        ..rules("pypi", Prohibited, NAME, &["file_name"])
    },
    rules("qpkg", Required, NAMESPACE, &[]),
    rules("rpm", Required, NAMESPACE, &["epoch", "arch"]),
    Rules {
        more: swid,
        ..rules(
            "swid",
            Optional,
            0,
            &[
                "tag_id",
                "tag_version",
                "patch",
                "tag_creator_name",
                "tag_creator_regid",
            ],
        )
    },
    Rules {
        more: swift,
        ..rules("swift", Required, 0, &[])
    },
    rules(
        "vcpkg",
        Prohibited,
        0,
        &["port_version", "repository_revision", "triplet"],
    ),
    rules(
        "vscode-extension",
        Required,
        NAMESPACE | NAME | VERSION,
        &["platform"],
    ),
    rules("yocto", Optional, NAMESPACE, &["layer_version"]),
];

fn of_type(ty: &str) -> Option<&'static Rules> {
    TABLE.iter().find(|rules| rules.ty == ty)
}

/// Refuses qualifiers that the type defines and that are not in lower case.
pub(super) fn check_keys(components: &Components) -> Result<(), PurlError> {
    let own = of_type(&components.ty.to_ascii_lowercase()).map_or(&[][..], |rules| rules.keys);
    for (key, _) in &components.qualifiers {
        if own
            .iter()
            .any(|own| own != key && own.eq_ignore_ascii_case(key))
        {
            return Err(PurlError::KeyCase(key.clone()));
        }
    }
    Ok(())
}

/// Applies the rules of the type to parts that are tidy.
pub(super) fn apply(components: &mut Components) -> Result<(), PurlError> {
    let Some(rules) = of_type(&components.ty) else {
        return Ok(());
    };
    if SLASHED.contains(&rules.ty) {
        split_name(components);
    }
    let broken = |rule| PurlError::Rule {
        ty: rules.ty.to_owned(),
        rule,
    };
    match rules.namespace {
        Required if components.namespace.is_none() => return Err(broken("must have a namespace")),
        Prohibited if components.namespace.is_some() => {
            return Err(broken("must not have a namespace"));
        }
        _ => {}
    }
    if rules.lower & NAME != 0 {
        lower(&mut components.name);
    }
    for (flag, part) in [
        (NAMESPACE, &mut components.namespace),
        (VERSION, &mut components.version),
        (SUBPATH, &mut components.subpath),
    ] {
        if let Some(text) = part.as_mut().filter(|_| rules.lower & flag != 0) {
            lower(text);
        }
    }
    (rules.more)(components).map_err(broken)
}

/// Types whose packages have names with `/`: what stands before the last one is the namespace, also
/// where a tool took the whole for the name.
const SLASHED: [&str; 6] = ["bitbucket", "composer", "github", "gitlab", "golang", "npm"];

fn split_name(components: &mut Components) {
    let Some((before, name)) = components.name.rsplit_once('/') else {
        return;
    };
    let whole = before.split('/').all(|segment| !segment.is_empty()) && !name.is_empty();
    let namespace = match &components.namespace {
        None => before.to_owned(),
        // Paths of modules have as many parts as they like.
        Some(namespace) if components.ty == "golang" => format!("{namespace}/{before}"),
        Some(_) => return,
    };
    if whole {
        (components.namespace, components.name) = (Some(namespace), name.to_owned());
    }
}

fn lower(text: &mut String) {
    if text.chars().any(char::is_uppercase) {
        *text = text.to_lowercase();
    }
}

fn qualifier<'a>(components: &'a mut Components, key: &str) -> Option<&'a mut String> {
    components
        .qualifiers
        .iter_mut()
        .find(|(k, _)| k == key)
        .map(|(_, value)| value)
}

/// Official images have a namespace that nobody writes.
fn docker(components: &mut Components) -> Result<(), &'static str> {
    components.namespace.take_if(|name| name == "library");
    Ok(())
}

/// A platform behind the version, as files of gems have it, is a qualifier.
fn of_gem(components: &mut Components) -> Result<(), &'static str> {
    let version = components.version.as_deref().unwrap_or_default();
    let Some((bare, platform)) = gem::platform(version) else {
        return Ok(());
    };
    let mut stated = components.qualifiers.iter();
    let stated = stated.find(|(key, _)| key == "platform");
    let is_other = stated.is_some_and(|(_, stated)| stated != platform);
    if is_other || bare.is_empty() {
        return Ok(());
    }
    let (bare, platform) = (bare.to_owned(), platform.to_owned());
    if stated.is_none() {
        components
            .qualifiers
            .push(("platform".to_owned(), platform));
        components.qualifiers.sort();
    }
    components.version = Some(bare);
    Ok(())
}

/// The name is that of a repository, of whose address some write the end, too. Behind the whole
/// address, or that on a host that has only owners and repositories, stands another name of it, as
/// syft writes it: `github.com/o/a.git/a`.
fn swift(components: &mut Components) -> Result<(), &'static str> {
    // What is written anew is read as it is.
    while is_shortened(components) {}
    Ok(())
}

/// Takes away what such a name has too much, once. Whether it had something.
fn is_shortened(components: &mut Components) -> bool {
    let namespace = components.namespace.as_deref().unwrap_or_default();
    if let Some((before, repository)) = namespace.rsplit_once('/') {
        let mut above = before.split('/');
        let is_flat = above.next().is_some_and(|host| FLAT.contains(&host)) && above.count() == 1;
        if is_flat || repository.ends_with(GIT) {
            let parts = (Some(before.to_owned()), repository.to_owned());
            (components.namespace, components.name) = parts;
            return true;
        }
    }
    let bare = components.name.strip_suffix(GIT);
    let bare = bare.filter(|bare| !bare.is_empty()).map(str::to_owned);
    let is_long = bare.is_some();
    components.name = bare.unwrap_or_else(|| std::mem::take(&mut components.name));
    is_long
}

/// What addresses of repositories end with.
const GIT: &str = ".git";

/// Hosts on which a repository lies right in what its owner has.
const FLAT: [&str; 2] = ["bitbucket.org", "github.com"];

/// The name is the extension's id; the version has one to four numbers.
fn chrome_extension(components: &mut Components) -> Result<(), &'static str> {
    if components.name.len() != 32 || !components.name.bytes().all(|b| matches!(b, b'a'..=b'p')) {
        return Err("must have a name of 32 letters from a to p");
    }

    match &components.version {
        Some(v)
            if v.split('.').count() > 4
                || !v.split('.').all(|part: &str| {
                    !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
                }) =>
        {
            Err("must have a version of one to four numbers with dots between")
        }
        _ => Ok(()),
    }
}

/// What stands behind a slash in a name is a part of the pod, which has its version.
fn cocoapods(components: &mut Components) -> Result<(), &'static str> {
    if let Some((pod, part)) = components.name.split_once('/') {
        let mut parts = part.split('/');
        let is_whole = !pod.is_empty() && parts.all(|part| !["", ".", ".."].contains(&part));
        if is_whole && components.subpath.is_none() {
            components.subpath = Some(part.to_owned());
            components.name = pod.to_owned();
        }
    }
    let name = &components.name;
    if name.starts_with('.') || name.contains(|c: char| c == '+' || c.is_whitespace()) {
        Err("must have a name without white space and '+' that does not begin with '.'")
    } else {
        Ok(())
    }
}

/// The namespace is an author's id, which is in upper case; the name is a distribution's, not a
/// module's.
fn cpan(components: &mut Components) -> Result<(), &'static str> {
    if components.name.contains("::") {
        return Err("must name a distribution, without '::', not a module");
    }
    components
        .namespace
        .iter_mut()
        .for_each(|author| author.make_ascii_uppercase());
    Ok(())
}

/// Names are in kebab case.
fn hackage(components: &mut Components) -> Result<(), &'static str> {
    components.name = components.name.replace(['_', ' '], "-");
    Ok(())
}

fn julia(components: &mut Components) -> Result<(), &'static str> {
    qualifier(components, "uuid")
        .map(|_| ())
        .ok_or("must have the qualifier uuid")
}

/// Names are case sensitive on some servers and lower case on Databricks.
fn mlflow(components: &mut Components) -> Result<(), &'static str> {
    if qualifier(components, "repository_url").is_some_and(|url| url.contains("databricks")) {
        lower(&mut components.name);
    }
    Ok(())
}

/// What is neither a letter nor a digit is an underscore.
fn r#pub(components: &mut Components) -> Result<(), &'static str> {
    components.name = components.name.replace(
        |c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit(),
        "_",
    );
    Ok(())
}

fn pypi(components: &mut Components) -> Result<(), &'static str> {
    components.name = components.name.replace('_', "-");
    Ok(())
}

/// The namespace is the software's creator and its regid; the tag's id is needed, and in lower case
/// if it is a GUID.
fn swid(components: &mut Components) -> Result<(), &'static str> {
    if components
        .namespace
        .as_ref()
        .is_some_and(|namespace| namespace.split('/').count() > 2)
    {
        return Err("must have at most two segments in its namespace");
    }
    let id = qualifier(components, "tag_id").ok_or("must have the qualifier tag_id")?;
    let is_guid = id.len() == 36
        && id.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    if is_guid {
        id.make_ascii_lowercase();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
