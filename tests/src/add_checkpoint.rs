//! Every refusal of `add-checkpoint` in C2SP tlog-witness, as one table that is asked of any
//! witness: ours must answer it byte for byte, and what others answer differently is written down.
//!
//! Out of scope: what a witness may choose, such as how long a request can be.

use crate::witness::{History, Said, request};
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::tree::TreeSize;

/// The size that a witness holds when it is asked, but for the rows that are about the first time.
pub const HELD: usize = 5;

/// The leaves of each log.
const LEAVES: u64 = 8;

/// A request that is refused.
#[derive(Debug, Clone)]
pub struct Row {
    /// What is wrong with it.
    pub case: &'static str,
    /// The size that the witness holds: 0 or [`HELD`].
    pub held: usize,
    /// The body.
    pub body: String,
    /// The status that the specification demands.
    pub status: u16,
    /// The body of our answer, which the specification leaves open: all but that of 409.
    pub answer: &'static str,
}

impl Row {
    /// Says how an answer differs from what the specification demands, if it does: the status, and
    /// of 409 the type and body.
    pub fn deviation(&self, said: &Said) -> Option<String> {
        if said.status != self.status {
            return Some(said.status.to_string());
        }
        let kind = said.headers.iter().find(|(name, _)| name == "content-type");
        let kind = kind.map_or("", |(_, value)| value);
        let as_specified = kind == "text/x.tlog.size" && said.body == self.answer;
        (said.status == 409 && !as_specified).then(|| format!("{kind}: {:?}", said.body))
    }
}

fn row(case: &'static str, body: String, status: u16, answer: &'static str) -> Row {
    Row {
        case,
        held: HELD,
        body,
        status,
        answer,
    }
}

/// The whole table, each row with a log of its own, so that nothing that a witness does about one
/// row changes the next: it may cosign where it should not, or know from then on that the log has
/// two histories.
pub fn rows() -> anyhow::Result<Vec<(History, Row)>> {
    let any = History::new("any.example", LEAVES)?;
    let (first, all) = (never(&any)?.len(), refused(&any)?.len());
    let mut rows = Vec::new();
    for number in 0..first + all {
        let log = History::new(&format!("log.example/row{number}"), LEAVES)?;
        let row = if number < first {
            never(&log)?.swap_remove(number)
        } else {
            refused(&log)?.swap_remove(number - first)
        };
        rows.push((log, row));
    }
    Ok(rows)
}

/// What a witness refuses that has cosigned nothing of the log.
fn never(log: &History) -> anyhow::Result<Vec<Row>> {
    let not_empty = Checkpoint {
        size: TreeSize::EMPTY,
        ..log.checkpoint(HELD)
    };
    let mut rows = vec![
        row("never: old is not 0", log.request(3, 8)?, 409, "0\n"),
        row(
            "never: size 0 with another root",
            request(0, &[], &not_empty.sign(log.key())),
            422,
            "the root of an empty tree is the SHA-256 of nothing\n",
        ),
        row(
            "never: old 0 with a proof",
            request(0, &[Hash::of(b"hash")], &log.note(8)),
            422,
            "a proof from an empty tree has no hashes\n",
        ),
    ];
    for row in &mut rows {
        row.held = 0;
    }
    Ok(rows)
}

/// What a witness refuses that holds the size [`HELD`] of the log.
fn refused(log: &History) -> anyhow::Result<Vec<Row>> {
    let mut rows = malformed(log)?;
    rows.extend(unsigned(log)?);
    rows.extend(inconsistent(log)?);
    Ok(rows)
}

