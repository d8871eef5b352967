//! The parts of every scenario: a table with a stream, the function, and a proxy between them.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, Select, WriteRequest};
use referee::aws::SdkConfig;
use referee::data::{Item, KeyAttribute, KeyKind, KeySchema};
use referee::replay::schemas;
use referee::rules::Rules;
use referee::store::schema::{IndexSchema, TableSchema};
use referee::store::{Action, DynamoDb, Store as _, StoreError, Write};
use referee::streams::Streams;
use serde_json::Value as Json;
use tokio::time::sleep;

use crate::lambda::Lambda;
use crate::mapping::{Mapping, Settings};
use crate::proxy::Proxy;
use kit::aws::configure_as;
use kit::endpoint::access_key;
use kit::history::{item, load};
use kit::runtime_api::Program;

/// The environment of a scenario.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    /// The scenario's name, which is part of the names of its tables.
    pub(crate) name: &'static str,
    pub(crate) dynamodb: String,
    pub(crate) cloudwatch: Option<String>,
    /// The function's binary.
    pub(crate) lambda: String,
    /// The address of the interpreter of the States Language.
    pub(crate) step_functions: Option<String>,
}

/// A scenario's parts.
pub(crate) struct Stage {
    pub(crate) environment: Environment,
    /// The application's own client, which does not use the proxy.
    pub(crate) client: Client,
    pub(crate) proxy: Proxy,
    pub(crate) lambda: Rc<Lambda>,
    rules: String,
    store: DynamoDb,
    streams: Streams,
}

/// The partition key and the sort key.
pub(crate) type Key = (String, String);

/// An item, with its attributes as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) key: Key,
    pub(crate) attributes: BTreeMap<String, String>,
    /// Whether the item has Referee's mark.
    pub(crate) is_marked: bool,
}

impl Stage {
    /// Creates a stage with one table, which is named after the scenario, and rules for it.
    pub(crate) async fn new(environment: Environment, rules: impl FnOnce(&str) -> Json) -> Self {
        let table = table_name(environment.name);
        let rules = rules(&table);
        let stage = Self::without_tables(environment, &rules).await;
        let indexes = schemas(&stage.rules()).flat_map(|table| table.indexes).collect();
        stage.create_with(&table, indexes).await;
        stage
    }

    /// Creates a stage without a table.
    pub(crate) async fn without_tables(environment: Environment, rules: &Json) -> Self {
        let access_key = access_key_of(environment.name);
        let config: SdkConfig = configure_as(&environment.dynamodb, &access_key).await;
        let proxy = Proxy::start(&environment.dynamodb, 1).await;
        let program = Program::new([&environment.lambda])
            .env("AWS_ACCESS_KEY_ID", access_key)
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL_DYNAMODB", &proxy.url)
            .env("REFEREE_METRICS", "emf")
            .env("REFEREE_RULES_JSON", rules.to_string());
        Self {
            client: Client::new(&config),
            proxy,
            lambda: Rc::new(Lambda::new(program)),
            rules: rules.to_string(),
            store: DynamoDb::new(&config),
            streams: Streams::new(&config),
            environment,
        }
    }

    /// Returns the scenario's rules, which must be valid.
    pub(crate) fn rules(&self) -> Rules {
        load(&self.rules)
    }

    /// Returns the name of the scenario's own table.
    pub(crate) fn table(&self) -> String {
        table_name(self.environment.name)
    }

    /// Creates a table with a key of two strings.
    pub(crate) async fn create(&self, table: &str) {
        self.create_with(table, Vec::new()).await;
    }

    /// Creates the tables of the rules.
    pub(crate) async fn create_all(&self) {
        for schema in schemas(&self.rules()) {
            self.store.create(&schema).await.unwrap();
        }
    }

