//! Ranges of versions as people write them (CSAF 2.0, 3.1.2.3.2), as `vers:` ranges.

use super::order::{BOUNDS, Bound, any_of, paired};

/// All versions, in words.
const ALL: [&str; 7] = [
    "*",
    "all",
    "all versions",
    "all/*",
    "any",
    "any version",
    "every version",
];

/// What stands before a version, with the comparator that it is; longer ones first. Whether "up to"
/// and "until" take the version itself nobody can tell.
const BEFORE: [(&str, &str); 21] = [
    ("!=", "!="),
    ("<=", "<="),
    (">=", ">="),
    ("≤", "<="),
    ("≥", ">="),
    ("<", "<"),
    (">", ">"),
    ("=", "="),
    ("after ", ">"),
    ("before ", "<"),
    ("below ", "<"),
    ("earlier than ", "<"),
    ("from ", ">="),
    ("later than ", ">"),
    ("less than ", "<"),
    ("lower than ", "<"),
    ("newer than ", ">"),
    ("older than ", "<"),
    ("prior to ", "<"),
    ("since ", ">="),
    ("up to and including ", "<="),
];

/// What stands after a version, behind `and` or `or`.
const AFTER: [(&str, &str); 10] = [
    ("above", ">="),
    ("below", "<="),
    ("earlier", "<="),
    ("higher", ">="),
    ("later", ">="),
    ("lower", "<="),
    ("newer", ">="),
    ("older", "<="),
    ("previous", "<="),
    ("prior", "<="),
];

/// Most bytes of a range. No purl has room for as many, and what is read of it takes many times
/// more.
pub(super) const LENGTH: usize = 16 * 1024;

/// The range of versions of packages of a type that a text states; `None` if it is none that is
/// known, or too long.
pub(super) fn range(ty: &str, stated: &str) -> Option<String> {
    let stated = stated.trim();
    if stated.len() > LENGTH {
        return None;
    }
    if ALL.iter().any(|all| stated.eq_ignore_ascii_case(all)) {
        return Some(format!("vers:{ty}/*"));
    }
    let mut words = ["versions ", "version "].into_iter();
    let stated = words
        .find_map(|word| begins(stated, word))
        .unwrap_or(stated);
    let all = any_of(ty, ty, &groups(ty, stated)?)?;
    Some(format!("vers:{ty}/{all}"))
}

/// The bounds that a text states, in groups of which one has to be met. A bar alone between single
/// bounds is that of `vers:`, where they stand for what is between them. `None` also if there are
/// too many.
fn groups<'a>(ty: &str, stated: &'a str) -> Option<Vec<Vec<Bound<'a>>>> {
    let bar = if stated.contains("||") { "||" } else { "|" };
    let groups = stated.split(bar).map(|one| bounds(ty, one.trim()));
    let groups = groups.collect::<Option<Vec<_>>>()?;
    if groups.iter().map(Vec::len).sum::<usize>() > BOUNDS {
        return None;
    }
    if bar == "|" && groups.iter().all(|group| group.len() == 1) {
        return paired(ty, ty, &groups.concat());
    }
    Some(groups)
}

/// Bounds that all have to be met.
fn bounds<'a>(ty: &str, text: &'a str) -> Option<Vec<Bound<'a>>> {
    if let Some((from, to)) = text.split_once(" - ") {
        let (from, to) = (version(from)?, version(to)?);
        return Some(vec![(">=", from.into()), ("<=", to.into())]);
    }
    if let Some((from, to)) = wildcard(text) {
        let (from, to) = (earliest(ty, from), earliest(ty, &to));
        return Some(vec![(">=", from.into()), ("<", to.into())]);
    }
    match followed(text) {
        Some(bound) => Some(vec![bound]),
        None => preceded(text),
    }
}

/// What follows a beginning, whatever case that has.
fn begins<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    let is_it = text.get(..beginning.len())?.eq_ignore_ascii_case(beginning);
    text.get(beginning.len()..).filter(|_| is_it)
}

fn version(text: &str) -> Option<&str> {
    let text = text.trim();
    let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let is_one = bare.starts_with(|c: char| c.is_ascii_digit())
        && !is_open(text)
        && !text.contains(|c: char| c.is_whitespace() || "<>=|,*/".contains(c));
    is_one.then_some(text)
}

