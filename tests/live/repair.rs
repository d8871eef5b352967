//! `referee repair` on real tables: a process that is killed at any moment, or interrupted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use kit::aws::{configure, turn_stream_off};
use kit::endpoint;
use libtest_mimic::Trial;
use referee::data::{Item, JsonItem, KeyAttribute, KeyKind, KeySchema, into_owned};
use referee::store::schema::TableSchema;
use referee::store::{Action, DynamoDb, Store as _, Write};
use serde_json::{Value as Json, json};
use tokio::runtime::{Builder, Runtime};

pub(crate) fn trials() -> Vec<Trial> {
    vec![endpoint::trial("repair::a_killed_or_stopped_repair_is_ended_or_taken_back", |endpoint| {
        killed(endpoint);
        Ok(())
    })]
}

const TABLE: &str = "live-repair";

const RULES: &str = "
version: 1
tables: { app: { name: live-repair, key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: 'user#{user}', sk: '-' } }
  task: { table: app, key: { pk: 'task#{task}', sk: '-' }, attributes: { by: S, with: L } }
  copy: { table: app, key: { pk: 'copy', sk: 'task#{task}' } }
references:
  task_by: { from: task, to: user, on: { user: '{by}' }, find: none, on_missing: unset }
  task_with:
    { from: task, to: user, on: { user: '{with[*]}' }, find: none, on_missing: unset }
mirrors:
  copies: { source: task, mirror: copy, on_mirror_delete: delete_source }
";

/// Tasks that refer to users who do not exist, without mirrors or with stale ones, and mirrors
/// without a task.
fn items() -> Vec<Json> {
    let mark = json!({"M": {"rule": {"S": "copies"}, "fence": {"S": format!("{:040}", 7)}}});
    let mut items = vec![json!({"pk": {"S": "user#ann"}, "sk": {"S": "-"}})];
    // The largest item that DynamoDB allows, and its mirror, have 400 KB.
    let large = "x".repeat(398_000);
    items.push(json!({
        "pk": {"S": "task#99"}, "sk": {"S": "-"}, "by": {"S": "bob"}, "large": {"S": large}
    }));
    for number in 0..30 {
        let key = format!("task#{number:02}");
        let with = json!({"L": [{"S": "ann"}, {"S": "eve"}, {"S": "bob"}]});
        items.push(json!({"pk": {"S": key}, "sk": {"S": "-"}, "by": {"S": "bob"}, "with": with}));
        match number % 3 {
            0 => {}
            1 => items.push(json!({
                "pk": {"S": "copy"}, "sk": {"S": key}, "by": {"S": "old"}, "_referee": mark
            })),
            _ => items.push(json!({
                "pk": {"S": "copy"}, "sk": {"S": format!("task#9{number}")}, "_referee": mark
            })),
        }
    }
    items
}

/// A folder with rules and findings, and the table.
struct World {
    folder: PathBuf,
    endpoint: String,
    runtime: Runtime,
    client: Client,
    store: DynamoDb,
}

