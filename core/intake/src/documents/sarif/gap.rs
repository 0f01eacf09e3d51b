//! Why a run is not whole: what it did not find then says nothing.

use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;

/// Why the results of a run cannot stand for a whole scan.
pub(super) struct Gap {
    /// What people are told where the claim says nothing of results.
    pub referenced: &'static str,
    /// The same where it lists some.
    pub note: &'static str,
}

const FAILED: Gap = Gap {
    referenced: "the tool says that it did not end well: the claim only references what it wrote",
    note: "the tool says that it did not end well: what it found counts, and that it found no more \
           says nothing",
};

pub(super) const ELSEWHERE: Gap = Gap {
    referenced: "the run keeps results or how it ended in other files, which are not here: the \
                 claim only references this one; let the tool write one file",
    note: "the run keeps results or how it ended in other files, which are not here: what this one \
           has counts, and that it has no more says nothing",
};

/// Why the run's results cannot stand for a whole scan, if an invocation says that it failed.
pub(super) fn failure(run: &Node<'_, '_>) -> Result<Option<&'static Gap>, PredicateError> {
    let Some(invocations) = run.get("invocations") else {
        return Ok(None);
    };
    for invocation in invocations.items()? {
        invocation.object()?;
        let said = invocation.value();
        let failed = said.get("executionSuccessful").and_then(Value::as_bool) == Some(false);
        let broke = [
            "exitSignalName",
            "exitSignalNumber",
            "processStartFailureMessage",
        ];
        let mut broke = broke.into_iter().filter_map(|key| said.get(key));
        if failed || broke.any(|value| *value != Value::Null) || has_errors(said) {
            return Ok(Some(&FAILED));
        }
    }
    Ok(None)
}

/// Whether a tool notified of an error of its own (SARIF 3.20.21 and 3.58.6): what it could not
/// look at, it did not find anything in.
fn has_errors(invocation: &Value) -> bool {
    let lists = [
        "toolExecutionNotifications",
        "toolConfigurationNotifications",
    ];
    let lists = lists
        .into_iter()
        .filter_map(|key| invocation.get(key)?.as_array());
    let mut levels = lists.flatten().filter_map(|one| one.get("level")?.as_str());
    levels.any(|level| level == "error")
}
