//! Tests `referee audit` on real tables in DynamoDB Local, if it runs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use expect_test::expect;
use fastrand::Rng;
use kit::aws::{configure, turn_stream_off};
use kit::clocks::Patient;
use kit::oracle::{Audited, Oracle};
use kit::{endpoint, planted};
use libtest_mimic::Trial;
use referee::audit::Options;
use referee::audit::live::rate::Limiter;
use referee::audit::live::run::{LiveAudit, Session};
use referee::data::{Item, JsonItem, into_owned};
use referee::integrity::finding::Finding;
use referee::replay::schemas;
use referee::rules::model::{Rules, View};
use referee::rules::{RuleSource, load};
use referee::runtime::stop::Stop;
use referee::store::{Action, DynamoDb, Store as _, Write};
use serde_json::Value as Json;
use tokio::runtime::{Builder, Runtime};

use kit::transcript::transcript;

/// How many random tables are audited under the rules of each recorded case, unless `TABLES` is set.
/// The simulation audits many more on the in-memory store.
const TABLES_PER_CASE: u64 = 2;
/// The maximum number of items of an entity in a random table.
const PER_ENTITY: usize = 6;

/// A test. Its argument is the endpoint.
type Test = fn(&str);

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 8] = [
        ("an_audit_reports_what_is_wrong", reports),
        ("a_stopped_audit_can_be_resumed", stop_and_resume),
        ("a_killed_audit_can_be_resumed", kill_and_resume),
        ("an_audit_of_a_table_that_is_deleted_meanwhile_is_incomplete", deleted_meanwhile),
        ("a_dump_is_confirmed_on_the_real_table", confirms),
        ("an_audit_on_a_full_disk_can_be_resumed", full_disk),
        ("an_audit_of_a_missing_table_does_not_begin", missing_table),
        ("an_audit_finds_exactly_the_planted_violations", random_tables),
    ];
    let trial = |(name, test): (&str, Test)| {
        endpoint::trial(format!("audit::{name}"), move |endpoint| {
            test(endpoint);
            Ok(())
        })
    };
    tests.into_iter().map(trial).collect()
}

const RULES: &str = r#"version: 1
tables:
  app: { name: APP, key: [pk, sk] }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: profile } }
  task: { table: app, key: { pk: "task#{task}", sk: task }, attributes: { owner: S } }
  member:
    table: app
    key: { pk: "company#{company}", sk: "user#{user}" }
    attributes: { role: S }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
references:
  task_owner: { from: task, to: user, on: { user: "{owner}" }, find: none, grace: 0s }
mirrors:
  membership: { source: member, mirror: member_of, copy: [role] }
"#;

/// A table of its own, and a folder with its rules.
pub(crate) struct Stage {
    pub(crate) folder: PathBuf,
    pub(crate) table: String,
    endpoint: String,
    pub(crate) store: DynamoDb,
    client: Client,
    pub(crate) runtime: Runtime,
}

