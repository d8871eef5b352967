//! The tables of the example, and the watchers that run on them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::StreamViewType;
use expect_test::Expect;
use referee::data::{Item, JsonItem, KeyAttribute, KeyKind, KeySchema, into_owned};
use referee::store::schema::TableSchema;
use referee::store::{Action, DynamoDb, Read, Store as _, Write};
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

use kit::aws::configure;
use kit::stream_setting::set_stream;
use kit::transcript::with_times;

/// The maximum time to wait for a watcher's output.
const PATIENCE_MS: u64 = 30_000;

/// The exit code and output of a watcher that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn lines(&self) -> Vec<Json> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Returns the totals with these names from the last line of stdout.
    pub(crate) fn totals<const N: usize>(&self, names: [&str; N]) -> [u64; N] {
        let summary = self.lines().pop().unwrap_or_else(|| panic!("{self:?}"));
        names.map(|name| summary[name].as_u64().unwrap())
    }
}

pub(crate) fn check(ended: &Ended, expected: &Expect) {
    let Ended { code, stdout, stderr } = ended;
    let text = format!("exit code {code}\n--- stdout\n{stdout}--- stderr\n{stderr}");
    expected.assert_eq(&with_times(&text, ""));
}

/// A running watcher.
pub(crate) struct Watcher {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Watcher {
    pub(crate) fn spawn(world: &World, mut command: Command) -> Self {
        let [stdout, stderr] = ["stdout", "stderr"].map(|name| world.folder.join(name));
        let child = command
            .current_dir(&world.folder)
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        Self { child, stdout, stderr }
    }

    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap()
    }

    /// Waits for a text on stdout or stderr.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(|output| output.contains(text));
    }

    pub(crate) fn wait_until(&self, is_there: impl Fn(&str) -> bool) {
        let output = || self.stdout() + &fs::read_to_string(&self.stderr).unwrap();
        for _ in 0..PATIENCE_MS / 20 {
            if is_there(&output()) {
                return;
            }
            sleep(Duration::from_millis(20));
        }
        panic!("it never appeared: {}", output());
    }

    /// Waits long enough for a watcher to read the records of its own writes.
    pub(crate) fn wait_for_own_records() {
        sleep(Duration::from_millis(1_500));
    }

    pub(crate) fn signal(&self, signal: &str) {
        let mut kill = Command::new("kill");
        let status = kill.args([&format!("-{signal}"), &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Asks the watcher to stop by a signal, and waits until it ends.
    pub(crate) fn stop(self, signal: &str) -> Ended {
        self.signal(signal);
        self.end()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn end(mut self) -> Ended {
        let code = self.child.wait().unwrap().code().unwrap();
        let text = |path| fs::read_to_string(path).unwrap();
        Ended { code, stdout: text(&self.stdout), stderr: text(&self.stderr) }
    }
}

/// The example in `events/company-user`, with its own table.
pub(crate) struct World {
    pub(crate) folder: PathBuf,
    endpoint: String,
    pub(crate) table: String,
    runtime: Runtime,
    client: Client,
    store: DynamoDb,
}

impl World {
    pub(crate) fn new(name: &str, endpoint: &str) -> Self {
        let table = format!("watch-{name}");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&table);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let source = Path::new("events/company-user");
        let rules = fs::read_to_string(source.join("referee.yaml")).unwrap();
        let named = rules.replacen("  app:\n", &format!("  app:\n    name: {table}\n"), 1);
        fs::write(folder.join("referee.yaml"), named).unwrap();
        let seed = fs::read_to_string(source.join("seed.json")).unwrap();
        fs::write(folder.join("seed.json"), seed.replacen("app", &table, 1)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = runtime.block_on(configure(endpoint));
        let (client, store) = (Client::new(&config), DynamoDb::new(&config));
        let world = Self { folder, endpoint: endpoint.to_owned(), table, runtime, client, store };
        // If the endpoint keeps running between runs, a table of an earlier run may still exist.
        world.delete(&world.table);
        world
    }

    /// Creates the table and writes the items of the seed.
    pub(crate) fn create(&self) {
        let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
        let key = KeySchema { partition: attribute("pk"), sort: Some(attribute("sk")) };
        let schema = TableSchema { name: self.table.clone(), key, indexes: Vec::new() };
        self.runtime.block_on(self.store.create(&schema)).unwrap();
        let seed = fs::read_to_string(self.folder.join("seed.json")).unwrap();
        let seed: Json = serde_json::from_str(&seed).unwrap();
        seed[&self.table].as_array().unwrap().iter().for_each(|item| self.put(item));
    }

    pub(crate) fn delete(&self, table: &str) {
        let _ = self.runtime.block_on(self.client.delete_table().table_name(table).send());
    }

    pub(crate) fn set_stream(&self, view: Option<StreamViewType>) {
        self.runtime.block_on(set_stream(&self.client, &self.table, view));
    }

    pub(crate) fn write(&self, table: &str, action: Action) {
        let write = Write { table: table.to_owned(), action, condition: None };
        self.runtime.block_on(self.store.write(write)).unwrap();
    }

    pub(crate) fn put(&self, json: &Json) {
        self.write(&self.table, Action::Put(item(json)));
    }

    /// Puts a membership of this person in the company.
    pub(crate) fn join(&self, name: &str) {
        let sk = format!("user#{name}@example.com");
        self.put(&json!({"pk": {"S": "company#acme"}, "sk": {"S": sk}, "role": {"S": "any"}}));
    }

    pub(crate) fn has_mirror(&self, name: &str) -> bool {
        let pk = format!("user#{name}@example.com");
        self.item(&self.table, &json!({"pk": {"S": pk}, "sk": {"S": "company#acme"}})).is_some()
    }

    pub(crate) fn item(&self, table: &str, key: &Json) -> Option<Item<'static>> {
        let read = Read { table: table.to_owned(), key: item(key), attributes: None };
        let mut answer = self.runtime.block_on(self.store.batch_get(vec![read])).unwrap();
        answer.value.pop().flatten()
    }

    pub(crate) fn watch(&self, arguments: &[&str]) -> Watcher {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.args(["watch", "--endpoint-url", &self.endpoint]).args(arguments);
        Watcher::spawn(self, command)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.watch(arguments).end()
    }

    /// Runs another command on the endpoint.
    pub(crate) fn referee(&self, arguments: &[&str]) -> Ended {
        self.run_locally(&[arguments, &["--endpoint-url", &self.endpoint]].concat())
    }

    /// Runs a command that needs no endpoint.
    pub(crate) fn run_locally(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.args(arguments);
        Watcher::spawn(self, command).end()
    }
}

pub(crate) fn item(json: &Json) -> Item<'static> {
    let text = json.to_string();
    let JsonItem(item) = serde_json::from_str(&text).unwrap();
    into_owned(item)
}
