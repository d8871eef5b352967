//! Validation of table and index keys, with DynamoDB's error messages.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>

use super::invalid::{Invalid, item_key, long_key, request_key};
use super::request;
use super::table::{Index, Table};
use crate::data::{ITEM_BYTES_MAX, Item, Key, KeyError, Path, item_bytes};
use crate::store::{Action, Clause};

/// The key of the item that an action concerns.
pub(super) fn action_key(table: &Table, action: &Action) -> Result<Key<'static>, Invalid> {
    match action {
        Action::Put(item) => item_key(&table.key, item),
        Action::Update { key, .. } | Action::Delete(key) | Action::Check(key) => {
            request_key(&table.key, key)
        }
    }
}

/// Validates the index keys of an item to put. Each key may be absent.
pub(super) fn index_keys(table: &Table, item: &Item<'_>) -> Result<(), Invalid> {
    table.indexes.iter().try_for_each(|index| index_key(index, item))
}

/// Validates the clauses of an update, independently of the item.
pub(super) fn update(table: &Table, clauses: &[Clause]) -> Result<(), Invalid> {
    for clause in clauses {
        let path = clause.path();
        if table.key.names().any(|name| name == path.root()) {
            return Err(Invalid::parameter(format_args!(
                "Cannot update attribute {}. This attribute is part of the key",
                path.root()
            )));
        }
        let level = path.steps().len();
        if let Clause::Set(_, value) = clause
            && request::is_too_deep(value, level)
        {
            return Err(Invalid("Nesting Levels have exceeded supported limits".to_owned()));
        }
    }
    Ok(())
}

/// Validates the item that results from an update.
pub(super) fn updated(table: &Table, item: &Item<'_>, set: &[Path]) -> Result<(), Invalid> {
    let is_set = |name: &str| set.iter().any(|path| path.root() == name);
    for index in &table.indexes {
        // Only the attributes that the update sets are validated: an existing attribute of the
        // wrong type keeps the item out of the index and is not an error.
        if index.schema.key.names().any(is_set) {
            index_key(index, item)?;
        }
    }
    if item_bytes(item) > ITEM_BYTES_MAX {
        return Err(Invalid(
            "Item size to update has exceeded the maximum allowed size".to_owned(),
        ));
    }
    Ok(())
}

fn index_key(index: &Index, item: &Item<'_>) -> Result<(), Invalid> {
    let index = &index.schema;
    for attribute in index.key.attributes() {
        let Some(value) = item.get(attribute.name.as_str()) else { continue };
        let (name, expected, found) = (&attribute.name, attribute.kind.as_type(), value.kind());
        if found != expected {
            return Err(Invalid::parameter(format_args!(
                "Type mismatch for Index Key {name} Expected: {expected} Actual: {found} \
                 IndexName: {}",
                index.name
            )));
        }
    }
    match index.key.key_of(item) {
        Err(KeyError::Length { bytes_max, .. }) => Err(long_key(bytes_max)),
        Ok(_) | Err(KeyError::Missing(_) | KeyError::Type { .. } | KeyError::Empty(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ITEM_KEY, item, memory};
    use crate::data::Path;
    use crate::store::{Action, Clause, Store as _, Write};
    use expect_test::expect;
    use futures_util::FutureExt as _;

    /// The errors of these writes, one per line.
    fn errors(actions: Vec<Action>) -> String {
        let memory = memory();
        let error = |action| {
            let write = Write { table: "app".to_owned(), action, condition: None };
            memory.write(write).now_or_never().unwrap().unwrap_err().to_string() + "\n"
        };
        actions.into_iter().map(error).collect()
    }

    #[test]
    fn errors_have_dynamodbs_wording() {
        let put = |json: &str| Action::Put(item(json));
        let update = |paths: &[&str]| {
            let set = |path: &&str| Clause::Set(Path::parse(path).unwrap(), "x".into());
            Action::Update { key: item(ITEM_KEY), clauses: paths.iter().map(set).collect() }
        };
        let long = format!(r#"{{"pk": {{"S": "{}"}}, "sk": {{"S": "1"}}}}"#, "p".repeat(2049));
        expect![[r"
            ValidationException: One or more parameter values were invalid: Missing the key sk in the item
            ValidationException: One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N
            ValidationException: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: sk
            ValidationException: One or more parameter values were invalid: Size of a key attribute has exceeded the maximum size limit of 2048 bytes
            ValidationException: One or more parameter values were invalid: Type mismatch for Index Key city Expected: S Actual: NULL IndexName: by_city
            ValidationException: One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: by_city, IndexKey: city
            ValidationException: The provided key element does not match the schema
            ValidationException: One or more parameter values were invalid: Cannot update attribute sk. This attribute is part of the key
            ValidationException: Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [x], path two: [x, y]
            ValidationException: The document path provided in the update expression is invalid for update
        "]]
        .assert_eq(&errors(vec![
            put(r#"{"pk": {"S": "p"}}"#),
            put(r#"{"pk": {"N": "1"}, "sk": {"S": "1"}}"#),
            put(r#"{"pk": {"S": "p"}, "sk": {"S": ""}}"#),
            put(&long),
            put(r#"{"pk": {"S": "p"}, "sk": {"S": "1"}, "city": {"NULL": true}}"#),
            put(r#"{"pk": {"S": "p"}, "sk": {"S": "1"}, "city": {"S": ""}}"#),
            Action::Delete(item(r#"{"pk": {"S": "p"}}"#)),
            update(&["sk"]),
            update(&["x", "x.y"]),
            update(&["x.y"]),
        ]));
    }
}
