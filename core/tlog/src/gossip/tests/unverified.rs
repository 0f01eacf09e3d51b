//! Heads whose signature is not by the key that is known.

use super::exchanges::opened;
use super::*;

/// A log whose keys share an id signs with one of them for each peer. What else the peer says
/// counts, and the exchange goes on.
#[test]
fn a_head_by_another_key_of_the_same_id_is_left_out_and_counted() {
    let tree = Branch::new(20);
    let (mut pool, mut exchange, _) = opened();
    let lines = [5, 6].map(|note| Line {
        log: LogId::of(ORIGIN),
        note: NoteId(note),
    });
    let turn = Turn {
        lines: lines.into(),
        ..Turn::default()
    };
    let _ = exchange.receive(&mut pool, &turn, 0, 0).unwrap();
    assert_eq!(exchange.reply(&pool, vec![]).unwrap().wanted.len(), 2);
    let turn = Turn {
        notes: vec![
            tree.head(9).note().replace("\n9\n", "\n8\n"),
            tree.fork(3).head(7).note().to_owned(),
        ],
        ..Turn::default()
    };
    let received = exchange.receive(&mut pool, &turn, 0, 0).unwrap();
    assert_eq!((received.unverified, received.forks.len()), (1, 1));
}
