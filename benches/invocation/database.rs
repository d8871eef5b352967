//! Implements DynamoDB's protocol on the in-memory store, for the operations that the contenders
//! use.

use std::collections::{BTreeMap, HashMap};

use futures_util::FutureExt as _;
use referee::data::{Item, JsonItem, Value, into_owned};
use referee::store::{
    Action, Answer, Condition, Memory, Query, Read, Store as _, StoreError, Write, Written,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::expression::Placeholders;

/// A request of any operation.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Call<'a> {
    #[serde(default)]
    table_name: String,
    #[serde(borrow, default)]
    request_items: HashMap<String, Wanted<'a>>,
    #[serde(borrow)]
    item: Option<JsonItem<'a>>,
    #[serde(borrow)]
    key: Option<JsonItem<'a>>,
    condition_expression: Option<String>,
    key_condition_expression: Option<String>,
    projection_expression: Option<String>,
    #[serde(default)]
    expression_attribute_names: HashMap<String, String>,
    #[serde(borrow, default)]
    expression_attribute_values: HashMap<String, Value<'a>>,
    exclusive_start_key: Option<JsonItem<'a>>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted<'a> {
    #[serde(borrow)]
    keys: Vec<JsonItem<'a>>,
    projection_expression: Option<String>,
    #[serde(default)]
    expression_attribute_names: HashMap<String, String>,
    #[serde(default)]
    consistent_read: bool,
}

/// The answer to a `BatchGetItem`. It is serialized directly, without intermediate JSON values,
/// because it is long.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    responses: BTreeMap<String, Vec<Item<'static>>>,
    unprocessed_keys: serde_json::Map<String, serde_json::Value>,
    consumed_capacity: Vec<serde_json::Value>,
}

/// Answers a request with an HTTP status and a body.
pub(crate) fn answer(store: &Memory, operation: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let call: Call<'_> = serde_json::from_slice(body).expect("the request can be read");
    let answered = match operation {
        "BatchGetItem" => batch_get(store, call),
        "GetItem" => get(store, call),
        "Query" => query(store, call),
        "PutItem" | "DeleteItem" => write(store, call),
        // The role has only the permissions that the contenders need.
        _ => Err(error_body("AccessDeniedException", &format!("not allowed: {operation}"))),
    };
    match answered {
        Ok(body) => (200, body),
        Err(body) => (400, text(&body)),
    }
}

type Answered = Result<Vec<u8>, serde_json::Value>;

fn batch_get(store: &Memory, call: Call<'_>) -> Answered {
    let mut responses = BTreeMap::new();
    for (table, keys) in call.request_items {
        assert!(keys.consistent_read, "reads are strongly consistent");
        let placeholders =
            Placeholders { names: keys.expression_attribute_names, ..Placeholders::default() };
        let attributes = keys.projection_expression.map(|text| placeholders.projection(&text));
        let reads = keys.keys.into_iter().map(|JsonItem(key)| Read {
            table: table.clone(),
            key: into_owned(key),
            attributes: attributes.clone(),
        });
        let found = answered(store.batch_get(reads.collect()))?;
        responses.insert(table, found.into_iter().flatten().collect());
    }
    let consumed =
        responses.keys().map(|table| json!({ "TableName": table, "CapacityUnits": 1.0 }));
    let consumed_capacity = consumed.collect();
    let found = Found { responses, unprocessed_keys: serde_json::Map::new(), consumed_capacity };
    Ok(serde_json::to_vec(&found).expect("an item is JSON"))
}

fn get(store: &Memory, call: Call<'_>) -> Answered {
    let JsonItem(key) = call.key.expect("an item is read by its key");
    let read = Read { table: call.table_name, key: into_owned(key), attributes: None };
    let found = answered(store.batch_get(vec![read]))?.into_iter().flatten().next();
    Ok(text(&found.map_or_else(|| json!({}), |item| json!({ "Item": item }))))
}

fn query(store: &Memory, call: Call<'_>) -> Answered {
    let placeholders =
        placeholders(call.expression_attribute_names, call.expression_attribute_values);
    let condition = call.key_condition_expression.expect("a query has a key condition");
    let (partition, sort) = placeholders.key_condition(&condition);
    let page = answered(store.query(Query {
        table: call.table_name,
        index: None,
        partition,
        sort,
        attributes: call.projection_expression.map(|text| placeholders.projection(&text)),
        limit: call.limit,
        start: call.exclusive_start_key.map(|JsonItem(key)| into_owned(key)),
    }))?;
    let mut body = json!({ "Items": page.items, "Count": page.items.len() });
    if let Some(next) = page.next {
        body["LastEvaluatedKey"] = json!(next);
    }
    Ok(text(&body))
}

fn write(store: &Memory, call: Call<'_>) -> Answered {
    let placeholders =
        placeholders(call.expression_attribute_names, call.expression_attribute_values);
    let condition: Option<Condition> =
        call.condition_expression.map(|text| placeholders.condition(&text));
    let action = match (call.item, call.key) {
        (Some(JsonItem(item)), _) => Action::Put(into_owned(item)),
        (None, Some(JsonItem(key))) => Action::Delete(into_owned(key)),
        (None, None) => panic!("a write has an item or a key"),
    };
    let table = call.table_name;
    match answered(store.write(Write { table: table.clone(), action, condition }))? {
        Written::Applied => {
            Ok(text(&json!({ "ConsumedCapacity": { "TableName": table, "CapacityUnits": 1.0 } })))
        }
        Written::ConditionFailed(current) => {
            let mut body =
                error_body("ConditionalCheckFailedException", "The conditional request failed");
            if let Some(current) = current {
                body["Item"] = json!(current);
            }
            Err(body)
        }
    }
}

fn text(body: &serde_json::Value) -> Vec<u8> {
    body.to_string().into_bytes()
}

fn placeholders(
    names: HashMap<String, String>,
    values: HashMap<String, Value<'_>>,
) -> Placeholders {
    let values = values.into_iter().map(|(name, value)| (name, value.into_owned())).collect();
    Placeholders { names, values }
}

/// Returns the answer of the in-memory store, which is available at once.
fn answered<T>(
    answer: impl Future<Output = Result<Answer<T>, StoreError>>,
) -> Result<T, serde_json::Value> {
    match answer.now_or_never().expect("the in-memory store answers at once") {
        Ok(answer) => Ok(answer.value),
        Err(error) => Err(error_body("ValidationException", &error.to_string())),
    }
}

fn error_body(kind: &str, message: &str) -> serde_json::Value {
    json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": message })
}

/// Returns all items as JSON, for comparison.
pub(crate) fn dump(store: &Memory) -> Vec<String> {
    let items = store.dump().into_values().flatten();
    items.map(|item: Item<'static>| json!(item).to_string()).collect()
}
