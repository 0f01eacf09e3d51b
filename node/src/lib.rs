//! An Assay node: storage, the sequencer, and the gRPC and HTTP API.
//!
//! Data flows one way: `api` → `admission` → `sequencer` → `log` → `storage`, and from `log` to
//! `view` → `api`. The crates under `core` decide. This crate does the I/O, in the order that they
//! demand: persist, sign, persist the signed note, show, answer.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod admission;
pub mod api;
pub mod audit;
pub mod checkpoint_file;
pub mod config;
pub mod cosigner;
pub mod damage;
mod descriptors;
mod endorsed;
mod files;
pub mod gossip;
pub mod held;
mod http_client;
pub mod index;
pub mod init;
pub mod keyfile;
pub mod leaving;
pub mod listen;
pub mod log;
pub mod mirror;
pub mod misbehavior;
pub mod node;
pub mod pace;
pub mod page;
pub mod peers;
pub mod quota;
mod reason;
pub mod records;
pub mod registry;
pub mod reply;
pub mod rotation;
mod routes;
pub mod sequencer;
pub mod signer;
pub mod storage;
pub mod telemetry;
pub mod threads;
pub mod view;
pub mod witness;
