//! Validation of write requests, independently of the current item.
//!
//! A transaction with an invalid request is rejected as a whole. A problem that depends on the
//! current item cancels the transaction, and is returned as the cancellation reason of that action.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#API_TransactWriteItems_Errors>

use super::invalid::{self, Invalid};
use super::table::{Index, Table};
use crate::data::{
    ITEM_BYTES_MAX, Item, KeyError, KeyValue, MAX_DEPTH, Path, Step, Type, Value, item_bytes,
    value_bytes,
};
use crate::store::{Action, Clause, Condition, Operand, Write};

/// Validates a write.
pub(super) fn check(table: &Table, write: &Write) -> Result<(), Invalid> {
    let (Action::Put(item)
    | Action::Update { key: item, .. }
    | Action::Delete(item)
    | Action::Check(item)) = &write.action;
    if let Err(KeyError::Empty(name)) = table.key.key_of(item) {
        return Err(invalid::empty_key(&name, invalid::kind_of(item, &name)));
    }
    match &write.action {
        Action::Put(item) => self::item(table, item)?,
        Action::Update { clauses, .. } => self::clauses(table, clauses)?,
        Action::Delete(_) | Action::Check(_) => {}
    }
    write.condition.as_ref().map_or(Ok(()), |condition| self::condition(table, condition))
}

/// Validates an item to put, except for its key.
pub(super) fn item(table: &Table, item: &Item<'_>) -> Result<(), Invalid> {
    for value in item.values() {
        if is_too_deep(value, 1) {
            return Err(too_deep());
        }
        no_empty_set(value)?;
    }
    for index in &table.indexes {
        no_empty_index_key(index, item)?;
    }
    if item_bytes(item) > ITEM_BYTES_MAX {
        return Err(Invalid("Item size has exceeded the maximum allowed size".to_owned()));
    }
    Ok(())
}

/// The bytes of a write that count towards the size of its transaction, without the few bytes of
/// the expressions themselves.
///
/// AWS documents a limit on "the aggregate size of the items", but not how an item counts if it is
/// only updated, deleted or checked. DynamoDB Local measures the request, and its error message
/// mentions the payload. Existing items therefore do not count here.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub(super) fn payload_bytes(write: &Write) -> usize {
    let of_clause = |clause: &Clause| match clause {
        Clause::Set(_, value) | Clause::Delete(_, value) => value_bytes(value),
        Clause::Remove(_) => 0,
    };
    let of_action = match &write.action {
        Action::Put(item) | Action::Delete(item) | Action::Check(item) => item_bytes(item),
        Action::Update { key, clauses } => {
            item_bytes(key) + clauses.iter().map(of_clause).sum::<usize>()
        }
    };
    of_action + write.condition.as_ref().map_or(0, condition_bytes)
}

fn condition_bytes(condition: &Condition) -> usize {
    match condition {
        Condition::Exists(_) | Condition::NotExists(_) => 0,
        Condition::Compare(_, _, value) | Condition::Contains(_, value) => value_bytes(value),
        Condition::Not(inner) => condition_bytes(inner),
        Condition::All(all) | Condition::Any(all) => all.iter().map(condition_bytes).sum(),
    }
}

fn clauses(table: &Table, clauses: &[Clause]) -> Result<(), Invalid> {
    for (position, clause) in clauses.iter().enumerate() {
        let path = clause.path();
        for other in clauses.iter().take(position).map(Clause::path) {
            no_overlap(other, path)?;
        }
        scalar_index_key(table, path)?;
        match clause {
            Clause::Remove(_) => {}
            Clause::Set(path, value) => {
                operand(value)?;
                if is_index_key(table, path) && invalid::is_empty(value) {
                    return Err(empty_index_key_set(value.kind()));
                }
            }
            Clause::Delete(_, value) => {
                operand(value)?;
                if !matches!(value.kind(), Type::Ss | Type::Ns | Type::Bs) {
                    return Err(not_a_set(value.kind()));
                }
            }
        }
    }
    Ok(())
}

fn condition(table: &Table, condition: &Condition) -> Result<(), Invalid> {
    let (path, value) = match condition {
        Condition::Exists(path) | Condition::NotExists(path) => (path, None),
        Condition::Compare(path, operator, value) => {
            ordered(*operator, value)?;
            (path, Some(value))
        }
        Condition::Contains(path, value) => (path, Some(value)),
        Condition::Not(inner) => return self::condition(table, inner),
        Condition::All(all) | Condition::Any(all) => {
            return all.iter().try_for_each(|inner| self::condition(table, inner));
        }
    };
    if table.key.names().any(|name| name == path.root()) && !is_attribute(path) {
        return Err(not_scalar("Key", path.root()));
    }
    scalar_index_key(table, path)?;
    value.map_or(Ok(()), operand)
}

