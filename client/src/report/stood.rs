//! Which witnesses stood behind a head, and when, for programs. These objects are part of the
//! command line's interface: fields are added, never renamed.

use assay_claims::time::rfc3339_of_ms;
use assay_tlog::tlog_policy::{Role, Voice, Voices};
use serde::Serialize;

/// Who stood behind a head, of the witnesses that a policy knows. Each operator is there once.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Witnessed {
    /// The witnesses that count towards the policy's quorum and cosigned.
    pub stood_behind: Vec<StoodBehind>,
    /// Those who cosigned with the key of an auditor.
    pub audited_by: Vec<StoodBehind>,
    /// Those who cosigned with the key of a mirror.
    pub mirrored_by: Vec<StoodBehind>,
    /// The policy's names of those that do not count, because they are convicted of misbehavior.
    pub convicted: Vec<String>,
    /// The quorum; nothing if the policy asks for none.
    pub quorum: Option<Quorum>,
}

/// A witness that cosigned.
#[derive(Debug, Clone, Serialize)]
pub struct StoodBehind {
    /// The policy's name of it.
    pub name: String,
    /// Its operator, by the names of its keys.
    pub operator: String,
    /// When it cosigned last, RFC 3339.
    pub cosigned_at: String,
    /// The same in milliseconds since 1970.
    pub cosigned_at_ms: u64,
}

/// A quorum of witnesses.
#[derive(Debug, Clone, Serialize)]
pub struct Quorum {
    /// How many operators it takes at least.
    pub needed: usize,
    /// How many there are.
    pub of: usize,
    /// The policy's names of those that did not cosign.
    pub missing: Vec<String>,
}

impl Witnessed {
    /// Describes who cosigned.
    pub fn new(voices: &Voices) -> Self {
        let of_role = |role| voices.of_role(role).map(StoodBehind::new).collect();
        Witnessed {
            stood_behind: voices.counted.iter().map(StoodBehind::new).collect(),
            audited_by: of_role(Role::Audit),
            mirrored_by: of_role(Role::Mirror),
            convicted: voices.convicted.clone(),
            quorum: (voices.least > 0).then(|| Quorum {
                needed: voices.least,
                of: voices.operators(),
                missing: voices.missing.clone(),
            }),
        }
    }
}

impl StoodBehind {
    fn new(voice: &Voice) -> Self {
        let cosigned_at_ms = voice.at.saturating_mul(1000);
        StoodBehind {
            name: voice.name.clone(),
            operator: voice.operator.clone(),
            cosigned_at: rfc3339_of_ms(cosigned_at_ms),
            cosigned_at_ms,
        }
    }
}
