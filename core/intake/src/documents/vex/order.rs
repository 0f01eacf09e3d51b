//! Sets of versions that bounds describe, as the constraints of `vers:` ranges.
//!
//! The versions that bounds name are put on a line. Its places are what is below the first of them,
//! that version itself, what is between it and the next one, and so on: a set of versions is some
//! of these places. What is written of it has each version once, as a `vers:` range has to.

use assay_claims::limits::PURL_BYTES;
use assay_claims::vers::{self, Applies};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Most bounds of a range that are put in order.
pub(super) const BOUNDS: usize = 1000;

/// A comparator of `vers:` ranges, such as `<`, and a version.
pub(super) type Bound<'v> = (&'v str, Cow<'v, str>);

/// What some of the places of a line are: in a set, or not.
type Places = Vec<bool>;

/// The constraints of the versions that meet all bounds of any group. `None` if that is no version
/// or every one, which nobody writes with bounds, or if it cannot be told.
pub(super) fn any_of(scheme: &str, ty: &str, groups: &[Vec<Bound<'_>>]) -> Option<String> {
    let constraints = match Line::of(scheme, ty, groups.iter().flatten()) {
        Some(line) => line.constraints(&line.any_of(groups)?),
        None => as_written(groups),
    };
    constraints.filter(|constraints| constraints != ALL)
}

/// The constraints of a `vers:` range, in any order, as groups of which one has to be met. `None`
/// if two follow each other of which one says nothing, or if there are too many: what is left out
/// is left out of every group.
pub(super) fn paired<'v>(
    scheme: &str,
    ty: &str,
    constraints: &[Bound<'v>],
) -> Option<Vec<Vec<Bound<'v>>>> {
    if constraints.len() > BOUNDS {
        return None;
    }
    let mut bounds: Vec<&Bound<'v>> = constraints.iter().collect();
    if let Some(line) = Line::of(scheme, ty, constraints.iter()) {
        // Of one version the beginning comes before the end: then it is that version.
        bounds.sort_by_key(|(sign, version)| (line.rank(version), !opens(sign)));
    }
    let (mut groups, mut points, mut holes) = (Vec::<Vec<Bound<'v>>>::new(), vec![], vec![]);
    for bound in bounds {
        let last = groups.last().and_then(|group| group.last());
        let begun = last.map(|(sign, _)| opens(sign));
        match (bound.0, begun) {
            ("=", _) => points.push(vec![bound.clone()]),
            ("!=", _) => holes.push(bound.clone()),
            (sign, Some(begun)) if begun == opens(sign) => return None,
            (_, Some(true)) => groups.last_mut()?.push(bound.clone()),
            _ => groups.push(vec![bound.clone()]),
        }
    }
    groups.extend(points);
    if groups.is_empty() {
        groups.push(Vec::new());
    }
    if groups.len() * holes.len() > BOUNDS {
        return None;
    }
    for group in &mut groups {
        group.extend(holes.iter().cloned());
    }
    Some(groups)
}

/// The constraints of the versions that events leave: those where something is introduced and not
/// mended, and that are below any limit, if there are limits (OSV schema, "Evaluation").
/// `from_all` says that it is in the first version of all. `None` if that is no version, or if it
/// cannot be told.
pub(super) fn of_events(
    scheme: &str,
    ty: &str,
    (events, from_all): (&[Bound<'_>], bool),
    limits: &[Bound<'_>],
) -> Option<String> {
    let Some(line) = Line::of(scheme, ty, events.iter().chain(limits)) else {
        let begins = events.first().is_some_and(|(sign, _)| opens(sign));
        let groups = paired(scheme, ty, events)?;
        return as_written(&groups).filter(|_| limits.is_empty() && begins != from_all);
    };
    let mut places = line.begun(events, from_all)?;
    if !limits.is_empty() {
        let limits: Vec<_> = limits.iter().map(|limit| vec![limit.clone()]).collect();
        let below = line.any_of(&limits)?;
        for (place, is_below) in places.iter_mut().zip(below) {
            *place &= is_below;
        }
    }
    line.constraints(&places)
}

/// Whether events of which [`of_events`] tells no versions may be of some without an end: unless
/// those are known to be none, or to lie below a limit, or all begin below every end.
pub(super) fn may_go_on(
    scheme: &str,
    ty: &str,
    (events, limits): (&[Bound<'_>], &[Bound<'_>]),
) -> bool {
    let has_begun = events.iter().any(|(sign, _)| opens(sign));
    let ends = events.iter().any(|(sign, _)| closes(sign));
    limits.is_empty() && (has_begun || !ends) && Line::of(scheme, ty, events.iter()).is_none()
}

/// The same constraints in parts of at most so many bytes, of which each by itself says of versions
/// that they are in it: for what has no room for all. One part, if they do not come in pairs.
pub(super) fn in_parts(constraints: &str, most: usize) -> Vec<String> {
    if constraints.len() <= most || constraints.contains('!') {
        return vec![constraints.to_owned()];
    }
    let mut parts: Vec<String> = Vec::new();
    let mut begun: Option<&str> = None;
    for one in constraints.split('|') {
        if opens(one) && begun.is_none() {
            begun = Some(one);
            continue;
        }
        let pair = begun.take().into_iter().chain([one]);
        let pair = pair.collect::<Vec<_>>().join("|");
        match parts.last_mut() {
            Some(last) if last.len() + pair.len() < most => {
                last.push('|');
                last.push_str(&pair);
            }
            _ => parts.push(pair),
        }
    }
    parts.extend(begun.map(str::to_owned));
    parts
}

/// The constraints of all versions.
const ALL: &str = "*";

/// Whether a range goes on above a bound.
fn opens(sign: &str) -> bool {
    sign.starts_with('>')
}

/// Whether a range ends at a bound.
fn closes(sign: &str) -> bool {
    sign.starts_with('<')
}

/// Whether a bound lets in what is so to its version.
fn lets_in(sign: &str, order: Ordering) -> bool {
    match sign {
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        "!=" => order.is_ne(),
        _ => order.is_eq(),
    }
}

/// Groups as constraints, as they are written: for versions whose order is not known here. Only
/// what is right wherever they turn out to be in order, as whoever reads them has to see.
fn as_written(groups: &[Vec<Bound<'_>>]) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let (is_first, is_last) = (at == 0, at + 1 == groups.len());
        let is_plain = match group.as_slice() {
            [(begin, _), (end, _)] => opens(begin) && closes(end),
            [(sign, _)] => {
                *sign == "="
                    || (is_first && is_last)
                    || (is_first && closes(sign))
                    || (is_last && opens(sign))
            }
            _ => false,
        };
        if !is_plain {
            return None;
        }
        all.extend(group.iter().map(|(sign, version)| written(sign, version)));
    }
    Some(all.join("|"))
}

/// A constraint; that it is just this version has no sign.
fn written(sign: &str, version: &str) -> String {
    format!("{}{version}", if sign == "=" { "" } else { sign })
}

/// The versions that bounds name.
struct Line<'v> {
    scheme: &'v str,
    ty: &'v str,
    /// In ascending order, and each once.
    versions: Vec<&'v str>,
    /// Where each of them stands among these, in all its spellings.
    ranks: HashMap<&'v str, usize>,
}

impl<'v> Line<'v> {
    /// `None` if their order is not known here, or if there are too many, or too long ones.
    fn of(
        scheme: &'v str,
        ty: &'v str,
        bounds: impl Iterator<Item = &'v Bound<'v>>,
    ) -> Option<Self> {
        let mut line = Line {
            scheme,
            ty,
            versions: Vec::new(),
            ranks: HashMap::new(),
        };
        let mut spellings: HashMap<&str, &str> = HashMap::new();
        for (count, (_, version)) in bounds.enumerate() {
            if count == BOUNDS || version.len() > PURL_BYTES {
                return None;
            }
            if spellings.contains_key(&**version) {
                continue;
            }
            let first = match line.search(version)? {
                Ok(at) => line.versions.get(at)?,
                Err(at) => {
                    line.versions.insert(at, version);
                    &**version
                }
            };
            spellings.insert(version, first);
        }
        let ranks: HashMap<&str, usize> = line.versions.iter().copied().zip(0..).collect();
        for (version, first) in spellings {
            line.ranks.insert(version, *ranks.get(first)?);
        }
        Some(line)
    }

    /// Where a version stands, or where it would. `None` if that cannot be told.
    fn search(&self, version: &str) -> Option<Result<usize, usize>> {
        let mut is_known = true;
        let found = self.versions.binary_search_by(|one| {
            let order = self.order(one, version);
            is_known &= order.is_some();
            order.unwrap_or(Ordering::Equal)
        });
        is_known.then_some(found)
    }

    fn order(&self, one: &str, other: &str) -> Option<Ordering> {
        if one == other {
            return Some(Ordering::Equal);
        }
        // A tag such as `v4` is no version of an action, which is moved, and yet a bound.
        let scheme = match self.scheme {
            "githubactions" => "semver",
            scheme => scheme,
        };
        let is = |sign| vers::contains(&format!("vers:{scheme}/{sign}{other}"), self.ty, one);
        let below = is("<");
        if below == Applies::Yes {
            return Some(Ordering::Less);
        }
        match (below, is(">")) {
            (_, Applies::Yes) => Some(Ordering::Greater),
            (Applies::No, Applies::No) => Some(Ordering::Equal),
            _ => None,
        }
    }

    fn rank(&self, version: &str) -> Option<usize> {
        self.ranks.get(version).copied()
    }

    /// The place of a version itself.
    fn place(&self, version: &str) -> Option<usize> {
        Some(2 * self.rank(version)? + 1)
    }

    /// Places that all are in a set, or are not.
    fn places(&self, are_in: bool) -> Places {
        vec![are_in; 2 * self.versions.len() + 1]
    }

    /// What meets all bounds of any group.
    fn any_of(&self, groups: &[Vec<Bound<'_>>]) -> Option<Places> {
        let mut any = self.places(false);
        for group in groups {
            let mut all = self.places(true);
            for (sign, version) in group {
                let (below, rest) = all.split_at_mut_checked(self.place(version)?)?;
                let (own, above) = rest.split_at_mut_checked(1)?;
                let parts = [
                    (below, Ordering::Less),
                    (own, Ordering::Equal),
                    (above, Ordering::Greater),
                ];
                for (part, order) in parts {
                    if !lets_in(sign, order) {
                        part.fill(false);
                    }
                }
            }
            for (any, all) in any.iter_mut().zip(all) {
                *any |= all;
            }
        }
        Some(any)
    }

    /// What lies behind a beginning and before an end. What ends at a version and begins there goes
    /// on; what had not begun is this version alone.
    fn begun(&self, events: &[Bound<'_>], from_all: bool) -> Option<Places> {
        let mut at_each: Vec<Vec<&str>> = vec![Vec::new(); self.versions.len()];
        for (sign, version) in events {
            at_each.get_mut(self.rank(version)?)?.push(sign);
        }
        let mut with_events = at_each.iter().filter(|signs| !signs.is_empty());
        let first = with_events.next();
        // What ends and never began was there from the first.
        let ends_first = first.is_none_or(|signs| signs.iter().all(|sign| closes(sign)));
        let (mut places, mut begun) = (Vec::new(), from_all || ends_first);
        for signs in at_each {
            let has = |sign| signs.contains(&sign);
            places.push(begun);
            let (begins, ends) = (has(">="), has("<") || has("<="));
            places.push(if begun {
                begins || !has("<")
            } else {
                begins && (has("<=") || !ends)
            });
            // Of two ends at one version one is that of what begins there.
            begun = match (begun, begins) {
                (true, true) => !(has("<") && has("<=")),
                (false, false) => false,
                _ => !ends,
            };
        }
        places.push(begun);
        Some(places)
    }

    /// The constraints of a set; `None` of an empty one.
    fn constraints(&self, places: &[bool]) -> Option<String> {
        let mut all: Vec<String> = Vec::new();
        let around = places.windows(3).step_by(2);
        for (version, around) in self.versions.iter().zip(around) {
            let sign = match around {
                [false, false, true] => ">",
                [false, true, false] => "=",
                [false, true, true] => ">=",
                [true, false, false] => "<",
                [true, false, true] => "!=",
                [true, true, false] => "<=",
                _ => continue,
            };
            all.push(written(sign, version));
        }
        if all.is_empty() {
            return places.first()?.then(|| ALL.to_owned());
        }
        Some(all.join("|"))
    }
}

#[cfg(test)]
mod tests;
