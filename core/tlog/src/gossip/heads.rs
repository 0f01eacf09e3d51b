//! The heads of one log: its tip, and those that wait to be linked to it.

use super::deadline::{Settings, Standing, Waiting};
use super::digest::{NoteId, Point, Salt};
use super::link::{Fork, Question, VerifiedLink};
use super::sample::below;
use crate::head::VerifiedHead;
use crate::limits;
use crate::tree::TreeSize;
use std::cmp::Reverse;
use std::collections::VecDeque;

/// What became of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Placed {
    Known,
    First,
    /// Boxed: two heads are larger than anything else here.
    Waits(Box<Question>),
    Fork(Box<Fork>),
}

#[derive(Debug, Clone)]
struct Unlinked {
    head: VerifiedHead,
    waiting: Waiting,
}

/// The heads of one log, at most 1 + [`limits::GOSSIP_WAITING`], each of another size.
///
/// All but those that wait are known to be one history.
#[derive(Debug, Clone, Default)]
pub(super) struct Heads {
    /// The largest head of the history.
    tip: Option<VerifiedHead>,
    /// Beginnings of the tip, the latest last. Without their notes.
    linked: VecDeque<Point>,
    /// Heads that may be of this history, or not. Who came first stands first.
    unlinked: Vec<Unlinked>,
    /// How many heads have come for the places of the reservoir since one was free.
    offered: u64,
}

impl Heads {
    pub fn tip(&self) -> Option<&VerifiedHead> {
        self.tip.as_ref()
    }

    /// All heads, the tip first.
    pub fn all(&self) -> impl Iterator<Item = &VerifiedHead> {
        let unlinked = self.unlinked.iter().map(|unlinked| &unlinked.head);
        self.tip.iter().chain(unlinked)
    }

    /// Whether this head says nothing new.
    pub fn knows(&self, point: Point) -> bool {
        self.points().any(|known| known == point)
    }

    pub fn knows_note(&self, note: NoteId, salt: Salt) -> bool {
        self.points().any(|known| known.id(salt) == note)
    }

    /// The head that a peer calls by this name, or the tip.
    pub fn named(&self, note: NoteId, salt: Salt) -> Option<&VerifiedHead> {
        let named = self.all().find(|head| Point::of(head).id(salt) == note);
        named.or(self.tip())
    }

    fn points(&self) -> impl Iterator<Item = Point> {
        self.all().map(Point::of).chain(self.linked.iter().copied())
    }

    /// Takes a head, which is cut to its place's size.
    pub fn place(&mut self, head: VerifiedHead, now_ms: u64, random: u64) -> Placed {
        if let Some(fork) = Fork::alone(&head) {
            return Placed::Fork(Box::new(fork));
        }
        // Every tree extends the empty one, so that it says nothing.
        if head.size() == TreeSize::EMPTY || self.knows(Point::of(&head)) {
            return Placed::Known;
        }
        if let Some(fork) = self.all().find_map(|known| Fork::split(known, &head)) {
            return Placed::Fork(Box::new(fork));
        }
        let Some(tip) = &self.tip else {
            self.tip = Some(head);
            return Placed::First;
        };
        let source = Waiting::from(now_ms).first_source();
        let Some(question) = Question::between(tip, &head, source) else {
            return Placed::Known;
        };
        self.keep(head, now_ms, random);
        Placed::Waits(Box::new(question))
    }

    /// Keeps a head until it is linked: the one that waits longest, the largest, and of the others
    /// a sample in which each has the same chance, however many come (algorithm R of Vitter's
    /// "Random Sampling with a Reservoir", 1985).
    fn keep(&mut self, head: VerifiedHead, now_ms: u64, random: u64) {
        self.unlinked.push(Unlinked {
            head,
            waiting: Waiting::from(now_ms),
        });
        let mut others = self.others();
        if self.unlinked.len() <= limits::GOSSIP_WAITING {
            self.offered = others.len() as u64;
            return;
        }
        // One of the others comes to the reservoir now: the new head, or what was the largest
        // before it.
        let newest = self.unlinked.len() - 1;
        let comes = if others.last() != Some(&newest) {
            let sizes = others.iter().enumerate();
            let before = sizes.max_by_key(|(_, at)| self.unlinked[**at].head.size());
            before.map_or(0, |(place, _)| place)
        } else {
            others.len() - 1
        };
        let comes = others.swap_remove(comes);
        self.offered = self.offered.saturating_add(1);
        let offered = usize::try_from(self.offered).unwrap_or(usize::MAX);
        let out = others.get(below(random, offered)).copied();
        self.unlinked.remove(out.unwrap_or(comes));
    }

