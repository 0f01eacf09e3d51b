//! What signs: for a log, and for a witness and a mirror, which have two keys of one name, a store
//! that says whose it is, and a clock that must not run back.
//!
//! - [`log`]: the keys of a log, which sign checkpoints and nothing else, and none that contradicts
//!   what was signed before.
//! - [`elsewhere`]: a key of a log that somebody else holds: [`agent`], an ssh-agent, or [`token`],
//!   a PKCS#11 token.
//! - [`keys`]: the key files of a witness or a mirror.
//! - [`own`]: the name and the clock's floor in the store, and `clock-ok`, by which an operator
//!   raises the floor.
//! - [`floor_file`]: what shows that the store is an older copy.

pub mod agent;
pub mod elsewhere;
pub mod floor_file;
pub mod key;
pub mod keys;
pub mod log;
pub mod own;
pub mod token;

use self::{agent::Agent, elsewhere::HeldKey, key::CheckpointKey, token::Token};
use crate::config::KeyHolder;

/// The key that somebody else holds, who is not asked yet.
pub fn held_by(holder: &KeyHolder) -> Box<dyn CheckpointKey> {
    let key = holder.vkey().clone();
    match holder {
        KeyHolder::Agent(config) => Box::new(HeldKey::new(key, Agent::new(config))),
        KeyHolder::Token(config) => Box::new(HeldKey::new(key, Token::new(&config.uri))),
    }
}