impl Stage {
    pub(crate) fn new(name: &str, endpoint: &str) -> Self {
        let table = format!("audit-{name}");
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(&table);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("referee.yaml"), RULES.replace("APP", &table)).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let config = runtime.block_on(configure(endpoint));
        let (store, client) = (DynamoDb::new(&config), Client::new(&config));
        Self { folder, table, endpoint: endpoint.to_owned(), store, client, runtime }
    }

    /// Creates the table, with these items.
    pub(crate) fn create(&self, items: Vec<Item<'static>>) {
        let rules = rules(&RULES.replace("APP", &self.table));
        self.runtime.block_on(async {
            fill(&self.client, &self.store, &rules, vec![(self.table.clone(), items)]).await;
        });
    }

    /// The command `referee audit` of this table.
    pub(crate) fn audit(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.args(["audit", "--endpoint-url", &self.endpoint]).args(arguments);
        command.current_dir(&self.folder);
        command
    }

    /// Creates a table of 1.2 MB, begins a slow audit, and sends the process this signal.
    fn interrupt(&self, signal: &str) -> Output {
        self.create(large());
        let child = self
            .audit(&["--read-units", "30", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for_scan(&self.folder.join("referee-audit"));
        let killed = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(killed.unwrap().success());
        child.wait_with_output().unwrap()
    }

    /// Resumes the audit, and checks that it reports each of the wrong items once.
    fn resume(&self) {
        let output = self.audit(&["--json", "--resume"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let lines = lines(&output);
        let summary = lines.last().unwrap();
        assert_eq!(
            [&summary["complete"], &summary["items"], &summary["violations"]],
            [&Json::from(true), &Json::from(601), &Json::from(60)]
        );
        let mut ids: Vec<_> = lines.iter().filter_map(|line| line["id"].as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 60);
        assert!(!self.folder.join("referee-audit").exists());
    }
}

pub(crate) fn lines(output: &Output) -> Vec<Json> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn item(json: &str) -> Item<'static> {
    into_owned(serde_json::from_str::<JsonItem<'_>>(json).unwrap().0)
}

/// Tasks of 2 KB; one of ten has no owner.
fn large() -> Vec<Item<'static>> {
    let task = |number: usize| {
        let owner = if number.is_multiple_of(10) { "nobody" } else { "ann" };
        let text = "x".repeat(2_000);
        item(&format!(
            r#"{{"pk": {{"S": "task#{number}"}}, "sk": {{"S": "task"}},
                "owner": {{"S": "{owner}"}}, "x": {{"S": "{text}"}}}}"#
        ))
    };
    let ann = item(r#"{"pk": {"S": "user#ann"}, "sk": {"S": "profile"}}"#);
    (0..600).map(task).chain([ann]).collect()
}

pub(crate) fn rules(text: &str) -> Rules {
    let source = RuleSource { name: "referee.yaml".to_owned(), text: text.to_owned() };
    load(&source, &|_| None).rules.unwrap()
}

/// Creates tables without indexes, which would refuse some of the items, and fills them.
pub(crate) async fn fill(
    client: &Client,
    store: &DynamoDb,
    rules: &Rules,
    tables: Vec<(String, Vec<Item<'static>>)>,
) {
    for mut schema in schemas(rules) {
        // An audit reads an index only if a reference names it in `to`.
        schema.indexes.retain(|index| {
            let is_read = |view: &View| {
                view.table.name == schema.name && view.index_name(rules) == index.name
            };
            rules.views.iter().any(is_read)
        });
        // A table may exist already: one of an earlier run, if the endpoint keeps running, or this
        // one, if the answer to its creation was late and the request was repeated.
        let mut created = Ok(());
        for _ in 0..3 {
            let _ = client.delete_table().table_name(&schema.name).send().await;
            created = store.create(&schema).await;
            if created.is_ok() {
                break;
            }
        }
        created.unwrap();
        turn_stream_off(client, &schema.name).await;
    }
    for (table, items) in tables {
        let put = |item: &Item<'static>| Write {
            table: table.clone(),
            action: Action::Put(item.clone()),
            condition: None,
        };
        for items in items.chunks(100) {
            store.transact(items.iter().map(put).collect()).await.unwrap();
        }
    }
}

fn reports(endpoint: &str) {
    let stage = Stage::new("reports", endpoint);
    let items = [
        r#"{"pk": {"S": "user#ann"}, "sk": {"S": "profile"}}"#,
        r#"{"pk": {"S": "task#1"}, "sk": {"S": "task"}, "owner": {"S": "ann"}}"#,
        r#"{"pk": {"S": "task#2"}, "sk": {"S": "task"}, "owner": {"S": "bob"}}"#,
        r#"{"pk": {"S": "task#3"}, "sk": {"S": "task"}, "owner": {"N": "7"}}"#,
        r#"{"pk": {"S": "company#a"}, "sk": {"S": "user#ann"}, "role": {"S": "boss"}}"#,
        r#"{"pk": {"S": "company#b"}, "sk": {"S": "user#ann"}, "role": {"S": "boss"}}"#,
        r#"{"pk": {"S": "user#ann"}, "sk": {"S": "company#b"}, "role": {"S": "boss"}}"#,
        r#"{"pk": {"S": "note#1"}, "sk": {"S": "note"}}"#,
    ];
    stage.create(items.map(item).to_vec());
    // With one segment, the findings are always in the same order.
    let mut audit = stage.audit(&["--unknown", "--segments", "1"]);
    expect![[r"
        exit code 1
        --- stdout
         violation             rule         item                        refers to
        ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
         unknown_item          app          app: note#1 / note          the item's key matches no entity
         mirror_missing        membership   app: user#ann / company#a   app: company#a / user#ann
         mirror_unmarked       membership   app: user#ann / company#b   app: company#b / user#ann
         dangling_reference    task_owner   app: task#2 / task          app: user#bob / profile
         malformed_reference   task_owner   app: task#3 / task          `owner` has type N; the rule file declares S

         rule         checked   broken   %
        ────────────────────────────────────────
         task_owner   3         2        66.66
         membership   2         2        100.00

        8 items, 1 without an entity: 5 violations, 0 warnings
        12.5 read units
        1 item matches no entity, for example app: note#1 / note
          the nearest entity is `task`: the template of `pk` is `task#{task}`, and the key differs from the first character
        --- stderr
        table `audit-reports`: 8 items, 185 bytes
        the scan consumes about 1 read unit
        note: DynamoDB updates the sizes of tables about every six hours
        price: less than $0.01 (on-demand price in us-east-1 since November 2024, $0.125 per million read units; it differs by Region: https://aws.amazon.com/dynamodb/pricing/on-demand/)
    "]]
    .assert_eq(&transcript(&mut audit));
}

/// Of three references that dangle in the dump, one has a target now, and one is gone.
fn confirms(endpoint: &str) {
    let stage = Stage::new("confirm", endpoint);
    let task = |name: &str, owner: &str| {
        format!(
            r#"{{"pk": {{"S": "task#{name}"}}, "sk": {{"S": "task"}}, "owner": {{"S": "{owner}"}}}}"#
        )
    };
    let tasks = [task("1", "ann"), task("2", "bob"), task("3", "eve")];
    let dump = format!(r#"{{"{}": [{}]}}"#, stage.table, tasks.join(", "));
    fs::write(stage.folder.join("dump.json"), dump).unwrap();
    let ann = r#"{"pk": {"S": "user#ann"}, "sk": {"S": "profile"}}"#;
    stage.create(vec![item(ann), item(&tasks[0]), item(&tasks[1])]);
    let refused = stage.audit(&["dump.json"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    expect![[r"
        exit code 1
        --- stdout
         violation            rule         item                 refers to
        ────────────────────────────────────────────────────────────────────────────────
         dangling_reference   task_owner   app: task#2 / task   app: user#bob / profile

         rule         checked   broken   %
        ───────────────────────────────────────
         task_owner   3         1        33.33
         membership   0         0        0.00

        3 items: 1 violation, 0 warnings
        4 read units
        2 suspects in order when read again
        no item matched: entities `user`, `member`, `member_of`; rule `membership`
        --- stderr
    "]]
    .assert_eq(&transcript(&mut stage.audit(&["--confirm", "dump.json"])));
}

fn stop_and_resume(endpoint: &str) {
    let stage = Stage::new("stop", endpoint);
    let stopped = stage.interrupt("-INT");
    assert_eq!(stopped.status.code(), Some(3), "{stopped:?}");
    let lines = lines(&stopped);
    assert_eq!(lines.last().unwrap()["complete"], Json::from(false));
    let error = String::from_utf8(stopped.stderr).unwrap();
    assert!(error.contains("error: incomplete"), "{error}");
    stage.resume();
}

fn kill_and_resume(endpoint: &str) {
    let stage = Stage::new("kill", endpoint);
    let killed = stage.interrupt("-KILL");
    assert_eq!((killed.status.code(), killed.stdout), (None, Vec::new()));
    // A new audit would lose what the killed one has read.
    let refused = stage.audit(&[]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    stage.resume();
}

fn deleted_meanwhile(endpoint: &str) {
    let stage = Stage::new("deleted", endpoint);
    stage.create(large());
    let child = stage
        .audit(&["--read-units", "30"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_scan(&stage.folder.join("referee-audit"));
    let deleted = stage.client.delete_table().table_name(&stage.table).send();
    stage.runtime.block_on(deleted).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout), (Some(3), Vec::new()));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("ResourceNotFoundException"), "{error}");
}

/// Waits until an audit with its state in this folder reads the tables.
pub(crate) fn wait_for_scan(state: &Path) {
    let checkpoint = state.join("checkpoint.json");
    let begun = (0..3_000).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        checkpoint.exists()
    });
    assert!(begun, "there is no {}", checkpoint.display());
    std::thread::sleep(Duration::from_millis(500));
}

/// A limit on the size of files stands for a full disk.
fn full_disk(endpoint: &str) {
    let stage = Stage::new("full", endpoint);
    stage.create(large());
    let audit = stage.audit(&["--json", "--segments", "1"]);
    let mut limited = Command::new("bash");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "bash"]);
    limited.arg(audit.get_program()).args(audit.get_args()).current_dir(&stage.folder);
    let output = limited.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let lines = lines(&output);
    let [problem, summary] = lines.as_slice() else { panic!("{lines:?}") };
    let error = problem["error"].as_str().unwrap();
    assert!(error.contains("cannot use `referee-audit/items.log`: File too large"), "{error}");
    assert_eq!(summary["complete"], Json::from(false));
    stage.resume();
}

fn missing_table(endpoint: &str) {
    let stage = Stage::new("missing", endpoint);
    expect![[r"
        exit code 2
        --- stdout
        --- stderr
        error: the tables do not match the rule file
        table `audit-missing` does not exist
        help: check the `name` of table `app` in the rule file, the endpoint, the account and the Region
    "]].assert_eq(&transcript(&mut stage.audit(&[])));
    assert!(!stage.folder.join("referee-audit").exists());
}

/// Random tables under the rules of each recorded case, judged by the oracle.
fn random_tables(endpoint: &str) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let config = runtime.block_on(configure(endpoint));
    let (store, client) = (DynamoDb::new(&config), Client::new(&config));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("audit-random");
    let mut tables = 0;
    for case in fs::read_dir("events").unwrap() {
        let file = case.unwrap().path().join("referee.yaml");
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for seed in 0..crate::random_tables(TABLES_PER_CASE) {
            let mut rules = rules(&text);
            for table in &mut rules.tables {
                table.name = format!("audit-random-{}", table.alias);
            }
            let names = rules.views.iter().map(|view| rules.table_of(view.of).name.clone());
            let names: Vec<String> = names.collect();
            for (view, name) in rules.views.iter_mut().zip(names) {
                view.table.name = name;
            }
            let dump = planted::tables(&rules, PER_ENTITY, &mut Rng::with_seed(seed));
            let expected = Oracle::new(&rules, dump.clone()).audited();
            let _ = fs::remove_dir_all(&folder);
            let found = runtime.block_on(async {
                fill(&client, &store, &rules, dump.into_iter().collect()).await;
                audited(&rules, &store, &folder).await
            });
            assert_eq!(found, expected, "{}, seed {seed}", file.display());
            tables += 1;
        }
    }
    assert!(tables >= 100, "{tables} tables");
}

async fn audited(rules: &Rules, store: &DynamoDb, folder: &Path) -> Vec<Audited> {
    let (clock, stop) = (Patient, Stop::default());
    let limiter = Limiter::new(None, &clock);
    let session = Session { store, clock: &clock, limiter: &limiter, stop: &stop };
    let mut live = LiveAudit::begin(rules, folder, 0, |_| 3).unwrap();
    live.scan(session, (3, false), &mut |_| {}).await.unwrap();
    let options = Options {
        threads: 1,
        memory_bytes_max: usize::MAX,
        temporary: std::env::temp_dir(),
        reports_unknown: false,
        now_ms: 0,
    };
    let suspects = live.join(&options).unwrap();
    let mut found = Vec::new();
    let each = |finding: Finding| {
        found.push(Audited::of(&finding));
        Ok(())
    };
    live.confirm(session, 0, suspects, each).await.unwrap();
    live.remove().unwrap();
    found.sort();
    found.dedup();
    found
}
