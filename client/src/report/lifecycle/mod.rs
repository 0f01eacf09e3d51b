//! Until when components are supported, for those who plan by it: as a calendar, in OpenEoX, in
//! CLE, and in lines for people.

pub mod cle;
pub mod ics;
pub mod openeox;

use super::Scales;
use super::words::who;
use crate::ask::{Asked, Inventory, Part};
use crate::plain;
use assay_claims::kind::lifecycle::{Date, Lifecycle};
use assay_claims::purl::Purl;
use assay_claims::time::rfc3339_of_ms;
use assay_policy::verdict::{Cause, Supported};
use std::collections::BTreeSet;

/// What is said of the support of components.
#[derive(Debug)]
pub struct Calendar {
    /// What is said, in the order of the components.
    pub entries: Vec<Entry>,
    /// Components of which nobody with a role says anything.
    pub silent: Vec<String>,
    /// Components of which a log did not answer as it has to.
    pub incomplete: Vec<String>,
}

/// The dates of one component by one issuer.
#[derive(Debug)]
pub struct Entry {
    /// The component.
    pub component: String,
    /// Its package URL without the version, and the version.
    pub package: Option<(String, Option<String>)>,
    /// What the issuer calls the product.
    pub product: Option<String>,
    /// The dates.
    pub dates: Vec<(What, Day)>,
    /// Whether they are surely of this version.
    pub is_of_this: bool,
    /// When the issuer looked at them last, RFC 3339.
    pub last_updated: String,
    /// Who says so, with the roles.
    pub who: String,
    /// The issuer's id, hex.
    pub issuer_id: String,
    /// The claim, hex.
    pub claim_id: String,
    /// When a log first had it, in milliseconds since 1970.
    pub logged_ms: u64,
}

/// What ends, or begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It is released.
    Available,
    /// It is no longer sold.
    Sales,
    /// Vulnerabilities are no longer mended.
    Security,
    /// There is no support at all.
    Life,
}

/// A day of such an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Day {
    /// To be announced.
    Open,
    /// Known.
    Known {
        /// The day, as its issuer writes it: `2028-03-31`.
        day: String,
        /// The instant, RFC 3339: the last of the day, or the first where something begins.
        at: String,
    },
}

impl What {
    /// What it is, for people.
    pub fn name(self) -> &'static str {
        match self {
            What::Available => "available",
            What::Sales => "end of sales",
            What::Security => "end of security support",
            What::Life => "end of life",
        }
    }

    /// The field of OpenEoX.
    pub fn field(self) -> &'static str {
        match self {
            What::Available => "general_availability",
            What::Sales => "end_of_sales",
            What::Security => "end_of_security_support",
            What::Life => "end_of_life",
        }
    }
}

impl Day {
    fn of(date: &Date) -> Self {
        let Date::At(at) = date else {
            return Day::Open;
        };
        let ms = u64::try_from(at.unix_ms()).unwrap_or_default();
        Day::Known {
            day: at.as_str().chars().take(10).collect(),
            at: rfc3339_of_ms(ms),
        }
    }
}

impl Scales<'_> {
    /// What is said of the support of the components of an inventory, of what logs answered about
    /// them.
    pub fn lifecycle(&self, inventory: &Inventory, asked: &Asked) -> Calendar {
        let judge = self.judge(asked.claims(), asked);
        // A component of two files is said once: a calendar has no event twice. Who signs what
        // another has signed makes a claim of the same id, and says it, too.
        let mut seen = BTreeSet::new();
        let mut calendar = Calendar {
            entries: Vec::new(),
            silent: Vec::new(),
            incomplete: Vec::new(),
        };
        for part in inventory.parts.iter().chain(&inventory.own_parts) {
            let verdict = judge.known.verdict(&part.component, &judge.answers);
            let mut reasons = verdict.reasons().iter();
            if reasons.any(|reason| reason.cause() == Cause::Logs) {
                calendar.incomplete.push(plain(&part.title()));
                continue;
            }
            let supported = judge.known.supported(&part.component);
            if supported.is_empty() {
                calendar.silent.push(plain(&part.title()));
            }
            for one in &supported {
                let issuer = &one.evidence.issuer;
                if !seen.insert((part.title(), one.evidence.claim, *issuer)) {
                    continue;
                }
                let name = who(issuer, self.policy, judge.known.trust());
                calendar.entries.push(Entry::new(part, one, &name));
            }
        }
        calendar
    }
}

impl Entry {
    fn new(part: &Part, said: &Supported, who: &str) -> Self {
        let roles = said.evidence.roles.iter();
        let roles: Vec<&str> = roles.map(|grant| grant.role.name()).collect();
        let package = part.component.purl().map(|purl| {
            let mut parts = purl.components();
            parts.version = None;
            let package = Purl::build(parts).unwrap_or_else(|_| purl.clone());
            (package.to_string(), purl.version().map(plain))
        });
        Entry {
            component: plain(&part.title()),
            package,
            product: said.dates.product.as_deref().map(plain),
            dates: dates(&said.dates),
            is_of_this: said.is_of_this,
            last_updated: said.dates.last_updated.as_str().to_owned(),
            who: plain(&format!("{who} ({})", roles.join(", "))),
            issuer_id: said.evidence.issuer.to_hex(),
            claim_id: said.evidence.claim.to_string(),
            logged_ms: said.logged_ms,
        }
    }

    /// What ends, and on which day, `2028-03-31`, as far as that is known; nothing if it may be of
    /// another version.
    pub fn ends(&self) -> impl Iterator<Item = (What, &str)> {
        let sure = self.dates.iter().filter(|_| self.is_of_this);
        sure.filter_map(|(what, day)| match day {
            Day::Known { day, .. } if *what != What::Available => Some((*what, day.as_str())),
            _ => None,
        })
    }

    /// The dates, in words.
    pub fn says(&self) -> String {
        let dates: Vec<String> = self
            .dates
            .iter()
            .map(|(what, day)| match day {
                Day::Open => format!("{} to be announced", what.name()),
                Day::Known { day, .. } => format!("{} {day}", what.name()),
            })
            .collect();
        dates.join(", ")
    }

    /// What is known of it, in a line.
    pub fn line(&self) -> String {
        let unsure = if self.is_of_this {
            ""
        } else {
            "; whether that is of this version cannot be decided"
        };
        format!(
            "{}: {}, according to {}{unsure}",
            self.component,
            self.says(),
            self.who
        )
    }
}

fn dates(said: &Lifecycle) -> Vec<(What, Day)> {
    let all = [
        (What::Available, said.general_availability.as_ref()),
        (What::Sales, said.end_of_sales.as_ref()),
        (What::Security, Some(&said.end_of_security_support)),
        (What::Life, Some(&said.end_of_life)),
    ];
    let stated = all.into_iter();
    stated
        .filter_map(|(what, date)| Some((what, Day::of(date?))))
        .collect()
}

/// The calendar for people: what is said, then what cannot be told.
pub fn text(calendar: &Calendar) -> String {
    let entries = calendar.entries.iter();
    let (sure, unsure): (Vec<&Entry>, Vec<&Entry>) = entries.partition(|one| one.is_of_this);
    let mut lines: Vec<String> = sure.iter().chain(&unsure).map(|one| one.line()).collect();
    for one in &calendar.incomplete {
        lines.push(format!("{one}: a log did not answer in full"));
    }
    let silent = calendar.silent.len();
    if silent > 0 || lines.is_empty() {
        lines.push(format!(
            "Components of which nobody whom your policy trusts says it: {silent}"
        ));
    }
    lines.join("\n")
}