/// Whether a part of a version is left open, as in `1.x`.
pub(super) fn is_open(version: &str) -> bool {
    let mut parts = version.split('.');
    parts.any(|part| part.eq_ignore_ascii_case("x"))
}

/// The first version of `1.x`, and the first one that is not of it any more.
fn wildcard(text: &str) -> Option<(&str, String)> {
    let mut ends = [".x", ".X", ".*"].into_iter();
    let from = version(ends.find_map(|end| text.strip_suffix(end))?)?;
    let (before, last) = from
        .rsplit_once('.')
        .map_or(("", from), |(left, last)| (left, last));
    let next = last.parse::<u32>().ok()?.checked_add(1)?;
    let to = match before {
        "" => next.to_string(),
        before => format!("{before}.{next}"),
    };
    Some((from, to))
}

/// The earliest version that is one of `next`, with what leads to it: as far as the type's order is
/// known to have such.
fn earliest(ty: &str, next: &str) -> String {
    let missing = 2_usize.saturating_sub(next.matches('.').count());
    match ty {
        "cargo" | "githubactions" | "golang" | "hex" | "npm" | "nuget" | "pub" | "semver"
        | "swift" => format!("{next}{}-0", ".0".repeat(missing)),
        "pypi" => format!("{next}.dev0"),
        "deb" | "rpm" => format!("{next}~"),
        _ => next.to_owned(),
    }
}

/// `1.0 and earlier`.
fn followed(text: &str) -> Option<Bound<'_>> {
    let (text, word) = text.rsplit_once(' ')?;
    let (at, and) = text.trim_end().rsplit_once(' ')?;
    let mut known = AFTER.iter();
    let (_, sign) = known.find(|(known, _)| word.eq_ignore_ascii_case(known))?;
    let joins = ["and", "or"]
        .iter()
        .any(|join| and.eq_ignore_ascii_case(join));
    Some((*sign, version(at)?.into())).filter(|_| joins)
}

