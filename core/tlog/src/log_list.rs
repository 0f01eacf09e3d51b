//! Lists of logs that ask to be witnessed (C2SP tlog-list, `logs/v0`).
//!
//! ```text
//! logs/v0
//! vkey <verifier key>
//! origin <origin>                  optional; else the key's name
//! qpd <requests a day, 1 to 2^31 − 1>
//! contact <text for people>
//! ```
//!
//! The four lines stand once for each log, in this order. Spaces and tabs around a line, empty
//! lines, and lines that begin with `#` count for nothing. Older drafts had a line `bastion`, and
//! `none` as an origin: both are refused.
//!
//! **A list only adds.** Whoever can change a list must not be able to change the key of a log that
//! is witnessed, or to have one forgotten: [`LogList::additions`]. Left out: fetching lists.

use crate::decimal::parse_decimal;
use crate::head::{LogVerifier, LogVerifierError};
use crate::limits;
use crate::note::{KeyError, VerifierKey};
use std::collections::BTreeSet;

/// Why text is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogListError {
    /// Larger than [`limits::LIST_BYTES`].
    #[error("the list has {0} bytes; at most {max} are read", max = limits::LIST_BYTES)]
    TooLong(usize),
    /// Not UTF-8, or a line has control characters within it.
    #[error("line {0} of the list is not plain text")]
    NotText(usize),
    /// A line, counted from 1, is not what the format has there.
    #[error("line {line} of the list is not {expected}")]
    Line {
        /// The line; one more than there are, if the list ends too early.
        line: usize,
        /// What it should be.
        expected: &'static str,
    },
    /// More than [`limits::LIST_LOGS`] logs.
    #[error("the list has more than {max} logs", max = limits::LIST_LOGS)]
    TooManyLogs,
    /// A key is malformed.
    #[error("line {line} of the list has no key: {error}")]
    Key {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        error: KeyError,
    },
    /// Two logs have one origin.
    #[error("line {line} of the list is of a log that stands above")]
    SameOrigin {
        /// The line of the second log's key, counted from 1.
        line: usize,
    },
}

/// A log that asks to be witnessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedLog {
    /// Its origin and key.
    pub verifier: LogVerifier,
    /// How many requests it makes a day, at most.
    pub requests_per_day: u32,
    /// How people reach its operator. It is untrusted text of one line.
    pub contact: String,
}

/// A log on a list that cannot be witnessed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedLog {
    /// The line of its key, counted from 1.
    pub line: usize,
    /// Why.
    pub reason: SkipReason,
}

/// Why a log on a list cannot be witnessed here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// Its key is of a type that is not known.
    #[error("{0}")]
    Key(KeyError),
    /// Its key is no log's, or its origin none that can be cosigned.
    #[error("{0}")]
    Log(LogVerifierError),
}

/// A list that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogList {
    /// The logs, in their order, no two with one origin.
    pub logs: Vec<ListedLog>,
    /// What stands on the list and cannot be witnessed here. A new type of key does not keep the
    /// other logs out.
    pub skipped: Vec<SkippedLog>,
}

/// What a list changes: it adds logs, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Additions {
    /// Logs that are new.
    pub new: Vec<ListedLog>,
    /// Origins that are known with other keys. They are left as they are, and the operator is told.
    pub differing: Vec<String>,
}

impl LogList {
    /// Reads a list. Fails with [`LogListError`], and then nothing of the list counts.
    pub fn parse(bytes: &[u8]) -> Result<Self, LogListError> {
        if bytes.len() > limits::LIST_BYTES {
            return Err(LogListError::TooLong(bytes.len()));
        }
        let text = str::from_utf8(bytes).map_err(|error| {
            let before = bytes[..error.valid_up_to()].iter();
            LogListError::NotText(before.filter(|byte| **byte == b'\n').count() + 1)
        })?;
        let mut lines = Lines::new(text)?;
        lines.exactly("logs/v0", "the header, logs/v0")?;
        let mut list = LogList::default();
        let mut origins = BTreeSet::new();
        while !lines.is_at_end() {
            if list.logs.len() + list.skipped.len() == limits::LIST_LOGS {
                return Err(LogListError::TooManyLogs);
            }
            list.read_log(&mut lines, &mut origins)?;
        }
        Ok(list)
    }

