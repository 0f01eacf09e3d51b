//! Where alerts go: to the outbox, if there is one, and then to stdout.

use crate::{config::Settings, options::Format, output};
use assay_client::monitor::{Alert, Outbox, Sink};
use assay_client::{BoxError, plain_json};
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// Whoever read the lines is gone, and there is no webhook: nobody is left to tell.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the alerts any more, and no webhook is named")]
pub struct NobodyReads;

/// Tells alerts, and counts them.
pub struct Teller<'a> {
    settings: &'a Settings,
    outbox: Option<Outbox>,
    told: BTreeMap<(String, &'static str), u64>,
}

impl<'a> Teller<'a> {
    pub fn new(settings: &'a Settings, outbox: Option<Outbox>) -> Self {
        Teller {
            settings,
            outbox,
            told: BTreeMap::new(),
        }
    }

    /// What waits to be sent, if anything is sent.
    pub fn outbox(&self) -> Option<&Outbox> {
        self.outbox.as_ref()
    }

    /// How many alerts were told, by log and kind.
    pub fn told(&self) -> &BTreeMap<(String, &'static str), u64> {
        &self.told
    }
}

impl Sink for Teller<'_> {
    fn tell(&mut self, alerts: &[Alert]) -> Result<(), BoxError> {
        if let Some(outbox) = &self.outbox {
            outbox.push(alerts)?;
        }
        let mut lines = String::new();
        for alert in alerts {
            if self.settings.format == Format::Json {
                lines.push_str(&plain_json(&serde_json::to_string(alert)?));
            } else {
                lines.push_str(&output::plain(&alert.to_string()));
            }
            lines.push('\n');
        }
        let mut out = io::stdout().lock();
        match out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe && self.outbox.is_none() => {
                return Err(NobodyReads.into());
            }
            // They are in the outbox.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {}
            written => written?,
        }
        for alert in alerts {
            let key = (alert.log.clone(), alert.kind.name());
            *self.told.entry(key).or_default() += 1;
        }
        Ok(())
    }
}
