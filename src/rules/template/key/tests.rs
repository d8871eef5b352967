//! Tests of building and parsing keys.

use std::borrow::Cow;

use expect_test::{Expect, expect};

use super::*;
use crate::data::Number;
use crate::rules::template::Template;

fn template(text: &str) -> KeyTemplate {
    let (text, kind) = match text.rsplit_once(':') {
        Some((text, "N")) => (text, KeyKind::N),
        Some((text, "B")) => (text, KeyKind::B),
        _ => (text, KeyKind::S),
    };
    KeyTemplate::new(Template::parse(text).unwrap(), kind).unwrap()
}

/// Reads `PARTITION` or `PARTITION / SORT`, each followed by `:N` or `:B` if it is not a string.
fn entity_key(text: &str) -> EntityKey {
    match text.split_once(" / ") {
        Some((partition, sort)) => EntityKey::new(template(partition), Some(template(sort)), '#'),
        None => EntityKey::new(template(text), None, '#'),
    }
}

fn text(text: &str) -> KeyValue<'_> {
    KeyValue::S(Cow::Borrowed(text))
}

fn number(text: &str) -> KeyValue<'_> {
    KeyValue::N(Number::parse(text).unwrap())
}

fn binary(bytes: &[u8]) -> KeyValue<'_> {
    KeyValue::B(Cow::Borrowed(bytes))
}