impl World {
    fn new(endpoint: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("repair");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("referee.yaml"), RULES).unwrap();
        fs::write(folder.join("tables.json"), json!({TABLE: items()}).to_string()).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let config = runtime.block_on(configure(endpoint));
        let (client, store) = (Client::new(&config), DynamoDb::new(&config));
        let world = Self { folder, endpoint: endpoint.to_owned(), runtime, client, store };
        world.runtime.block_on(world.create());
        world
    }

    async fn create(&self) {
        let _ = self.client.delete_table().table_name(TABLE).send().await;
        let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
        let key = KeySchema { partition: attribute("pk"), sort: Some(attribute("sk")) };
        let schema = TableSchema { name: TABLE.to_owned(), key, indexes: Vec::new() };
        self.store.create(&schema).await.unwrap();
        turn_stream_off(&self.client, TABLE).await;
        for json in items() {
            let text = json.to_string();
            let JsonItem(item) = serde_json::from_str(&text).unwrap();
            let item: Item<'static> = into_owned(item);
            let action = Action::Put(item);
            let write = Write { table: TABLE.to_owned(), action, condition: None };
            self.store.write(write).await.unwrap();
        }
    }

    /// The content of the table, in an order of its own.
    fn content(&self) -> Vec<String> {
        let scan = self.client.scan().table_name(TABLE).consistent_read(true).send();
        let page = self.runtime.block_on(scan).unwrap();
        assert!(page.last_evaluated_key.is_none());
        let mut items: Vec<String> = page.items().iter().map(text).collect();
        items.sort();
        items
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.args(arguments.split(' ')).current_dir(&self.folder);
        if !arguments.starts_with("audit") {
            command.args(["--endpoint-url", &self.endpoint]);
        }
        command
    }

    /// Runs a command to its end.
    fn run(&self, arguments: &str) -> String {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code();
        assert!(code.is_some_and(|code| code < 2), "{arguments}: {}", text(output.stderr));
        text(output.stdout)
    }

    fn start(&self, arguments: &str) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Starts a slow command, and interrupts it once it has written to the journal. Returns what it
    /// says.
    fn interrupt(&self, arguments: &str) -> String {
        let journal = self.folder.join("plan.jsonl.journal");
        let length = || fs::metadata(&journal).map_or(0, |file| file.len());
        let before = length();
        let mut command = self.command(&format!("{arguments} --write-units 20"));
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        while length() <= before.max(500) {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(300));
        let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(signal.unwrap().success());
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments}: {text}");
        text
    }

    /// Kills a process as soon as the journal has so many bytes, and a little later. Returns whether
    /// it was still running.
    fn kill(&self, mut child: Child, bytes: u64, wait: Duration) -> bool {
        let journal = self.folder.join("plan.jsonl.journal");
        while child.try_wait().unwrap().is_none() {
            if fs::metadata(&journal).is_ok_and(|file| file.len() >= bytes) {
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(wait);
        let was_running = child.try_wait().unwrap().is_none();
        let _ = child.kill();
        child.wait().unwrap();
        was_running
    }
}

/// An item as text, with its attributes in order.
fn text(item: &HashMap<String, AttributeValue>) -> String {
    // Maps in maps have no order. There is only the mark, of which each value is a string.
    let value = |value: &AttributeValue| match value.as_m() {
        Ok(map) => format!("{:?}", map.iter().collect::<BTreeMap<_, _>>()),
        Err(value) => format!("{value:?}"),
    };
    let values = item.iter().map(|(name, it)| (name, value(it)));
    format!("{:?}", values.collect::<BTreeMap<_, _>>())
}

const APPLY: &str = "repair apply --yes plan.jsonl";
const UNDO: &str = "repair undo --yes plan.jsonl.journal";

fn killed(endpoint: &str) {
    let world = World::new(endpoint);
    let findings = world.run("audit --json tables.json");
    fs::write(world.folder.join("findings.jsonl"), findings).unwrap();
    world.run("repair plan --out plan.jsonl findings.jsonl");
    // Without findings, the tables are audited first.
    world.run("repair plan --out fresh.jsonl");
    let lines = |file| fs::read_to_string(world.folder.join(file)).unwrap().lines().count();
    assert_eq!(lines("fresh.jsonl"), lines("plan.jsonl"));
    assert!(world.run("backfill").contains("put_mirror"));
    let before = world.content();
    let journal = world.folder.join("plan.jsonl.journal");
    // Without a crash.
    world.run(APPLY);
    let (after, size) = (world.content(), fs::metadata(&journal).unwrap().len());
    assert_ne!(before, after);
    world.run(UNDO);
    assert_eq!(world.content(), before);
    let undone = fs::metadata(&journal).unwrap().len();
    let (mut killed, mut halves) = (0, 0);
    for step in 0..8_u64 {
        fs::remove_file(&journal).unwrap();
        // The lines of a chunk are appended at once, so that most kills hit its writes.
        let wait = Duration::from_millis(step * 7 % 20);
        killed += usize::from(world.kill(world.start(APPLY), size * (step + 1) / 10, wait));
        let content = world.content();
        halves += usize::from(content != before && content != after);
        if step % 2 == 0 {
            world.run(APPLY);
            assert_eq!(world.content(), after, "applied again after step {step}");
        }
        let bytes = size + (undone - size) * (step + 1) / 10;
        killed += usize::from(world.kill(world.start(UNDO), bytes, wait));
        world.run(UNDO);
        assert_eq!(world.content(), before, "taken back after step {step}");
    }
    assert!(killed > 5 && halves > 0, "{killed} processes were killed, {halves} in the middle");
    fs::remove_file(&journal).unwrap();
    for (command, content) in [(APPLY, &after), (UNDO, &before)] {
        let text = world.interrupt(command);
        let expected = "error: incomplete: it was stopped\nhelp: the same command continues it\n";
        assert!(text.ends_with(expected), "{text}");
        assert_ne!(world.content(), *content, "{command} was not stopped early");
        world.run(command);
        assert_eq!(world.content(), *content, "{command} continues");
    }
}
