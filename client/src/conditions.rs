//! Conditions of policies, in CEL (the Common Expression Language, cel.dev).
//!
//! They live here and not in core, because the parser of the `cel` crate links locks that park
//! threads and read a clock, and its maps hash with random seeds. What is evaluated is pure all the
//! same: regular expressions, times and extensions are switched off, so that a condition is a
//! function of what it sees.
//!
//! What a condition costs is bounded before it is run. Its length is core's limit. It may go over
//! lists with `exists`, `all` and `exists_one`, over parts of what it sees and not over what it
//! makes itself; a loop within a loop goes over a part of the item that the outer one is at. So
//! each value of a claim is visited once by each loop. `map` and `filter`, which make lists, are
//! refused. A comparison with the whole predicate inside a loop is what costs most: the square of
//! its size.

use assay_claims::json::Value as Json;
use assay_policy::rules::{CONDITION_BYTES, Compiled, ConditionLanguage, Variables};
use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr, operators};
use cel::{Context, ExecutionError, Program, Value};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What conditions can name.
const VARIABLES: [&str; 3] = ["predicate", "claim", "component"];

/// Functions besides the operators.
const FUNCTIONS: [&str; 7] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "int",
    "double",
    "string",
];

const OPERATORS: [&str; 19] = [
    operators::CONDITIONAL,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::SUBSTRACT,
    operators::ADD,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::GREATER_EQUALS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::LESS,
    operators::NEGATE,
    operators::INDEX,
    operators::NOT_STRICTLY_FALSE,
    operators::IN,
];

/// Longest text of an error that is shown.
const ERROR_CHARACTERS: usize = 200;

/// CEL, as policies may use it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cel;

impl ConditionLanguage for Cel {
    fn compile(&self, text: &str) -> Result<Arc<dyn Compiled>, String> {
        if text.len() > CONDITION_BYTES {
            return Err(format!(
                "is longer than {CONDITION_BYTES} bytes; make two rules of it"
            ));
        }
        // The generated parser indexes where it could check. A text that it cannot take is the
        // policy's fault, not a crash.
        let program = catch_unwind(|| Program::compile(text))
            .map_err(|_| {
                "is no condition in CEL that can be read; write it more plainly".to_owned()
            })?
            .map_err(|e| format!("is no condition in CEL: {}", one_line(&e.to_string())))?;
        check(program.expression(), &mut Vec::new())?;
        Ok(Arc::new(Condition(program)))
    }
}

#[derive(Debug)]
struct Condition(Program);

impl Compiled for Condition {
    fn holds(&self, variables: Variables<'_>) -> Result<bool, String> {
        let mut context = Context::default();
        let seen = [
            ("predicate", variables.predicate),
            ("claim", variables.claim),
            ("component", variables.component),
        ];
        for (name, value) in seen {
            context.add_variable_from_value(name, of_json(value));
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| self.0.execute(&context)));
        match outcome.map_err(|_| "the condition cannot be evaluated for this claim".to_owned())? {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) => Err("the condition is neither true nor false".into()),
            Err(ExecutionError::NoSuchKey(key)) => Err(format!(
                "there is no field {:?}; ask has(…) first",
                key.chars().take(60).collect::<String>()
            )),
            Err(error) => Err(one_line(&error.to_string())),
        }
    }
}

/// The first line of an error, as much as is worth showing.
fn one_line(text: &str) -> String {
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    line.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(ERROR_CHARACTERS)
        .collect()
}

/// What stands where a loop's variables are visible.
struct Loop<'e> {
    /// The item that it is at.
    item: &'e str,
    /// The name that collects its result, which no text can spell.
    result: &'e str,
}