fn show(value: &KeyValue<'_>) -> String {
    match value {
        KeyValue::S(text) => format!("`{text}`"),
        KeyValue::N(number) => number.to_string(),
        KeyValue::B(bytes) => format!("{bytes:?}"),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
fn check_build(templates: &str, captures: &[KeyValue<'_>], expected: Expect) {
    let shown = match entity_key(templates).build(captures) {
        Ok(key) => std::iter::once(&key.partition)
            .chain(&key.sort)
            .map(show)
            .collect::<Vec<_>>()
            .join(" / "),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&shown);
}

#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
fn check_parse(
    templates: &str,
    partition: KeyValue<'_>,
    sort: Option<KeyValue<'_>>,
    expected: Expect,
) {
    let key = Key { partition, sort };
    let shown = match entity_key(templates).parse(&key) {
        Some(captures) => captures.iter().map(show).collect::<Vec<_>>().join(", "),
        None => "no match".to_owned(),
    };
    expected.assert_eq(&shown);
}

#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
fn check_prefix(templates: &str, captures: &[Option<KeyValue<'_>>], expected: Expect) {
    let shown = match entity_key(templates).build_prefix(captures) {
        Ok(None) => "the partition key is not determined".to_owned(),
        Ok(Some((partition, SortPrefix::Whole(sort)))) => {
            format!("{}, sort key {}", show(&partition), show(&sort))
        }
        Ok(Some((partition, SortPrefix::BeginsWith(sort)))) => {
            format!("{}, sort key from {}", show(&partition), show(&sort))
        }
        Ok(Some((partition, SortPrefix::Any))) => format!("{}, any sort key", show(&partition)),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&shown);
}

#[test]
fn keys_are_built() {
    let member = "company#{company} / user#{email}";
    check_build(member, &[text("7"), text("a@b")], expect!["`company#7` / `user#a@b`"]);
    check_build("user#{id} / user#{id}", &[text("7")], expect!["`user#7` / `user#7`"]);
    check_build("order#{no}", &[number("1e3")], expect!["`order#1000`"]);
    check_build("{no} / {at*}", &[number("7"), text("2024#01")], expect!["`7` / `2024#01`"]);
    check_build("{no}:N / line#{no}", &[number("7.50")], expect!["7.5 / `line#7.5`"]);
    check_build("{no}:N", &[text("7")], expect!["7"]);
    check_build("{hash}:B", &[binary(&[1, 2])], expect!["[1, 2]"]);
}

#[test]
fn keys_that_would_be_parsed_differently_are_not_built() {
    let member = "company#{company} / user#{email}";
    check_build(member, &[text("7")], expect!["there is no value for `{email}` of the key"]);
    check_build(
        member,
        &[text(""), text("a@b")],
        expect!["`` cannot be `{company}` of a key: it is empty"],
    );
    check_build(
        member,
        &[text("7"), text("a#b")],
        expect!["`a#b` cannot be `{email}` of a key: it contains the table's separator"],
    );
    check_build(
        "{id}",
        &[text("a#b")],
        expect!["`a#b` cannot be `{id}` of a key: it contains the table's separator"],
    );
    check_build(
        "{year}-{month}",
        &[text("2024-01"), text("31")],
        expect![
            "`2024-01` cannot be `{year}` of a key: the key would be split into other captures"
        ],
    );
    check_build(
        "{no}:N",
        &[text("07")],
        expect!["`{no}` of the key has type N, but the value has type S"],
    );
    check_build(
        "{no}:N",
        &[binary(&[1])],
        expect!["`{no}` of the key has type N, but the value has type B"],
    );
    check_build(
        "{hash}:B",
        &[text("a")],
        expect!["`{hash}` of the key has type B, but the value has type S"],
    );
    check_build("{hash}:B", &[binary(&[])], expect!["`` cannot be `{hash}` of a key: it is empty"]);
    check_build(
        "file#{hash}",
        &[binary(&[1])],
        expect!["`{hash}` of the key has type S, but the value has type B"],
    );
    check_build(
        "{a}",
        &[text(&"x".repeat(2049))],
        expect!["the partition key would have 2049 bytes; DynamoDB allows 2048"],
    );
    check_build(
        "a / {a}",
        &[text(&"x".repeat(1025))],
        expect!["the sort key would have 1025 bytes; DynamoDB allows 1024"],
    );
}

#[test]
fn keys_may_have_the_maximum_length() {
    for (templates, bytes) in [("{a}", 2048), ("a / {a}", 1024)] {
        assert!(entity_key(templates).build(&[text(&"x".repeat(bytes))]).is_ok(), "{templates}");
    }
}

#[test]
fn keys_are_parsed() {
    let member = "company#{company} / user#{email}";
    check_parse(member, text("company#7"), Some(text("user#a@b")), expect!["`7`, `a@b`"]);
    check_parse(member, text("company#7"), Some(text("company#")), expect!["no match"]);
    check_parse(member, text("company#7"), None, expect!["no match"]);
    check_parse("{id}", text("a"), Some(text("b")), expect!["no match"]);
    check_parse("{id}", number("7"), None, expect!["no match"]);
    check_parse("{no}:N", number("7"), None, expect!["7"]);
    check_parse("{hash}:B", binary(&[7]), None, expect!["[7]"]);
}

#[test]
fn a_capture_that_occurs_twice_has_one_value() {
    let user = "user#{id} / user#{id}";
    check_parse(user, text("user#7"), Some(text("user#7")), expect!["`7`"]);
    check_parse(user, text("user#7"), Some(text("user#8")), expect!["no match"]);
    check_parse("line#{no} / {no}:N", text("line#7"), Some(number("7")), expect!["7"]);
    check_parse("line#{no} / {no}:N", text("line#07"), Some(number("7")), expect!["no match"]);
    check_parse("{no}:N / line#{no}", number("7"), Some(text("line#7")), expect!["7"]);
}

#[test]
fn known_captures_narrow_a_query() {
    let line = "shop#{shop} / order#{order}#line#{line}";
    let known = |value| Some(text(value));
    check_prefix(
        line,
        &[None, known("o"), known("l")],
        expect!["the partition key is not determined"],
    );
    check_prefix(line, &[known("s"), None, None], expect!["`shop#s`, sort key from `order#`"]);
    check_prefix(
        line,
        &[known("s"), None, known("l")],
        expect!["`shop#s`, sort key from `order#`"],
    );
    check_prefix(
        line,
        &[known("s"), known("o"), None],
        expect!["`shop#s`, sort key from `order#o#line#`"],
    );
    check_prefix(
        line,
        &[known("s"), known("o"), known("l")],
        expect!["`shop#s`, sort key `order#o#line#l`"],
    );
    check_prefix(
        line,
        &[known("s"), known("#"), None],
        expect!["`#` cannot be `{order}` of a key: it contains the table's separator"],
    );
    check_prefix("{a} / {b}", &[known("s"), None], expect!["`s`, any sort key"]);
    check_prefix("{a} / {b}:N", &[known("s"), None], expect!["`s`, any sort key"]);
    check_prefix("{a} / {b}:N", &[known("s"), Some(number("7"))], expect!["`s`, sort key 7"]);
    check_prefix("{a}", &[known("s")], expect!["`s`, any sort key"]);
}

#[test]
fn overlapping_keys_are_found_with_an_example_key() {
    let overlap = |left, right| {
        let key = entity_key(left).overlap(&entity_key(right))?;
        Some((show(&key.partition), key.sort.as_ref().map(show)))
    };
    let example = |partition: &str, sort: &str| {
        Some((partition.to_owned(), (!sort.is_empty()).then(|| sort.to_owned())))
    };
    assert_eq!(overlap("u#{a} / p#{b}", "u#{a} / q#{b}"), None);
    assert_eq!(overlap("u#{a} / p#{b}", "{x*} / p#"), None);
    assert_eq!(overlap("u#{a} / p#{b}", "{x*} / {y}#{z}"), example("`u#x`", "`p#x`"));
    assert_eq!(overlap("{a}:N", "{b}:N"), example("1", ""));
    assert_eq!(overlap("{a} / {a}", "x / y"), example("`x`", "`y`"));
}

#[test]
fn numbers_and_binaries_must_be_a_single_capture() {
    for (text, sole) in [("{a}", true), ("{a*}", true), ("x{a}", false), ("1", false)] {
        for kind in [KeyKind::N, KeyKind::B] {
            let template = KeyTemplate::new(Template::parse(text).unwrap(), kind);
            assert_eq!(template.is_some(), sole, "{text}");
        }
    }
    let key = entity_key("line#{no}#{x} / {no}:N");
    assert_eq!(
        [0, 1, 2].map(|capture| key.capture_kind(capture)),
        [KeyKind::N, KeyKind::S, KeyKind::S]
    );
}

#[test]
fn index_keys_are_built_from_captures_by_name() {
    let by_name = |name: &str| (name == "id").then_some(KeyValue::S(Cow::Borrowed("7")));
    assert_eq!(template("user#{id}").build('#'.into(), &by_name), Ok(text("user#7")));
    assert_eq!(
        template("user#{id}#{no}").build('#'.into(), &by_name),
        Err(BuildError::Missing("no".to_owned()))
    );
}
