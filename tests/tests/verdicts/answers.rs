//! What Rust makes of lies that answers tell.

use super::{Lines, Verdict, judged};
use assay_claims::index::{AnswerError, By, CutError, Name, Prefix, Query, VerifiedAnswer};
use assay_client::HeadTimes;
use assay_proto::{
    answer::{AnswerFault, Joined, to_core},
    v1,
};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_policy::{QuorumError, TlogPolicy};
use base64::prelude::{BASE64_STANDARD, Engine};
use prost::Message;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    log: String,
    policy: Option<String>,
    question: Question,
    answer: String,
}

#[derive(Deserialize)]
struct Question {
    names: Option<Vec<String>>,
    prefix: Option<String>,
    bits: Option<u16>,
    by: Option<Vec<String>>,
}

impl Question {
    fn read(&self) -> Query {
        let half = |text: &String| hex::decode(text).unwrap();
        let by = self.by.iter().flatten();
        let by = by.map(|text| By::from_slice(&half(text)).unwrap());
        if let Some(names) = &self.names {
            let names = names
                .iter()
                .map(|text| Name::from_slice(&half(text)).unwrap());
            return Query::names(names, by);
        }
        let bytes = hex::decode(self.prefix.as_ref().unwrap()).unwrap();
        let prefix = Prefix::from_wire(&bytes, self.bits.unwrap()).unwrap();
        match &self.by {
            Some(_) => Query::crowd(prefix, by),
            None => Query::Census(prefix),
        }
    }
}

/// Adds what Rust makes of each lie.
pub fn lies(lines: &mut Lines) {
    judged("lies/lies", lines, |case: &Case| {
        let verdict = judge(case).err().unwrap_or_else(Verdict::ok);
        (case.name.clone(), verdict)
    });
}

fn judge(case: &Case) -> Result<(), Verdict> {
    let server = |kind: &str| Verdict::refused(kind, "server");
    let bytes = BASE64_STANDARD.decode(&case.answer).unwrap();
    let message = v1::Answer::decode(bytes.as_slice()).map_err(|_| server("message"))?;
    let mut joined = Joined::default();
    joined.push(message).map_err(|fault| of_fault(&fault))?;
    let message = joined.finish().map_err(|fault| of_fault(&fault))?;
    let query = case.question.read();
    let answer = to_core(&message, &query).map_err(|fault| of_fault(&fault))?;
    let key = VerifierKey::parse(&case.log).unwrap();
    let checkpoint = VerifiedCheckpoint::verify(&message.checkpoint, &key);
    let is_of_another = message.checkpoint.lines().next() != Some(key.name());
    let checkpoint = checkpoint.map_err(|_| {
        if is_of_another {
            Verdict::refused("log", "caller")
        } else {
            server("checkpoint")
        }
    })?;
    let policy = case
        .policy
        .as_ref()
        .map(|text| TlogPolicy::parse(text).unwrap());
    let mut cosigned_at = None;
    if let Some(policy) = policy {
        let quorum = policy
            .verify(&message.checkpoint)
            .map_err(|error| match error {
                QuorumError::Quorum(_) => Verdict::new("unproven", "witnesses", "witness"),
                QuorumError::Log(_) => Verdict::refused("log", "caller"),
                _ => server("witnesses"),
            })?;
        cosigned_at = quorum.cosigned_at();
    }
    let verified = VerifiedAnswer::verify(checkpoint, &query, answer);
    let verified = verified.map_err(|error| of_error(&error))?;
    let times = HeadTimes {
        committed_at_ms: verified.made_at_ms(),
        quorum_at_ms: cosigned_at.map(|at| at * 1000),
    };
    times.check().map_err(|_| Verdict::refused("time", "log"))
}

fn of_fault(fault: &AnswerFault) -> Verdict {
    let kind = match fault {
        AnswerFault::Leaves(_) => "limit",
        AnswerFault::Range(_) => "range",
        _ => "message",
    };
    Verdict::refused(kind, "server")
}

/// The name of what is wrong, and whose fault it is.
fn of_error(error: &AnswerError) -> Verdict {
    let (kind, culprit) = match error {
        AnswerError::EmptyLog => ("empty", "log"),
        AnswerError::Commitment(_) if error.is_unsupported() => ("unsupported", "nobody"),
        AnswerError::LastLeaf(_) | AnswerError::Commitment(_) => ("commitment", "log"),
        AnswerError::Cut(CutError::LeftOut) => ("question", "server"),
        AnswerError::Cut(_) => ("cut", "server"),
        AnswerError::Inclusion(_) => ("inclusion", "server"),
        AnswerError::NoPage(_) | AnswerError::Place { .. } => ("range", "server"),
        AnswerError::TooManyLeaves(_) => ("limit", "server"),
        AnswerError::Entry(..) | AnswerError::Unrelated { .. } => ("entries", "log"),
        AnswerError::Withheld { .. } | AnswerError::Unlisted(_) => ("entries", "server"),
        _ => ("lists", "server"),
    };
    Verdict::refused(kind, culprit)
}
