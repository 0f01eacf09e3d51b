//! What a claim is worth, and what limits it.

use super::Reader;
use assay_policy::posture::{Line, Part, Relation};
use assay_policy::trust::{EndorsementFault, Place, Standing};

/// What limits a line beyond the standings of its issuers; `None` if nothing does. The first of
/// these: it is about something else, it gives no role, it was replaced.
pub fn note(line: &Line<'_>, reader: Reader) -> Option<String> {
    if let Some(note) = line.relation.and_then(relation) {
        return Some(note.to_owned());
    }
    if let Some(fault) = line.fault
        && let Some(why) = endorsement_fault(fault, reader)
    {
        return Some(why);
    }
    if line.part == Part::OtherProducts {
        return Some("it is only about other products".to_owned());
    }
    line.replaced_by
        .as_ref()
        .map(|by| replaced(line.origin(), by))
}

fn relation(relation: Relation) -> Option<&'static str> {
    match relation {
        Relation::This => None,
        Relation::OtherArtifact => Some("it is about another artifact of the same version"),
        Relation::SomeArtifact => {
            Some("it is about one artifact of this version, and whether yours is that is unknown")
        }
        Relation::OtherBuild => Some(
            "it is about a build for another system, or a part, or about one build where you do \
             not say which yours is",
        ),
        Relation::Unnamed => Some("it names products in a way that cannot be compared"),
        Relation::OtherProduct => {
            Some("it is about this as a part of a product, and whether yours is that is unknown")
        }
        Relation::OtherVersions => {
            Some("it is about some versions, and whether this is one of them is unknown")
        }
        Relation::OtherSource => Some("it is about a package of the same name from another place"),
    }
}

fn replaced(origin: &str, by: &Place) -> String {
    let log = if by.origin == origin {
        String::new()
    } else {
        format!(" of the log {}", by.origin)
    };
    let leaf = by.leaf;
    format!("a newer claim by the same issuer replaced it: leaf {leaf}{log}")
}

/// Why an endorsement gives no role; `None` if only a policy says so, and none does.
pub(super) fn endorsement_fault(fault: EndorsementFault, reader: Reader) -> Option<String> {
    let why = match fault {
        EndorsementFault::EndorserLacksRole | EndorsementFault::TooDeep
            if reader == Reader::Unweighed =>
        {
            return None;
        }
        EndorsementFault::Standing => "without effect: see its standing",
        EndorsementFault::Expired => "without effect: it has expired",
        EndorsementFault::NotYet => "without effect: it is not valid yet",
        EndorsementFault::OtherPackages => "without effect: for other packages",
        EndorsementFault::EndorserLacksRole => {
            return Some(format!(
                "without effect: the endorser does not have this role for these packages under {}",
                reader.policy()
            ));
        }
        EndorsementFault::TooDeep => {
            return Some(format!(
                "without effect: {} does not let the endorser pass this role on",
                reader.policy()
            ));
        }
        EndorsementFault::Cycle => {
            "without effect: it leads back to an issuer that is already in the chain"
        }
    };
    Some(why.to_owned())
}

/// What a claim is worth for one of its issuers: `good`, or `without effect` and why.
pub fn standing(standing: &Standing, reader: Reader) -> String {
    match standing {
        Standing::Good => "good".to_owned(),
        Standing::NotAuthorized(error) => format!("without effect: {error}"),
        Standing::KeyCompromised { key, from, by } => {
            format!("without effect: key {key} is compromised from leaf {from} on, says claim {by}")
        }
        Standing::Withdrawn {
            by,
            superseded_by: None,
        } => format!("without effect: its issuer withdrew it with claim {by}"),
        Standing::Withdrawn {
            by,
            superseded_by: Some(successor),
        } => format!(
            "without effect: its issuer withdrew it with claim {by} and replaced it with \
             {successor}"
        ),
        Standing::NotTheIssuer => "without effect: only the issuer itself can say this".to_owned(),
        Standing::NotItsKey => "without effect: the key was never a key of the issuer".to_owned(),
        Standing::Final => "without effect: what it withdraws cannot be withdrawn".to_owned(),
        Standing::Forked => "without effect: two records of the issuer continue the same one, so \
                             its keys are in doubt"
            .to_owned(),
        Standing::TooClose => "without effect: the issuer's keys changed in another log within an \
                               hour of it"
            .to_owned(),
        Standing::Ignored { reason } => format!("ignored by {}: {reason}", reader.policy()),
    }
}

/// Why a reply has no effect for the issuer of a claim, `why_not` being what its own line says.
pub(in crate::report) fn reply_why_not(why_not: Option<&str>) -> String {
    why_not
        .unwrap_or("without effect for this issuer: only whoever signed a claim can withdraw it")
        .to_owned()
}
