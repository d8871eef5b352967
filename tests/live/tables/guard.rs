//! Sends the transactions that `referee guard` prints to a real endpoint.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use aws_sdk_dynamodb::{Client, Error};
use kit::aws::configure;
use kit::endpoint::access_key;
use referee::data::{KeyAttribute, KeyKind, KeySchema};
use referee::store::schema::TableSchema;
use referee::store::{Action, DynamoDb, Store as _, Write};
use serde_json::{Value as Json, json};

use crate::tables::{Fixture, Table, item};

/// The Rust code that `referee guard` prints (the golden file of `tests/cli/guard`), compiled.
mod snippet {
    include!("../../cli/guard/snippet.rs");

    pub(super) async fn run(client: &Client) -> Result<(), Error> {
        write(client).await
    }
}

/// The same transaction in JSON, as `referee guard` prints it for the AWS CLI.
const SNIPPET: &str = include_str!("../../cli/guard/snippet.json");

/// Sends a printed transaction. If the transaction is refused, returns a code for each action. If
/// it is applied, returns an empty list.
fn send(endpoint: &str, transaction: &str) -> Vec<String> {
    let host = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    // DynamoDB Local accepts any signature, but requires one.
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\
         X-Amz-Target: DynamoDB_20120810.TransactWriteItems\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={}/20200101/us-east-1/dynamodb/aws4_request, \
         SignedHeaders=host, Signature=0\r\n\r\n{transaction}",
        transaction.len(),
        access_key(),
    )
    .unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    if response.starts_with("HTTP/1.1 200 ") {
        return Vec::new();
    }
    let (_, body) = response.split_once("\r\n\r\n").unwrap();
    let body: Json = serde_json::from_str(body).unwrap_or_else(|_| panic!("{response}"));
    let reasons = body["CancellationReasons"].as_array().unwrap_or_else(|| panic!("{body}"));
    reasons.iter().map(|reason| reason["Code"].as_str().unwrap().to_owned()).collect()
}

/// Creates a table. An existing table with this name is deleted first.
async fn create(client: &Client, store: &DynamoDb, name: &str, key: &[(&str, KeyKind)]) {
    // If the endpoint keeps running between runs, a table of an earlier run may still exist.
    let _ = client.delete_table().table_name(name).send().await;
    let mut attributes =
        key.iter().map(|(name, kind)| KeyAttribute { name: (*name).to_owned(), kind: *kind });
    let key = KeySchema { partition: attributes.next().unwrap(), sort: attributes.next() };
    let schema = TableSchema { name: name.to_owned(), key, indexes: Vec::new() };
    store.create(&schema).await.unwrap();
}

async fn put(store: &DynamoDb, table: &str, json: &Json) {
    let action = Action::Put(item(json));
    store.write(Write { table: table.to_owned(), action, condition: None }).await.unwrap();
}

pub(crate) fn snippets(endpoint: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = configure(endpoint).await;
        let (client, store) = (Client::new(&config), DynamoDb::new(&config));
        create(&client, &store, "things", &[("id", KeyKind::S)]).await;
        create(&client, &store, "parts", &[("digest", KeyKind::B), ("part", KeyKind::N)]).await;
        let failed = "ConditionalCheckFailed";
        assert_eq!(send(endpoint, SNIPPET), ["None", failed, failed]);
        assert!(matches!(snippet::run(&client).await, Err(Error::TransactionCanceledException(_))));

        put(&store, "parts", &json!({ "digest": { "B": "AAECAw==" }, "part": { "N": "7" } })).await;
        let next = json!({ "S": "thing#it's \"2\"\n\\ ${x} {y} é" });
        // An item exists at the key of the `thing`, but it is not a `thing`.
        put(&store, "things", &json!({ "id": next, "kind": { "S": "other" } })).await;
        assert_eq!(send(endpoint, SNIPPET), ["None", "None", failed]);

        let of = json!({ "M": { "size": { "N": "1" } } });
        put(&store, "things", &json!({ "id": next, "kind": { "S": "thing" }, "of": of })).await;
        assert_eq!(send(endpoint, SNIPPET), [""; 0]);
        snippet::run(&client).await.unwrap();
    });
}

pub(crate) fn mirrors(endpoint: &str) {
    let fixture = Fixture::new("guard");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let table = runtime.block_on(Table::new(endpoint, &fixture));
    let put = |json: Json| runtime.block_on(put(&table.store, &table.name, &json));
    let guarded = |arguments: &[&str]| {
        let output = fixture.referee(&[&["guard"][..], arguments].concat()).output().unwrap();
        assert!(output.status.success());
        send(endpoint, &String::from_utf8(output.stdout).unwrap())
    };
    let key = |pk: &str, sk: &str| json!({ "pk": { "S": pk }, "sk": { "S": sk } });
    let mut member = key("company#new", "user#zoe");
    member["role"] = json!({ "S": "lead" });
    let member = member.to_string();
    let (made, failed) = ([""; 0], "ConditionalCheckFailed");

    assert_eq!(guarded(&[&member]), ["None", "None", failed, failed]);
    put(key("company#new", "company#"));
    put(key("user#zoe", "user#"));
    // The transaction must not overwrite an item that Referee did not write.
    put(key("user#zoe", "company#new"));
    assert_eq!(guarded(&[&member]), ["None", failed, "None", "None"]);
    let foreign = key("user#zoe", "company#new").to_string();
    let delete = ["--operation", "delete"];
    let of_member = [&member, delete[0], delete[1]];
    assert_eq!(guarded(&of_member), ["None", failed]);
    runtime.block_on(async {
        let action = Action::Delete(item(&serde_json::from_str(&foreign).unwrap()));
        let write = Write { table: table.name.clone(), action, condition: None };
        table.store.write(write).await.unwrap();
    });

    let update = ["--operation", "update"];
    let update_member = [&member, update[0], update[1]];
    assert_eq!(guarded(&update_member), [failed, failed]);
    assert_eq!(guarded(&[&member]), made);
    assert_eq!(guarded(&update_member), made);
    assert_eq!(guarded(&of_member), made);
    assert_eq!(guarded(&of_member), made);
}
