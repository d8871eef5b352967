//! Tests `referee replay` and `referee check` on real tables in DynamoDB Local, if it runs.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

mod check;
mod guard;
mod profiles;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_sdk_dynamodb::Client;
use expect_test::{Expect, expect};
use kit::aws::configure;
use kit::endpoint;
use libtest_mimic::Trial;
use referee::data::{Item, JsonItem, KeyAttribute, KeyKind, KeySchema, into_owned};
use referee::store::schema::TableSchema;
use referee::store::{Action, DynamoDb, Read, Store as _, Write};
use serde_json::Value as Json;

use kit::transcript::transcript;

/// A test. Its argument is the endpoint.
type Test = fn(&str);

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 12] = [
        ("a_replay_writes_only_with_apply", replay_and_apply),
        ("a_missing_table_is_reported", missing_table),
        ("a_missing_configuration_is_reported", missing_configuration),
        ("a_check_reports_missing_tables", check::tables_that_are_not_there),
        ("a_check_reports_how_tables_differ_from_the_rules", check::tables_that_differ),
        ("a_check_accepts_tables_that_fit_the_rules", check::tables_that_agree),
        ("a_check_warns_about_mirrors_in_an_index", check::mirrors_in_an_index),
        ("a_check_without_credentials_is_incomplete", check::no_credentials),
        ("credentials_come_from_a_process_that_a_profile_names", profiles::credential_process),
        ("a_profile_of_the_identity_center_is_understood", profiles::identity_center),
        ("a_guarded_write_is_refused_while_a_target_is_missing", guard::snippets),
        ("a_guarded_write_maintains_mirrors_and_overwrites_no_foreign_item", guard::mirrors),
    ];
    let trial = |(name, test): (&str, Test)| {
        endpoint::trial(format!("tables::{name}"), move |endpoint| {
            test(endpoint);
            Ok(())
        })
    };
    let mut trials: Vec<Trial> = tests.into_iter().map(trial).collect();
    trials.push(Trial::test("tables::contradictory_arguments_are_refused", || {
        refusals();
        Ok(())
    }));
    trials.push(Trial::test("tables::a_check_without_permission_is_incomplete", || {
        check::access_denied();
        Ok(())
    }));
    trials
}

