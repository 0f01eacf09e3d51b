//! One witness, and what it answers.

use super::Moment;
use crate::checkpoint::Checkpoint;
use crate::decimal::parse_decimal;
use crate::note::{Note, VerifierKey};
use crate::tree::TreeSize;

/// Seconds by which a stated time may be before the candidate or after this log's clock.
const CLOCKS_S: u64 = 300;

/// The first wait after a failure, and the longest, in milliseconds.
const BACKOFF_MS: u64 = 100;
const BACKOFF_MAX_MS: u64 = 60_000;

/// What came of asking a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It answered over HTTP.
    Answer {
        /// The status.
        status: u16,
        /// The header `Retry-After`, in seconds, if it was sent.
        retry_after_s: Option<u32>,
        /// The body.
        body: Vec<u8>,
    },
    /// It could not be reached, or did not answer in time.
    Unreachable,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It cosigned what it was asked about.
    Cosigned,
    /// It has this size of the log, and is asked again from there.
    OtherSize(TreeSize),
    /// It once cosigned `from`, and now says that it has less. It no longer counts: a witness that
    /// forgets would cosign a fork. Only a new start of this log asks it again.
    RolledBack {
        /// The size that it cosigned.
        from: TreeSize,
        /// The size that it says it has.
        to: TreeSize,
    },
    /// It says that this log is another one than it knows. It no longer counts, until a new start
    /// of this log asks it again. Whether this log goes on is what the others say
    /// ([`super::Event::Stopped`]).
    Dissents(Stop),
    /// It did not cosign, and is asked again later.
    Failed(Failure),
    /// The answer to a question that is not open.
    Unasked,
}

/// Why a witness did not cosign, or its answer does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It could not be reached, or did not answer in time.
    #[error("it cannot be reached, or does not answer in time")]
    Unreachable,
    /// It does not know this log, or not its key.
    #[error(
        "it does not know this log or its key (HTTP {0}); ask its operator to add the log's \
         verifier key"
    )]
    Unknown(u16),
    /// It was asked too often.
    #[error("it was asked too often")]
    TooOften,
    /// Any other status.
    #[error("it answered with HTTP {0}")]
    Status(u16),
    /// The answer is not what tlog-witness says for its status.
    #[error("its answer is not one of C2SP tlog-witness")]
    Malformed,
    /// Status 200 without a signature by a key of the policy.
    #[error("it answered without a signature by one of the keys that the policy has of it")]
    Unsigned,
    /// A signature by one of its keys is wrong.
    #[error("its signature is wrong")]
    WrongSignature,
    /// The time that it states is over five minutes before the checkpoint or after now.
    #[error("it states the time {0}, which is not now; its clock or this one is wrong")]
    Time(u64),
    /// It names a size of the log that it cannot be asked from again and again.
    #[error("it names another size each time")]
    Sizes,
}

/// Why this log must not sign any more until somebody has looked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// A witness has a larger tree of this log.
    #[error(
        "the witness {witness} has this log with {held} entries, and only {signed} were ever \
         signed here. Either this disk is older than what was published (a backup that was put \
         back?), or somebody else signs with this log's key, or the witness is wrong. Compare with \
         what the witness serves of this log. If it is wrong, take it out of the quorum's policy \
         and start again"
    )]
    Ahead {
        /// Which witness, by its key's name.
        witness: String,
        /// The size that it says it has.
        held: TreeSize,
        /// The largest size that was signed here.
        signed: TreeSize,
    },
    /// A witness has another history of this log.
    #[error(
        "the witness {witness} has another history of this log: it takes no proof from the {held} \
         entries that it has. Either this disk is not the one that was published from, or somebody \
         else signs with this log's key, or the witness is wrong. Compare with what the witness \
         serves of this log. If it is wrong, take it out of the quorum's policy and start again"
    )]
    OtherHistory {
        /// Which witness, by its key's name.
        witness: String,
        /// The size that it was asked from.
        held: TreeSize,
    },
}

/// A signature line, with the key that made it, as a place in the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) key: usize,
    pub(super) at: u64,
    pub(super) text: String,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) id: u64,
    pub(super) old: TreeSize,
    pub(super) round: u64,
    /// When the candidate was proposed, in seconds since 1970.
    pub(super) proposed_s: u64,
    pub(super) checkpoint: Checkpoint,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Ready,
    Asked(Question),
    Waiting { until_ms: u64 },
    RolledBack,
    Dissents(Stop),
    Excluded,
}

