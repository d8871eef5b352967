//! What a page contains.

use super::{Findings, Page};
use crate::rules::{RuleSource, Rules, load};

const RULES: &str = include_str!("../../events/company-user/referee.yaml");

fn rules() -> Rules {
    let source = RuleSource { name: "rules".to_owned(), text: RULES.to_owned() };
    load(&source, &|_| None).rules.unwrap()
}

/// A finding about an item whose key is this text.
fn line(key: &str) -> String {
    serde_json::json!({
        "type": "violation", "id": "1", "rule": "member_user", "kind": "dangling_reference",
        "severity": "error", "path": null, "sequence": null, "action": "reported", "detail": key,
        "referencing": {"table": "app", "key": {"pk": {"S": key}, "sk": {"S": "user#eve"}}},
        "referenced": null,
    })
    .to_string()
}

#[test]
fn a_page_without_data_is_small() {
    let size = Page::default().html().len();
    assert!(size < 600_000, "{size}");
}

#[test]
fn markup_in_a_key_stays_text() {
    let key = "</script><script>alert(1)</script><!--";
    let findings = Findings::read(&rules(), line(key).as_bytes()).unwrap();
    let title = "<img src=x onerror=alert(1)>".to_owned();
    let html = Page { title, findings: Some(findings), ..Page::default() }.html();
    assert!(!html.contains("alert(1)</script>") && !html.contains("<img"));
    assert_eq!(html.matches("<script").count(), 2);
    assert!(html.contains("\\u003c/script>\\u003cscript>alert(1)"));
}

#[test]
fn the_page_loads_nothing() {
    let html = Page::default().html();
    for loading in
        ["src=", "href=", "@import", "url(", "http://", "https://", " style=", " onclick="]
    {
        let found = html.find(loading).map(|at| &html[at..(at + 60).min(html.len())]);
        // The names of XML vocabularies are not loaded.
        assert!(found.is_none_or(|found| found.starts_with("http://www.w3.org/")), "{found:?}");
    }
}

#[test]
fn findings_of_other_rules_are_refused() {
    let line = line("company#acme").replace("member_user", "other");
    let error = Findings::read(&rules(), line.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("line 1: the rule file has no rule `other`"), "{error}");
}

#[test]
fn a_line_that_is_no_json_is_refused() {
    let error = Findings::read(&rules(), "nonsense\n".as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("line 1 is not a line of `referee audit --json`"), "{error}");
}
