//! Tests `referee check --live`, which compares the rule file with tables on DynamoDB Local.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
    TimeToLiveSpecification,
};
use expect_test::expect;
use kit::aws::configure;
use tokio::runtime::{Builder, Runtime};

use crate::tables::check;

/// Returns the rules for tables whose names have this prefix.
fn rules(prefix: &str) -> String {
    format!(
        r#"version: 1
tables:
  shop: {{ name: {prefix}-shop, key: [pk, sk] }}
  orders: {{ name: {prefix}-orders, key: [id] }}
entities:
  customer: {{ table: shop, key: {{ pk: "customer#{{customer}}", sk: profile }} }}
  order:
    table: orders
    key: {{ id: "{{order}}" }}
    attributes: {{ customer: S }}
references:
  order_customer:
    from: order
    to: customer
    on: {{ customer: "{{customer}}" }}
    on_delete: cascade
    on_ttl_delete: ignore
    find: {{ index: by_customer, key: {{ customer: "{{customer}}" }} }}
"#
    )
}

/// A folder with the rules, and a client to create their tables with.
pub(super) struct Stage {
    pub(super) folder: PathBuf,
    prefix: String,
    endpoint: String,
    client: Client,
    runtime: Runtime,
}

impl Stage {
    pub(super) fn new(name: &str, endpoint: &str) -> Self {
        let prefix = format!("check-{name}");
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(&prefix);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("referee.yaml"), rules(&prefix)).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = Client::new(&runtime.block_on(configure(endpoint)));
        let stage = Self { folder, prefix, endpoint: endpoint.to_owned(), client, runtime };
        for table in ["shop", "orders"] {
            // If the endpoint keeps running between runs, a table of an earlier run may still
            // exist.
            stage.delete(table);
        }
        stage
    }

    fn table(&self, table: &str) -> String {
        format!("{}-{table}", self.prefix)
    }

    fn delete(&self, table: &str) {
        let deleted = self.client.delete_table().table_name(self.table(table)).send();
        let _ = self.runtime.block_on(deleted);
    }

    /// Creates tables that fit the rules.
    pub(super) fn make_agreeing(&self) {
        let view = || Some(StreamViewType::NewAndOldImages);
        self.make("shop", &["pk", "sk"], None, view());
        self.make("orders", &["id"], Some(("by_customer", "customer")), view());
    }

    /// Creates a table with this key, an index on this attribute, and a stream with this view type.
    fn make(
        &self,
        table: &str,
        key: &[&str],
        index: Option<(&str, &str)>,
        view: Option<StreamViewType>,
    ) {
        let attributes = key.iter().copied().chain(index.map(|(_, attribute)| attribute));
        let attributes = attributes.map(|name| {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            attribute.attribute_type(ScalarAttributeType::S).build().unwrap()
        });
        let element = |(name, kind): (&&str, KeyType)| {
            KeySchemaElement::builder().attribute_name(*name).key_type(kind).build().unwrap()
        };
        let kinds = [KeyType::Hash, KeyType::Range];
        let indexes = index.map(|(name, attribute)| {
            let keys_only = Projection::builder().projection_type(ProjectionType::KeysOnly);
            let index = GlobalSecondaryIndex::builder()
                .index_name(name)
                .key_schema(element((&attribute, KeyType::Hash)))
                .projection(keys_only.build());
            vec![index.build().unwrap()]
        });
        let stream = view.map(|view| {
            let stream = StreamSpecification::builder().stream_enabled(true);
            stream.stream_view_type(view).build().unwrap()
        });
        let created = self
            .client
            .create_table()
            .table_name(self.table(table))
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(attributes.collect()))
            .set_key_schema(Some(key.iter().zip(kinds).map(element).collect()))
            .set_global_secondary_indexes(indexes)
            .set_stream_specification(stream);
        self.runtime.block_on(created.send()).unwrap();
    }

    fn let_expire(&self, table: &str) {
        let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name("expires");
        let update = self.client.update_time_to_live().table_name(self.table(table));
        let update = update.time_to_live_specification(ttl.build().unwrap());
        self.runtime.block_on(update.send()).unwrap();
    }

    pub(super) fn check(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.args(["check", "--endpoint-url", &self.endpoint]).args(more);
        command.current_dir(&self.folder);
        command
    }
}

