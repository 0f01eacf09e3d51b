//! Lines that come too often. Who makes a node log a line for each of their calls must not fill its
//! disk, nor hide what else it says.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tracing::{Event, Level, Metadata, Subscriber, callsite::Identifier};
use tracing_subscriber::{
    filter::LevelFilter,
    layer::{Context, Filter},
};

/// Most lines from one place in the code in one [`WINDOW`].
const LINES: u32 = 60;

/// For how long lines are counted together.
const WINDOW: Duration = Duration::from_secs(60);

/// Lets [`LINES`] lines a minute of information and worse pass from each place in the code, and
/// counts the others.
#[derive(Debug, Default)]
pub(super) struct Often {
    places: Mutex<HashMap<Identifier, Place>>,
}

/// One place in the code.
#[derive(Debug)]
struct Place {
    since: Instant,
    lines: u32,
}

impl Often {
    /// Whether a line from there is written now.
    fn passes(&self, place: Identifier, now: Instant) -> bool {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(place).or_insert(Place {
            since: now,
            lines: 0,
        });
        if now.saturating_duration_since(place.since) >= WINDOW {
            *place = Place {
                since: now,
                lines: 0,
            };
        }
        place.lines = place.lines.saturating_add(1);
        place.lines <= LINES
    }
}

impl<S: Subscriber> Filter<S> for Often {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    // It leaves the choice of levels to whatever filter stands beside it.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let metadata = event.metadata();
        // Whoever asks for more lines than a node says by itself wants all of them.
        let passes =
            *metadata.level() > Level::INFO || self.passes(metadata.callsite(), Instant::now());
        if !passes {
            metrics::counter!("assay_log_lines_left_out_total").increment(1);
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::{callsite::Callsite as _, metadata::Kind};

    fn places() -> [Identifier; 2] {
        let first = tracing::callsite! {
            name: "first", kind: Kind::EVENT, level: Level::WARN, fields: message
        };
        let second = tracing::callsite! {
            name: "second", kind: Kind::EVENT, level: Level::WARN, fields: message
        };
        [first, second].map(|place| place.metadata().callsite())
    }

    #[test]
    fn a_place_has_so_many_lines_a_minute_and_takes_none_from_another() {
        let (often, start) = (Often::default(), Instant::now());
        let [first, second] = places();
        let passed = (0..1000).filter(|_| often.passes(first.clone(), start));
        assert_eq!(passed.count(), LINES as usize);
        assert!(often.passes(second, start));
        let last = WINDOW - Duration::from_nanos(1);
        assert!(!often.passes(first.clone(), start + last));
        assert!(often.passes(first, start + WINDOW));
    }
}
