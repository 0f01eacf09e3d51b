//! `--webhook` and `--webhook-key`: an address that is told.

use crate::{config::Settings, exit::Failure, keys::Key, output, session};
use assay_client::is_exposed;
use assay_client::webhook::{Webhook, public_key};
use clap::Args;
use std::path::PathBuf;

/// Where events are sent, and what signs them.
#[derive(Debug, Args)]
pub struct Hook {
    /// Send each of them here, too: an event of CloudEvents 1.0, signed as Standard Webhooks says
    #[arg(
        long,
        value_name = "URL",
        env = "ASSAY_WEBHOOK",
        requires = "webhook_key"
    )]
    webhook: Option<String>,
    /// The key that signs what is sent, made by `assay key new FILE`
    #[arg(
        long,
        value_name = "FILE",
        env = "ASSAY_WEBHOOK_KEY",
        requires = "webhook"
    )]
    webhook_key: Option<PathBuf>,
}

impl Hook {
    /// The webhook, if one is named. Says for which key its events are signed.
    ///
    /// Fails if the key cannot be read, or the address is none.
    pub fn open(&self, settings: &Settings) -> Result<Option<Webhook>, Failure> {
        let (Some(url), Some(path)) = (&self.webhook, &self.webhook_key) else {
            return Ok(None);
        };
        let key = Key::read(path, &settings.unlock)?;
        let public = public_key(&key.signing);
        output::say(settings, &format!("events are signed for {public}"));
        if is_exposed(url) {
            // What is behind the host may be a secret.
            let host = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
            session::look_at_addresses(settings, [host.as_str()])?;
        }
        Ok(Some(Webhook::new(url, key.signing)?))
    }
}