/// 400: bodies that are no request.
fn malformed(log: &History) -> anyhow::Result<Vec<Row>> {
    let good = log.request(HELD, 8)?;
    let hashes = [Hash::of(b"hash"); 64];
    let old = "the first line of the request is not \"old <size>\"\n";
    let empty = "there is no empty line between consistency proof and checkpoint\n";
    let line = "line 1 of the consistency proof is not the base64 of 32 bytes\n";
    let many = "the consistency proof has more than 63 hashes\n";
    let note = "the checkpoint of the request cannot be read\n";
    let first = good.lines().nth(1).unwrap_or_default();
    let spelled = good.replacen(first, &respelled(first), 1);
    let text = log.note(8).replace("\n8\n", "\n08\n");
    let text = text.split("\n\n").next().unwrap_or_default().to_owned() + "\n";
    let leading = format!("{text}\n{}", log.key().sign(&text));
    let cut = good.trim_end_matches('\n').to_owned();
    let above = "the old size is larger than the checkpoint's\n";
    Ok(vec![
        row("an empty body", String::new(), 400, old),
        row("old 05", good.replace("old 5", "old 05"), 400, old),
        row("old -5", good.replace("old 5", "old -5"), 400, old),
        row("old +5", good.replace("old 5", "old +5"), 400, old),
        row(
            "old 2^64",
            good.replace("old 5", "old 18446744073709551616"),
            400,
            old,
        ),
        row("no checkpoint", "old 5\n".into(), 400, empty),
        row(
            "a hash without padding",
            good.replacen("=\n", "\n", 1),
            400,
            line,
        ),
        row("a hash in another spelling", spelled, 400, line),
        row(
            "64 hashes",
            request(HELD as u64, &hashes, &log.note(8)),
            400,
            many,
        ),
        row(
            "size 08, signed",
            request(HELD as u64, &[], &leading),
            400,
            note,
        ),
        row("no line break at the end", cut, 400, note),
        row("old above size", request(8, &[], &log.note(5)), 400, above),
    ])
}

/// The same bytes in a base64 that is not the one spelling, if it ends with one character of
/// padding: of the character before that two bits mean nothing and have to be 0, and every such
/// character has a successor.
pub fn respelled(base64: &str) -> String {
    let mut characters: Vec<char> = base64.chars().collect();
    if let [.., last, _] = &mut characters[..] {
        *last = char::from_u32(*last as u32 + 1).unwrap_or(*last);
    }
    characters.into_iter().collect()
}

/// 404 and 403: whose checkpoint it is.
fn unsigned(log: &History) -> anyhow::Result<Vec<Row>> {
    let stranger = History::new("stranger.example", 1)?;
    let by_stranger = log.checkpoint(8).sign(stranger.key());
    let moved = log.note(7).replace("\n7\n", "\n8\n");
    let unknown = "this log is not known here\n";
    let unsigned = "no key of this log that is known here signed the checkpoint\n";
    let wrong = "a signature by a key of this log is wrong\n";
    Ok(vec![
        row("an unknown log", stranger.request(0, 1)?, 404, unknown),
        row(
            "signed by a stranger",
            request(HELD as u64, &[], &by_stranger),
            403,
            unsigned,
        ),
        row(
            "a wrong signature",
            request(HELD as u64, &[], &moved),
            403,
            wrong,
        ),
    ])
}

/// 409 and 422: how it follows on what the witness holds.
fn inconsistent(log: &History) -> anyhow::Result<Vec<Row>> {
    let fork = log.fork(4);
    let other = "the checkpoint that was cosigned here has another root at this size\n";
    let proof = "the checkpoint is not proven to be consistent with the one that was cosigned \
        here\n";
    let extra = [Hash::of(b"hash")];
    let mut wrong = log.proof(HELD, 8)?;
    if let Some(hash) = wrong.first_mut() {
        *hash = Hash::of(b"hash");
    }
    let held = HELD as u64;
    Ok(vec![
        row("old 0, to learn the size", log.request(0, 8)?, 409, "5\n"),
        row("another old size", log.request(6, 8)?, 409, "5\n"),
        row(
            "the same size, another root",
            fork.request(HELD, HELD)?,
            422,
            other,
        ),
        row(
            "the same size, with a proof",
            request(held, &extra, &log.note(HELD)),
            422,
            proof,
        ),
        row("a fork", fork.request(HELD, 8)?, 422, proof),
        row("no proof", request(held, &[], &log.note(8)), 422, proof),
        row(
            "a wrong proof",
            request(held, &wrong, &log.note(8)),
            422,
            proof,
        ),
    ])
}

/// What a witness cosigns that holds [`HELD`], one after the other.
pub fn accepted(log: &History) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut strangers = log.note(8);
    for n in 0..15 {
        let stranger = History::new(&format!("stranger{n}.example"), 1)?;
        strangers += &stranger.key().sign(&log.checkpoint(8).body());
    }
    let proof = log.proof(HELD, 8)?;
    Ok(vec![
        ("the same size again", log.request(HELD, HELD)?),
        (
            "15 signatures of strangers beside the log's",
            request(HELD as u64, &proof, &strangers),
        ),
    ])
}
