//! The values of a policy file, and errors that name where they are.

use crate::rules::condition::{CONDITION_BYTES, Condition, ConditionLanguage};
use crate::rules::duration;
use crate::rules::file::At;
use crate::rules::policy::PolicyError;
use crate::rules::rule::{ClaimType, Whom};
use crate::rules::severity::Severity;
use crate::trust::Role;
use assay_claims::kind;
use assay_claims::purl::Pattern;
use std::collections::BTreeSet;
use std::ops::Range;

/// What reads a policy: its text, to find lines in, and the language of its conditions.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) language: &'a dyn ConditionLanguage,
}

impl Reader<'_> {
    /// A length of time.
    pub(super) fn duration(&self, key: &str, age: &At<String>) -> Result<u64, PolicyError> {
        duration::parse(age.get_ref()).ok_or_else(|| self.fault(key, age.span(), duration::FORM))
    }

    /// A text that is there, in one line.
    pub(super) fn words(&self, key: &str, text: &At<String>) -> Result<String, PolicyError> {
        match text.get_ref() {
            words if words.trim().is_empty() => {
                Err(self.fault(key, text.span(), "is empty; say something"))
            }
            words if words.contains(char::is_control) => Err(self.fault(
                key,
                text.span(),
                "has to be one line without control characters",
            )),
            words => Ok(words.clone()),
        }
    }

    pub(super) fn rule_name<'f>(
        &self,
        key: &str,
        name: &'f At<String>,
        names: &mut BTreeSet<&'f str>,
    ) -> Result<String, PolicyError> {
        let words = self.words(key, name)?;
        if ["logs", "unknown"].contains(&words.as_str()) || !names.insert(name.get_ref()) {
            return Err(self.fault(
                key,
                name.span(),
                "is taken; every rule has a name of its own",
            ));
        }
        Ok(words)
    }

    /// A list that is not empty.
    pub(super) fn some<'f>(
        &self,
        key: &str,
        list: &'f At<Vec<At<String>>>,
    ) -> Result<&'f [At<String>], PolicyError> {
        match list.get_ref().as_slice() {
            [] => Err(self.fault(key, list.span(), "is empty; name at least one")),
            items => Ok(items),
        }
    }

    pub(super) fn scopes(
        &self,
        key: &str,
        list: &At<Vec<At<String>>>,
    ) -> Result<Vec<Pattern>, PolicyError> {
        self.some(key, list)?
            .iter()
            .map(|text: &At<String>| {
                Pattern::parse(text.get_ref())
                    .map_err(|e| self.fault(key, text.span(), format!("{:?}: {e}", text.get_ref())))
            })
            .collect()
    }

    pub(super) fn role(&self, key: &str, role: &At<String>) -> Result<Role, PolicyError> {
        Role::of_name(role.get_ref()).ok_or_else(|| {
            let roles = Role::ALL.map(Role::name).join(", ");
            self.fault(
                key,
                role.span(),
                format!("{:?} is no role; there are {roles}", role.get_ref()),
            )
        })
    }

    pub(super) fn from(&self, key: &str, list: &At<Vec<At<String>>>) -> Result<Whom, PolicyError> {
        match self.some(key, list)? {
            [one] if one.get_ref() == "anyone" => Ok(Whom::Anyone),
            roles => {
                if let Some(anyone) = roles.iter().find(|role| role.get_ref() == "anyone") {
                    return Err(self.fault(
                        key,
                        anyone.span(),
                        "\"anyone\" stands alone: remove it, or the roles beside it",
                    ));
                }
                Ok(Whom::Roles(
                    roles
                        .iter()
                        .map(|role| self.role(key, role))
                        .collect::<Result<_, _>>()?,
                ))
            }
        }
    }

    pub(super) fn severity(&self, word: &At<String>) -> Result<Severity, PolicyError> {
        let known = [
            Severity::Low,
            Severity::Medium,
            Severity::High,
            Severity::Critical,
        ];
        known
            .into_iter()
            .find(|severity| severity.name() == word.get_ref())
            .ok_or_else(|| {
                self.fault(
                    "deny.severity",
                    word.span(),
                    "has to be \"low\", \"medium\", \"high\" or \"critical\"",
                )
            })
    }

    pub(super) fn claim_types(
        &self,
        key: &str,
        list: &At<Vec<At<String>>>,
    ) -> Result<Vec<ClaimType>, PolicyError> {
        self.some(key, list)?
            .iter()
            .map(|word| self.claim_type(key, word))
            .collect()
    }

    /// A type by its short name, which stands for all types that are called so, or by its URI.
    pub(super) fn claim_type(
        &self,
        key: &str,
        word: &At<String>,
    ) -> Result<ClaimType, PolicyError> {
        let named = word.get_ref();
        let known = kind::TABLE
            .iter()
            .filter(|known| known.short_name() == named);
        let uris: Vec<String> = known
            .flat_map(|known| known.uris)
            .map(|uri| (*uri).to_owned())
            .collect();
        match (uris.is_empty(), named.contains(':')) {
            (false, _) => Ok(ClaimType {
                word: named.clone(),
                uris,
            }),
            (true, true) => Ok(ClaimType {
                word: named.clone(),
                uris: vec![named.clone()],
            }),
            (true, false) => {
                let mut names: Vec<&str> =
                    kind::TABLE.iter().map(|known| known.short_name()).collect();
                names.dedup();
                let reason = format!(
                    "{named:?} is no type of claims; write a URI, or one of {}",
                    names.join(", ")
                );
                Err(self.fault(key, word.span(), reason))
            }
        }
    }

    pub(super) fn condition(&self, key: &str, text: &At<String>) -> Result<Condition, PolicyError> {
        let words = text.get_ref();
        if words.len() > CONDITION_BYTES {
            let reason = format!("is longer than {CONDITION_BYTES} bytes; make two rules of it");
            return Err(self.fault(key, text.span(), reason));
        }
        let compiled = self
            .language
            .compile(words)
            .map_err(|reason| self.fault(key, text.span(), reason))?;
        Ok(Condition {
            text: words.clone(),
            compiled,
        })
    }

    /// An error at a place of the text.
    pub(super) fn fault(
        &self,
        key: &str,
        span: Range<usize>,
        reason: impl Into<String>,
    ) -> PolicyError {
        PolicyError {
            line: self.line(span.start),
            key: key.to_owned(),
            reason: reason.into(),
        }
    }

    /// The line that a byte is in, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|b| *b == b'\n').count()
    }

    /// What TOML says. The key is what stands before the equals sign of the line, or the table's
    /// header.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> PolicyError {
        let at = error.span().map_or(0, |span| span.start);
        let line = self.text.lines().nth(self.line(at) - 1).unwrap_or_default();
        let key = line.split('=').next().unwrap_or_default().trim();
        let key: String = key.chars().filter(|c| !c.is_control()).take(60).collect();
        let key = if key.is_empty() {
            "the file".to_owned()
        } else {
            format!("`{key}`")
        };
        let reason: String = error
            .message()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(400)
            .collect();
        self.fault(&key, at..at, reason)
    }
}