/// A witness of the policy: all keys of one name behind one URL.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) name: String,
    pub(super) url: String,
    /// Its keys, with their places in the policy.
    pub(super) keys: Vec<(usize, VerifierKey)>,
    state: State,
    /// What it has of this log, as far as it said. Unsigned.
    held: TreeSize,
    /// What it cosigned, verified.
    cosigned: TreeSize,
    failures: u32,
    /// How often it named another size since it last cosigned.
    moved: u32,
    /// The round in which it last cosigned. Rounds count from 1.
    done: u64,
}

impl Link {
    pub(super) fn new(name: &str, url: &str) -> Self {
        Link {
            name: name.to_owned(),
            url: url.to_owned(),
            keys: Vec::new(),
            state: State::Ready,
            held: TreeSize::EMPTY,
            cosigned: TreeSize::EMPTY,
            failures: 0,
            moved: 0,
            done: 0,
        }
    }

    /// What it cosigned last.
    pub(super) fn cosigned(&self) -> TreeSize {
        self.cosigned
    }

    /// Whether it may cosign in `round` at any moment.
    pub(super) fn is_expected(&self, round: u64) -> bool {
        self.done < round && matches!(self.state, State::Ready | State::Asked(_))
    }

    pub(super) fn is_rolled_back(&self) -> bool {
        self.state == State::RolledBack
    }

    /// Never asks it again, and heeds no answer that is still to come.
    pub(super) fn exclude(&mut self) {
        self.state = State::Excluded;
    }

    /// What it says against this log.
    pub(super) fn dissent(&self) -> Option<&Stop> {
        match &self.state {
            State::Dissents(stop) => Some(stop),
            _ => None,
        }
    }

    /// Whether it may still cosign at some time.
    pub(super) fn may_cosign(&self) -> bool {
        !matches!(
            self.state,
            State::RolledBack | State::Dissents(_) | State::Excluded
        )
    }

    pub(super) fn is_excluded(&self) -> bool {
        self.state == State::Excluded
    }

    /// Whether it is to be asked in `round`.
    pub(super) fn is_due(&self, round: u64, now: Moment) -> bool {
        self.done < round
            && match self.state {
                State::Ready => true,
                State::Waiting { until_ms } => until_ms <= now.elapsed_ms,
                State::Asked(_) => false,
                State::RolledBack | State::Dissents(_) | State::Excluded => false,
            }
    }

    /// When it becomes due by itself in `round`.
    pub(super) fn due_ms(&self, round: u64) -> Option<u64> {
        match self.state {
            State::Waiting { until_ms } if self.done < round => Some(until_ms),
            _ => None,
        }
    }

    /// The size to ask from.
    pub(super) fn old(&self) -> TreeSize {
        self.held
    }

    pub(super) fn ask(&mut self, question: Question) {
        self.state = State::Asked(question);
    }

    /// Takes the answer to question `id`. `signed` is the largest size that was signed here,
    /// `random` 64 random bits. Returns what it means, with the question and the lines that count.
    pub(super) fn answered(
        &mut self,
        now: Moment,
        id: u64,
        reply: &Reply,
        signed: TreeSize,
        random: u64,
    ) -> (Heard, Option<(Question, Vec<Line>)>) {
        let State::Asked(question) = &self.state else {
            return (Heard::Unasked, None);
        };
        if question.id != id {
            return (Heard::Unasked, None);
        }
        let question = question.clone();
        self.state = State::Ready;
        let (status, retry_after_s, body) = match reply {
            Reply::Unreachable => {
                return (self.failed(now, Failure::Unreachable, random), None);
            }
            Reply::Answer {
                status,
                retry_after_s,
                body,
            } => (*status, *retry_after_s, body),
        };
        let failure = match status {
            200 => match self.lines(now, &question, body) {
                Ok(lines) => {
                    self.has_cosigned(&question);
                    return (Heard::Cosigned, Some((question, lines)));
                }
                Err(failure) => failure,
            },
            409 => match size(body) {
                Some(size) => return (self.other_size(now, size, signed, random), None),
                None => Failure::Malformed,
            },
            // To a first question no witness answers so: every tree extends the empty one.
            422 if question.old > TreeSize::EMPTY => {
                let (witness, held) = (self.name.clone(), question.old);
                let heard = self.dissents(Stop::OtherHistory { witness, held });
                return (heard, None);
            }
            403 | 404 => Failure::Unknown(status),
            429 => Failure::TooOften,
            other => Failure::Status(other),
        };
        let heard = self.failed(now, failure, random);
        if let (State::Waiting { until_ms }, Some(seconds)) = (&mut self.state, retry_after_s) {
            let asked_ms = (u64::from(seconds) * 1000).min(BACKOFF_MAX_MS);
            *until_ms = (*until_ms).max(now.elapsed_ms + asked_ms);
        }
        (heard, None)
    }

