//! `[page]`: the pages for people.

use assay_claims::issuer::IssuerId;
use assay_client::wrong_port;
use serde::Deserialize;
use std::path::PathBuf;

/// The pages for people.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PageConfig {
    /// Whether there are any.
    pub enabled: bool,
    /// The policy that weighs what they show. Without one they say who says what, and no verdict.
    pub policy: Option<PathBuf>,
    /// Whose policy that is, as readers know them; the log's origin if nothing is said.
    pub operator: Option<String>,
    /// Where readers reach the pages, without which links in feeds are as of the feed.
    pub address: Option<String>,
    /// Whose statements are in the VEX repository, by their issuer ids, if there is no policy.
    pub vex_issuers: Vec<String>,
    /// Where the pages reach the node itself. With TLS it has to be said, because a certificate is
    /// for a name.
    pub url: Option<String>,
}

impl PageConfig {
    /// Says what is wrong with an address or with issuers, if something is.
    pub(super) fn check(&self) -> Result<(), String> {
        self.check_issuers()?;
        if let Some(url) = &self.url {
            if let Some(wrong) = wrong_port(url) {
                return Err(format!("page.url: {wrong}"));
            }
            if !has_host(url) {
                return Err(format!(
                    "page.url {url:?} is no address of a node, such as https://log.example.org"
                ));
            }
        }
        let Some(address) = &self.address else {
            return Ok(());
        };
        let is_host = has_host(address);
        let is_plain = |c: char| c.is_ascii_graphic() && !"\"#<>?@\\^`{|}".contains(c);
        if is_host && address.chars().all(is_plain) && wrong_port(address).is_none() {
            Ok(())
        } else {
            Err(format!(
                "page.address {address:?} is no address of pages, such as https://log.example.org"
            ))
        }
    }

    fn check_issuers(&self) -> Result<(), String> {
        if self.vex_issuers.is_empty() {
            return Ok(());
        }
        let mut ids = self.vex_issuers.iter();
        if let Some(id) = ids.find(|id| IssuerId::from_hex(id).is_none()) {
            return Err(format!(
                "page.vex_issuers has {id:?}, which is no issuer id: it has 64 hex digits, in \
                 lower case"
            ));
        }
        if self.policy.is_some() {
            return Err(
                "page.vex_issuers says whose statements are in the VEX repository where \
                there is no page.policy, which says it otherwise; take one of them out"
                    .to_owned(),
            );
        }
        if self.address.is_none() {
            return Err(
                "page.vex_issuers needs page.address: scanners are told where the documents are"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// Whether it is an address of HTTP that names a host.
fn has_host(address: &str) -> bool {
    let mut schemes = ["https://", "http://"].into_iter();
    let rest = schemes.find_map(|scheme| address.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

impl Default for PageConfig {
    fn default() -> Self {
        PageConfig {
            enabled: true,
            policy: None,
            operator: None,
            address: None,
            vex_issuers: Vec::new(),
            url: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_pages() {
        for (address, is_one) in [
            ("https://log.example", true),
            ("http://127.0.0.1:7480/below/", true),
            ("https://", false),
            ("https://log.example:99999", false),
            ("https://log.example:0/x", false),
            ("https:///x", false),
            ("log.example", false),
            ("ftp://log.example", false),
            ("https://log.example/?q=", false),
            ("https://me@log.example", false),
            ("https://log.example/\"><x", false),
            ("https://log.exampl\u{e9}", false),
        ] {
            let config = PageConfig {
                address: Some(address.to_owned()),
                ..PageConfig::default()
            };
            assert_eq!(config.check().is_ok(), is_one, "{address}");
        }
    }

    #[test]
    fn the_node_itself_is_reached_over_http() {
        for (url, said) in [
            ("https://log.example:7480", None),
            ("http://127.0.0.1:7480", None),
            ("https://log.example:0", Some("port")),
            ("log.example", Some("no address of a node")),
            ("log.example:7480", Some("no address of a node")),
            ("ftp://log.example", Some("no address of a node")),
            ("https://", Some("no address of a node")),
        ] {
            let config = PageConfig {
                url: Some(url.to_owned()),
                ..PageConfig::default()
            };
            let error = config.check().err();
            assert_eq!(error.is_some(), said.is_some(), "{url}: {error:?}");
            assert!(error.unwrap_or_default().contains(said.unwrap_or_default()));
        }
    }

    #[test]
    fn issuers_are_named_where_no_policy_says_whose_word_counts() {
        let address = || Some("https://log.example".to_owned());
        let policy = || Some(PathBuf::from("policy.toml"));
        let id = || "ab".repeat(32);
        for (issuers, policy, address, says) in [
            (vec![], policy(), None, None),
            (vec![id(), "cd".repeat(32)], None, address(), None),
            (
                vec![id(), id().to_uppercase()],
                None,
                address(),
                Some("64 hex digits"),
            ),
            (
                vec!["ab".to_owned()],
                None,
                address(),
                Some("64 hex digits"),
            ),
            (vec![id()], policy(), address(), Some("page.policy")),
            (vec![id()], None, None, Some("page.address")),
        ] {
            let config = PageConfig {
                vex_issuers: issuers,
                policy,
                address,
                ..PageConfig::default()
            };
            let checked = config.check();
            let error = checked
                .as_ref()
                .err()
                .map(String::as_str)
                .unwrap_or_default();
            assert_eq!(checked.is_err(), says.is_some(), "{error}");
            assert!(error.contains(says.unwrap_or_default()), "{error}");
        }
    }
}