/// Rejects an ordering operator on a type that no key can have.
fn ordered(operator: Operand, value: &Value<'_>) -> Result<(), Invalid> {
    let symbol = match operator {
        Operand::Equal => return Ok(()),
        Operand::Less => "<",
        Operand::LessOrEqual => "<=",
        Operand::Greater => ">",
        Operand::GreaterOrEqual => ">=",
    };
    match KeyValue::from_value(value) {
        Some(_) => Ok(()),
        None => Err(invalid::operand_type("ConditionExpression", symbol, value.kind())),
    }
}

/// Validates a value in an expression.
fn operand(value: &Value<'_>) -> Result<(), Invalid> {
    if is_too_deep(value, 0) { Err(too_deep()) } else { no_empty_set(value) }
}

/// Rejects two paths of an update if one contains the other, or if they treat the same value
/// differently: one as a map with names, the other as a list with indexes.
fn no_overlap(one: &Path, other: &Path) -> Result<(), Invalid> {
    let difference = one.steps().iter().zip(other.steps()).find(|(one, other)| one != other);
    let fault = match difference {
        Some((Step::Name(_), Step::Name(_)) | (Step::Index(_), Step::Index(_))) => return Ok(()),
        Some(_) => "conflict",
        None => "overlap",
    };
    Err(Invalid(format!(
        "Invalid UpdateExpression: Two document paths {fault} with each other; must remove or \
         rewrite one of these paths; path one: {}, path two: {}",
        bracketed(one),
        bracketed(other)
    )))
}

fn bracketed(path: &Path) -> String {
    let step = |step: &Step| match step {
        Step::Name(name) => name.clone(),
        Step::Index(index) => format!("[{index}]"),
        Step::Each => "[*]".to_owned(),
    };
    format!("[{}]", path.steps().iter().map(step).collect::<Vec<_>>().join(", "))
}

/// Whether a path leads to a top-level attribute.
fn is_attribute(path: &Path) -> bool {
    path.steps().len() == 1
}

fn is_index_key(table: &Table, path: &Path) -> bool {
    is_attribute(path) && table.indexes.iter().any(|index| index.has(path.root()))
}

fn scalar_index_key(table: &Table, path: &Path) -> Result<(), Invalid> {
    if !is_attribute(path) && table.indexes.iter().any(|index| index.has(path.root())) {
        return Err(not_scalar("IndexKey", path.root()));
    }
    Ok(())
}

fn not_scalar(kind: &str, name: &str) -> Invalid {
    Invalid(format!(
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not \
         allowed: {kind}: {name}"
    ))
}

fn no_empty_index_key(index: &Index, item: &Item<'_>) -> Result<(), Invalid> {
    for name in index.schema.key.names() {
        let Some(value) = item.get(name).filter(|value| invalid::is_empty(value)) else { continue };
        return Err(Invalid(format!(
            "One or more parameter values are not valid. A value specified for a secondary index \
             key is not supported. The AttributeValue for a key attribute cannot contain an empty \
             {} value. IndexName: {}, IndexKey: {name}",
            invalid::empty_kind(value.kind()),
            index.schema.name
        )));
    }
    Ok(())
}

fn empty_index_key_set(found: Type) -> Invalid {
    Invalid(format!(
        "One or more parameter values are not valid. The update expression attempted to update a \
         secondary index key to a value that is not supported. The AttributeValue for a key \
         attribute cannot contain an empty {} value.",
        invalid::empty_kind(found)
    ))
}

fn not_a_set(found: Type) -> Invalid {
    let name = match found {
        Type::S => "STRING",
        Type::N => "NUMBER",
        Type::B => "BINARY",
        Type::Bool => "BOOLEAN",
        Type::L => "LIST",
        Type::M => "MAP",
        Type::Null | Type::Ss | Type::Ns | Type::Bs => found.tag(),
    };
    Invalid(format!(
        "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: \
         DELETE, operand type: {name}, typeSet: ALLOWED_FOR_DELETE_OPERAND"
    ))
}

