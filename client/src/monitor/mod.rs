//! Watching logs for those whose names and keys stand in them, and for those who run them.
//!
//! | module | what it does |
//! | --- | --- |
//! | `alert` | what is told: kinds, levels, and an id that a second telling has, too |
//! | `own` | which claims use a name or a key of ours |
//! | `log` | one round over one log: head, times, entries, replay |
//! | `source` | its node, or the tiles of a log that holds no Assay entries |
//! | `times` | whether a head has its quorum, and how old it is |
//! | `elsewhere` | what its node proves, and witnesses and mirrors have of it |
//! | `replay` | auditing the log from its tiles |
//! | `state` | how far one log is, on disk |
//! | `outbox` | alerts that are still to be sent, on disk |
//! | `delivery` | handing them to a webhook |
//! | `metrics` | numbers for Prometheus |
//! | `serve` | serving them |
//!
//! **The cursor moves after the work.** Alerts are handed to a [`Sink`], which keeps them, before
//! the state of the log is written. Who is killed between the two tells the same alerts again, with
//! the same ids, so that whoever receives them can drop the second.
//!
//! **Quiet.** What goes on is told when it begins and when it ends, and not in each round. An audit
//! that fails is run again before anything is said, because what it fetched may have been damaged
//! on the way.
//!
//! Left out: the clock and how often; printing; and anything that is done about an alert.

mod alert;
mod delivery;
mod elsewhere;
mod log;
mod metrics;
mod outbox;
mod own;
mod replay;
mod serve;
mod source;
mod state;
mod times;

pub use alert::{Alert, Kind, Level, Phase};
pub use delivery::{Delivered, Delivery};
pub use log::{LogMonitor, MonitorError, Seen, Settings, Sink, Watched};
pub use metrics::metrics;
pub use outbox::{Outbox, OutboxError};
pub use own::Own;
pub use serve::MetricsServer;
