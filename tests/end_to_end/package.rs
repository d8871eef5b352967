//! Tests the function with `cargo lambda`: packages it for deployment, and runs it on this machine.
//!
//! `make test` sets `REFEREE_TEST_CARGO_LAMBDA` to the path of cargo-lambda, `REFEREE_TEST_LAMBDA`
//! to the built function, and `REFEREE_TEST_DYNAMODB` to the endpoint of DynamoDB Local. Without
//! them, these tests are skipped with a warning.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and prints what it did"
)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use aws_sdk_dynamodb::Client;
use kit::environment::variable;
use libtest_mimic::Trial;
use referee::aws;
use referee::data::JsonItem;
use referee::rules::{self, RuleSource, Rules};
use referee::store::schema::{IndexSchema, TableSchema};
use referee::store::{Action, DynamoDb, Store as _, Write};
use serde_json::{Value as Json, json};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    if let Some(tool) = variable("REFEREE_TEST_CARGO_LAMBDA") {
        match variable("REFEREE_TEST_LAMBDA") {
            Some(binary) => {
                let tool = tool.clone();
                let test = move || deploys_with_its_rules(&tool, &binary);
                trials.push(trial("package::deploys_with_its_rules", test));
            }
            None => eprintln!("warning: the test of deployment is SKIPPED: no function is built"),
        }
        if let Some(endpoint) = variable("REFEREE_TEST_DYNAMODB") {
            // A single test runs the fixtures one after the other, because fixtures share table
            // names.
            trials.push(trial("package::answers_every_fixture", move || {
                answers_every_fixture(&tool, &endpoint);
            }));
        }
    } else {
        eprintln!("warning: the tests of cargo-lambda are SKIPPED: it is not installed");
    }
    trials
}

