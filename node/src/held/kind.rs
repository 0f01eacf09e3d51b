//! What is held in memory for callers, by what it is for.

/// What is held, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Short answers, and those of publishing streams, until they are written to the connection.
    /// Apart from the long ones, so that whoever asks little never waits for who asks much.
    Short,
    /// Pieces of long answers, until they are written.
    Long,
    /// What an answer is sent from: proofs and lists.
    Prepared,
    /// Claims of streams that wait for a leaf.
    Claims,
    /// Questions that are not complete. Apart from claims, which they must not keep out.
    Incoming,
    /// Questions that are computed: their number, not bytes.
    Question,
    /// Attachments that are read or written: their number, not bytes.
    File,
    /// Messages of callers that have come, until they were decoded: bytes, of which there are few
    /// (`MESSAGES`), because that is soon over.
    Message,
    /// Messages of callers that have not come whole: bytes (`COMING`). Apart from those that
    /// have, so that who sends slowly keeps out nobody else.
    Coming,
    /// What came of calls on a connection and no call has taken yet: bytes (`UNTAKEN`).
    Untaken,
    /// Claims of single calls that wait for a leaf: bytes (`SINGLE`). Apart from those of streams,
    /// which are always as many as may wait.
    Claim,
    /// Uploads that go on: bytes (`UPLOADS`). Apart from all else, since whoever uploads slowly
    /// keeps them for long.
    Upload,
    /// Watches: their number, not bytes.
    Watch,
    /// Pages for people that are made: their number, not bytes. Apart from questions, of which each
    /// asks some.
    Page,
    /// Calls that are open: their number, not bytes.
    Call,
    /// Connections: their number, not bytes.
    Connection,
}

pub(super) const KINDS: usize = 16;

/// How many kinds are bytes: the first ones.
pub(super) const BYTE_KINDS: usize = 5;

/// Answers up to so many bytes are [`Kind::Short`].
const SHORT: usize = 64 << 10;

impl Kind {
    /// The kind of an answer of so many bytes.
    pub fn of_answer(bytes: usize) -> Self {
        if bytes <= SHORT {
            Kind::Short
        } else {
            Kind::Long
        }
    }
}