    /// Where those are that are neither the oldest, which stands first, nor the largest.
    fn others(&self) -> Vec<usize> {
        let largest = (0..self.unlinked.len()).max_by_key(|at| self.unlinked[*at].head.size());
        (1..self.unlinked.len())
            .filter(|at| Some(*at) != largest)
            .collect()
    }

    /// The questions that are due now, at most `most`.
    ///
    /// Of heads above the tip two are asked about at a time: the one that waits longest, so that
    /// the alarm comes in time, and whichever of the others was asked about least often, and of
    /// these the largest. Its answer moves the tip, and all others are below it then.
    ///
    /// Of heads below the tip one is asked about at a time, by the same order: a log whose old
    /// heads strangers submit is asked no more than that. The one that waits longest goes first.
    pub fn questions(&mut self, now_ms: u64, settings: Settings, most: usize) -> Vec<Question> {
        let Some(tip) = &self.tip else {
            return Vec::new();
        };
        let next_above = self.next_above(tip.size(), now_ms);
        let next_below = self.next_below(tip.size(), now_ms);
        let mut questions = Vec::new();
        for (at, unlinked) in self.unlinked.iter_mut().enumerate() {
            let is_below = unlinked.head.size() < tip.size();
            let next = if is_below { next_below } else { next_above };
            let has_turn = next == Some(at) || (at == 0 && !is_below);
            if questions.len() < most && has_turn && unlinked.waiting.is_due(now_ms) {
                let source = unlinked.waiting.ask(now_ms, settings);
                questions.extend(Question::between(tip, &unlinked.head, source));
            }
        }
        questions
    }

    /// The head above the tip, but for the one that waits longest, that is asked about next; none
    /// while an answer about another may still come.
    fn next_above(&self, tip: TreeSize, now_ms: u64) -> Option<usize> {
        let mut above: Vec<usize> = (1..self.unlinked.len()).collect();
        above.retain(|at| self.unlinked[*at].head.size() > tip);
        let mut waiting = above.iter().map(|at| &self.unlinked[*at].waiting);
        if waiting.any(|waiting| !waiting.is_due(now_ms)) {
            return None;
        }
        above.into_iter().min_by_key(|at| {
            let Unlinked { head, waiting } = &self.unlinked[*at];
            (waiting.asks(), Reverse(head.size()))
        })
    }

    /// The head below the tip that is asked about next: the one that waits longest if it is due,
    /// else whichever was asked about least often.
    fn next_below(&self, tip: TreeSize, now_ms: u64) -> Option<usize> {
        let due = (0..self.unlinked.len()).filter(|at| {
            let Unlinked { head, waiting } = &self.unlinked[*at];
            head.size() < tip && waiting.is_due(now_ms)
        });
        due.min_by_key(|at| {
            let Unlinked { head, waiting } = &self.unlinked[*at];
            (*at != 0, waiting.asks(), Reverse(head.size()))
        })
    }

    /// Takes what was proven of two heads. Returns what that shows.
    ///
    /// If the tip has moved on since the question, a head below it is linked all the same: what the
    /// tip extends, all extend that come after it.
    pub fn link(&mut self, link: &VerifiedLink) -> Option<Fork> {
        self.extend(link.older(), link.newer())
    }

