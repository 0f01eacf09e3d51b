//! Whatever witnesses do, in whatever order.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

/// What a witness of the property test does with a question.
#[derive(Debug, Clone, Copy)]
enum Does {
    Cosigns,
    Fails,
    Lies,
    IsSlow,
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        4 => Just(Does::Cosigns),
        1 => Just(Does::Fails),
        1 => Just(Does::Lies),
        2 => Just(Does::IsSlow),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever witnesses do and in whatever order they answer: nothing is shown without a quorum,
    /// sizes that are shown never fall, and with all witnesses back the last candidate is shown.
    #[test]
    fn nothing_is_shown_without_a_quorum(
        deeds in prop::collection::vec((does(), 0..40_u64, any::<bool>()), 1..60),
    ) {
        let (k, n) = (2, 3);
        let mut run = cosigning(k, n);
        let (mut now, mut size, mut shown) = (0, 1, 0);
        let mut open: VecDeque<Ask> = VecDeque::new();
        run.propose(at(now), head(size));
        let mut look = |run: &mut Cosigning, open: &mut VecDeque<Ask>, now| {
            let step = run.step(at(now));
            open.extend(step.asks);
            if let Some(Event::Witnessed { note }) = step.event {
                let verified = policy(k, n).with_log(&log().verifier()).verify(&note).unwrap();
                let size = verified.checkpoint().size.get();
                assert!(size >= shown, "{size} after {shown}");
                shown = size;
            }
            shown
        };
        for (does, wait, grows) in deeds {
            now += wait;
            look(&mut run, &mut open, now);
            if grows {
                size += 1;
                run.propose(at(now), head(size));
                look(&mut run, &mut open, now);
            }
            let Some(ask) = open.pop_front() else { continue };
            match does {
                Does::IsSlow => open.push_back(ask),
                Does::Cosigns => {
                    run.answered(at(now), &ask, &cosigned(&ask, at(now).unix_s), wait);
                }
                Does::Fails => {
                    run.answered(at(now), &ask, &Reply::Unreachable, wait);
                }
                Does::Lies => {
                    let other = Ask { size: TreeSize::new(ask.size.get() + 1), ..ask.clone() };
                    let reply = cosigned(&other, at(now).unix_s);
                    let heard = run.answered(at(now), &ask, &reply, wait);
                    assert_eq!(heard, Heard::Failed(Failure::WrongSignature));
                }
            }
        }
        for _ in 0..200 {
            now += 1000;
            look(&mut run, &mut open, now);
            for ask in std::mem::take(&mut open) {
                run.answered(at(now), &ask, &cosigned(&ask, at(now).unix_s), 0);
            }
        }
        assert_eq!(look(&mut run, &mut open, now + 1000), size);
    }
}