    fn read_log<'a>(
        &mut self,
        lines: &mut Lines<'a>,
        origins: &mut BTreeSet<&'a str>,
    ) -> Result<(), LogListError> {
        let line = lines.number();
        let vkey = lines.value("vkey", "vkey and a key")?;
        let of_origin = lines.number();
        let origin = lines.optional("origin");
        if origin == Some("none") {
            return Err(LogListError::Line {
                line: of_origin,
                expected: "an origin; without one there is no such line",
            });
        }
        let qpd = lines.number();
        let requests_per_day = parse_decimal(lines.value("qpd", "qpd and a number")?)
            .and_then(|number| i32::try_from(number).ok())
            .filter(|number| *number > 0)
            .ok_or(LogListError::Line {
                line: qpd,
                expected: "qpd and a number from 1 to 2147483647",
            })?;
        let contact = lines.value("contact", "contact and a text")?.to_owned();
        let name = vkey.split('+').next().unwrap_or_default();
        let origin = origin.unwrap_or(name);
        if !origins.insert(origin) {
            return Err(LogListError::SameOrigin { line });
        }
        let key = match VerifierKey::parse(vkey) {
            Ok(key) => key,
            Err(error @ KeyError::Algorithm(_)) => {
                let reason = SkipReason::Key(error);
                self.skipped.push(SkippedLog { line, reason });
                return Ok(());
            }
            Err(error) => return Err(LogListError::Key { line, error }),
        };
        match LogVerifier::new(origin, vec![key]) {
            Ok(verifier) => self.logs.push(ListedLog {
                verifier,
                requests_per_day: requests_per_day.unsigned_abs(),
                contact,
            }),
            Err(error) => {
                let reason = SkipReason::Log(error);
                self.skipped.push(SkippedLog { line, reason });
            }
        }
        Ok(())
    }

    /// Returns what the list adds to the logs that are `known`. A log that is known stays as it is,
    /// whether the list has it, with this key or another, or no longer.
    pub fn additions<'a>(&self, known: impl IntoIterator<Item = &'a LogVerifier>) -> Additions {
        let known: std::collections::BTreeMap<&str, &LogVerifier> =
            known.into_iter().map(|log| (log.origin(), log)).collect();
        let mut additions = Additions {
            new: Vec::new(),
            differing: Vec::new(),
        };
        for log in &self.logs {
            let origin = log.verifier.origin();
            match known.get(origin) {
                None => additions.new.push(log.clone()),
                // A known log may have more keys than a list can say.
                Some(known)
                    if log
                        .verifier
                        .keys()
                        .iter()
                        .all(|key| known.keys().contains(key)) => {}
                Some(_) => additions.differing.push(origin.to_owned()),
            }
        }
        additions
    }
}