    /// The same for two heads of which somebody trusted says that the newer one extends the other.
    fn extend(&mut self, older: &VerifiedHead, newer: &VerifiedHead) -> Option<Fork> {
        let newest = newer;
        let (older, newer) = (Point::of(older), Point::of(newer));
        let tip = Point::of(self.tip.as_ref()?);
        if older == tip {
            return self.advance(newest.clone());
        }
        if newer == tip || self.linked.contains(&newer) {
            self.remove(older);
        } else if self.linked.contains(&older) {
            self.ask_again(newer);
        }
        None
    }

    /// The same for heads of the caller's own, which is a better history than a head that came from
    /// somebody else and was never linked to anything: that one waits from now on.
    pub fn extend_own(
        &mut self,
        older: &VerifiedHead,
        newer: &VerifiedHead,
        now_ms: u64,
        random: u64,
    ) -> Option<Fork> {
        let is_apart =
            self.linked.is_empty() && self.waits(Point::of(older)) && self.waits(Point::of(newer));
        if !is_apart {
            return self.extend(older, newer);
        }
        let own = [Point::of(older), Point::of(newer)];
        self.unlinked
            .retain(|unlinked| !own.contains(&Point::of(&unlinked.head)));
        let stranger = self.tip.replace(newer.clone());
        self.remember(Point::of(older));
        if let Some(stranger) = stranger {
            self.keep(stranger, now_ms, random);
        }
        None
    }

    fn waits(&self, point: Point) -> bool {
        self.unlinked
            .iter()
            .any(|unlinked| Point::of(&unlinked.head) == point)
    }

    /// Nobody could be asked about this head.
    pub fn nobody(&mut self, head: &VerifiedHead) {
        let point = Point::of(head);
        let mut unlinked = self.unlinked.iter_mut();
        if let Some(unlinked) = unlinked.find(|unlinked| Point::of(&unlinked.head) == point) {
            unlinked.waiting.nobody();
        }
    }

    /// Makes `tip` the tip, which extends the one before.
    fn advance(&mut self, tip: VerifiedHead) -> Option<Fork> {
        let before = self.tip.replace(tip.clone());
        if let Some(before) = before {
            self.remember(Point::of(&before));
        }
        // There may be another of its size, if it came while this one had no place.
        let same = self
            .unlinked
            .iter()
            .position(|unlinked| unlinked.head.size() == tip.size())?;
        let other = self.unlinked.remove(same);
        Fork::split(&tip, &other.head)
    }

    /// Does not wait for this one any more: it is of the history.
    fn remove(&mut self, point: Point) {
        let count = self.unlinked.len();
        self.unlinked
            .retain(|unlinked| Point::of(&unlinked.head) != point);
        if self.unlinked.len() < count {
            self.remember(point);
        }
    }

    /// A head was linked to a tip that has moved on: that says nothing, and is nobody's fault.
    fn ask_again(&mut self, point: Point) {
        let mut unlinked = self.unlinked.iter_mut();
        if let Some(unlinked) = unlinked.find(|unlinked| Point::of(&unlinked.head) == point) {
            unlinked.waiting.again();
        }
    }

    fn remember(&mut self, point: Point) {
        if self.linked.len() == limits::GOSSIP_LINKED {
            self.linked.pop_front();
        }
        self.linked.push_back(point);
    }

    /// Does not wait for anything any more.
    pub fn close(&mut self) {
        self.unlinked = Vec::new();
    }

    /// Whether a head has waited too long.
    pub fn standing(&self, now_ms: u64, settings: Settings) -> Standing {
        let mut overdue = self
            .unlinked
            .iter()
            .filter(|unlinked| unlinked.waiting.is_overdue(now_ms, settings));
        overdue
            .next()
            .map_or(Standing::Clear, |unlinked| Standing::Suspect {
                size: unlinked.head.size(),
                since_ms: unlinked.waiting.since_ms,
            })
    }

    /// About how many bytes of memory it takes, without the log's keys.
    pub fn bytes(&self) -> usize {
        let notes: usize = self
            .all()
            .map(|head| head.note().len() + head.origin().len())
            .sum();
        notes
            + size_of::<Self>()
            + self.unlinked.capacity() * size_of::<Unlinked>()
            + self.linked.capacity() * size_of::<Point>()
    }
}