    fn dissents(&mut self, stop: Stop) -> Heard {
        self.state = State::Dissents(stop.clone());
        Heard::Dissents(stop)
    }

    fn has_cosigned(&mut self, question: &Question) {
        let size = question.checkpoint.size;
        self.held = size;
        self.cosigned = self.cosigned.max(size);
        self.failures = 0;
        self.moved = 0;
        self.done = question.round;
    }

    /// Waits for a random time up to a limit that doubles each time ("full jitter"), so that logs
    /// that lost a witness at the same moment do not come back at the same moment. A log that the
    /// witness does not know is not known sooner for being told often.
    fn failed(&mut self, now: Moment, failure: Failure, random: u64) -> Heard {
        self.failures = self.failures.saturating_add(1);
        let longest = match failure {
            Failure::Unknown(_) => BACKOFF_MAX_MS,
            _ => BACKOFF_MS
                .saturating_mul(1 << self.failures.min(16))
                .min(BACKOFF_MAX_MS),
        };
        let wait = BACKOFF_MS / 2 + random % longest;
        self.state = State::Waiting {
            until_ms: now.elapsed_ms + wait,
        };
        Heard::Failed(failure)
    }

    fn other_size(&mut self, now: Moment, size: TreeSize, signed: TreeSize, random: u64) -> Heard {
        if size > signed {
            let (witness, held) = (self.name.clone(), size);
            return self.dissents(Stop::Ahead {
                witness,
                held,
                signed,
            });
        }
        if size < self.cosigned {
            self.state = State::RolledBack;
            return Heard::RolledBack {
                from: self.cosigned,
                to: size,
            };
        }
        self.held = size;
        self.moved += 1;
        // Once is how a log learns the size. More often it is not a witness's honest answer.
        if self.moved > 2 {
            return self.failed(now, Failure::Sizes, random);
        }
        Heard::OtherSize(size)
    }

    /// The signature lines of a cosigned checkpoint that are by this witness's keys.
    fn lines(&self, now: Moment, question: &Question, body: &[u8]) -> Result<Vec<Line>, Failure> {
        let lines = str::from_utf8(body).map_err(|_| Failure::Malformed)?;
        let text = question.checkpoint.body();
        let note = Note::parse_checkpoint(&format!("{text}\n{lines}"));
        let note = note.map_err(|_| Failure::Malformed)?;
        // A body with an empty line in it makes the lines before it part of the text, and a key of
        // type 0x04 signs any text.
        if note.text() != text {
            return Err(Failure::Malformed);
        }
        let mut found: Vec<Line> = Vec::new();
        for signature in note.signatures() {
            let Some((place, key)) = self.keys.iter().find(|(_, key)| {
                key.name() == signature.name() && key.key_id() == signature.key_id()
            }) else {
                continue;
            };
            if found.iter().any(|line| line.key == *place) {
                continue;
            }
            let at = key.verify(note.text().as_bytes(), signature.signature());
            let at = at.map_err(|_| Failure::WrongSignature)?.unwrap_or(0);
            let earliest = question.proposed_s.saturating_sub(CLOCKS_S);
            if !(earliest..=now.unix_s.saturating_add(CLOCKS_S)).contains(&at) {
                return Err(Failure::Time(at));
            }
            found.push(Line {
                key: *place,
                at,
                text: signature.to_string(),
            });
        }
        if found.is_empty() {
            return Err(Failure::Unsigned);
        }
        Ok(found)
    }
}

/// Reads the body of a 409: a decimal number and a line break.
fn size(body: &[u8]) -> Option<TreeSize> {
    let text = str::from_utf8(body).ok()?.strip_suffix('\n')?;
    parse_decimal(text).map(TreeSize::new)
}