/// `>= 1.0, < 2.0`, `>=1.0 <2.0`, `from 1.0 before 2.0`.
fn preceded(text: &str) -> Option<Vec<Bound<'_>>> {
    let (mut bounds, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let mut signs = BEFORE.iter();
        let (after, sign) = signs.find_map(|(known, sign)| Some((begins(rest, known)?, *sign)))?;
        let after = after.trim_start();
        let is_end = |c: char| c.is_whitespace() || "<>=!,≤≥".contains(c);
        let end = after.find(is_end).unwrap_or(after.len());
        bounds.push((sign, version(after.get(..end)?)?.into()));
        rest = after
            .get(end..)?
            .trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        rest = begins(rest, "and ").unwrap_or(rest).trim_start();
    }
    (!bounds.is_empty()).then_some(bounds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::vers::{self, Applies};

    /// What leads to 2.0 is no 1.x.
    #[test]
    fn a_wildcard_ends_before_the_first_of_the_next() {
        use Applies::{No, Yes};
        for (ty, within, outside) in [
            ("npm", "1.9.9", "2.0.0-alpha.1"),
            ("nuget", "1.9.9", "2.0.0-alpha.1"),
            ("pypi", "1.9.9", "2.0a1"),
            ("pypi", "1.9.9", "2.dev1"),
            ("deb", "1.9.9-1", "2.0~rc1-1"),
            ("rpm", "1.9.9-1", "2~rc1-1"),
        ] {
            let range = range(ty, "1.x").unwrap();
            assert_eq!(vers::contains(&range, ty, within), Yes, "{range} {within}");
            assert_eq!(vers::contains(&range, ty, outside), No, "{range} {outside}");
        }
    }

    #[test]
    fn ranges_are_written_in_many_ways() {
        for (stated, expected) in [
            ("all versions", "*"),
            ("ALL/*", "*"),
            ("<2.0.0", "<2.0.0"),
            ("versions < 2.0.0", "<2.0.0"),
            (">=1.0.0 <2.0.0", ">=1.0.0|<2.0.0"),
            (">= 1.0.0, < 2.0.0", ">=1.0.0|<2.0.0"),
            ("<2.0.0,>=1.0.0", ">=1.0.0|<2.0.0"),
            (">=1.0.0<2.0.0", ">=1.0.0|<2.0.0"),
            ("<1.0.0 || >=2.0.0", "<1.0.0|>=2.0.0"),
            ("≤1.9.9", "<=1.9.9"),
            ("≥ 1.0.0", ">=1.0.0"),
            ("1.0.0 - 1.9.9", ">=1.0.0|<=1.9.9"),
            ("Before 2.0.0", "<2.0.0"),
            ("prior to v2.0.0", "<v2.0.0"),
            ("from 1.0.0 before 2.0.0", ">=1.0.0|<2.0.0"),
            ("1.9.9 and earlier", "<=1.9.9"),
            ("2.0.0 or later", ">=2.0.0"),
            ("1.x", ">=1.0.0-0|<2.0.0-0"),
            ("1.2.*", ">=1.2.0-0|<1.3.0-0"),
            ("=1.0.0|=1.1.0", "1.0.0|1.1.0"),
        ] {
            let range = range("npm", stated);
            assert_eq!(range, Some(format!("vers:npm/{expected}")), "{stated}");
        }
        for stated in [
            "",
            "openssl",
            "1.0.0",
            "up to 2.0.0",
            "before the next one",
            "1.0.0 and others",
            "<2.0.0 or so",
            "x",
            "a - b",
            "<",
            "< 2.x",
            "<1.0.0 ||",
        ] {
            assert_eq!(range("npm", stated), None, "{stated}");
        }
    }

    /// Of a text of any length: what is read of it takes many times more.
    #[test]
    fn a_text_of_many_constraints_is_no_range() {
        for text in ["=1|!=2|", "<1,", "=1||", "=1|"] {
            let end = text.trim_end_matches(['|', ',']);
            let of = |count: usize| text.repeat(count) + end;
            assert!(
                range("npm", &of(2)).is_some() || text.contains('!'),
                "{text}"
            );
            for count in [BOUNDS, 50_000] {
                assert_eq!(range("npm", &of(count)), None, "{text}");
            }
        }
        let long = format!("<1.0.0-{}", "a".repeat(LENGTH));
        assert_eq!(range("npm", &long), None);
    }

    #[test]
    fn what_joins_bounds_says_how_they_are_met() {
        for (stated, expected) in [
            // One version.
            (">=1.0.0, <=1.0.0", "1.0.0"),
            (">=1.0.0|<=1.0.0", "1.0.0"),
            ("from 1.0.0 up to and including 1.0.0", "1.0.0"),
            ("1.0.0 - 1.0.0", "1.0.0"),
            (">=2.0.0|<=2.0.0|>=3.0.0|<4.0.0", "2.0.0|>=3.0.0|<4.0.0"),
            // What is joined by a comma, a space or a word has to be met together.
            (">1.0.0, >=2.0.0", ">=2.0.0"),
            ("<3.0.0 and <2.0.0", "<2.0.0"),
            (">=1.0.0 !=1.5.0 <2.0.0", ">=1.0.0|!=1.5.0|<2.0.0"),
            // And by two bars, one of it.
            ("<1.2.3 || >=2.0.0, <2.1.0", "<1.2.3|>=2.0.0|<2.1.0"),
            (">=2.0.0, <2.1.0 | <1.2.3", "<1.2.3|>=2.0.0|<2.1.0"),
            ("1.x || 3.x", ">=1.0.0-0|<2.0.0-0|>=3.0.0-0|<4.0.0-0"),
        ] {
            let range = range("npm", stated);
            assert_eq!(range, Some(format!("vers:npm/{expected}")), "{stated}");
        }
        for stated in [
            // Of no version, or of all.
            ">=2.0.0, <1.0.0",
            "2.0.0 - 1.0.0",
            "=1.0.0, =1.1.0",
            ">=1.0.0 || <2.0.0",
            ">=1.0.0|>=2.0.0",
        ] {
            assert_eq!(range("npm", stated), None, "{stated}");
        }
    }
}
