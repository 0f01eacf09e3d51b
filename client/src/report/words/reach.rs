//! Whether a vulnerability reaches a component.

use super::names::each_once;
use crate::one_word;
use crate::report::{Evidence, Stated, Vulnerability};
use assay_claims::kind::vex::Status;

/// Whether a vulnerability reaches the component, by those whose word counts for it; `None` if none
/// of them says anything of it.
pub fn reaches(vulnerability: &Vulnerability) -> Option<String> {
    let mut says = Vec::new();
    for status in [
        Status::Affected,
        Status::UnderInvestigation,
        Status::Fixed,
        Status::NotAffected,
    ] {
        let stated = vulnerability.stated.iter();
        let stated = stated.filter(|one| one.status == status && counts(&one.claim));
        let stated: Vec<&Stated> = stated.collect();
        if let Some(first) = stated.first() {
            let by = each_once(stated.iter().map(|one| one.claim.issuer.as_str()));
            let why = first.justification.as_deref().map(|why| {
                let why = one_word(why).replace('_', " ");
                format!(" ({why})")
            });
            says.push(format!(
                "{}{}, says {by}",
                means(status),
                why.unwrap_or_default()
            ));
        }
    }
    let found = vulnerability.found.iter().filter(|one| counts(one));
    let found: Vec<&Evidence> = found.collect();
    if says.is_empty() {
        if found.is_empty() {
            return None;
        }
        let by = each_once(found.iter().map(|one| one.issuer.as_str()));
        says.push(format!(
            "found by {by}, and nobody says whether it can be exploited here"
        ));
    }
    let severity = vulnerability.severity.map(|level| format!(" ({level})"));
    Some(format!(
        "{}{}: {}",
        one_word(&vulnerability.id),
        severity.unwrap_or_default(),
        says.join("; but ")
    ))
}

fn counts(evidence: &Evidence) -> bool {
    !evidence.roles.is_empty()
}

const fn means(status: Status) -> &'static str {
    match status {
        Status::Affected => "it reaches this",
        Status::NotAffected => "it does not reach this",
        Status::Fixed => "it is fixed here",
        Status::UnderInvestigation => "whether it reaches this is being looked into",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn example() -> Vulnerability {
        let mut report = example::report();
        let mut all = report
            .components
            .iter_mut()
            .flat_map(|it| it.vulnerabilities.drain(..));
        all.next().unwrap()
    }

    #[test]
    fn those_whose_word_counts_say_whether_it_reaches() {
        let mut one = example();
        let stated = reaches(&one).unwrap();
        assert!(stated.contains("it reaches this"), "{stated}");
        let mut other = Stated {
            status: Status::NotAffected,
            justification: Some("component_not_present".into()),
            claim: one.stated[0].claim.clone(),
        };
        other.claim.issuer = "another".into();
        one.stated.push(other);
        let both = reaches(&one).unwrap();
        let contradicted = "; but it does not reach this (component not present), says another";
        assert!(both.ends_with(contradicted), "{both}");
        for claim in one.stated.iter_mut().map(|one| &mut one.claim) {
            claim.roles.clear();
        }
        for claim in &mut one.found {
            claim.roles.clear();
        }
        assert_eq!(reaches(&one), None, "strangers do not say what follows");
    }
}