    /// Puts items of any kind, except those that DynamoDB refuses because of an index's key.
    pub(crate) async fn put_items(&self, table: &str, items: Vec<Item<'static>>) {
        for item in items {
            let table = table.to_owned();
            let write = Write { table, action: Action::Put(item), condition: None };
            match self.store.write(write).await {
                Ok(_) | Err(StoreError::Rejected(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Puts a mirror of a membership, marked as if Referee had written it long ago.
    pub(crate) async fn put_mirror(&self, user: &str, company: &str, role: &str) {
        let text = format!("pk: {user}, sk: {company}, role: {role}, _referee: membership@1");
        self.put_items(&self.table(), vec![item(&text)]).await;
    }

    async fn create_with(&self, table: &str, indexes: Vec<IndexSchema>) {
        let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
        let key = KeySchema { partition: attribute("pk"), sort: Some(attribute("sk")) };
        let schema = TableSchema { name: table.to_owned(), key, indexes };
        self.store.create(&schema).await.unwrap();
    }

    /// Creates a mapping from the scenario's table to the function.
    pub(crate) async fn mapping(&self) -> Mapping {
        self.mapping_of(&self.table(), Settings::default()).await
    }

    pub(crate) async fn mapping_of(&self, table: &str, settings: Settings) -> Mapping {
        let described = self.client.describe_table().table_name(table).send().await.unwrap();
        let stream = described.table.and_then(|table| table.latest_stream_arn).unwrap();
        Mapping::new(self.streams.clone(), stream, Rc::clone(&self.lambda), settings)
    }

    pub(crate) async fn put(&self, item: &[(&str, &str)]) {
        self.put_into(&self.table(), item).await;
    }

    pub(crate) async fn put_into(&self, table: &str, item: &[(&str, &str)]) {
        let item = Some(attributes(item));
        self.client.put_item().table_name(table).set_item(item).send().await.unwrap();
    }

    /// Puts an item whose attributes are strings, lists of strings, or string sets, which are
    /// written `{ "SS": ["a", "b"] }`.
    pub(crate) async fn put_all(&self, item: Json) {
        let Json::Object(item) = item else { panic!("{item} is not an item") };
        let item = item.into_iter().map(|(name, value)| (name, attribute(&value))).collect();
        let put = self.client.put_item().table_name(self.table()).set_item(Some(item));
        put.send().await.unwrap();
    }

    /// Creates companies, and users who are members of all of them.
    pub(crate) async fn populate(&self, companies: usize, users: usize) {
        for user in 0..users {
            self.put(&[("pk", &format!("user#{user}")), ("sk", "user#")]).await;
        }
        for company in 0..companies {
            let company = format!("company#{company}");
            self.put(&[("pk", &company), ("sk", "company#")]).await;
            for user in 0..users {
                let user = format!("user#{user}");
                self.put(&[("pk", &company), ("sk", &user), ("role", "staff")]).await;
            }
        }
    }

    /// Sets an attribute of an item.
    pub(crate) async fn set(&self, pk: &str, sk: &str, name: &str, value: &str) {
        self.client
            .update_item()
            .table_name(self.table())
            .set_key(Some(attributes(&[("pk", pk), ("sk", sk)])))
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
            .send()
            .await
            .unwrap();
    }

    /// Sets the role of an item, if the item exists.
    pub(crate) async fn set_role_if_exists(&self, pk: &str, sk: &str, role: &str) {
        let updated = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(attributes(&[("pk", pk), ("sk", sk)])))
            .update_expression("SET #role = :role")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":role", AttributeValue::S(role.to_owned()))
            .send()
            .await;
        if let Err(error) = updated.map_err(SdkError::into_service_error) {
            assert!(error.is_conditional_check_failed_exception(), "{error}");
        }
    }

    /// Puts the items that have a role, and deletes the items that have none, in batches.
    pub(crate) async fn write_batch(&self, items: BTreeMap<Key, Option<String>>) {
        let request = |((pk, sk), role): (Key, Option<String>)| {
            let mut item = attributes(&[("pk", &pk), ("sk", &sk)]);
            let Some(role) = role else {
                let delete = DeleteRequest::builder().set_key(Some(item)).build().unwrap();
                return WriteRequest::builder().delete_request(delete).build();
            };
            item.insert("role".to_owned(), AttributeValue::S(role));
            let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        };
        let mut left: Vec<WriteRequest> = items.into_iter().map(request).collect();
        while !left.is_empty() {
            let batch = self.client.batch_write_item().request_items(self.table(), left);
            let written = batch.send().await.unwrap();
            left = written.unprocessed_items.unwrap_or_default().into_values().flatten().collect();
        }
    }

    pub(crate) async fn delete(&self, pk: &str, sk: &str) {
        self.delete_from(&self.table(), pk, sk).await;
    }

    pub(crate) async fn delete_from(&self, table: &str, pk: &str, sk: &str) {
        let key = Some(attributes(&[("pk", pk), ("sk", sk)]));
        self.client.delete_item().table_name(table).set_key(key).send().await.unwrap();
    }

    /// Returns all items in the scenario's table, sorted by key.
    pub(crate) async fn rows(&self) -> Vec<Row> {
        self.rows_of(&self.table()).await
    }

    pub(crate) async fn rows_of(&self, table: &str) -> Vec<Row> {
        let mut rows: Vec<Row> = self.scan(table).await.iter().map(row).collect();
        rows.sort_unstable();
        rows
    }

    /// Returns all items in a table.
    pub(crate) async fn scan(&self, table: &str) -> Vec<HashMap<String, AttributeValue>> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let scan = self.client.scan().table_name(table).consistent_read(true);
            let scan = scan.select(Select::AllAttributes).set_exclusive_start_key(start);
            let page = scan.send().await.unwrap();
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return items;
            }
        }
    }

    /// Returns the items as text, one per line. A star marks items that Referee wrote.
    pub(crate) async fn dump(&self) -> String {
        let mut text = String::new();
        for Row { key: (pk, sk), attributes, is_marked } in self.rows().await {
            let mark = if is_marked { "* " } else { "" };
            write!(text, "{mark}{pk} / {sk}").unwrap();
            for (name, value) in attributes {
                write!(text, " {name}={value}").unwrap();
            }
            text.push('\n');
        }
        text
    }

