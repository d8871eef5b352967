//! `referee audit --replica`: tables in two Regions of DynamoDB Local, which keeps them apart.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use expect_test::expect;
use fastrand::Rng;
use kit::aws::patient;
use kit::clocks::Patient;
use kit::endpoint;
use kit::transcript::transcript;
use libtest_mimic::Trial;
use referee::audit::Options;
use referee::audit::live::rate::Limiter;
use referee::audit::live::run::Session;
use referee::audit::replica::live::{Comparison, Grace, Scope};
use referee::audit::replica::{Difference, Kind};
use referee::aws::configure_in;
use referee::data::Item;
use referee::rules::model::Rules;
use referee::runtime::stop::Stop;
use referee::store::{Action, DynamoDb, Store as _, Write};
use serde_json::{Value as Json, json};
use tokio::runtime::{Builder, Runtime};

use crate::audit::{fill, item, lines, rules, wait_for_scan};

/// The Regions of the tables and of their replica.
const REGIONS: [&str; 2] = ["us-east-1", "eu-central-1"];
/// How many random tables are compared, unless `TABLES` is set.
const TABLES: u64 = 30;

type Test = fn(&str);

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 6] = [
        ("a_comparison_reports_what_differs", reports),
        ("items_that_are_written_meanwhile_are_no_differences", written_meanwhile),
        ("a_stopped_comparison_can_be_resumed", stop_and_resume),
        ("a_comparison_that_cannot_judge_a_suspect_is_incomplete", unsettled),
        ("sides_that_cannot_be_compared_are_refused", refused),
        ("a_comparison_finds_exactly_the_planted_differences", random_tables),
    ];
    let trial = |(name, test): (&str, Test)| {
        endpoint::trial(format!("replica::{name}"), move |endpoint| {
            test(endpoint);
            Ok(())
        })
    };
    tests.into_iter().map(trial).collect()
}

const RULES: &str = "version: 1
tables: { app: { name: APP, key: [pk] } }
entities: { user: { table: app, key: { pk: 'user#{user}' } } }
references: {}
";

/// A table in each Region, and a folder with the rules.
struct Stage {
    folder: PathBuf,
    rules: Rules,
    endpoint: String,
    sides: [(DynamoDb, Client); 2],
    runtime: Runtime,
}

impl Stage {
    fn new(name: &str, endpoint: &str) -> Self {
        let text = RULES.replace("APP", &format!("replica-{name}"));
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("replica-{name}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("referee.yaml"), &text).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let sides = REGIONS.map(|region| {
            let config = patient(&runtime.block_on(configure_in(Some(endpoint), Some(region))));
            (DynamoDb::new(&config), Client::new(&config))
        });
        Self { folder, rules: rules(&text), endpoint: endpoint.to_owned(), sides, runtime }
    }

    fn table(&self) -> String {
        self.rules.tables.first().unwrap().name.clone()
    }

    /// Creates the table in both Regions, with these items.
    fn create(&self, items: [Vec<Item<'static>>; 2]) {
        for ((store, client), items) in self.sides.iter().zip(items) {
            let tables = vec![(self.table(), items)];
            self.runtime.block_on(fill(client, store, &self.rules, tables));
        }
    }

    /// Replaces the items of one side. Both lists have at most 50 items.
    fn replace(&self, side: usize, before: &[Item<'static>], after: &[Item<'static>]) {
        let key = |item: &Item<'static>| Item::from([("pk".into(), item["pk"].clone())]);
        let is_kept = |old: &&Item<'static>| after.iter().any(|new| new["pk"] == old["pk"]);
        let gone =
            before.iter().filter(|item| !is_kept(item)).map(|item| Action::Delete(key(item)));
        let put = after.iter().map(|item| Action::Put(item.clone()));
        let write = |action| Write { table: self.table(), action, condition: None };
        let writes: Vec<_> = gone.chain(put).map(write).collect();
        if !writes.is_empty() {
            self.runtime.block_on(self.sides[side].0.transact(writes)).unwrap();
        }
    }

    /// Writes an item on one side.
    fn put(&self, side: usize, item: Item<'static>) {
        let (table, action) = (self.table(), Action::Put(item));
        let write = Write { table, action, condition: None };
        self.runtime.block_on(self.sides[side].0.write(write)).unwrap();
    }

    /// The command that compares both Regions.
    fn compare(&self, arguments: &[&str]) -> Command {
        let mut command = self.audit(&["--replica", REGIONS[1], "--grace", "1s"]);
        command.args(arguments);
        command
    }

    fn audit(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.args(["audit", "--endpoint-url", &self.endpoint]).args(arguments);
        command.current_dir(&self.folder).env("AWS_REGION", REGIONS[0]);
        command
    }
}

