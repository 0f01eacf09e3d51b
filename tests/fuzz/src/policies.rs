//! Policies. Conditions are the client's; here each is taken as it is.

use crate::target::Target;
use assay_policy::rules::{
    CONDITION_BYTES, Compiled, ConditionLanguage, POLICY_BYTES, Policy, STARTING, Variables,
};
use std::sync::Arc;

pub fn targets() -> Vec<Target> {
    vec![Target::of_text("policy", policy).with([STARTING])]
}

#[derive(Debug)]
struct Taken;

impl Compiled for Taken {
    fn holds(&self, _: Variables<'_>) -> Result<bool, String> {
        Ok(true)
    }
}

struct Anything;

impl ConditionLanguage for Anything {
    fn compile(&self, text: &str) -> Result<Arc<dyn Compiled>, String> {
        assert!(
            text.len() <= CONDITION_BYTES,
            "a condition of {} bytes",
            text.len()
        );
        Ok(Arc::new(Taken))
    }
}

/// A policy is read as the same whenever it is read, whatever comment follows it.
fn policy(text: &str) -> bool {
    match Policy::parse(text, &Anything) {
        Ok(policy) => {
            assert!(text.len() <= POLICY_BYTES);
            let again = Policy::parse(text, &Anything).unwrap();
            assert_eq!(format!("{policy:?}"), format!("{again:?}"));
            let commented = format!("{text}\n# nothing\n");
            let again = Policy::parse(&commented, &Anything).unwrap();
            assert_eq!(format!("{policy:?}"), format!("{again:?}"));
            true
        }
        Err(_) => false,
    }
}