/// Refuses what is not bounded, or not known.
fn check<'e>(expression: &'e IdedExpr, loops: &mut Vec<Loop<'e>>) -> Result<(), String> {
    match &expression.expr {
        Expr::Literal(_) => Ok(()),
        Expr::Ident(name) => {
            let known = VARIABLES.contains(&name.as_str())
                || loops.iter().any(|l| l.item == name || l.result == name);
            if known {
                Ok(())
            } else {
                Err(format!(
                    "names {name:?}; it can see {}",
                    VARIABLES.join(", ")
                ))
            }
        }
        Expr::Select(select) => check(&select.operand, loops),
        Expr::Call(call) => {
            let name = call.func_name.as_str();
            if !OPERATORS.contains(&name) && !FUNCTIONS.contains(&name) {
                return Err(format!(
                    "calls {name:?}; there are {}, has, exists, all and exists_one",
                    FUNCTIONS.join(", ")
                ));
            }
            call.target
                .iter()
                .map(|target| &**target)
                .chain(&call.args)
                .try_for_each(|part| check(part, loops))
        }
        Expr::List(list) => list
            .elements
            .iter()
            .try_for_each(|element| check(element, loops)),
        Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => {
                check(&entry.key, loops).and_then(|()| check(&entry.value, loops))
            }
            EntryExpr::StructField(field) => check(&field.value, loops),
        }),
        Expr::Comprehension(comprehension) => check_loop(comprehension, loops),
        Expr::Struct(_) | Expr::Unspecified => {
            Err("makes an object of a type that is not known".into())
        }
    }
}

fn check_loop<'e>(
    comprehension: &'e ComprehensionExpr,
    loops: &mut Vec<Loop<'e>>,
) -> Result<(), String> {
    let over = root(&comprehension.iter_range);
    match (loops.last(), over) {
        (None, Some(name)) if VARIABLES.contains(&name) => {}
        (Some(outer), Some(name)) if outer.item == name => {}
        (None, _) => {
            return Err(
                "loops over something that it makes; loop over a part of what it can see".into(),
            );
        }
        (Some(outer), _) => {
            return Err(format!(
                "loops within a loop over something else; loop over a part of {:?}",
                outer.item
            ));
        }
    }
    // `map` and `filter` collect a list, the others a truth value or a count.
    if matches!(comprehension.accu_init.expr, Expr::List(_) | Expr::Map(_))
        || comprehension.iter_var2.is_some()
    {
        return Err(
            "makes a list with map or filter; ask with exists, all or exists_one instead".into(),
        );
    }
    check(&comprehension.iter_range, loops)?;
    loops.push(Loop {
        item: &comprehension.iter_var,
        result: &comprehension.accu_var,
    });
    let parts = [
        &comprehension.accu_init,
        &comprehension.loop_cond,
        &comprehension.loop_step,
        &comprehension.result,
    ];
    let outcome = parts.into_iter().try_for_each(|part| check(part, loops));
    loops.pop();
    outcome
}

/// The variable that a path starts from: `predicate` of `predicate.a[0].b`.
fn root(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Ident(name) => Some(name),
        Expr::Select(select) if !select.test => root(&select.operand),
        Expr::Call(call) if call.func_name == operators::INDEX && call.target.is_none() => {
            match call.args.as_slice() {
                [operand, index] if matches!(index.expr, Expr::Literal(_)) => root(operand),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A value as CEL has it. Whole numbers are ints, so that they compare with what a condition
/// writes; others are doubles.
fn of_json(value: &Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(bit) => Value::Bool(*bit),
        Json::String(text) => Value::String(Arc::new(text.clone())),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), _, _) => Value::Int(whole),
            (None, Some(whole), _) => Value::UInt(whole),
            (None, None, Some(number)) => Value::Float(number),
            (None, None, None) => Value::Null,
        },
        Json::Array(items) => Value::List(Arc::new(items.iter().map(of_json).collect())),
        Json::Object(members) => {
            let members: HashMap<String, Value> = members
                .iter()
                .map(|(key, value)| (key.clone(), of_json(value)))
                .collect();
            Value::Map(members.into())
        }
    }
}

#[cfg(test)]
mod tests;
