//! From the TOML file to a policy: what its values mean, and whether they can be meant.

use super::condition::{CONDITION_BYTES, Condition, ConditionLanguage};
use super::examples::{Example, ExampleClaim};
use super::facts::Component;
use super::file::{self, At, File};
use super::rules::{ClaimType, Denial, Effect, Requirement, Rule, Sought, Whom};
use super::severity::Severity;
use super::verdict::Outcome;
use super::{NamedAnchor, POLICY_BYTES, Policy, PolicyError, duration, links};
use crate::trust::{Anchor, Role};
use assay_claims::issuer::IssuerId;
use assay_claims::json::Value;
use assay_claims::kind::endorsement::MAX_DEPTH;
use assay_claims::kind::{self, Timestamp};
use assay_claims::purl::Pattern;
use std::collections::BTreeSet;
use std::ops::Range;

/// The version of the format.
const VERSION: u32 = 1;

/// How old a head may be if the policy does not say.
const MAX_HEAD_AGE_MS: u64 = duration::DAY_MS;

/// Most issuers that a requirement can ask for. No more than this many can be told apart by people.
const ISSUERS: u32 = 1000;

/// What reads a policy: its text, to find lines in, and the language of its conditions.
pub(super) struct Reader<'a> {
    text: &'a str,
    language: &'a dyn ConditionLanguage,
}

/// Reads a policy.
pub(super) fn policy(text: &str, language: &dyn ConditionLanguage) -> Result<Policy, PolicyError> {
    let reader = Reader { text, language };
    if text.len() > POLICY_BYTES {
        return Err(reader.fault(
            "the file",
            0..0,
            format!("is longer than {POLICY_BYTES} bytes; is it a policy?"),
        ));
    }
    let file: File = toml::from_str(text).map_err(|e| reader.syntax(&e))?;
    reader.policy(&file)
}

