//! Who has a log: the log itself, and the peers that mirror it. What they serve is checked against
//! what the log signed, so that none of them need be trusted.

use super::copied::Copied;
use super::site::Site;

/// Somebody who may have a log.
#[derive(Debug, Clone)]
pub struct Source {
    /// Where it is.
    pub site: Site,
    /// For metrics: `log` or `mirror`.
    pub who: &'static str,
}

impl<S> Copied<S> {
    /// The log, then those who mirror it.
    pub fn sources(&self) -> Vec<Source> {
        let log = Source {
            site: self.site.clone(),
            who: "log",
        };
        std::iter::once(log).chain(self.mirrors()).collect()
    }

    /// The peers that mirror the log.
    pub fn mirrors(&self) -> impl Iterator<Item = Source> + use<S> {
        let sites = (self.shared.mirrors)(&self.shown.rows.digest().to_hex());
        let who = "mirror";
        sites.into_iter().map(move |site| Source { site, who })
    }
}