/// Whether a value at this level nests too deeply. A top-level attribute is at level 1, and a value
/// at the last level must not be a nonempty list or map.
pub(super) fn is_too_deep(value: &Value<'_>, level: usize) -> bool {
    level > MAX_DEPTH || inner(value).any(|inner| is_too_deep(inner, level + 1))
}

/// The direct elements of a list or map.
fn inner<'v, 'a>(value: &'v Value<'a>) -> impl Iterator<Item = &'v Value<'a>> {
    let list = if let Value::L(list) = value { Some(list) } else { None };
    let map = if let Value::M(map) = value { Some(map) } else { None };
    list.into_iter().flatten().chain(map.into_iter().flat_map(|map| map.values()))
}

fn too_deep() -> Invalid {
    let message = "Nesting Levels have exceeded supported limits: Attributes in the item have \
                   nested levels beyond supported limit";
    Invalid(message.to_owned())
}

fn no_empty_set(value: &Value<'_>) -> Result<(), Invalid> {
    let (is_empty, words) = match value {
        Value::Ss(set) => (set.is_empty(), "An string set  may not be empty"),
        Value::Ns(set) => (set.is_empty(), "An number set  may not be empty"),
        Value::Bs(set) => (set.is_empty(), "Binary sets should not be empty"),
        Value::S(_)
        | Value::N(_)
        | Value::B(_)
        | Value::Bool(_)
        | Value::Null
        | Value::L(_)
        | Value::M(_) => return inner(value).try_for_each(no_empty_set),
    };
    if is_empty { Err(Invalid::parameter(words)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::Memory;
    use super::super::tests::{ITEM_KEY, item, memory};
    use super::*;
    use crate::store::Store as _;
    use expect_test::expect;
    use futures_util::FutureExt as _;

    fn error(memory: &Memory, action: Action, condition: Option<Condition>) -> String {
        let write = Write { table: "app".to_owned(), action, condition };
        memory.write(write).now_or_never().unwrap().unwrap_err().to_string() + "\n"
    }

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    #[test]
    fn errors_of_updates_have_dynamodbs_wording() {
        let memory = memory();
        let set = |path| Clause::Set(path, "".into());
        let list = || path("l");
        let errors: String = [
            vec![set(path("x")), set(path("x.y"))],
            vec![set(list().element_at(0)), Clause::Remove(list())],
            vec![set(list().element_at(0)), Clause::Remove(path("l.x"))],
            vec![set(path("city"))],
            vec![Clause::Remove(path("city.x"))],
            vec![Clause::Delete(path("x"), Value::Null)],
            vec![Clause::Delete(path("x"), Value::Ss(Vec::new()))],
            vec![Clause::Remove(path("x.y"))],
        ]
        .map(|clauses| error(&memory, Action::Update { key: item(ITEM_KEY), clauses }, None))
        .concat();
        expect![[r"
            ValidationException: Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [x], path two: [x, y]
            ValidationException: Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [l, [0]], path two: [l]
            ValidationException: Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [l, [0]], path two: [l, x]
            ValidationException: One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value.
            ValidationException: Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: city
            ValidationException: Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE, operand type: NULL, typeSet: ALLOWED_FOR_DELETE_OPERAND
            ValidationException: One or more parameter values were invalid: An string set  may not be empty
            ValidationException: The document path provided in the update expression is invalid for update
        "]].assert_eq(&errors);
    }

    #[test]
    fn errors_of_conditions_have_dynamodbs_wording() {
        let memory = memory();
        let less = |text, value| Condition::Compare(path(text), Operand::Less, value);
        let errors: String = [
            Condition::Any(vec![
                Condition::Exists(path("x")),
                Condition::Not(Box::new(less("x", Value::Bool(true)))),
            ]),
            Condition::Contains(path("x"), Value::Ns(Vec::new())),
            Condition::Exists(path("pk").element_at(0)),
            Condition::Contains(path("city.x"), "x".into()),
        ]
        .map(|condition| error(&memory, Action::Delete(item(ITEM_KEY)), Some(condition)))
        .concat();
        expect![[r"
            ValidationException: Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: <, operand type: BOOL
            ValidationException: One or more parameter values were invalid: An number set  may not be empty
            ValidationException: Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk
            ValidationException: Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: city
        "]].assert_eq(&errors);
        // Values of any type may be compared for equality.
        let equal = Condition::Compare(path("x"), Operand::Equal, Value::Bool(true));
        let delete = Action::Delete(item(ITEM_KEY));
        let write = Write { table: "app".to_owned(), action: delete, condition: Some(equal) };
        assert!(memory.write(write).now_or_never().unwrap().is_ok());
    }
}
