//! Which parts of the code may use which others.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::documents::{read, root};

/// A generator of code that names libraries without using them.
const WRITER: &str = "src/guard/snippet/rust.rs";

/// The files of the source, by their paths from the root.
pub(super) fn sources(folder: &str, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap()) {
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            sources(&path, into);
        } else if path != WRITER {
            into.push(path);
        }
    }
}

#[test]
fn the_core_does_no_io() {
    let mut files = Vec::new();
    for folder in [
        "src/data",
        "src/rules",
        "src/engine",
        "src/integrity",
        "src/replay",
        "src/guard",
        "src/iam",
        "src/diagram",
        "src/report",
    ] {
        sources(folder, &mut files);
    }
    assert!(files.len() > 50);
    let forbidden =
        ["std::fs", "std::env", "SystemTime", "Instant", "tokio", "aws_sdk", "println!"];
    for file in files {
        let text = read(&file);
        let found: Vec<_> = forbidden.iter().filter(|word| text.contains(**word)).collect();
        assert!(found.is_empty(), "{file} names {found:?}");
    }
}

/// Fails if a file in a folder contains one of these names. Unit tests at the end of a file do not
/// count.
fn assert_names_none(folder: &str, forbidden: &[&str]) {
    let mut files = Vec::new();
    sources(folder, &mut files);
    assert!(!files.is_empty(), "{folder}");
    for file in files {
        let text = read(&file);
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let found: Vec<_> = forbidden.iter().filter(|name| code.contains(**name)).collect();
        assert!(found.is_empty(), "{file} names {found:?}");
    }
}

#[test]
fn the_store_does_not_know_the_rules() {
    assert_names_none("src/store", &["crate::rules"]);
}

#[test]
fn integrity_knows_no_store_engine_or_clock() {
    let stores = ["store::memory", "store::dynamodb", "DynamoDb", "Memory"];
    let others = ["crate::engine", "tokio", "Clock", "SystemTime", "Instant"];
    assert_names_none("src/integrity", &[stores.as_slice(), others.as_slice()].concat());
}

#[test]
fn the_runtime_does_not_know_the_engine() {
    assert_names_none("src/runtime", &["crate::engine"]);
}

/// Only the file that reads the engine's violations may name types of the code that the oracle
/// judges.
#[test]
fn the_oracle_shares_no_code_with_what_it_judges() {
    let mut files = Vec::new();
    sources("tests/kit/src/oracle", &mut files);
    files.retain(|file| !file.ends_with("/reports.rs"));
    assert!(!files.is_empty());
    for file in files {
        let text = read(&file);
        let modules = ["engine", "integrity", "runtime", "wording"];
        let found: Vec<_> =
            modules.iter().filter(|module| text.contains(&format!("referee::{module}"))).collect();
        assert!(found.is_empty(), "{file} names {found:?}");
    }
}

/// `Debug` formatting shows everything in a value: the content of items, and requests with their
/// signatures.
#[test]
fn no_message_uses_debug_formatting() {
    let mut files = Vec::new();
    sources("src", &mut files);
    let are_tests =
        |file: &str| ["/tests.rs", "/laws.rs", "/tests/"].iter().any(|part| file.contains(part));
    for file in files.iter().filter(|file| !are_tests(file)) {
        let text = read(file);
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        // The last three are `tracing`'s `?` prefix, which formats a field with `Debug`.
        let forms = [":?}", ":#?}", "= ?", ", ?", "!(?"];
        assert!(!forms.iter().any(|form| code.contains(form)), "{file}");
    }
}

#[test]
fn libraries_have_one_importer() {
    let mut files = Vec::new();
    sources("src", &mut files);
    for (library, importer) in [
        ("serde_saphyr::", "src/rules/file/yaml.rs"),
        ("aws_lambda_events::", "src/engine/event/response.rs"),
        ("aws_config::", "src/aws/loader.rs"),
        ("aws_sdk_cloudwatch::", "src/metrics/cloudwatch"),
        ("aws_sdk_dynamodb::", "src/store/dynamodb/"),
        ("aws_sdk_dynamodbstreams::", "src/streams/"),
        ("aws_sdk_s3::", "src/audit/export/s3.rs"),
        ("aws_sigv4::", "src/aws/call.rs"),
        ("aws_smithy_runtime::", "src/aws/call.rs"),
        ("flate2::bufread", "src/audit/export/read.rs"),
        ("md5::", "src/audit/export/checksum.rs"),
    ] {
        let importers: Vec<_> = files.iter().filter(|file| read(file).contains(library)).collect();
        assert!(!importers.is_empty(), "{library}");
        assert!(
            importers.iter().all(|file| file.starts_with(importer)),
            "{library}: {importers:?}"
        );
    }
}
