//! What a mirror answers to `add-entries` over HTTP: every status of C2SP tlog-mirror in one place.

use super::package::MalformedUpload;
use super::state::Mirror;
use super::upload::PackageFault;
use crate::head::VerifiedHead;
use crate::witness::Answer;
use base64::prelude::{BASE64_STANDARD, Engine};

/// The type of an answer that says where to go on (C2SP tlog-mirror).
const INFO_TYPE: &str = "text/x.tlog.mirror-info";

/// The type of signature lines and of sentences.
const TEXT_TYPE: &str = "text/plain; charset=utf-8";

/// Why an upload is not taken. None of these messages repeats what was sent, but for numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadRefusal {
    /// The log is not mirrored here, or only by its tiles.
    #[error("this log is not mirrored here")]
    UnknownOrigin,
    /// The log is known to have signed two histories.
    #[error("this log has signed two histories and is not mirrored any more")]
    Convicted,
    /// The body is of another type.
    #[error("the body must be of the type application/octet-stream")]
    Type,
    /// The body is packed in a way that is not known.
    #[error("the body may be packed with gzip, and not otherwise")]
    Encoding,
    /// No checkpoint of the log was ever pending.
    #[error("no checkpoint of this log came here yet: send one to add-checkpoint first")]
    NothingPending,
    /// The end is no size that was pending, or not any more.
    #[error("no checkpoint of size {0} is pending here")]
    UnknownEnd(u64),
    /// More than that is mirrored.
    #[error("more than {0} entries are mirrored here")]
    EndBelowMirrored(u64),
    /// Entries before the first one are missing.
    #[error("entries before {0} are missing here")]
    StartAfterNext(u64),
    /// Too many of the entries are here already.
    #[error("too many entries from {0} on are here already")]
    TooMuchExcess(u64),
    /// The mirrored checkpoint has passed the end meanwhile.
    #[error("more than {0} entries have been mirrored meanwhile")]
    Overtaken(u64),
}

impl UploadRefusal {
    /// The answer to be sent. `mirror` is what is known of the log, with the ticket of its largest
    /// pending head: what is answered if the log may go on from there.
    pub fn answer(&self, info: Option<&Info>) -> Answer {
        let status = match self {
            UploadRefusal::UnknownOrigin => 404,
            UploadRefusal::Convicted => 403,
            UploadRefusal::Type | UploadRefusal::Encoding => 415,
            UploadRefusal::NothingPending => 422,
            UploadRefusal::UnknownEnd(_)
            | UploadRefusal::EndBelowMirrored(_)
            | UploadRefusal::StartAfterNext(_)
            | UploadRefusal::TooMuchExcess(_)
            | UploadRefusal::Overtaken(_) => 409,
        };
        match info.filter(|_| status == 409) {
            Some(info) => info.answer(status),
            None => text(status, &format!("{self}\n")),
        }
    }

    /// Whether the end is one that the client can go on with.
    pub fn end_is_valid(&self) -> bool {
        matches!(
            self,
            UploadRefusal::StartAfterNext(_) | UploadRefusal::TooMuchExcess(_)
        )
    }
}

/// Where an upload can go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    size: u64,
    next: u64,
    ticket: Vec<u8>,
}

impl Info {
    /// That the entries of `head` can be brought, with its ticket.
    pub fn new(mirror: &Mirror, head: &VerifiedHead, ticket: Vec<u8>) -> Self {
        Info {
            size: head.size().get(),
            next: mirror.entries().get(),
            ticket,
        }
    }

    fn answer(&self, status: u16) -> Answer {
        let ticket = BASE64_STANDARD.encode(&self.ticket);
        Answer {
            status,
            content_type: INFO_TYPE,
            retry_after_s: None,
            body: format!("{}\n{}\n{ticket}\n", self.size, self.next),
        }
    }
}

/// How the body of an accepted upload ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// All packages were saved and the head is mirrored: these are the mirror's signature lines.
    Complete(String),
    /// Some packages were saved, and then there was no further one.
    Prefix(Info),
    /// Nothing was saved before the body ended, or its first package can be none.
    Nothing(Option<MalformedUpload>),
    /// A package is not the tree's. Those before it were saved.
    Wrong(PackageFault),
}

impl Ended {
    /// The answer to be sent.
    pub fn answer(&self) -> Answer {
        match self {
            Ended::Complete(lines) => text(200, lines),
            Ended::Prefix(info) => info.answer(202),
            Ended::Nothing(None) => {
                text(400, "the body ended before its first package was whole\n")
            }
            Ended::Nothing(Some(malformed)) => text(400, &format!("{malformed}\n")),
            Ended::Wrong(fault) => text(422, &format!("{fault}\n")),
        }
    }
}

fn text(status: u16, body: &str) -> Answer {
    Answer {
        status,
        content_type: TEXT_TYPE,
        retry_after_s: None,
        body: body.to_owned(),
    }
}