pub(crate) fn tables_that_are_not_there(endpoint: &str) {
    let stage = Stage::new("missing", endpoint);
    check(
        stage.check(&[]),
        &expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error[E080]: table `check-missing-shop` does not exist
         --> referee.yaml:3:17
          |
        3 |   shop: { name: check-missing-shop, key: [pk, sk] }
          |                 ^^^^^^^^^^^^^^^^^^ does not exist
          |
          = help: check the `name` of table `shop` in the rule file, the endpoint, the account and the Region

        error[E080]: table `check-missing-orders` does not exist
         --> referee.yaml:4:19
          |
        4 |   orders: { name: check-missing-orders, key: [id] }
          |                   ^^^^^^^^^^^^^^^^^^^^ does not exist
          |
          = help: check the `name` of table `orders` in the rule file, the endpoint, the account and the Region

        `referee.yaml` has 2 errors; run `referee explain E080` for details
    "#]],
    );
    check(
        stage.check(&["--json"]),
        &expect![[r#"
        exit code 2
        --- stdout
        {"type":"diagnostic","code":"E080","severity":"error","message":"table `check-missing-shop` does not exist","file":"referee.yaml","line":3,"column":17,"end_line":3,"end_column":35,"help":"check the `name` of table `shop` in the rule file, the endpoint, the account and the Region","notes":[],"labels":[{"line":3,"column":17,"end_line":3,"end_column":35,"text":"does not exist"}]}
        {"type":"diagnostic","code":"E080","severity":"error","message":"table `check-missing-orders` does not exist","file":"referee.yaml","line":4,"column":19,"end_line":4,"end_column":39,"help":"check the `name` of table `orders` in the rule file, the endpoint, the account and the Region","notes":[],"labels":[{"line":4,"column":19,"end_line":4,"end_column":39,"text":"does not exist"}]}
        {"type":"summary","errors":2,"warnings":0}
        --- stderr
    "#]],
    );
}

pub(crate) fn tables_that_differ(endpoint: &str) {
    let stage = Stage::new("differ", endpoint);
    stage.make("shop", &["pk"], None, Some(StreamViewType::NewImage));
    stage.make("orders", &["id"], Some(("by_customer", "buyer")), None);
    check(
        stage.check(&[]),
        &expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error[E083]: the stream of table `check-differ-shop` has the view type NEW_IMAGE; Referee needs NEW_AND_OLD_IMAGES
             --> referee.yaml:3:17
              |
            3 |   shop: { name: check-differ-shop, key: [pk, sk] }
              |                 ^^^^^^^^^^^^^^^^^ its stream has the view type NEW_IMAGE
              |
              = help: a stream's view type cannot be changed: disable the stream with aws dynamodb update-table --table-name check-differ-shop --stream-specification StreamEnabled=false, and then enable it: aws dynamodb update-table --table-name check-differ-shop --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES

            error[E081]: table `check-differ-shop` has the key `pk` (S), but the rule file says `pk` (S), `sk` (S)
             --> referee.yaml:3:42
              |
            3 |   shop: { name: check-differ-shop, key: [pk, sk] }
              |                                          ^^^^^^ not the table's key
              |
              = help: correct the `key` of table `shop` in the rule file

            error[E083]: table `check-differ-orders` has no stream
             --> referee.yaml:4:19
              |
            4 |   orders: { name: check-differ-orders, key: [id] }
              |                   ^^^^^^^^^^^^^^^^^^^ rules need its changes
              |
              = help: enable it: aws dynamodb update-table --table-name check-differ-orders --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES

            error[E085]: index `by_customer` of table `check-differ-orders` has the key `buyer` (S), but the rule file says `customer` (S)
              --> referee.yaml:18:40
               |
            18 |     find: { index: by_customer, key: { customer: "{customer}" } }
               |                                        ^^^^^^^^ not the index's key
               |
               = help: correct the `find` of the references that use index `by_customer`

            `referee.yaml` has 4 errors; run `referee explain E083` for details
            note: TTL is off on table `check-differ-shop`, so `on_ttl_delete` of `order_customer` never applies
        "#]],
    );
    stage.delete("orders");
    stage.make("orders", &["id"], None, Some(StreamViewType::NewAndOldImages));
    check(
        stage.check(&["--json"]),
        &expect![[r#"
            exit code 2
            --- stdout
            {"type":"diagnostic","code":"E083","severity":"error","message":"the stream of table `check-differ-shop` has the view type NEW_IMAGE; Referee needs NEW_AND_OLD_IMAGES","file":"referee.yaml","line":3,"column":17,"end_line":3,"end_column":34,"help":"a stream's view type cannot be changed: disable the stream with aws dynamodb update-table --table-name check-differ-shop --stream-specification StreamEnabled=false, and then enable it: aws dynamodb update-table --table-name check-differ-shop --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES","notes":[],"labels":[{"line":3,"column":17,"end_line":3,"end_column":34,"text":"its stream has the view type NEW_IMAGE"}]}
            {"type":"diagnostic","code":"E081","severity":"error","message":"table `check-differ-shop` has the key `pk` (S), but the rule file says `pk` (S), `sk` (S)","file":"referee.yaml","line":3,"column":42,"end_line":3,"end_column":48,"help":"correct the `key` of table `shop` in the rule file","notes":[],"labels":[{"line":3,"column":42,"end_line":3,"end_column":48,"text":"not the table's key"}]}
            {"type":"diagnostic","code":"E084","severity":"error","message":"table `check-differ-orders` has no index `by_customer`","file":"referee.yaml","line":18,"column":20,"end_line":18,"end_column":31,"help":"create it with the key `customer` (S), or correct the `find` of the references that use index `by_customer`","notes":[],"labels":[{"line":18,"column":20,"end_line":18,"end_column":31,"text":"does not exist"}]}
            {"type":"summary","errors":3,"warnings":0}
            --- stderr
            note: TTL is off on table `check-differ-shop`, so `on_ttl_delete` of `order_customer` never applies
        "#]],
    );
}

pub(crate) fn tables_that_agree(endpoint: &str) {
    let stage = Stage::new("agree", endpoint);
    stage.make_agreeing();
    check(
        stage.check(&[]),
        &expect![[r#"
            exit code 0
            --- stdout
            --- stderr
            note: TTL is off on table `check-agree-shop`, so `on_ttl_delete` of `order_customer` never applies
            `referee.yaml` is valid: 2 tables, 2 entities and 1 reference, and the tables match it
        "#]],
    );
    stage.let_expire("shop");
    check(
        stage.check(&[]),
        &expect![[r#"
        exit code 0
        --- stdout
        --- stderr
        `referee.yaml` is valid: 2 tables, 2 entities and 1 reference, and the tables match it
    "#]],
    );
    check(
        stage.check(&["--json"]),
        &expect![[r#"
        exit code 0
        --- stdout
        {"type":"summary","errors":0,"warnings":0}
        --- stderr
    "#]],
    );
}

pub(crate) fn no_credentials(endpoint: &str) {
    let stage = Stage::new("credentials", endpoint);
    let mut command = stage.check(&[]);
    command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_REGION", "us-east-1");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("\nhelp: a local endpoint accepts any: set AWS_ACCESS_KEY_ID"),
        "{error}"
    );
}

pub(crate) fn mirrors_in_an_index(endpoint: &str) {
    const RULES: &str = r#"version: 1
tables:
  shop: { name: TABLE, key: [pk, sk] }
entities:
  member: { table: shop, key: { pk: "team#{team}", sk: "user#{user}" } }
  member_of: { table: shop, key: { pk: "user#{user}", sk: "team#{team}" } }
mirrors:
  membership: { source: member, mirror: member_of }
"#;
    let stage = Stage::new("indexed", endpoint);
    let rules = RULES.replace("TABLE", &stage.table("shop"));
    fs::write(stage.folder.join("referee.yaml"), rules).unwrap();
    let view = Some(StreamViewType::NewAndOldImages);
    stage.make("shop", &["pk", "sk"], Some(("by_role", "role")), view);
    check(
        stage.check(&[]),
        &expect![[r#"
            exit code 0
            --- stdout
            --- stderr
            warning[W011]: mirrors of `membership` copy `role`, so they appear in index `by_role` of table `check-indexed-shop`
             --> referee.yaml:8:3
              |
            8 |   membership: { source: member, mirror: member_of }
              |   ^^^^^^^^^^ copies a key of index `by_role`
              |
              = help: leave the attributes out with `copy: { except: [role] }`, or list the attributes to copy

            `referee.yaml` has 1 warning; run `referee explain W011` for details
            `referee.yaml` is valid: 1 table, 2 entities and 1 mirror, and the tables match it
        "#]],
    );
}

pub(crate) fn access_denied() {
    let endpoint = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", endpoint.local_addr().unwrap());
    std::thread::spawn(move || endpoint.incoming().for_each(|stream| deny(&stream.unwrap())));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("check-denied");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("referee.yaml"), rules("check-denied")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
    command.args(["check", "--endpoint-url", &url]).current_dir(&folder).env_clear();
    command.envs([("AWS_ACCESS_KEY_ID", "none"), ("AWS_SECRET_ACCESS_KEY", "none")]);
    command.env("AWS_REGION", "us-east-1");
    check(
        command,
        &expect![[r#"
            exit code 3
            --- stdout
            --- stderr
            error: incomplete: `DescribeTable` on `check-denied-shop`: AccessDeniedException: not yours
            help: the role's policy must allow this operation on this table
            `DescribeTable` on `check-denied-orders`: AccessDeniedException: not yours
            help: the role's policy must allow this operation on this table
        "#]],
    );
}

/// Answers a request as DynamoDB does when the caller lacks the permission. A connection without a
/// request only finds out whether something listens.
fn deny(mut stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    if length == 0 {
        return;
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let body =
        r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"not yours"}"#;
    let head =
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close";
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
}
