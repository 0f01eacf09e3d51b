//! A key of something new that somebody else holds.

use super::template::escaped;
use crate::{config::KeyHolder, log::CreateError, rotation::LogKeys, signer};
use assay_tlog::hash::empty_root;
use assay_tlog::tree::TreeSize;

/// What the configuration says below `[owner]` of who holds the key.
pub(super) fn table(owner: &str, holder: &KeyHolder) -> String {
    let line = |name: &str, value: &str| format!("{name} = \"{}\"\n", escaped(value));
    let vkey = line("vkey", &holder.vkey().to_string());
    let place = match holder {
        KeyHolder::Agent(agent) => {
            let socket = agent.socket.as_ref();
            socket.map(|path| line("socket", &path.to_string_lossy()))
        }
        KeyHolder::Token(token) => Some(line("uri", &token.uri.to_string())),
    };
    let table = holder.table();
    format!("\n[{owner}.{table}]\n{vkey}{}", place.unwrap_or_default())
}

/// The key of a log, which has signed the empty tree: that contradicts nothing, and shows before
/// anything is made that it can sign.
pub(super) fn asked(holder: &KeyHolder) -> Result<LogKeys, CreateError> {
    let keys = LogKeys::of(signer::held_by(holder));
    keys.sign(TreeSize::new(0), empty_root())?;
    Ok(keys)
}
