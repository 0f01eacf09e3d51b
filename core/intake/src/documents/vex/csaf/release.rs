//! Releases of distributions, as products of a CSAF document: what is a package of one is a package
//! of that release, and no part of a product like another.

use super::super::Named;
use assay_claims::purl::Purl;

/// A distribution.
struct Distribution {
    /// Vendors in CPEs.
    vendors: &'static [&'static str],
    /// Products in CPEs, or how they begin, if that ends with `*`.
    products: &'static [&'static str],
    /// The type and the namespaces of its packages.
    ty: &'static str,
    namespaces: &'static [&'static str],
    /// What its releases are called before their number.
    name: &'static str,
}

const DISTRIBUTIONS: [Distribution; 14] = [
    Distribution {
        vendors: &["redhat"],
        products: &[
            "enterprise_linux*",
            "rhel_aus",
            "rhel_e4s",
            "rhel_els",
            "rhel_eus*",
            "rhel_extras*",
            "rhel_mission_critical",
            "rhel_tus",
        ],
        ty: "rpm",
        namespaces: &["redhat", "rhel"],
        name: "rhel",
    },
    Distribution {
        vendors: &["fedoraproject"],
        products: &["fedora"],
        ty: "rpm",
        namespaces: &["fedora"],
        name: "fedora",
    },
    Distribution {
        vendors: &["centos"],
        products: &["centos", "centos_linux", "centos_stream", "stream"],
        ty: "rpm",
        namespaces: &["centos"],
        name: "centos",
    },
    Distribution {
        vendors: &["almalinux"],
        products: &["almalinux"],
        ty: "rpm",
        namespaces: &["almalinux", "alma"],
        name: "almalinux",
    },
    Distribution {
        vendors: &["rocky", "resf"],
        products: &["rocky", "rocky_linux"],
        ty: "rpm",
        namespaces: &["rocky", "rocky-linux"],
        name: "rocky",
    },
    Distribution {
        vendors: &["oracle"],
        products: &["linux"],
        ty: "rpm",
        namespaces: &["oracle", "ol", "oraclelinux"],
        name: "ol",
    },
    Distribution {
        vendors: &["amazon"],
        products: &["amazon_linux", "linux"],
        ty: "rpm",
        namespaces: &["amazon", "amzn"],
        name: "amazon",
    },
    // Micro has numbers of its own, and is none of the others.
    Distribution {
        vendors: &["suse"],
        products: &[
            "sl-micro",
            "sl_micro",
            "sle-micro",
            "sle_micro",
            "suse-microos",
        ],
        ty: "rpm",
        namespaces: &["suse", "sl-micro", "sle-micro"],
        name: "sle-micro",
    },
    Distribution {
        vendors: &["suse"],
        products: &[
            "sle*",
            "suse_linux_enterprise*",
            "suse_sle*",
            "linux_enterprise*",
        ],
        ty: "rpm",
        namespaces: &["suse", "sle_hpc", "sled", "sles", "sles_sap"],
        name: "sles",
    },
    Distribution {
        vendors: &["opensuse"],
        products: &["leap", "opensuse"],
        ty: "rpm",
        namespaces: &["opensuse", "opensuse-leap", "opensuse.leap"],
        name: "opensuse-leap",
    },
    Distribution {
        vendors: &["opensuse"],
        products: &["leap-micro", "leap_micro"],
        ty: "rpm",
        namespaces: &["opensuse", "opensuse-leap-micro"],
        name: "opensuse-leap-micro",
    },
    Distribution {
        vendors: &["debian"],
        products: &["debian_linux"],
        ty: "deb",
        namespaces: &["debian"],
        name: "debian",
    },
    Distribution {
        vendors: &["canonical"],
        products: &["ubuntu_linux"],
        ty: "deb",
        namespaces: &["ubuntu"],
        name: "ubuntu",
    },
    Distribution {
        vendors: &["alpinelinux"],
        products: &["alpine_linux"],
        ty: "apk",
        namespaces: &["alpine"],
        name: "alpine",
    },
];