fn replay_and_apply(endpoint: &str) {
    let fixture = Fixture::new("replay_and_apply");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let table = runtime.block_on(Table::new(endpoint, &fixture));
    let before = runtime.block_on(table.count());
    let replay = ["replay", "--endpoint-url", endpoint, "stream"];
    check(
        fixture.referee(&replay),
        &expect![[r#"
            exit code 1
            --- stdout
             violation            rule          item                                       refers to                                  action
            ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
             mirror_missing       membership    app: user#ada@example.com / company#acme   app: company#acme / user#ada@example.com   would_repair
             dangling_reference   member_user   app: company#acme / user#bob@example.com   app: user#bob@example.com / user#          reported
             mirror_missing       membership    app: user#bob@example.com / company#acme   app: company#acme / user#bob@example.com   would_repair
             dangling_reference   member_user   app: company#acme / user#eve@example.com   app: user#eve@example.com / user#          reported
             mirror_missing       membership    app: user#eve@example.com / company#acme   app: company#acme / user#eve@example.com   would_repair
             mirror_missing       membership    app: user#ada@example.com / company#acme   app: company#acme / user#ada@example.com   would_repair

             would write   rule         item
            ─────────────────────────────────────────────────────────────────────
             put           membership   app: user#ada@example.com / company#acme
             put           membership   app: user#bob@example.com / company#acme
             put           membership   app: user#eve@example.com / company#acme
             put           membership   app: user#ada@example.com / company#acme

            5 records in 3 batches: 6 violations, 0 writes, 0 rejected
            6 requests, 6 read units, 0 write units
            no record matched: entities `company`, `member_of`
            --- stderr
        "#]],
    );
    assert_eq!(runtime.block_on(table.count()), before);

    let applied = [&replay[..], &["--apply"]].concat();
    check(
        fixture.referee(&applied),
        &expect![[r#"
            exit code 1
            --- stdout
             violation            rule          item                                       refers to                           action
            ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
             dangling_reference   member_user   app: company#acme / user#bob@example.com   app: user#bob@example.com / user#   reported
             dangling_reference   member_user   app: company#acme / user#eve@example.com   app: user#eve@example.com / user#   reported
             orphaned             member_user   app: company#acme / user#bob@example.com   app: user#bob@example.com / user#   reported

             write   rule         item
            ───────────────────────────────────────────────────────────────
             put     membership   app: user#ada@example.com / company#acme
             put     membership   app: user#bob@example.com / company#acme
             put     membership   app: user#eve@example.com / company#acme
             put     membership   app: user#ada@example.com / company#acme

            5 records in 3 batches: 3 violations, 4 writes, 0 rejected
            11 requests, 7 read units, 4 write units
            no record matched: entities `company`, `member_of`
            --- stderr
        "#]],
    );
    let after = fixture.items("after.json");
    assert_eq!(runtime.block_on(table.items_like(&after)), after);
    assert_eq!(runtime.block_on(table.count()), after.len());

    // Delivering all records again changes nothing.
    fixture.referee(&applied).output().unwrap();
    assert_eq!(runtime.block_on(table.items_like(&after)), after);
}

fn missing_table(endpoint: &str) {
    let fixture = Fixture::new("missing_table");
    check(
        fixture.referee(&["replay", "--endpoint-url", endpoint, "stream"]),
        &expect![[r#"
            exit code 3
            --- stdout
            0 records in 0 batches: 0 violations, 0 writes, 0 rejected
            0 requests, 0 read units, 0 write units
            --- stderr
            error: incomplete: `BatchGetItem` on `live-missing_table`: ResourceNotFoundException: Cannot do operations on a non-existent table
            help: check the table's `name` and its indexes in the rule file, the account and the Region
        "#]],
    );
}

fn missing_configuration(endpoint: &str) {
    let fixture = Fixture::new("missing_configuration");
    let stderr_with = |variables: &[(&str, &str)]| {
        let mut command = fixture.referee(&["replay", "--endpoint-url", endpoint, "stream"]);
        command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        String::from_utf8(output.stderr).unwrap()
    };
    // The text of the SDK's error is not checked, because it may change.
    let error = stderr_with(&[("AWS_REGION", "us-east-1")]);
    assert!(
        error.contains("\nhelp: a local endpoint accepts any: set AWS_ACCESS_KEY_ID"),
        "{error}"
    );
    let error = stderr_with(&[("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")]);
    assert!(error.contains("\nhelp: a local endpoint accepts any: set AWS_REGION"), "{error}");
}

fn refusals() {
    let fixture = Fixture::new("refusals");
    let dump = ["replay", "--live", "--dump", "after.json", "stream"];
    check(
        fixture.referee(&dump),
        &expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: the argument '--live' cannot be used with '--dump <FILE>'

        Usage: referee replay --live <EVENT>...

        For more information, try '--help'.
    "#]],
    );
    check(
        fixture.referee(&["replay", "--apply", "stream"]),
        &expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: the following required arguments were not provided:
          <--endpoint-url <URL>|--live>

        Usage: referee replay --apply <--endpoint-url <URL>|--live> <EVENT>...

        For more information, try '--help'.
    "#]],
    );
    let no_url = ["replay", "--endpoint-url", "localhost:8000", "stream"];
    check(
        fixture.referee(&no_url),
        &expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: invalid value 'localhost:8000' for '--endpoint-url <URL>': it must begin with http:// or https://

        For more information, try '--help'.
    "#]],
    );
}

fn check(mut command: Command, expected: &Expect) {
    expected.assert_eq(&transcript(&mut command));
}

/// A copy of the fixture `company-user` with its own table name. It does not create the table.
struct Fixture {
    folder: PathBuf,
    table: String,
}

impl Fixture {
    fn new(name: &str) -> Self {
        let table = format!("live-{name}");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&table);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("stream")).unwrap();
        let source = Path::new("events/company-user");
        let rules = fs::read_to_string(source.join("referee.yaml")).unwrap();
        let named = rules.replacen("  app:\n", &format!("  app:\n    name: {table}\n"), 1);
        fs::write(folder.join("referee.yaml"), named).unwrap();
        for file in ["seed.json", "after.json"] {
            fs::copy(source.join(file), folder.join(file)).unwrap();
        }
        for event in fs::read_dir(source.join("stream")).unwrap() {
            let path = event.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let named = text.replace(":table/app/", &format!(":table/{table}/"));
            fs::write(folder.join("stream").join(path.file_name().unwrap()), named).unwrap();
        }
        Self { folder, table }
    }

    fn referee(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.args(arguments).current_dir(&self.folder);
        command
    }

    /// Reads the items of a file that has the format of a seed.
    fn items(&self, file: &str) -> Vec<Item<'static>> {
        let text = fs::read_to_string(self.folder.join(file)).unwrap();
        let json: Json = serde_json::from_str(&text).unwrap();
        json["app"].as_array().unwrap().iter().map(item).collect()
    }

    /// Returns the writes that caused the recorded events, in order, as puts and deletes.
    fn writes(&self) -> Vec<Action> {
        let mut events: Vec<_> = fs::read_dir(self.folder.join("stream")).unwrap().collect();
        events.sort_by_key(|event| event.as_ref().unwrap().path());
        let text = |path: PathBuf| fs::read_to_string(path).unwrap();
        let batches = events.into_iter().map(|event| text(event.unwrap().path()));
        batches.flat_map(|batch| records(&batch)).collect()
    }
}

fn records(batch: &str) -> Vec<Action> {
    let batch: Json = serde_json::from_str(batch).unwrap();
    let write = |record: &Json| match record["dynamodb"].get("NewImage") {
        Some(image) => Action::Put(item(image)),
        None => Action::Delete(item(&record["dynamodb"]["Keys"])),
    };
    batch["Records"].as_array().unwrap().iter().map(write).collect()
}

fn item(json: &Json) -> Item<'static> {
    let text = json.to_string();
    let JsonItem(item) = serde_json::from_str(&text).unwrap();
    into_owned(item)
}

/// The fixture's table, after all recorded writes.
struct Table {
    name: String,
    client: Client,
    store: DynamoDb,
}

impl Table {
    async fn new(endpoint: &str, fixture: &Fixture) -> Self {
        let config = configure(endpoint).await;
        let name = fixture.table.clone();
        let table = Self { name, client: Client::new(&config), store: DynamoDb::new(&config) };
        // If the endpoint keeps running between runs, a table of an earlier run may still exist.
        let _ = table.client.delete_table().table_name(&table.name).send().await;
        let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
        let key = KeySchema { partition: attribute("pk"), sort: Some(attribute("sk")) };
        let schema = TableSchema { name: table.name.clone(), key, indexes: Vec::new() };
        table.store.create(&schema).await.unwrap();
        let seed = fixture.items("seed.json").into_iter().map(Action::Put);
        for action in seed.chain(fixture.writes()) {
            let write = Write { table: table.name.clone(), action, condition: None };
            table.store.write(write).await.unwrap();
        }
        table
    }

    async fn count(&self) -> usize {
        let page =
            self.client.scan().table_name(&self.name).consistent_read(true).send().await.unwrap();
        page.items().len()
    }

    /// Reads the current items that have the keys of these items.
    async fn items_like(&self, items: &[Item<'static>]) -> Vec<Item<'static>> {
        let read = |item: &Item<'static>| {
            let key = item.clone().into_iter().filter(|(name, _)| ["pk", "sk"].contains(&&**name));
            Read { table: self.name.clone(), key: key.collect(), attributes: None }
        };
        let answer = self.store.batch_get(items.iter().map(read).collect()).await.unwrap();
        answer.value.into_iter().flatten().collect()
    }
}