    /// Returns the lines of the function's log that have this message.
    pub(crate) fn logged(&self, message: &str) -> Vec<Json> {
        let lines = self.lambda.log.lines();
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        lines.filter(|line| line["message"] == message).collect()
    }

    /// Returns the messages in the function's log at the level `ERROR`.
    pub(crate) fn errors(&self) -> Vec<String> {
        let lines = self.lambda.log.lines();
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        let errors = lines.filter(|line| line["level"] == "ERROR");
        errors.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Returns the violations in the function's log as sorted lines.
    pub(crate) fn violations(&self) -> String {
        let item = |item: &Json| {
            let item: Json = serde_json::from_str(item.as_str().unwrap_or("{}")).unwrap();
            let text = |name: &str| item["key"][name]["S"].as_str().unwrap_or("?").to_owned();
            format!("{} / {}", text("pk"), text("sk"))
        };
        let line = |line: &Json| {
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            let (referencing, referenced) = (item(&line["referencing"]), item(&line["referenced"]));
            let (rule, kind, action) = (text("rule"), text("kind"), text("action"));
            format!("{rule} {kind}: {referencing} -> {referenced}: {action}\n")
        };
        let mut lines: Vec<String> = self.logged("violation").iter().map(line).collect();
        lines.sort_unstable();
        lines.concat()
    }

    /// Waits until the sum of a metric's totals reaches `at_least`, for at most two seconds.
    /// Returns the sum.
    pub(crate) async fn metric(&self, name: &str, at_least: f64) -> f64 {
        for _ in 0..200 {
            let sum = self.metric_so_far(name);
            if sum >= at_least {
                return sum;
            }
            sleep(Duration::from_millis(10)).await;
        }
        self.metric_so_far(name)
    }

    fn metric_so_far(&self, name: &str) -> f64 {
        let lines = self.lambda.log.lines();
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        let totals = lines.filter(|line| line.get("_aws").is_some() && line.get("Rule").is_none());
        totals.filter_map(|line| line[name].as_f64()).sum()
    }
}

/// The access key of a scenario. On DynamoDB Local, each access key has a database of its own. In a
/// shared one, almost every request goes through all earlier stream records of other tables.
fn access_key_of(scenario: &str) -> String {
    access_key() + &scenario.replace('_', "")
}

/// The name of a scenario's table, and the beginning of the names of its other tables.
pub(crate) fn table_name(scenario: &str) -> String {
    format!("e2e-{}-{scenario}", std::process::id())
}

/// Deletes the tables of a scenario: the more tables there are, the slower is DynamoDB Local.
pub(crate) async fn delete_tables(scenario: &str, endpoint: &str) {
    let client = Client::new(&configure_as(endpoint, &access_key_of(scenario)).await);
    let mut tables = client.list_tables().into_paginator().items().send();
    let mut names = Vec::new();
    while let Some(name) = tables.next().await {
        names.push(name.unwrap());
    }
    for name in names.iter().filter(|it| it.starts_with(&table_name(scenario))) {
        client.delete_table().table_name(name).send().await.unwrap();
    }
}

pub(crate) fn attributes(item: &[(&str, &str)]) -> HashMap<String, AttributeValue> {
    item.iter()
        .map(|(name, value)| ((*name).to_owned(), AttributeValue::S((*value).to_owned())))
        .collect()
}

fn attribute(value: &Json) -> AttributeValue {
    match value {
        Json::String(text) => AttributeValue::S(text.clone()),
        Json::Array(list) => AttributeValue::L(list.iter().map(attribute).collect()),
        Json::Object(set) => {
            let set = set["SS"].as_array().unwrap().iter();
            AttributeValue::Ss(set.map(|text| text.as_str().unwrap().to_owned()).collect())
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => panic!("{value} is used in no scenario"),
    }
}

/// Returns a value as text, or `None` for types that no scenario uses.
fn text(value: &AttributeValue) -> Option<String> {
    if let Ok(set) = value.as_ss() {
        let mut set = set.clone();
        set.sort_unstable();
        Some(format!("<{}>", set.join(" ")))
    } else if let Ok(list) = value.as_l() {
        let texts: Vec<String> = list.iter().filter_map(text).collect();
        Some(format!("[{}]", texts.join(" ")))
    } else {
        value.as_s().ok().cloned()
    }
}

fn row(item: &HashMap<String, AttributeValue>) -> Row {
    let is_marked = item.contains_key("_referee");
    let attributes = item.iter().filter(|(name, _)| *name != "_referee");
    let mut attributes: BTreeMap<String, String> =
        attributes.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect();
    let key = (attributes.remove("pk").unwrap(), attributes.remove("sk").unwrap());
    Row { key, attributes, is_marked }
}