impl Reader<'_> {
    fn policy(&self, file: &File) -> Result<Policy, PolicyError> {
        if *file.version.get_ref() != VERSION {
            return Err(self.fault(
                "version",
                file.version.span(),
                format!("has to be {VERSION}; there is no other yet"),
            ));
        }
        let max_head_age_ms = match &file.max_head_age {
            Some(age) => self.duration("max_head_age", age)?,
            None => MAX_HEAD_AGE_MS,
        };
        let (tlog, logs) = links::read(self, file, max_head_age_ms)?;
        let mut names = BTreeSet::new();
        Ok(Policy {
            unknown: match file.unknown {
                None | Some(file::Unknown::Deny) => Some(Effect::Deny),
                Some(file::Unknown::Warn) => Some(Effect::Warn),
                Some(file::Unknown::Allow) => None,
            },
            max_head_age_ms,
            logs,
            tlog,
            anchors: file
                .anchor
                .iter()
                .map(|anchor| self.anchor(anchor))
                .collect::<Result<_, _>>()?,
            denials: file
                .deny
                .iter()
                .map(|deny| self.denial(deny, &mut names))
                .collect::<Result<_, _>>()?,
            requirements: file
                .require
                .iter()
                .map(|r| self.requirement(r, &mut names))
                .collect::<Result<_, _>>()?,
            examples: file
                .test
                .iter()
                .map(|test| self.example(test))
                .collect::<Result<_, _>>()?,
        })
    }

    fn anchor(&self, anchor: &file::Anchor) -> Result<NamedAnchor, PolicyError> {
        let issuer = IssuerId::from_hex(anchor.issuer.get_ref());
        let issuer = issuer.ok_or_else(|| {
            let reason = "is no issuer id: 64 of the characters 0 to 9 and a to f; `assay issuer \
                show` prints it";
            self.fault("anchor.issuer", anchor.issuer.span(), reason)
        })?;
        let roles = self.some("anchor.roles", &anchor.roles)?;
        let may_delegate = match &anchor.may_delegate {
            Some(depth) if *depth.get_ref() > MAX_DEPTH => {
                return Err(self.fault(
                    "anchor.may_delegate",
                    depth.span(),
                    format!("has to be from 0 to {MAX_DEPTH}"),
                ));
            }
            depth => depth.as_ref().map_or(0, |depth| *depth.get_ref()),
        };
        Ok(NamedAnchor {
            name: self.words("anchor.name", &anchor.name)?,
            anchor: Anchor {
                issuer,
                roles: roles
                    .iter()
                    .map(|role| self.role("anchor.roles", role))
                    .collect::<Result<_, _>>()?,
                scopes: self.scopes("anchor.scopes", &anchor.scopes)?,
                may_delegate,
            },
        })
    }

    fn denial<'f>(
        &self,
        deny: &'f At<file::Deny>,
        names: &mut BTreeSet<&'f str>,
    ) -> Result<Denial, PolicyError> {
        let (span, deny) = (deny.span(), deny.get_ref());
        let rule = Rule {
            name: self.rule_name("deny.name", &deny.name, names)?,
            scopes: self.scopes("deny.scopes", &deny.scopes)?,
            from: self.from("deny.from", &deny.from)?,
            when: deny
                .when
                .as_ref()
                .map(|when| self.condition("deny.when", when))
                .transpose()?,
            effect: effect(deny.outcome),
            reason: self.words("deny.reason", &deny.reason)?,
        };
        let of_vulnerabilities = matches!(
            deny.sought,
            file::Sought::Affected | file::Sought::Vulnerable
        );
        if let Some(severity) = deny.severity.as_ref().filter(|_| !of_vulnerabilities) {
            let reason = "is only for `if = \"affected\"` and `if = \"vulnerable\"`; remove it";
            return Err(self.fault("deny.severity", severity.span(), reason));
        }
        if let Some(claims) = deny
            .claims
            .as_ref()
            .filter(|_| deny.sought != file::Sought::Claim)
        {
            return Err(self.fault(
                "deny.claims",
                claims.span(),
                "is only for `if = \"claim\"`; remove it",
            ));
        }
        if let Some(cleared) = deny
            .cleared_by
            .as_ref()
            .filter(|_| deny.sought != file::Sought::Vulnerable)
        {
            return Err(self.fault(
                "deny.cleared_by",
                cleared.span(),
                "is only for `if = \"vulnerable\"`; remove it",
            ));
        }
        let least = || match &deny.severity {
            Some(word) => self.severity(word),
            None => Ok(Severity::None),
        };
        let missing =
            |key: &str, reason: &str| self.fault(&format!("deny.{key}"), span.clone(), reason);
        let sought = match deny.sought {
            file::Sought::Affected => Sought::Affected(least()?),
            file::Sought::Vulnerable => {
                let cleared = deny.cleared_by.as_ref();
                let cleared = cleared.ok_or_else(|| {
                    missing(
                        "cleared_by",
                        "is missing: whose word clears a vulnerability?",
                    )
                })?;
                Sought::Vulnerable {
                    least: least()?,
                    cleared_by: self.from("deny.cleared_by", cleared)?,
                }
            }
            file::Sought::Unsupported => Sought::Unsupported,
            file::Sought::Claim => {
                let claims = deny.claims.as_ref();
                let claims = claims
                    .ok_or_else(|| missing("claims", "is missing: which types of claims?"))?;
                Sought::Claims(self.claim_types("deny.claims", claims)?)
            }
        };
        Ok(Denial { rule, sought })
    }

    fn requirement<'f>(
        &self,
        require: &'f file::Require,
        names: &mut BTreeSet<&'f str>,
    ) -> Result<Requirement, PolicyError> {
        let issuers = match &require.issuers {
            Some(count) if *count.get_ref() == 0 || *count.get_ref() > ISSUERS => {
                let reason =
                    format!("has to be from 1 to {ISSUERS}: what nobody has to say is no demand");
                return Err(self.fault("require.issuers", count.span(), reason));
            }
            count => count.as_ref().map_or(1, |count| *count.get_ref()),
        };
        Ok(Requirement {
            rule: Rule {
                name: self.rule_name("require.name", &require.name, names)?,
                scopes: self.scopes("require.scopes", &require.scopes)?,
                from: self.from("require.from", &require.from)?,
                when: require
                    .when
                    .as_ref()
                    .map(|when| self.condition("require.when", when))
                    .transpose()?,
                effect: effect(require.outcome),
                reason: self.words("require.reason", &require.reason)?,
            },
            claims: self.claim_types("require.claims", &require.claims)?,
            issuers: usize::try_from(issuers).unwrap_or(usize::MAX),
            max_age_ms: require
                .max_age
                .as_ref()
                .map(|age| self.duration("require.max_age", age))
                .transpose()?,
        })
    }

    fn example(&self, test: &file::Test) -> Result<Example, PolicyError> {
        let component = match &test.component {
            Some(purl) => Component::of_purl(purl.get_ref()).map_err(|e| {
                self.fault(
                    "test.component",
                    purl.span(),
                    format!("is no package URL: {e}"),
                )
            })?,
            None => Component::default(),
        };
        let on = test.on.as_ref().map(|on| {
            let day = Timestamp::parse_beginning(on.get_ref())
                .and_then(|day| u64::try_from(day.unix_ms()).ok());
            day.ok_or_else(|| {
                self.fault(
                    "test.on",
                    on.span(),
                    "has to be a date since 1970, such as \"2026-06-01\"",
                )
            })
        });
        let expect = Outcome::of_name(test.expect.get_ref()).ok_or_else(|| {
            let names = Outcome::ALL.map(Outcome::name).join(", ");
            self.fault(
                "test.expect",
                test.expect.span(),
                format!("has to be one of {names}"),
            )
        })?;
        Ok(Example {
            name: self.words("test.name", &test.name)?,
            component,
            now_ms: on.transpose()?,
            answers: test.logs.unwrap_or(file::Answers::Complete),
            expect,
            claims: test
                .claims
                .iter()
                .map(|claim| self.example_claim(claim))
                .collect::<Result<_, _>>()?,
        })
    }

    fn example_claim(&self, claim: &file::TestClaim) -> Result<ExampleClaim, PolicyError> {
        let ty = self.claim_type("test.claims.type", &claim.kind)?;
        let predicate = table(claim.predicate.get_ref());
        let stated = predicate
            .get("@context")
            .and_then(Value::as_str)
            .filter(|context| ty.uris.iter().any(|u| u == context));
        let uri = stated
            .map(str::to_owned)
            .or_else(|| ty.uris.first().cloned())
            .unwrap_or_default();
        kind::check(&uri, &predicate).map_err(|e| {
            self.fault(
                "test.claims.predicate",
                claim.predicate.span(),
                format!("is no {}: {e}", ty.word),
            )
        })?;
        let age_ms = claim
            .age
            .as_ref()
            .map(|age| self.duration("test.claims.age", age))
            .transpose()?
            .unwrap_or(0);
        let roles = claim
            .roles
            .iter()
            .map(|role| self.role("test.claims.roles", role))
            .collect::<Result<_, _>>()?;
        Ok(ExampleClaim {
            predicate_type: uri,
            by: self.words("test.claims.by", &claim.by)?,
            roles,
            age_ms,
            predicate,
        })
    }

    // -- Values
    // -----------------------------------------------------------------------------------------------------------

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

    fn rule_name<'f>(
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
    fn some<'f>(
        &self,
        key: &str,
        list: &'f At<Vec<At<String>>>,
    ) -> Result<&'f [At<String>], PolicyError> {
        match list.get_ref().as_slice() {
            [] => Err(self.fault(key, list.span(), "is empty; name at least one")),
            items => Ok(items),
        }
    }

    fn scopes(&self, key: &str, list: &At<Vec<At<String>>>) -> Result<Vec<Pattern>, PolicyError> {
        self.some(key, list)?
            .iter()
            .map(|text: &At<String>| {
                Pattern::parse(text.get_ref())
                    .map_err(|e| self.fault(key, text.span(), format!("{:?}: {e}", text.get_ref())))
            })
            .collect()
    }

    fn role(&self, key: &str, role: &At<String>) -> Result<Role, PolicyError> {
        Role::of_name(role.get_ref()).ok_or_else(|| {
            let roles = Role::ALL.map(Role::name).join(", ");
            self.fault(
                key,
                role.span(),
                format!("{:?} is no role; there are {roles}", role.get_ref()),
            )
        })
    }

    fn from(&self, key: &str, list: &At<Vec<At<String>>>) -> Result<Whom, PolicyError> {
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

    fn severity(&self, word: &At<String>) -> Result<Severity, PolicyError> {
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

    fn claim_types(
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
    fn claim_type(&self, key: &str, word: &At<String>) -> Result<ClaimType, PolicyError> {
        let named = word.get_ref();
        let known = kind::types().filter(|known| short_name(known.name) == named);
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
                    kind::types().map(|known| short_name(known.name)).collect();
                names.dedup();
                let reason = format!(
                    "{named:?} is no type of claims; write a URI, or one of {}",
                    names.join(", ")
                );
                Err(self.fault(key, word.span(), reason))
            }
        }
    }

    fn condition(&self, key: &str, text: &At<String>) -> Result<Condition, PolicyError> {
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

    // -- Errors
    // -----------------------------------------------------------------------------------------------------------

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
    fn syntax(&self, error: &toml::de::Error) -> PolicyError {
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

fn effect(outcome: file::Effect) -> Effect {
    match outcome {
        file::Effect::Deny => Effect::Deny,
        file::Effect::Warn => Effect::Warn,
    }
}

/// A type's name without what tells its versions apart: `provenance` of `provenance (SLSA v1)`.
pub(super) fn short_name(name: &str) -> &str {
    name.split(" (").next().unwrap_or(name)
}

/// A TOML table as JSON; dates become strings. A number that JSON does not have becomes null.
fn table(table: &toml::Table) -> Value {
    Value::Object(
        table
            .iter()
            .map(|(key, value)| (key.clone(), json(value)))
            .collect(),
    )
}

fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Boolean(bit) => (*bit).into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => Value::Array(items.iter().map(json).collect()),
        toml::Value::Table(members) => table(members),
        toml::Value::Integer(number) => Value::from(&serde_json::Value::from(*number)),
        toml::Value::Float(number) => Value::from(&serde_json::Value::from(*number)),
    }
}
