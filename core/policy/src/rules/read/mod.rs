//! From the TOML file to a policy: what its values mean, and whether they can be meant.

mod example;
mod ignore;
mod logs;
mod rule;
mod values;

use super::condition::ConditionLanguage;
use super::duration;
use super::file::{self, File};
use super::policy::{Policy, PolicyError};
use super::rule::{Denial, Effect, Requirement};
use assay_tlog::note::refuse_private_key;
use std::collections::BTreeSet;
use values::Reader;

/// Longest policy, in bytes. A policy is written by people.
pub const POLICY_BYTES: usize = 1024 * 1024;

/// The version of the format.
const VERSION: u32 = 1;

/// How old a head may be if the policy does not say.
const MAX_HEAD_AGE_MS: u64 = duration::DAY_MS;

impl Policy {
    /// Reads a policy of at most [`POLICY_BYTES`], its conditions in the given language.
    ///
    /// It guarantees what [`STARTING`](super::STARTING) says of every field: known keys only,
    /// thresholds of at least 1, patterns that can match, conditions that compile.
    ///
    /// # Errors
    ///
    /// The first error, with its line and key.
    pub fn parse(text: &str, language: &dyn ConditionLanguage) -> Result<Self, PolicyError> {
        let reader = Reader { text, language };
        if text.len() > POLICY_BYTES {
            return Err(reader.fault(
                "the file",
                0..0,
                format!("is longer than {POLICY_BYTES} bytes; is it a policy?"),
            ));
        }
        // What is refused is quoted, and a key is not for logs.
        refuse_private_key(text)
            .map_err(|held| reader.fault("the file", 0..0, held.to_string()))?;
        let file: File = toml::from_str(text).map_err(|e| reader.syntax(&e))?;
        policy(&reader, &file)
    }
}

fn policy(reader: &Reader<'_>, file: &File) -> Result<Policy, PolicyError> {
    if *file.version.get_ref() != VERSION {
        return Err(reader.fault(
            "version",
            file.version.span(),
            format!("has to be {VERSION}; there is no other yet"),
        ));
    }
    let max_head_age_ms = match &file.max_head_age {
        Some(age) => reader.duration("max_head_age", age)?,
        None => MAX_HEAD_AGE_MS,
    };
    let logs::Logs {
        tlog,
        required,
        enough,
    } = logs::read(reader, file, max_head_age_ms)?;
    let mut names = BTreeSet::new();
    let criteria = reader.criteria(&file.criterion)?;
    let denials: Vec<Denial> = file
        .deny
        .iter()
        .map(|deny| reader.denial(deny, &mut names))
        .collect::<Result<_, _>>()?;
    let requirements: Vec<Requirement> = file
        .require
        .iter()
        .map(|r| reader.requirement(r, &criteria, &mut names))
        .collect::<Result<_, _>>()?;
    Ok(Policy {
        unknown: match file.unknown {
            None | Some(file::Unknown::Deny) => Some(Effect::Deny),
            Some(file::Unknown::Warn) => Some(Effect::Warn),
            Some(file::Unknown::Allow) => None,
        },
        max_head_age_ms,
        logs: required,
        enough,
        tlog,
        anchors: file
            .anchor
            .iter()
            .map(|anchor| reader.anchor(anchor))
            .collect::<Result<_, _>>()?,
        registries: reader.registries(&file.registry)?,
        ignored: file
            .ignore
            .iter()
            .map(|ignore| reader.ignore(ignore, &names))
            .collect::<Result<_, _>>()?,
        denials,
        requirements,
        examples: file
            .test
            .iter()
            .map(|test| reader.example(test))
            .collect::<Result<_, _>>()?,
    })
}