impl Distribution {
    /// Whether a product in CPEs is one of its releases.
    fn is_product(&self, product: &str) -> bool {
        let mut products = self.products.iter();
        products.any(|known| match known.strip_suffix('*') {
            Some(start) => product.starts_with(start),
            None => product == *known,
        })
    }
}

/// The part as a package of the release that the whole is; `None` if the whole is none, or a part
/// is no package of it.
pub(super) fn of_release(part: &Named, whole: &Named) -> Option<Named> {
    let release = release(whole.cpe.as_deref()?)?;
    let purls = part.purls.iter();
    let purls = purls.map(|purl| package(purl, &release));
    let purls: Option<Vec<Purl>> = purls.collect();
    let purls = purls.filter(|purls| !purls.is_empty())?;
    Some(Named {
        purls,
        ..part.clone()
    })
}

/// The package in the release, unless it says itself which it is of: by its version, or by its
/// qualifier.
fn package(purl: &Purl, release: &Release) -> Option<Purl> {
    let (of, namespace) = (release.of, purl.namespace()?);
    if purl.ty() != of.ty || !of.namespaces.contains(&namespace) {
        return None;
    }
    let stated = format!("{}-{}", of.name, release.number);
    if let Some(release) = purl.distribution() {
        let is_other = purl.is_other_release(release, &stated);
        return (!is_other).then(|| purl.clone());
    }
    if let Some(built_for) = purl.built_for() {
        let is_other = purl.is_other_release(&built_for.to_string(), &stated);
        return (!is_other).then(|| purl.clone());
    }
    let mut parts = purl.components();
    let named = release.of_line.as_ref().unwrap_or(&stated);
    parts.qualifiers.push(("distro".to_owned(), named.clone()));
    Purl::build(parts).ok()
}

/// A release of a distribution.
struct Release {
    of: &'static Distribution,
    number: String,
    /// What it is called where the distribution has two of that number.
    of_line: Option<String>,
}

/// What CentOS 8 is called where it is told which is meant: there are CentOS Linux 8 and CentOS
/// Stream 8, with packages of their own, and what they call themselves (os-release) is `centos` and
/// `8` in both. What is said of either counts against `centos-8`, and clears nothing there. Before,
/// there is no Stream with a number of its own, and from 9 on nothing else.
fn of_line(product: &str, number: &str) -> Option<String> {
    let is_of_8 = number.split('.').next() == Some("8");
    let line = match product {
        "centos_stream" | "stream" => "stream",
        "centos" | "centos_linux" => "linux",
        _ => return None,
    };
    is_of_8.then(|| format!("centos-{line}-{number}"))
}