fn user(name: impl std::fmt::Display, value: impl std::fmt::Display) -> Item<'static> {
    item(
        &json!({ "pk": { "S": format!("user#{name}") }, "n": { "S": value.to_string() } })
            .to_string(),
    )
}

fn reports(endpoint: &str) {
    let stage = Stage::new("reports", endpoint);
    let one = r#"{"pk": {"S": "user#set"}, "n": {"N": "1.0"}, "s": {"SS": ["a", "b"]},
        "aws:rep:updateregion": {"S": "us-east-1"}}"#;
    let other = r#"{"pk": {"S": "user#set"}, "n": {"N": "1"}, "s": {"SS": ["b", "a"]},
        "aws:rep:updateregion": {"S": "eu-central-1"}}"#;
    stage.create([
        vec![item(one), user("ann", 1), user("bob", 1), user("eve", 1)],
        vec![item(other), user("ann", 1), user("bob", 2), user("joe", 1)],
    ]);
    let text = transcript(&mut stage.compare(&["--segments", "1"]));
    let text = text.replace(endpoint, "<endpoint>");
    expect![[r"
        exit code 1
        --- stdout
         difference   item            attributes
        ─────────────────────────────────────────
         different    app: user#bob   n
         extra        app: user#joe
         missing      app: user#eve

         table             items   in the replica   missing   extra   different
        ────────────────────────────────────────────────────────────────────────
         replica-reports   4       4                1         1       1

        4 items, 4 in the replica: 3 differences
        4.5 read units, 4.5 of the replica
        --- stderr
        the tables in `us-east-1` at `<endpoint>`:
        table `replica-reports`: 4 items, 81 bytes
        the scan consumes about 1 read unit
        note: DynamoDB updates the sizes of tables about every six hours
        price: less than $0.01 (on-demand price in us-east-1 since November 2024, $0.125 per million read units; it differs by Region: https://aws.amazon.com/dynamodb/pricing/on-demand/)
        the replica in `eu-central-1` at `<endpoint>`:
        table `replica-reports`: 4 items, 84 bytes
        the scan consumes about 1 read unit
        note: DynamoDB updates the sizes of tables about every six hours
        price: less than $0.01 (on-demand price in us-east-1 since November 2024, $0.125 per million read units; it differs by Region: https://aws.amazon.com/dynamodb/pricing/on-demand/)
    "]].assert_eq(&text);
    let output = stage.compare(&["--json", "--where", "user#e"]).output().unwrap();
    let key = json!({ "pk": { "S": "user#eve" } });
    let lines = lines(&output);
    let [difference, summary] = lines.as_slice() else { panic!("{lines:?}") };
    let expected =
        json!({ "type": "difference", "table": stage.table(), "key": key, "kind": "missing" });
    assert_eq!(*difference, expected);
    assert_eq!([&summary["items"], &summary["missing"]], [1, 1]);
    assert!(!stage.folder.join("referee-audit").exists());
}

/// Both sides have the items of a table of 1.2 MB, and an application writes to them. Each write
/// arrives a little later on the other side. How many suspects that causes depends on the machine's
/// load; the tests of the library control it.
fn written_meanwhile(endpoint: &str) {
    let stage = Stage::new("written", endpoint);
    let items = || (0..600).map(|number| user(number, "x".repeat(2_000))).collect::<Vec<_>>();
    stage.create([items(), items()]);
    let mut command = stage.compare(&["--json", "--read-units", "60"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for number in 0.. {
        let item = user(number % 400, format!("new {number}"));
        stage.put(0, item.clone());
        std::thread::sleep(Duration::from_millis(30));
        stage.put(1, item);
        if child.try_wait().unwrap().is_some() {
            break;
        }
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let lines = lines(&output);
    let [summary] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!([&summary["items"], &summary["replica_items"]], [600, 600]);
}

fn stop_and_resume(endpoint: &str) {
    let stage = Stage::new("stop", endpoint);
    let items = |skipped: usize| {
        (0..600).filter(|number| *number != skipped).map(|it| user(it, "x".repeat(2_000))).collect()
    };
    stage.create([items(3), items(5)]);
    let mut command = stage.compare(&["--json", "--read-units", "30"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_scan(&stage.folder.join("referee-audit/replica"));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let stopped = child.wait_with_output().unwrap();
    assert_eq!(stopped.status.code(), Some(3), "{stopped:?}");
    assert_eq!(lines(&stopped).last().unwrap()["complete"], Json::from(false));
    let other = stage.compare(&["--resume", "--where", "user"]).output().unwrap();
    assert_eq!(other.status.code(), Some(2), "{other:?}");
    let resumed = stage.compare(&["--json", "--resume"]).output().unwrap();
    assert_eq!(resumed.status.code(), Some(1), "{resumed:?}");
    let lines = lines(&resumed);
    let mut kinds: Vec<_> = lines.iter().filter_map(|line| line["kind"].as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["extra", "missing"]);
    let summary = lines.last().unwrap();
    assert_eq!([&summary["items"], &summary["replica_items"]], [599, 599]);
}

fn unsettled(endpoint: &str) {
    let stage = Stage::new("unsettled", endpoint);
    stage.create([vec![user("ann", 0)], Vec::new()]);
    let mut command = stage.compare(&["--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for number in 1.. {
        stage.put(0, user("ann", number));
        std::thread::sleep(Duration::from_millis(50));
        if child.try_wait().unwrap().is_some() {
            break;
        }
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let summary = lines(&output).pop().unwrap();
    assert_eq!([&summary["unsettled"], &summary["missing"]], [1, 0]);
    assert_eq!(summary["complete"], Json::from(false));
}

fn refused(endpoint: &str) {
    let stage = Stage::new("refused", endpoint);
    let mut text = String::new();
    let mut refuse = |mut command: Command| text += &transcript(&mut command);
    refuse(stage.audit(&["--replica", "dump.json"]));
    refuse(stage.audit(&["--replica", REGIONS[0]]));
    refuse(stage.audit(&["--replica", endpoint]));
    refuse(stage.audit(&["--replica", REGIONS[1], "--replica", "eu-west-1"]));
    refuse(stage.audit(&["--replica", REGIONS[1], "dump.json"]));
    refuse(stage.compare(&[]));
    // The table exists on one side only.
    let (store, client) = &stage.sides[0];
    stage.runtime.block_on(fill(client, store, &stage.rules, Vec::new()));
    refuse(stage.compare(&[]));
    // The replica has another key.
    let other = rules(
        &RULES
            .replace("APP", &stage.table())
            .replace("[pk]", "['pk:N']")
            .replace("'user#{user}'", "'{user}'"),
    );
    let (store, client) = &stage.sides[1];
    stage.runtime.block_on(fill(client, store, &other, Vec::new()));
    refuse(stage.compare(&[]));
    expect![[r"
        exit code 2
        --- stdout
        --- stderr
        error: `--replica dump.json` is neither a Region, such as eu-central-1, nor a URL
        help: real tables can only be compared with real tables
        exit code 2
        --- stdout
        --- stderr
        error: both sides are the tables in `us-east-1` at `<endpoint>`
        help: name another Region or endpoint with `--replica`
        exit code 2
        --- stdout
        --- stderr
        error: both sides are the tables in `us-east-1` at `<endpoint>`
        help: name another Region or endpoint with `--replica`
        exit code 2
        --- stdout
        --- stderr
        error: real tables have one `--replica` at a time
        exit code 2
        --- stdout
        --- stderr
        error: there are real tables and other sources, of which only one can be compared with `--replica`
        exit code 2
        --- stdout
        --- stderr
        the tables in `us-east-1` at `<endpoint>`:
        error: the tables in `us-east-1` at `<endpoint>`: the tables do not match the rule file
        table `replica-refused` does not exist
        help: check the `name` of table `app` in the rule file, the endpoint, the account and the Region
        exit code 2
        --- stdout
        --- stderr
        the tables in `us-east-1` at `<endpoint>`:
        table `replica-refused`: 0 items, 0 bytes
        the scan consumes about 0 read units
        note: DynamoDB updates the sizes of tables about every six hours
        the replica in `eu-central-1` at `<endpoint>`:
        error: the replica in `eu-central-1` at `<endpoint>`: the tables do not match the rule file
        table `replica-refused` does not exist
        help: check the `name` of table `app` in the rule file, the endpoint, the account and the Region
        exit code 2
        --- stdout
        --- stderr
        the tables in `us-east-1` at `<endpoint>`:
        table `replica-refused`: 0 items, 0 bytes
        the scan consumes about 0 read units
        note: DynamoDB updates the sizes of tables about every six hours
        the replica in `eu-central-1` at `<endpoint>`:
        error: the replica in `eu-central-1` at `<endpoint>`: the tables do not match the rule file
        table `replica-refused` has the key `pk` (N), but the rule file says `pk` (S)
        help: correct the `key` of table `app` in the rule file
    "]].assert_eq(&text.replace(endpoint, "<endpoint>"));
}

fn random_tables(endpoint: &str) {
    let stage = Stage::new("random", endpoint);
    stage.create([Vec::new(), Vec::new()]);
    let mut before = [Vec::new(), Vec::new()];
    let mut differences = 0;
    for seed in 0..crate::random_tables(TABLES) {
        let mut random = Rng::with_seed(seed);
        let (mut sides, mut planted) = ([Vec::new(), Vec::new()], BTreeMap::new());
        for number in 0..random.usize(..50) {
            let (same, other) = (user(number, 1), user(number, 2));
            let [original, replica] = match random.u8(..10) {
                0 => [Some(same), None],
                1 => [None, Some(same)],
                2 => [Some(same), Some(other)],
                _ => [Some(same.clone()), Some(same)],
            };
            if original != replica {
                let kind = match (&original, &replica) {
                    (_, None) => "missing",
                    (None, _) => "extra",
                    _ => "different n",
                };
                planted.insert(format!("user#{number}"), kind.to_owned());
            }
            sides[0].extend(original);
            sides[1].extend(replica);
        }
        for (side, (before, after)) in before.iter().zip(&sides).enumerate() {
            stage.replace(side, before, after);
        }
        before = sides;
        let folder = stage.folder.join("state");
        assert_eq!(stage.runtime.block_on(found(&stage, &folder)), planted, "seed {seed}");
        differences += planted.len();
    }
    assert!(differences > 100, "{differences}");
}

/// Compares the tables of both Regions. Returns the differences by partition key.
async fn found(stage: &Stage, folder: &Path) -> BTreeMap<String, String> {
    let (clock, stop) = (Patient, Stop::default());
    let limiter = Limiter::new(None, &clock);
    let [original, replica] = stage.sides.each_ref().map(|(store, _)| Session {
        store,
        clock: &clock,
        limiter: &limiter,
        stop: &stop,
    });
    let pages = Cell::new(0);
    let scope = Scope { rules: &stage.rules, concerns: &|_, _| true, identity: "" };
    let mut comparison = Comparison::begin(scope, folder, 0, |_, _| 2).unwrap();
    let show = |_, _: &[_]| pages.set(pages.get() + 1);
    comparison.scan((original, replica), 3, &show).await.unwrap();
    assert!(pages.get() >= 4, "{} pages", pages.get());
    let options = Options {
        threads: 1,
        memory_bytes_max: usize::MAX,
        temporary: std::env::temp_dir(),
        reports_unknown: false,
        now_ms: 0,
    };
    let (suspects, _) = comparison.compare(&options).unwrap();
    let mut found = BTreeMap::new();
    let each = |Difference { key, kind, .. }: Difference| {
        let mut text = kind.name().to_owned();
        if let Kind::Different { attributes } = kind {
            text = format!("{text} {}", attributes.join(", "));
        }
        let json = serde_json::to_value(key.partition.to_value()).unwrap();
        found.insert(json["S"].as_str().unwrap().to_owned(), text);
        Ok(())
    };
    let grace = Grace { ms: 0, scanned_ms: 0 };
    comparison.confirm((original, replica), grace, suspects, each).await.unwrap();
    comparison.remove(folder).unwrap();
    found
}
