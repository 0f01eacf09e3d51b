//! An Assay node: storage, the sequencer's driver, and the gRPC and HTTP API.
//!
//! Data flows one way: `api` → `admission` → `sequencer` → `storage` → `view` → `api`. What
//! is decided on the way is decided by the crates under `core`; this crate does the I/O, in the order that
//! core's duties demand: persist, then sign, then show, then answer.

pub mod admission;
pub mod api;
pub mod checkpoint_file;
pub mod config;
pub mod index;
pub mod init;
pub mod keyfile;
pub mod node;
pub mod records;
pub mod registry;
pub mod reply;
pub mod sequencer;
pub mod storage;
pub mod telemetry;
pub mod view;