/// The release that a CPE names: 2.2 as a URI, or 2.3.
fn release(cpe: &str) -> Option<Release> {
    let lower = cpe.to_ascii_lowercase();
    let bare = lower
        .strip_prefix("cpe:/")
        .or_else(|| lower.strip_prefix("cpe:2.3:"))?;
    let plain = bare.replace('\\', "");
    let mut fields = plain.split(':');
    let (_part, vendor, product) = (fields.next()?, fields.next()?, fields.next()?);
    let (version, update) = (fields.next()?, fields.next().unwrap_or_default());
    let mut known = DISTRIBUTIONS.iter();
    let found = known.find(|one| one.vendors.contains(&vendor) && one.is_product(product))?;
    let mut numbers = version.split('.');
    let is_number = numbers.all(|part| part.parse::<u32>().is_ok());
    // A service pack is what SUSE calls a minor release.
    let pack = update.strip_prefix("sp").filter(|_| found.name == "sles");
    let number = match pack.and_then(|pack| pack.parse::<u32>().ok()) {
        Some(pack) => format!("{version}.{pack}"),
        None => version.to_owned(),
    };
    let of_line = of_line(product, &number);
    is_number.then_some(Release {
        of: found,
        number,
        of_line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The package that a part of what has this CPE is.
    fn found(part: &str, cpe: &str) -> Option<String> {
        let whole = Named {
            cpe: Some(cpe.to_owned()),
            ..Named::default()
        };
        let found = of_release(&Named::of_text(part), &whole)?;
        Some(found.purls[0].as_str().to_owned())
    }

    #[test]
    fn a_package_is_of_the_release_that_it_is_a_part_of() {
        let rhel_7 = "cpe:/o:redhat:enterprise_linux:7";
        for (part, cpe, expected) in [
            (
                "pkg:rpm/redhat/a?arch=src",
                rhel_7,
                Some("pkg:rpm/redhat/a?arch=src&distro=rhel-7"),
            ),
            (
                "pkg:rpm/redhat/a?arch=src",
                "cpe:2.3:o:redhat:enterprise_linux:8:*:baseos:*:*:*:*:*",
                Some("pkg:rpm/redhat/a?arch=src&distro=rhel-8"),
            ),
            (
                "pkg:rpm/redhat/a",
                r"cpe:2.3:a:redhat:rhel_eus:9\.4:*:*:*:*:*:*:*",
                Some("pkg:rpm/redhat/a?distro=rhel-9.4"),
            ),
            // A build is what it is.
            (
                "pkg:rpm/redhat/a@1-2.el9_4?arch=x86_64",
                "cpe:/a:redhat:rhel_eus:9.4::appstream",
                Some("pkg:rpm/redhat/a@1-2.el9_4?arch=x86_64"),
            ),
            ("pkg:rpm/redhat/a@1-2.el8", rhel_7, None),
            ("pkg:rpm/redhat/a?distro=rhel-9", rhel_7, None),
            (
                "pkg:rpm/suse/a",
                "cpe:/o:suse:sles:15:sp5",
                Some("pkg:rpm/suse/a?distro=sles-15.5"),
            ),
            (
                "pkg:rpm/suse/a",
                "cpe:/o:suse:sle-micro:5.5",
                Some("pkg:rpm/suse/a?distro=sle-micro-5.5"),
            ),
            (
                "pkg:rpm/opensuse/a",
                "cpe:/o:opensuse:leap-micro:5.5",
                Some("pkg:rpm/opensuse/a?distro=opensuse-leap-micro-5.5"),
            ),
            (
                "pkg:deb/ubuntu/a",
                "cpe:/o:canonical:ubuntu_linux:22.04",
                Some("pkg:deb/ubuntu/a?distro=ubuntu-22.04"),
            ),
            // Of something else, or of what is no release.
            ("pkg:npm/a", rhel_7, None),
            ("pkg:rpm/fedora/a", rhel_7, None),
            ("pkg:rpm/redhat/a", "cpe:/a:redhat:openshift:4", None),
            ("pkg:rpm/redhat/a", "cpe:/o:redhat:enterprise_linux", None),
            ("pkg:rpm/redhat/a", "cpe:/o:redhat:enterprise_linux:x", None),
            ("pkg:rpm/redhat/a", "enterprise_linux:7", None),
        ] {
            assert_eq!(found(part, cpe).as_deref(), expected, "{part} {cpe}");
        }
    }

    /// Of two of one number it is said which.
    #[test]
    fn centos_8_is_linux_or_stream() {
        for (part, cpe, expected) in [
            (
                "pkg:rpm/centos/a",
                "cpe:/o:centos:centos:8",
                Some("pkg:rpm/centos/a?distro=centos-linux-8"),
            ),
            (
                "pkg:rpm/centos/a",
                "cpe:/o:centos:centos_stream:8",
                Some("pkg:rpm/centos/a?distro=centos-stream-8"),
            ),
            (
                "pkg:rpm/centos/a@1-2.el7",
                "cpe:/o:centos:centos_stream:8",
                None,
            ),
            (
                "pkg:rpm/centos/a",
                "cpe:/o:centos:stream:9",
                Some("pkg:rpm/centos/a?distro=centos-9"),
            ),
            (
                "pkg:rpm/centos/a",
                "cpe:/o:centos:centos:7",
                Some("pkg:rpm/centos/a?distro=centos-7"),
            ),
        ] {
            assert_eq!(found(part, cpe).as_deref(), expected, "{part} {cpe}");
        }
    }
}
