//! What signs: for a log, and for a witness, a mirror and an auditor, which have two keys of one
//! name, a store that says whose it is, and a clock that must not run back.
//!
//! - [`log`]: the keys of a log, which sign checkpoints and nothing else, and none that contradicts
//!   what was signed before.
//! - [`floors`]: what was cosigned of each log. Keys that cosign sign nothing that contradicts it.
//! - [`elsewhere`] and [`cosigning`]: a key, of a log or of a cosigner, that somebody else holds:
//!   [`agent`], an ssh-agent, or [`token`], a PKCS#11 token.
//! - [`keys`]: the keys of a witness, a mirror or an auditor, wherever they are.
//! - [`own`]: the name and the clock's floor in the store, and `clock-ok`, by which an operator
//!   raises the floor.
//! - [`floor_file`]: what shows that the store is an older copy.

pub mod agent;
pub mod cosigning;
pub mod elsewhere;
pub mod floor_file;
pub mod floors;
pub mod key;
pub mod keys;
pub mod log;
pub mod own;
pub mod token;

use self::{
    agent::Agent, cosigning::HeldCosigner, elsewhere::HeldKey, key::CheckpointKey, token::Token,
};
use crate::config::KeyHolder;
use assay_tlog::note::CosigningKey;

/// The key of a log that somebody else holds, who is not asked yet.
pub fn held_by(holder: &KeyHolder) -> Box<dyn CheckpointKey> {
    let key = holder.vkey().clone();
    match holder {
        KeyHolder::Agent(config) => Box::new(HeldKey::new(key, Agent::new(config))),
        KeyHolder::Token(config) => Box::new(HeldKey::new(key, Token::new(&config.uri))),
    }
}

/// The same of a witness, a mirror or an auditor.
pub fn cosigner_held_by(holder: &KeyHolder) -> Box<dyn CosigningKey> {
    let key = holder.vkey().clone();
    match holder {
        KeyHolder::Agent(config) => Box::new(HeldCosigner::new(key, Agent::new(config))),
        KeyHolder::Token(config) => Box::new(HeldCosigner::new(key, Token::new(&config.uri))),
    }
}