/// The lines that count, with their numbers.
struct Lines<'a> {
    lines: std::iter::Peekable<std::vec::IntoIter<(usize, &'a str)>>,
    end: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Result<Self, LogListError> {
        let mut lines = Vec::new();
        let mut end = 1;
        for (i, line) in text.split('\n').enumerate() {
            end = i + 1;
            let line = line.trim_matches([' ', '\t']);
            if line.contains(char::is_control) {
                return Err(LogListError::NotText(i + 1));
            }
            if !line.is_empty() && !line.starts_with('#') {
                lines.push((i + 1, line));
            }
        }
        Ok(Lines {
            lines: lines.into_iter().peekable(),
            end,
        })
    }

    fn is_at_end(&mut self) -> bool {
        self.lines.peek().is_none()
    }

    /// The number of the next line.
    fn number(&mut self) -> usize {
        self.lines.peek().map_or(self.end, |(number, _)| *number)
    }

    fn exactly(&mut self, text: &str, expected: &'static str) -> Result<(), LogListError> {
        let line = self.number();
        match self.lines.next_if(|(_, found)| *found == text) {
            Some(_) => Ok(()),
            None => Err(LogListError::Line { line, expected }),
        }
    }

    /// What follows the keyword and one space, if the next line has them.
    fn optional(&mut self, keyword: &str) -> Option<&'a str> {
        let (_, line) = self.lines.peek()?;
        let value = line.strip_prefix(keyword)?.strip_prefix(' ')?;
        if value.starts_with([' ', '\t']) {
            return None;
        }
        self.lines.next();
        Some(value)
    }

    fn value(&mut self, keyword: &str, expected: &'static str) -> Result<&'a str, LogListError> {
        let line = self.number();
        self.optional(keyword)
            .ok_or(LogListError::Line { line, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{Algorithm, CosignerKey, SignerKey};

    fn vkey(name: &str, seed: u8) -> String {
        let key = SignerKey::from_seed(name, &[seed; 32]).unwrap();
        key.verifier().to_string()
    }

    fn entry(vkey: &str) -> String {
        format!("vkey {vkey}\nqpd 24\ncontact c\n")
    }

    fn parse(text: &str) -> Result<LogList, LogListError> {
        LogList::parse(text.as_bytes())
    }

    #[test]
    fn a_list_is_read() {
        let (a, b) = (vkey("a.example/log", 1), vkey("b.example/log", 2));
        let ml_dsa = CosignerKey::from_seed("c.example/log", Algorithm::MlDsa44, &[3; 32]);
        let c = ml_dsa.unwrap().verifier().to_string();
        let text = [
            "  # List: test\n\n\t logs/v0 \n\n# one\n",
            &format!("vkey {a}\n\t qpd 86400\ncontact https://a.example\t\n"),
            &format!("vkey {b}\norigin another name\nqpd 2147483647\ncontact who (at) b.example\n"),
            &format!("vkey {c}\nqpd 1\ncontact c | d\n# the end"),
        ]
        .concat();
        let list = parse(&text).unwrap();
        assert_eq!(list.skipped, []);
        let read: Vec<_> = list
            .logs
            .iter()
            .map(|log| {
                let key = log.verifier.keys()[0].to_string();
                let origin = log.verifier.origin();
                (key, origin, log.requests_per_day, &log.contact[..])
            })
            .collect();
        let expected = [
            (a, "a.example/log", 86_400, "https://a.example"),
            (b, "another name", 2_147_483_647, "who (at) b.example"),
            (c, "c.example/log", 1, "c | d"),
        ];
        assert_eq!(read, expected);
        for empty in ["logs/v0", "logs/v0\n", "# nothing yet\nlogs/v0\n\n"] {
            assert_eq!(parse(empty), Ok(LogList::default()));
        }
    }

    const OF_KEY: &str = "vkey and a key";
    const OF_QPD: &str = "qpd and a number";
    const OF_CONTACT: &str = "contact and a text";

    fn wrong(line: usize, expected: &'static str) -> LogListError {
        LogListError::Line { line, expected }
    }

    fn refuses<const N: usize>(cases: [(String, LogListError); N]) {
        for (text, error) in cases {
            assert_eq!(parse(&text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_list_without_its_header_is_refused() {
        let header = "the header, logs/v0";
        let one = entry(&vkey("a.example/log", 1));
        refuses([
            (String::new(), wrong(1, header)),
            ("\n\n".into(), wrong(3, header)),
            (one.clone(), wrong(1, header)),
            (format!("logs/v1\n{one}"), wrong(1, header)),
            ("logs/v0\nlogs/v0\n".into(), wrong(2, OF_KEY)),
            (format!("logs/v0\n{one}logs/v0\n"), wrong(5, OF_KEY)),
            ("logs/v0\r\n".into(), LogListError::NotText(1)),
            ("logs/v0\n# \u{1b}[2J\n".into(), LogListError::NotText(2)),
        ]);
        let not_utf8 = LogList::parse(b"logs/v0\n# \xff\n");
        assert_eq!(not_utf8, Err(LogListError::NotText(2)));
    }

    #[test]
    fn lines_out_of_order_are_refused() {
        let key = format!("logs/v0\nvkey {}", vkey("a.example/log", 1));
        let more = entry(&vkey("b.example/log", 2));
        let number = "qpd and a number from 1 to 2147483647";
        let no_origin = "an origin; without one there is no such line";
        refuses([
            (key.replace("vkey ", "qpd 24\nvkey "), wrong(2, OF_KEY)),
            (key.replace("vkey ", "vkey  "), wrong(2, OF_KEY)),
            (key.clone(), wrong(2, OF_QPD)),
            (format!("{key}\ncontact c\n"), wrong(3, OF_QPD)),
            (format!("{key}\norigin a\norigin b\n"), wrong(4, OF_QPD)),
            (format!("{key}\norigin  a\n"), wrong(3, OF_QPD)),
            (format!("{key}\norigin none\n"), wrong(3, no_origin)),
            (format!("{key}\nbastion none\nqpd 1\n"), wrong(3, OF_QPD)),
            (format!("{key}\nqpd 24\norigin o\n"), wrong(4, OF_CONTACT)),
            (format!("{key}\nqpd 24\ncontact\n"), wrong(4, OF_CONTACT)),
            (format!("{key}\nqpd 24\n{more}"), wrong(4, OF_CONTACT)),
        ]);
        for qpd in [
            "0",
            "024",
            "2147483648",
            "+24",
            "1.5",
            "99999999999999999999",
        ] {
            refuses([(format!("{key}\nqpd {qpd}\ncontact c"), wrong(3, number))]);
        }
    }

    #[test]
    fn an_origin_stands_once_and_a_key_is_one() {
        let one = entry(&vkey("a.example/log", 1));
        let other = vkey("b.example/log", 2);
        let renamed = format!("vkey {other}\norigin a.example/log\nqpd 1\ncontact c");
        let same = LogListError::SameOrigin { line: 5 };
        let key = LogListError::Key {
            line: 2,
            error: KeyError::Format,
        };
        refuses([
            (format!("logs/v0\n{one}{one}"), same.clone()),
            (format!("logs/v0\n{one}{renamed}"), same),
            (format!("logs/v0\n{}", entry("a.example")), key),
        ]);
    }

    #[test]
    fn a_list_is_bounded() {
        let long = vec![b'#'; limits::LIST_BYTES + 1];
        let refused = LogList::parse(&long);
        assert_eq!(refused, Err(LogListError::TooLong(long.len())));
        // Keys of an unknown type are read fastest.
        let mut text = String::from("logs/v0\n");
        for n in 0..=limits::LIST_LOGS {
            text.push_str(&entry(&format!("{n}+00000000+Bw==")));
        }
        assert_eq!(parse(&text), Err(LogListError::TooManyLogs));
    }

    #[test]
    fn logs_that_cannot_be_witnessed_are_skipped_and_the_others_read() {
        let unknown = "u.example+00000000+Bw==";
        let cosigner = CosignerKey::from_seed("w.example", Algorithm::CosignatureV1, &[3; 32]);
        let cosigner = cosigner.unwrap().verifier().to_string();
        let good = vkey("a.example/log", 1);
        let text = format!(
            "logs/v0\n{}{}{}",
            entry(unknown),
            entry(&cosigner),
            entry(&good)
        );
        let list = parse(&text).unwrap();
        assert_eq!(list.logs.len(), 1);
        let name = "w.example".into();
        let skipped = [
            SkippedLog {
                line: 2,
                reason: SkipReason::Key(KeyError::Algorithm(7)),
            },
            SkippedLog {
                line: 5,
                reason: SkipReason::Log(LogVerifierError::KeyType { name }),
            },
        ];
        assert_eq!(list.skipped, skipped);
    }

    #[test]
    fn a_list_only_adds() {
        let key = |name: &str, seed| VerifierKey::parse(&vkey(name, seed)).unwrap();
        let known = [
            // With a second key, which the list does not have.
            LogVerifier::new("a", vec![key("a", 1), key("a", 2)]).unwrap(),
            LogVerifier::new("b", vec![key("b", 3)]).unwrap(),
            LogVerifier::new("gone", vec![key("gone", 4)]).unwrap(),
        ];
        let text = ["a", "b", "new"].map(|name| entry(&vkey(name, 1))).concat();
        let list = parse(&format!("logs/v0\n{text}")).unwrap();
        let additions = list.additions(&known);
        let new: Vec<_> = additions
            .new
            .iter()
            .map(|log| log.verifier.origin())
            .collect();
        assert_eq!(new, ["new"]);
        assert_eq!(additions.differing, ["b"]);
    }
}