fn trial(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

/// A Python program that prints the content or the mode of a file in an archive. Python is present,
/// because cargo-lambda is installed with it.
const UNPACK: &str = r#"
import sys, zipfile
path, what, entry = sys.argv[1:]
with zipfile.ZipFile(path) as archive:
    mode = "%o" % (archive.getinfo(entry).external_attr >> 16 & 0o777)
    sys.stdout.buffer.write(archive.read(entry) if what == "content" else mode.encode())
"#;

/// Checks that deploying a project's folder packages the binary, with the rule file beside it.
fn deploys_with_its_rules(tool: &str, binary: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deploy");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("src/bin")).unwrap();
    for file in ["Cargo.toml", "Cargo.lock", "README.md"] {
        fs::copy(file, folder.join(file)).unwrap();
    }
    fs::copy("events/company-user/referee.yaml", folder.join("referee.yaml")).unwrap();
    // cargo-lambda reads only the manifest, which requires these files to exist.
    for file in ["src/lib.rs", "src/bin/referee.rs", "src/bin/referee-lambda.rs"] {
        fs::write(folder.join(file), "").unwrap();
    }
    for folder_of in ["tests", "benches"] {
        link(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder_of), &folder.join(folder_of));
    }
    let mut command = Command::new(tool);
    command.args(["lambda", "deploy", "--dry", "--output-format", "json"]);
    command.arg("--binary-path").arg(binary).arg("referee").current_dir(&folder);
    command.env("AWS_REGION", "us-east-1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8(output.stdout).unwrap();
    // The output also contains progress lines.
    let package: Json = serde_json::from_str(&stdout[stdout.find('{').unwrap()..]).unwrap();
    assert_eq!(package["files"], json!(["referee.yaml", "bootstrap"]));
    let config = &package["config"];
    assert_eq!(config["runtime"], "provided.al2023");
    // What the manifest set here, every deployment would set, although Terraform manages it.
    for managed in ["memory", "timeout", "description", "env", "env_var"] {
        assert!(config[managed].is_null(), "{managed}: {config}");
    }
    // The packaged binary equals the built one, and is executable.
    let unpack = |argument, entry| {
        let mut command = Command::new("python3");
        command.args(["-c", UNPACK, package["path"].as_str().unwrap(), argument, entry]);
        command.output().unwrap().stdout
    };
    assert!(unpack("content", "bootstrap") == fs::read(binary).unwrap());
    assert_eq!(unpack("content", "referee.yaml"), fs::read(folder.join("referee.yaml")).unwrap());
    assert_eq!(String::from_utf8(unpack("mode", "bootstrap")).unwrap(), "755");
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(from, to).unwrap();
}

fn answers_every_fixture(tool: &str, endpoint: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut fixtures: Vec<PathBuf> =
        fs::read_dir("events").unwrap().map(|entry| entry.unwrap().path()).collect();
    fixtures.retain(|folder| folder.is_dir());
    fixtures.sort();
    let emulator = Emulator::start(tool);
    let mut answered = 0;
    for fixture in &fixtures {
        runtime.block_on(fill(fixture, endpoint));
        let _function = emulator.run(fixture, endpoint);
        let mut events: Vec<PathBuf> = fs::read_dir(fixture.join("stream"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        events.sort();
        for event in events {
            let answer = emulator.invoke(&event);
            assert_eq!(answer, r#"{"batchItemFailures":[]}"#, "{}", event.display());
            answered += 1;
        }
    }
    eprintln!("{answered} events of {} fixtures answered by `cargo lambda invoke`", fixtures.len());
}

/// Creates the tables of a fixture and writes its initial items.
async fn fill(fixture: &Path, endpoint: &str) {
    let config = aws::configure(Some(endpoint)).await;
    let (client, store) = (Client::new(&config), DynamoDb::new(&config));
    for schema in schemas(&rules_of(fixture)) {
        let _ = client.delete_table().table_name(&schema.name).send().await;
        store.create(&schema).await.unwrap();
    }
    let Ok(seed) = fs::read_to_string(fixture.join("seed.json")) else { return };
    let seed: Json = serde_json::from_str(&seed).unwrap();
    for (table, items) in seed.as_object().unwrap() {
        for item in items.as_array().unwrap() {
            let text = item.to_string();
            let JsonItem(item) = serde_json::from_str(&text).unwrap();
            let action = Action::Put(referee::data::into_owned(item));
            let write = Write { table: table.clone(), action, condition: None };
            store.write(write).await.unwrap();
        }
    }
}

fn rules_of(fixture: &Path) -> Rules {
    let bytes = fs::read(fixture.join("referee.yaml")).unwrap();
    let source = RuleSource::from_bytes("referee.yaml", bytes).unwrap();
    rules::load(&source, &|_| None).rules.unwrap()
}

fn schemas(rules: &Rules) -> Vec<TableSchema> {
    rules
        .tables
        .iter()
        .map(|table| TableSchema {
            name: table.name.clone(),
            key: table.key.clone(),
            indexes: table
                .indexes
                .iter()
                .map(|index| IndexSchema { name: index.name.clone(), key: index.key.clone() })
                .collect(),
        })
        .collect()
}

/// A process that is stopped when it is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Lambda's APIs, emulated by `cargo lambda watch`. The emulator does not start the function,
/// because it would build it with other features than the tests, which takes minutes.
struct Emulator {
    tool: String,
    port: String,
    _watch: Process,
}

impl Emulator {
    fn start(tool: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let port = port.to_string();
        let mut command = Command::new(tool);
        command
            .args(["lambda", "watch", "--only-lambda-apis"])
            .args(["--invoke-address", "127.0.0.1", "--invoke-port", &port])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut watch = command.spawn().unwrap();
        let lines = BufReader::new(watch.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        assert!(lines.any(|line| line.contains("starting Runtime server")), "it does not start");
        // Keeps reading the output, because the process would block otherwise.
        std::thread::spawn(move || lines.for_each(drop));
        Self { tool: tool.to_owned(), port, _watch: Process(watch) }
    }

    /// Starts the function with the rules of a fixture.
    fn run(&self, fixture: &Path, endpoint: &str) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee-lambda"));
        command
            .env("AWS_LAMBDA_RUNTIME_API", format!("http://127.0.0.1:{}/.rt", self.port))
            .env("AWS_LAMBDA_FUNCTION_NAME", "_")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("REFEREE_RULES", fixture.join("referee.yaml"))
            .env("REFEREE_METRICS", "none")
            .env("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
            .stdout(Stdio::null());
        Process(command.spawn().unwrap())
    }

    fn invoke(&self, event: &Path) -> String {
        let mut command = Command::new(&self.tool);
        command.args(["lambda", "invoke", "--invoke-address", "127.0.0.1"]);
        command.args(["--invoke-port", &self.port, "_", "--data-file"]).arg(event);
        let output = command.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {error}", event.display());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}
