//! The database of rpm: SQLite since rpm 4.16 ([`sqlite`]), rpm's own format at SUSE ([`ndb`]),
//! Berkeley DB before ([`berkeley`]). Each holds the header of every package ([`header`]).

mod berkeley;
mod header;
mod ndb;
mod numbers;
mod sqlite;
#[cfg(test)]
mod tests;

use super::fault::Fault;
use crate::limits;

/// What to do with a database that cannot be read.
pub(super) const REMEDY: &str = "nothing of it is taken; copy it from the system again, with \
    nothing running there that installs, or let `rpm --rebuilddb` write it anew";

/// Fields of a line: name, epoch, version, release, architecture, package of sources, and for what
/// is of a module, that.
pub(super) const FIELDS: usize = 7;

/// What rpm writes for a field that a package has not.
pub(super) const NONE: &str = "(none)";

/// Whether a file is a database that rpm may have written, by its first bytes.
pub(super) fn is_database(head: &[u8]) -> bool {
    sqlite::is_one(head) || ndb::is_one(head) || berkeley::is_one(head)
}

/// What a database holds, a package in a line. `None` if `bytes` are none.
///
/// Fails if it is not of rpm, is damaged, or has more packages or bytes than are read.
pub(super) fn said(bytes: &[u8]) -> Result<Option<String>, Fault> {
    if !is_database(bytes) {
        return Ok(None);
    }
    if bytes.len() > limits::PROGRAM_BYTES {
        let fault = Fault::too_large("database", bytes.len(), limits::PROGRAM_BYTES);
        return Err(fault.advise("write an SBOM of the system, and check that"));
    }
    let (mut said, mut count) = (String::new(), 0);
    let mut each = |package: &[u8]| {
        count += 1;
        if count > limits::COMPONENTS {
            let reason = format!("it has more than {} packages", limits::COMPONENTS);
            return Err(Fault::new(None, reason));
        }
        said.push_str(&header::line(package)?);
        said.push('\n');
        Ok(())
    };
    let read = if sqlite::is_one(bytes) {
        sqlite::headers(bytes, &mut each)
    } else if ndb::is_one(bytes) {
        ndb::headers(bytes, &mut each)
    } else {
        berkeley::headers(bytes, &mut each)
    };
    read.map_err(|fault| fault.or_advise(REMEDY))?;
    Ok(Some(said))
}
