//! The transcripts of `docs/adopt.md`, on a table in DynamoDB Local.
//!
//! `UPDATE_EXPECT=1 cargo test --all-features --test live adopt` writes the output into the document.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::StreamViewType;
use expect_test::expect_file;
use kit::aws::configure;
use kit::endpoint;
use kit::sample::RULES;
use kit::stream_setting::set_stream;
use kit::transcript::{last_block, shown, with_output, with_times, without_progress};
use libtest_mimic::Trial;
use referee::data::{Item, JsonItem, KeyAttribute, KeyKind, KeySchema, into_owned};
use referee::store::schema::TableSchema;
use referee::store::{Action, DynamoDb, Store as _, Write};
use serde_json::Value as Json;
use tokio::runtime::{Builder, Runtime};

pub(crate) fn trials() -> Vec<Trial> {
    vec![endpoint::trial("adopt::the_path_of_an_adoption_is_as_documented", |endpoint| {
        adoption(endpoint);
        Ok(())
    })]
}

const TABLE: &str = "shop";

fn adoption(endpoint: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/adopt.md");
    let document = fs::read_to_string(path).unwrap();
    assert_eq!(last_block(&document, "yaml"), Some(RULES), "the rules of `make sample-table`");
    let session = Session::new(endpoint, last_block(&document, "json").unwrap());
    expect_file!["../../docs/adopt.md"].assert_eq(&with_output(&document, |before, line| {
        if let Some(rules) = last_block(before, "yaml") {
            fs::write(session.folder.join("referee.yaml"), rules).unwrap();
        }
        with_times(&without_retries(&without_progress(&session.run(line))), "2026-11-20T08:00:00Z ")
    }));
}

/// A folder, and the table.
struct Session {
    folder: PathBuf,
    endpoint: String,
    runtime: Runtime,
    client: Client,
    store: DynamoDb,
}

impl Session {
    fn new(endpoint: &str, items: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("adopt");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let config = runtime.block_on(configure(endpoint));
        let (client, store) = (Client::new(&config), DynamoDb::new(&config));
        let session = Self { folder, endpoint: endpoint.to_owned(), runtime, client, store };
        session.runtime.block_on(session.create(items));
        session
    }

    /// Creates the table, without a stream.
    async fn create(&self, items: &str) {
        let _ = self.client.delete_table().table_name(TABLE).send().await;
        let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
        let key = KeySchema { partition: attribute("pk"), sort: Some(attribute("sk")) };
        let schema = TableSchema { name: TABLE.to_owned(), key, indexes: Vec::new() };
        self.store.create(&schema).await.unwrap();
        set_stream(&self.client, TABLE, None).await;
        let tables: Json = serde_json::from_str(items).unwrap();
        for json in tables[TABLE].as_array().unwrap() {
            self.write(Action::Put(item(&json.to_string()))).await;
        }
    }

    async fn write(&self, action: Action) {
        let write = Write { table: TABLE.to_owned(), action, condition: None };
        self.store.write(write).await.unwrap();
    }

    /// Runs a command line, and returns what a terminal would show.
    fn run(&self, line: &str) -> String {
        let (line, to) = line.split_once(" > ").unwrap_or((line, ""));
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let ["aws", "dynamodb", rest @ ..] = words.as_slice() {
            self.runtime.block_on(self.aws(rest));
            return String::new();
        }
        let (program, arguments) = words.split_first().unwrap();
        assert_eq!(*program, "referee", "{line}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.args(arguments).current_dir(&self.folder).env("AWS_ENDPOINT_URL", &self.endpoint);
        let to = (!to.is_empty()).then(|| self.folder.join(to));
        shown(&mut command, to.as_deref())
    }

    /// Does what the AWS CLI does for these arguments.
    async fn aws(&self, arguments: &[&str]) {
        match arguments {
            ["put-item", "--table-name", TABLE, "--item", json] => {
                self.write(Action::Put(item(json))).await;
            }
            ["delete-item", "--table-name", TABLE, "--key", json] => {
                self.write(Action::Delete(item(json))).await;
            }
            ["update-table", "--table-name", TABLE, "--stream-specification", stream] => {
                assert_eq!(*stream, "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES");
                let view = Some(StreamViewType::NewAndOldImages);
                set_stream(&self.client, TABLE, view).await;
            }
            _ => panic!("{arguments:?}"),
        }
    }
}

/// Removes the lines that say that a stream is read again after a timeout, as happens on a busy machine.
fn without_retries(shown: &str) -> String {
    let is_of_retry = |line: &str| {
        (line.contains(" reading the stream of `") && line.contains(" timed out"))
            || line.trim_end().ends_with(" is processed again")
    };
    shown.split_inclusive('\n').filter(|line| !is_of_retry(line)).collect()
}

fn item(json: &str) -> Item<'static> {
    into_owned(serde_json::from_str::<JsonItem<'_>>(json).unwrap().0)
}

/// The words of a command line, of which some are in single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
