//! The words for claims and for decisions, on real claims.

mod claims;
mod complete;
mod reasons;

use super::*;
use assay_policy::posture::{Posture, listing, posture};
use assay_policy::rules::{Outcome, STARTING};
use assay_policy::testing::{
    DAY_MS, NOW_MS, Party, World, about, anchor, component, endorsement, fresh, parse, purl, rule,
    value,
};
use assay_policy::verdict::{LogAnswer, Verdict, evaluate};
