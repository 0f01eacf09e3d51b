//! `[page]`: the pages for people.

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
    /// Where the pages reach the node itself. With TLS it has to be said, because a certificate is
    /// for a name.
    pub url: Option<String>,
}

impl PageConfig {
    /// Says what is wrong with an address, if something is.
    pub(super) fn check(&self) -> Result<(), String> {
        let Some(address) = &self.address else {
            return Ok(());
        };
        let mut schemes = ["https://", "http://"].into_iter();
        let rest = schemes.find_map(|scheme| address.strip_prefix(scheme));
        let is_host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
        let is_plain = |c: char| c.is_ascii_graphic() && !"\"#<>?@\\^`{|}".contains(c);
        if is_host && address.chars().all(is_plain) {
            Ok(())
        } else {
            Err(format!(
                "page.address {address:?} is no address of pages, such as https://log.example.org"
            ))
        }
    }
}

impl Default for PageConfig {
    fn default() -> Self {
        PageConfig {
            enabled: true,
            policy: None,
            operator: None,
            address: None,
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
}
