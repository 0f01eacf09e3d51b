//! The proxies that the environment names: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`,
//! in either case. Only `http://` proxies can be used. This machine itself is never asked for
//! through one.

use crate::is_exposed;
use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::{Proxy, Url};
use std::sync::Arc;

/// The proxies of the environment.
#[derive(Clone)]
pub(crate) struct Proxies(Arc<Matcher>);

impl Proxies {
    /// Reads the environment.
    pub fn of_environment() -> Self {
        Proxies(Arc::new(Matcher::from_env()))
    }

    /// The proxy through which an address is reached, if one is.
    pub fn of(&self, to: &Uri) -> Option<Intercept> {
        // As if it were http://, since that is what is asked: whether it is of another machine.
        let host = to.host()?;
        is_exposed(&format!("http://{host}"))
            .then(|| self.0.intercept(to))
            .flatten()
    }

    /// The same for plain HTTP: a proxy for each scheme that one is named for.
    pub fn for_http(&self) -> Vec<Proxy> {
        let schemes = ["http", "https"].into_iter();
        schemes
            .filter_map(|scheme| self.of_scheme(scheme))
            .collect()
    }

    fn of_scheme(&self, scheme: &'static str) -> Option<Proxy> {
        let any: Uri = format!("{scheme}://proxied.invalid").parse().ok()?;
        let auth = self.of(&any).and_then(|it| it.basic_auth().cloned());
        let own = self.clone();
        let proxy = Proxy::custom(move |url: &Url| {
            let to: Uri = url.as_str().parse().ok()?;
            let proxy = own.of(&to).filter(|_| url.scheme() == scheme)?;
            Some(proxy.uri().to_string())
        });
        Some(match auth {
            Some(auth) => proxy.custom_http_auth(auth),
            None => proxy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_reached_without_a_proxy() {
        let matcher = Matcher::builder()
            .all("http://p.example:3128")
            .no("near.example");
        let proxies = Proxies(Arc::new(matcher.build()));
        for (to, is_proxied) in [
            ("http://log.example", true),
            ("https://log.example:7480/below", true),
            ("https://near.example", false),
            ("http://127.0.0.1:7480", false),
            ("https://[::1]:7480", false),
            ("http://localhost:7480", false),
            ("http://192.0.2.1", true),
        ] {
            let proxy = proxies.of(&to.parse().unwrap());
            assert_eq!(proxy.is_some(), is_proxied, "{to}");
        }
    }
}
