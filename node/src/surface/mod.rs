//! What the node shows to the network: gRPC, C2SP tiles over HTTP, and the admin port.

pub mod admin;
pub mod app;
pub mod attachments;
pub mod index;
pub mod log;
pub mod serve;
pub mod status;
pub mod tiles;
pub mod tls;
mod watch;
