//! What a policy demands, in plain words.

use super::reason::criteria;
use super::time::duration;
use super::{or, whom};
use assay_claims::purl::Pattern;
use assay_policy::rules::{
    Denial, Effect, EnoughLogs, Ignore, Ignored, NamedAnchor, Policy, RequiredLog, Requirement,
    Rule, Severity, Sought,
};

/// A part of the explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub title: &'static str,
    /// Sentences, at least one.
    pub lines: Vec<String>,
}

/// What a policy demands at a time in milliseconds since 1970, section by section.
pub fn explain(policy: &Policy, now_ms: u64) -> Vec<Section> {
    let entries = policy.ignored().iter();
    vec![
        Section {
            title: "Which logs must answer",
            lines: logs(policy),
        },
        Section {
            title: "Whom you trust",
            lines: anchors(policy),
        },
        Section {
            title: "Software that nobody whom you trust has said anything about",
            lines: vec![unknown(policy)],
        },
        Section {
            title: "Where packages come from",
            lines: registries(policy),
        },
        Section {
            title: "What you ignore",
            lines: or_nothing(entries.map(|entry| ignored(entry, now_ms)).collect()),
        },
        Section {
            title: "What must not be",
            lines: or_nothing(policy.denials().iter().map(denial).collect()),
        },
        Section {
            title: "What must be",
            lines: or_nothing(policy.requirements().iter().map(requirement).collect()),
        },
        Section {
            title: "Examples",
            lines: vec![examples(policy)],
        },
    ]
}

fn or_nothing(lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() {
        vec!["Nothing.".into()]
    } else {
        lines
    }
}

fn logs(policy: &Policy) -> Vec<String> {
    let mut lines: Vec<String> = policy.logs().iter().map(log).collect();
    if lines.is_empty() {
        let age = duration(policy.default_max_head_age_ms());
        lines.push(format!(
            "The log that you ask. Its answer may be at most {age} old."
        ));
    }
    lines.extend(lax_logs(policy).map(|text| format!("But {text}.")));
    lines.push(match policy.tlog().map(|tlog| (tlog, tlog.quorum())) {
        Some((tlog, Some(quorum))) => {
            let group = tlog.groups().iter().find(|group| group.name == quorum);
            let who = match group {
                Some(group) => {
                    let members: Vec<&str> = tlog.members(group).collect();
                    format!("{} of these: {}", group.threshold, members.join(", "))
                }
                None => quorum.to_owned(),
            };
            format!("Witnesses must have confirmed that a log shows everybody the same: {who}.")
        }
        _ => "No witness has to confirm that a log shows everybody the same.".into(),
    });
    lines.push(
        "A log that does not answer, or answers in part, makes the outcome \"incomplete\"; an old \
         answer, \"stale\"."
            .into(),
    );
    lines
}

/// That not every log of a policy must answer, and what that means; `None` if every log must.
pub fn lax_logs(policy: &Policy) -> Option<String> {
    let EnoughLogs { least, of } = policy.enough_logs()?;
    Some(format!(
        "your policy takes the answers of {least} of {} logs ({}) for enough: what was withdrawn \
         or said against something only in a log that does not answer is not seen",
        of.len(),
        of.join(", ")
    ))
}

fn log(log: &RequiredLog) -> String {
    format!(
        "{}. Its answer may be at most {} old.",
        log.origin,
        duration(log.max_head_age_ms)
    )
}

fn anchors(policy: &Policy) -> Vec<String> {
    match policy.anchors() {
        [] => vec![
            "Nobody yet. Name issuers that you trust with [[anchor]]; until then, nobody's word \
             counts."
                .into(),
        ],
        anchors => anchors.iter().map(anchor).collect(),
    }
}

fn anchor(named: &NamedAnchor) -> String {
    let roles: Vec<&str> = named.anchor.roles.iter().map(|role| role.name()).collect();
    let delegates = match named.anchor.may_delegate {
        0 => "It may not vouch for others.".to_owned(),
        1 => "It may vouch for others.".to_owned(),
        n => format!("It may vouch for others, and those for others in turn, up to {n} steps."),
    };
    format!(
        "{} (issuer {}) as {} of {}. {delegates}",
        named.name,
        named.anchor.issuer,
        roles.join(", "),
        scopes(&named.anchor.scopes)
    )
}

