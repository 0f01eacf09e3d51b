//! Where a list of logs is from.

use crate::peers::is_base;
use reqwest::Url;

/// Says what is wrong with a source, if something is. Where a list is from is shown to everybody,
/// so that an address must hold nothing that is a secret. Nor does what is said here show it.
pub fn demand_source(source: &str) -> Result<(), String> {
    let is_one = source.starts_with("file:") || is_base(source);
    if is_one && !source.contains(char::is_control) {
        return Ok(());
    }
    Err(
        "is neither file:PATH nor an http or https address without a user, a password, a query \
         and a fragment, because everybody is shown it"
            .to_owned(),
    )
}

/// A source as everybody may see it: a file of before may hold one that [`demand_source`] refuses.
pub(super) fn shown(source: &str) -> String {
    // Where it is on this machine is nobody's business.
    if source.starts_with("file:") {
        return "file".to_owned();
    }
    if is_base(source) {
        return source.to_owned();
    }
    let Ok(mut url) = Url::parse(source) else {
        return "unknown".to_owned();
    };
    if url.set_username("").is_err() || url.set_password(None).is_err() {
        return "unknown".to_owned();
    }
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_an_address_is_shown() {
        for (source, is_one, seen) in [
            ("http://a.example/list", true, "http://a.example/list"),
            ("https://a.example", true, "https://a.example"),
            ("file:/home/me/list", true, "file"),
            (
                "http://me:secret@a.example/list",
                false,
                "http://a.example/list",
            ),
            (
                "http://secret@a.example/list",
                false,
                "http://a.example/list",
            ),
            (
                "http://a.example/list?t=secret",
                false,
                "http://a.example/list",
            ),
            (
                "http://a.example/list#secret",
                false,
                "http://a.example/list",
            ),
            ("http://me:secret@/list", false, "unknown"),
            ("secret", false, "unknown"),
            ("data:secret", false, "unknown"),
        ] {
            let refused = demand_source(source).err();
            assert_eq!(refused.is_none(), is_one, "{source}");
            assert!(!refused.unwrap_or_default().contains("secret"));
            assert_eq!(shown(source), seen, "{source}");
        }
    }
}
