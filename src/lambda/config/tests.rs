use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use expect_test::{Expect, expect};

use super::*;

const RULES: &str = r#"{"version":1,"tables":{"app":{"name":"${APP}","key":["pk"]}},"entities":{"user":{"table":"app","key":{"pk":"user#{id}"}},"team":{"table":"app","key":{"pk":"team#{team}"},"attributes":{"lead":"S"}}},"references":{"team_lead":{"from":"team","to":"user","on":{"id":"{lead}"},"find":"none"}}}"#;

/// Reads the configuration from these variables and a file `referee.yaml`.
fn read_of(variables: &[(&str, &str)], file: &str) -> (Option<Config>, Vec<Problem>) {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    let environment = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    let read_file = |path: &Path| match path.to_str() {
        Some("referee.yaml") => Ok(file.as_bytes().to_vec()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    read(&Sources { environment: &environment, read: &read_file })
}

fn check(variables: &[(&str, &str)], file: &str, expected: &Expect) {
    let (config, problems) = read_of(variables, file);
    let mut text = String::new();
    if let Some(config) = config {
        let Config { rules, metrics, namespace, logs_items, queue } = config;
        let table = &rules.tables[0].name;
        let mode = rules.references[0].mode;
        writeln!(text, "table {table}, {mode:?}, {metrics:?} {namespace}, items {logs_items}")
            .unwrap();
        if let Some(queue) = queue {
            writeln!(text, "queue {queue}").unwrap();
        }
    }
    for problem in problems {
        let level = if problem.is_warning { "warning" } else { "error" };
        writeln!(text, "{level}: {}", problem.text).unwrap();
    }
    expected.assert_eq(&text);
}

fn packed(text: &str) -> String {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    BASE64_STANDARD.encode(encoder.finish().unwrap())
}

#[test]
fn rules_are_read_from_a_file_or_from_the_environment() {
    check(
        &[("APP", "live")],
        RULES,
        &expect![[r"
        table live, Enforce, CloudWatch Referee, items false
    "]],
    );
    check(
        &[("APP", "live"), ("REFEREE_RULES_JSON", RULES)],
        "",
        &expect![[r"
        table live, Enforce, CloudWatch Referee, items false
    "]],
    );
    let packed = packed(RULES);
    check(
        &[("APP", "live"), ("REFEREE_RULES_GZ", &packed)],
        "",
        &expect![[r"
        table live, Enforce, CloudWatch Referee, items false
    "]],
    );
}

#[test]
fn every_variable_takes_effect() {
    let variables = [
        ("APP", "live"),
        ("REFEREE_MODE", "observe"),
        ("REFEREE_METRICS", "emf"),
        ("REFEREE_NAMESPACE", "Acme/Referee"),
        ("REFEREE_LOG_ITEMS", "true"),
    ];
    check(
        &variables,
        RULES,
        &expect![[r"
        table live, Observe, Embedded Acme/Referee, items true
    "]],
    );
}

#[test]
fn metrics_in_the_log_need_a_log_level_that_keeps_them() {
    let emf = |level, format, metrics| {
        [
            ("APP", "live"),
            ("REFEREE_METRICS", metrics),
            ("AWS_LAMBDA_LOG_LEVEL", level),
            ("AWS_LAMBDA_LOG_FORMAT", format),
        ]
    };
    check(
        &emf("WARN", "JSON", "emf"),
        RULES,
        &expect![[r"
        error: `REFEREE_METRICS` is `emf`, but lines with metrics have the level INFO, and Lambda drops them because `AWS_LAMBDA_LOG_LEVEL` is `WARN`
        help: set the function's application log level to INFO, or REFEREE_METRICS to `cloudwatch`
    "]],
    );
    for (level, format, metrics) in [
        ("INFO", "JSON", "emf"),
        ("DEBUG", "JSON", "emf"),
        ("WARN", "Text", "emf"),
        ("WARN", "JSON", "cloudwatch"),
        ("WARN", "JSON", "none"),
    ] {
        let (config, problems) = read_of(&emf(level, format, metrics), RULES);
        assert!(config.is_some() && problems.is_empty(), "{level} {format} {metrics}");
    }
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let empty = [
        ("APP", "live"),
        ("REFEREE_RULES", ""),
        ("REFEREE_RULES_JSON", ""),
        ("REFEREE_MODE", ""),
        ("REFEREE_METRICS", ""),
        ("REFEREE_NAMESPACE", ""),
        ("REFEREE_LOG_ITEMS", ""),
    ];
    check(
        &empty,
        RULES,
        &expect![[r"
        table live, Enforce, CloudWatch Referee, items false
    "]],
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    let wrong = [
        ("REFEREE_MODE", "watch"),
        ("REFEREE_METRICS", "statsd"),
        ("REFEREE_NAMESPACE", "AWS/Referee"),
        ("REFEREE_LOG_ITEMS", "yes"),
    ];
    let file = RULES.replace("\"to\":\"user\"", "\"to\":\"usr\"");
    check(
        &wrong,
        &file,
        &expect![[r#"
            error: E024: the environment variable `APP` is not set
              referee.yaml:1:38: `…on":1,"tables":{"app":{"name":"${APP}","key":["pk"]}},"entities":{"user":{"table…`: used here
            help: set it, or write a default: `${APP:-default}`
            error: E020: there is no entity `usr`
              referee.yaml:1:245: `…eam_lead":{"from":"team","to":"usr","on":{"id":"{lead}"},"find":"none"}}}`: not declared
            help: did you mean `user`?
            error: `REFEREE_MODE` is `watch`, but must be off, observe or enforce
            error: `REFEREE_METRICS` is `statsd`, but must be cloudwatch, emf or none
            error: `REFEREE_LOG_ITEMS` is `yes`, but must be true or false
            error: `REFEREE_NAMESPACE` is `AWS/Referee`, which CloudWatch does not accept as a namespace
            help: use up to 255 letters, digits, spaces and `.-_/#:`; do not begin with `AWS/` or `:`
        "#]],
    );
}

#[test]
fn rules_are_required() {
    check(
        &[("REFEREE_RULES", "rules.yaml")],
        "",
        &expect![[r"
            error: the rule file `rules.yaml` cannot be read: entity not found
            help: include it in the package (`cargo lambda deploy --include rules.yaml`), or set REFEREE_RULES_JSON to the rules
        "]],
    );
    check(
        &[],
        "",
        &expect![[r"
        error: E005: the rule file is empty
          referee.yaml
        help: `referee init --force` writes a file to start from
    "]],
    );
    let both = [("REFEREE_RULES_JSON", RULES), ("REFEREE_RULES_GZ", "x")];
    check(
        &both,
        RULES,
        &expect![[r"
            error: `REFEREE_RULES_JSON` and `REFEREE_RULES_GZ` are both set
            help: set only one of them
        "]],
    );
}

#[test]
fn packed_rules_must_be_valid_gzip_in_base64() {
    check(
        &[("REFEREE_RULES_GZ", "no base64!")],
        "",
        &expect![[r"
        error: `REFEREE_RULES_GZ` is not base64: Invalid symbol 33, offset 8.
    "]],
    );
    check(
        &[("REFEREE_RULES_GZ", "AAAA")],
        "",
        &expect![[r"
        error: `REFEREE_RULES_GZ` is not base64-encoded gzip: unexpected end of file
    "]],
    );
    let cut = &packed(RULES)[..40];
    check(
        &[("REFEREE_RULES_GZ", cut)],
        "",
        &expect![[r"
        error: `REFEREE_RULES_GZ` is not base64-encoded gzip: incomplete deflate stream
    "]],
    );
}

#[test]
fn rules_longer_than_the_maximum_are_rejected() {
    let long = " ".repeat(64 << 20);
    check(
        &[("REFEREE_RULES_GZ", &packed(&long))],
        "",
        &expect![[r"
            error: E003: the rule file is longer than 1048576 bytes
              REFEREE_RULES_GZ
            help: check that this is the rule file; if it is, split the rules by table
        "]],
    );
    check(
        &[("REFEREE_RULES_JSON", &long)],
        "",
        &expect![[r"
            error: E003: the rule file is longer than 1048576 bytes
              REFEREE_RULES_JSON
            help: check that this is the rule file; if it is, split the rules by table
        "]],
    );
    check(
        &[],
        &long,
        &expect![[r"
            error: E003: the rule file is longer than 1048576 bytes
              referee.yaml
            help: check that this is the rule file; if it is, split the rules by table
        "]],
    );
}

#[test]
fn suspects_wait_on_a_standard_queue() {
    let check = |queue, expected: Expect| {
        check(&[("APP", "live"), ("REFEREE_RECHECK_QUEUE", queue)], RULES, &expected);
    };
    check(
        "https://sqs.eu-west-1.amazonaws.com/1/recheck",
        expect![[r"
        table live, Enforce, CloudWatch Referee, items false
        queue https://sqs.eu-west-1.amazonaws.com/1/recheck
    "]],
    );
    check(
        "recheck",
        expect![[r"
        error: `REFEREE_RECHECK_QUEUE` is `recheck`, which is not the URL of a standard queue
        help: use the URL that SQS shows, such as `https://sqs.eu-west-1.amazonaws.com/123456789012/referee-recheck`
    "]],
    );
    check(
        "https://sqs.eu-west-1.amazonaws.com/1/recheck.fifo",
        expect![[r"
        error: `REFEREE_RECHECK_QUEUE` is `https://sqs.eu-west-1.amazonaws.com/1/recheck.fifo`, which is not the URL of a standard queue
        help: use the URL that SQS shows, such as `https://sqs.eu-west-1.amazonaws.com/123456789012/referee-recheck`
    "]],
    );
}