fn scopes(scopes: &[Pattern]) -> String {
    if scopes.iter().any(|scope| scope.as_str() == "pkg:*") {
        "all packages".into()
    } else {
        scopes
            .iter()
            .map(Pattern::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

fn unknown(policy: &Policy) -> String {
    match policy.unknown() {
        Some(Effect::Deny) => "It is not trusted: the outcome is \"unknown\".".into(),
        Some(Effect::Warn) => "You are warned, and what must be is demanded all the same.".into(),
        None => "Nothing is said, and what must be is demanded all the same.".into(),
    }
}

fn registries(policy: &Policy) -> Vec<String> {
    let mut lines =
        vec!["From the public registry of their type, or else they may be others.".into()];
    for registry in policy.registries() {
        lines.push(format!(
            "What is of type {} is from the public registry, too, if it is from {}.",
            registry.ty,
            registry.mirrors.join(" or ")
        ));
    }
    lines
}

fn ignored(ignore: &Ignore, now_ms: u64) -> String {
    let ended = if ignore.is_over(now_ms) {
        "No longer ignored, because the entry ended: "
    } else {
        ""
    };
    let what = what_is_ignored(ignore);
    format!(
        "{ended}{what}, until {}: {}",
        ignore.until.as_str(),
        ignore.reason
    )
}

/// What an entry of a policy ignores.
pub fn what_is_ignored(ignore: &Ignore) -> String {
    match &ignore.what {
        Ignored::Issuer(issuer) => format!("All that issuer {issuer} says"),
        Ignored::Claim(claim) => format!("Claim {claim}"),
        Ignored::Vulnerability { id, scopes: of } => format!("{id} in {}", scopes(of)),
        Ignored::Rule { name, scopes: of } => {
            format!("What {name:?} says of {}", scopes(of))
        }
    }
}

fn denial(denial: &Denial) -> String {
    let rule = &denial.rule;
    let from = whom(&rule.from);
    let least = |least: &Severity| match least {
        Severity::None => String::new(),
        least => format!(" of severity {} or higher, or unknown", least.name()),
    };
    let what = match &denial.sought {
        Sought::Affected(severity) => {
            format!(
                "{from} says that a vulnerability{} can be exploited in it",
                least(severity)
            )
        }
        Sought::Vulnerable {
            least: severity,
            cleared_by,
        } => format!(
            "a scan by {from} found a vulnerability{}, and the word of {} does not clear it",
            least(severity),
            whom(cleared_by)
        ),
        Sought::Unsupported => format!("its security support has ended, says {from}"),
        Sought::Claims(types) => {
            let types = or(types.iter().map(|ty| ty.word.as_str()));
            format!("there is a claim ({types}) by {from}")
        }
    };
    format!(
        "{}: you are {} if {what}{}.",
        head(rule),
        effect(rule),
        when(rule)
    )
}

fn requirement(requirement: &Requirement) -> String {
    let rule = &requirement.rule;
    let wanted = requirement.wanted();
    let types = or(wanted.types.iter().map(String::as_str)) + &criteria(&wanted);
    let issuers = match wanted.issuers {
        1 => "at least one issuer".to_owned(),
        n => format!("at least {n} different issuers"),
    };
    let age = wanted
        .max_age_ms
        .map(|ms| format!(", at most {} old", duration(ms)))
        .unwrap_or_default();
    format!(
        "{}: you are {} unless {issuers} ({}) made a claim ({types}){age}{}.",
        head(rule),
        effect(rule),
        whom(&rule.from),
        when(rule)
    )
}

fn head(rule: &Rule) -> String {
    format!("{} (for {})", rule.name, scopes(&rule.scopes))
}

fn effect(rule: &Rule) -> &'static str {
    if rule.effect == Effect::Deny {
        "stopped"
    } else {
        "warned"
    }
}

fn when(rule: &Rule) -> String {
    rule.when
        .as_ref()
        .map(|condition| format!(", for which {} is true", condition.text))
        .unwrap_or_default()
}

fn examples(policy: &Policy) -> String {
    match policy.example_count() {
        0 => "None. With [[test]] you can say what you expect, and `assay policy test` checks it."
            .into(),
        1 => "One; `assay policy test` runs it.".into(),
        n => format!("{n}; `assay policy test` runs them."),
    }
}
