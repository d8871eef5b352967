//! The conditions of an entity's `where`, in SQL: this is `rules/model/condition.rs`.

use super::expression::{Expr, all, any, case};
use super::number::compare;
use super::value::{is_literal, names, value_at};
use crate::data::{Path, Type, Value};
use crate::rules::model::{Choice, Comparison, Entity, Test};

/// Whether an item meets the conditions of an entity that do not depend on the time. The result may
/// be `NULL`.
pub(super) fn admits(item: &Expr, entity: &Entity) -> Expr {
    all(entity.conditions.iter().filter_map(|(path, test)| holds(item, path, test)))
}

/// Whether an item meets the conditions of an entity that depend on the time, in milliseconds since
/// 1970. The result may be `NULL`.
pub(super) fn is_current(item: &Expr, entity: &Entity, now_ms: i64) -> Expr {
    all(entity.conditions.iter().filter_map(|(path, test)| {
        let (comparison, now) = test.at(now_ms)?;
        Some(compares(item, path, comparison, &now))
    }))
}

fn holds(item: &Expr, path: &Path, test: &Test) -> Option<Expr> {
    match test {
        Test::OneOf(choice) => Some(is_one_of(item, path, choice)),
        Test::NoneOf(choice) => Some(is_true(is_one_of(item, path, choice)).not()),
        Test::Compare(comparison, value) => Some(compares(item, path, *comparison, value)),
        Test::Time(..) => None,
    }
}

fn is_one_of(item: &Expr, path: &Path, choice: &Choice) -> Expr {
    let found = item.clone().json_at(&names(path));
    let literals = choice.values.iter().map(|value| is_literal(&found, value));
    let absent = choice.absent.then(|| value_at(item, path).is_null());
    any(literals.chain(absent))
}

fn compares(item: &Expr, path: &Path, comparison: Comparison, value: &Value<'static>) -> Expr {
    let text = |kind: Type| item.clone().json_at(&names(path)).text_at(&[kind.tag()]);
    match value {
        Value::N(number) => compare(text(Type::N), comparison, number),
        Value::S(literal) => {
            text(Type::S).binary(operator(comparison), Expr::text(literal.as_ref()))
        }
        // The rule file compares nothing else.
        Value::Null
        | Value::Bool(_)
        | Value::B(_)
        | Value::Ss(_)
        | Value::Ns(_)
        | Value::Bs(_)
        | Value::L(_)
        | Value::M(_) => Expr::Bool(false),
    }
}

/// The operator of a comparison of texts, which all dialects compare by their bytes.
const fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

/// Whether an expression is true. Never `NULL`.
pub(super) fn is_true(condition: Expr) -> Expr {
    case([(condition, Expr::Bool(true))], Expr::Bool(false))
}
