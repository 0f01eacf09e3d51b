//! Which rule a result is of, and what the tool says of that rule (SARIF 2.1.0, 3.27.5 to 3.27.7,
//! 3.52 and 3.54).
//!
//! A result names its rule by an identifier, by a place in a list, or by both; the list is that of
//! the driver or of an extension. Where they disagree the identifier decides: it is what people
//! read, and what a severity taken from another place would be of is another rule.

use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use std::collections::HashMap;

/// Most rules of one name that are looked at. Where there are more, nobody knows which is meant.
const SAME_NAME: usize = 16;

/// Most parts of a name that are left out to find its rule.
const PARTS: usize = 16;

/// The rules of a tool.
pub(super) struct Rules<'v> {
    driver: Component<'v>,
    extensions: Vec<Component<'v>>,
    /// Of driver and extensions, by their GUIDs and names; the driver is 0.
    by_guid: HashMap<&'v str, usize>,
    by_name: HashMap<&'v str, usize>,
    /// Rules of all of them, by identifier.
    anywhere: HashMap<&'v str, Vec<&'v Value>>,
}

/// The driver or an extension.
struct Component<'v> {
    rules: &'v [Value],
    by_id: HashMap<&'v str, Vec<&'v Value>>,
    by_guid: HashMap<&'v str, &'v Value>,
}

/// The rule of a result.
pub(super) struct Rule<'v> {
    /// What the result is to be called by.
    pub id: &'v str,
    /// What the tool says of it. Several where components have rules of that name and the result
    /// does not say which it means.
    pub described: Vec<&'v Value>,
}

impl<'v> Rules<'v> {
    /// The rules of a tool, whose driver is this.
    pub fn of(tool: &'v Value, driver: &'v Value) -> Self {
        let extensions = tool.get("extensions").and_then(Value::as_array);
        let extensions = extensions.unwrap_or_default();
        let mut rules = Rules {
            driver: Component::of(driver),
            extensions: extensions.iter().map(Component::of).collect(),
            by_guid: HashMap::new(),
            by_name: HashMap::new(),
            anywhere: HashMap::new(),
        };
        for (place, component) in std::iter::once(driver).chain(extensions).enumerate() {
            if let Some(guid) = text(component, "guid") {
                rules.by_guid.entry(guid).or_insert(place);
            }
            if let Some(name) = text(component, "name") {
                rules.by_name.entry(name).or_insert(place);
            }
            for rule in rules_of(component) {
                if let Some(id) = text(rule, "id") {
                    rules.anywhere.entry(id).or_default().push(rule);
                }
            }
        }
        rules
    }

    /// The rule of a result; `None` if there is nothing to call it by.
    pub fn of_result(&self, result: &Node<'v, '_>) -> Result<Option<Rule<'v>>, PredicateError> {
        let reference = result.value().get("rule");
        let in_reference = |key: &str| reference.and_then(|rule| rule.get(key));
        let named = match result.get("ruleId") {
            Some(id) => Some(id.text()?),
            None => in_reference("id").and_then(Value::as_str),
        };
        let component = self.component(in_reference("toolComponent"));
        let index = result.value().get("ruleIndex").or(in_reference("index"));
        let guid = in_reference("guid").and_then(Value::as_str);
        let pointed =
            component.and_then(|component| component.at(index).or_else(|| component.with(guid)));
        let Some(id) = named
            .or(pointed.and_then(|rule| text(rule, "id")))
            .filter(|id| !id.is_empty())
        else {
            return Ok(None);
        };
        let described = match pointed {
            Some(rule) if is_named(rule, id) => vec![rule],
            _ => self.named(component, id),
        };
        Ok(Some(Rule { id, described }))
    }

    /// The component that a reference means; the driver without one. `None` if there is no such
    /// component.
    fn component(&self, reference: Option<&Value>) -> Option<&Component<'v>> {
        let Some(reference) = reference else {
            return Some(&self.driver);
        };
        if let Some(index) = reference.get("index").and_then(Value::as_u64) {
            return self.extensions.get(usize::try_from(index).ok()?);
        }
        let place = match (text(reference, "guid"), text(reference, "name")) {
            (Some(guid), _) => self.by_guid.get(guid)?,
            (None, Some(name)) => self.by_name.get(name)?,
            (None, None) => &0,
        };
        match place.checked_sub(1) {
            None => Some(&self.driver),
            Some(extension) => self.extensions.get(extension),
        }
    }

    /// What is said of the rule of that name: in the component that is meant, else in any. A name
    /// can go on after that of its rule, with a slash (3.27.5).
    fn named(&self, component: Option<&Component<'v>>, id: &str) -> Vec<&'v Value> {
        let mut name = id;
        for _ in 0..PARTS {
            let meant = component.and_then(|component| component.by_id.get(name));
            if let Some(rules) = meant.or_else(|| self.anywhere.get(name)) {
                return if rules.len() > SAME_NAME {
                    Vec::new()
                } else {
                    rules.clone()
                };
            }
            match name.rsplit_once('/') {
                Some((shorter, _)) => name = shorter,
                None => break,
            }
        }
        Vec::new()
    }
}

impl<'v> Component<'v> {
    fn of(value: &'v Value) -> Self {
        let mut component = Component {
            rules: rules_of(value),
            by_id: HashMap::new(),
            by_guid: HashMap::new(),
        };
        for rule in component.rules {
            if let Some(id) = text(rule, "id") {
                component.by_id.entry(id).or_default().push(rule);
            }
            if let Some(guid) = text(rule, "guid") {
                component.by_guid.insert(guid, rule);
            }
        }
        component
    }

    fn at(&self, index: Option<&Value>) -> Option<&'v Value> {
        let index = usize::try_from(index?.as_u64()?).ok()?;
        self.rules.get(index)
    }

    fn with(&self, guid: Option<&str>) -> Option<&'v Value> {
        self.by_guid.get(guid?).copied()
    }
}

/// The rules of the driver or of an extension.
fn rules_of(component: &Value) -> &[Value] {
    let rules = component.get("rules").and_then(Value::as_array);
    rules.unwrap_or_default()
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

/// Whether a result of that name is of the rule.
fn is_named(rule: &Value, id: &str) -> bool {
    let Some(own) = text(rule, "id") else {
        return false;
    };
    let rest = id.strip_prefix(own);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
