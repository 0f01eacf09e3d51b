//! JSON (RFC 8259), read strictly: what two readers could read differently is refused.
//!
//! Refused, besides what is not JSON: a key twice in one object, nesting deeper than
//! [`limits::JSON_DEPTH`] (or than the caller allows), bytes that are not UTF-8, escapes of lone
//! surrogates, and anything after the value. Numbers keep the text that they were written in, so no
//! precision is lost on the way. Left out: schemas, streaming, comments.
//!
//! [`limits::JSON_DEPTH`]: crate::limits::JSON_DEPTH

mod fault;
mod locate;
mod parse;
mod tape;
mod target;
mod value;
mod write;

pub use fault::JsonError;
pub use locate::line_of;
pub use parse::{parse, parse_to_depth};
pub use tape::{Part, Tape, TapeWriter};
pub use value::{Number, Value, object};
pub use write::string;
