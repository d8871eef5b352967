//! Tests that each difference is reported with its location.

use super::*;
use crate::data::{KeyAttribute, KeyKind};
use crate::rules::{RuleSource, load};
use crate::store::description::{DescribedIndex, ReadCapacity, Size};
use expect_test::{Expect, expect};

const RULES: &str = r#"version: 1
tables:
  app: { name: production-app, key: [pk, sk] }
  orders: { key: [id] }
entities:
  customer: { table: app, key: { pk: "customer#{customer}", sk: "customer#" } }
  order:
    table: orders
    key: { id: "{order}" }
    attributes: { customer: S, payer: S }
references:
  order_customer:
    from: order
    to: customer
    on: { customer: "{customer}" }
    find: { index: by_customer, key: { customer: "{customer}" } }
  order_payer:
    from: order
    to: customer
    on: { customer: "{payer}" }
    on_ttl_delete: ignore
    find: { index: by_customer, key: { customer: "{customer}" } }
"#;

fn source() -> RuleSource {
    RuleSource { name: "referee.yaml".to_owned(), text: RULES.to_owned() }
}

fn rules() -> Rules {
    let loaded = load(&source(), &|_| None);
    loaded.rules.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

fn key(partition: &str, sort: Option<&str>) -> KeySchema {
    let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
    KeySchema { partition: attribute(partition), sort: sort.map(attribute) }
}

fn described(key: KeySchema, view: Option<&str>) -> Description {
    let (status, stream_view) = (ACTIVE.to_owned(), view.map(str::to_owned));
    let (size, reads) = (Size::default(), ReadCapacity::Provisioned { units_per_second: 1 });
    let stream_arn = None;
    Description { status, key, indexes: Vec::new(), stream_view, stream_arn, size, reads }
}

fn index(name: &str, key: Option<KeySchema>) -> DescribedIndex {
    DescribedIndex { name: name.to_owned(), is_global: true, status: ACTIVE.to_owned(), key }
}

fn orders(index: DescribedIndex) -> Described {
    let described = described(key("id", None), Some(STREAM_VIEW));
    Described::Table(Description { indexes: vec![index], ..described })
}

fn by_customer() -> DescribedIndex {
    index("by_customer", Some(key("customer", Some("date"))))
}

fn app() -> Described {
    Described::Table(described(key("pk", Some("sk")), Some(STREAM_VIEW)))
}

/// Checks the differences, each with its code and its locations in the rule file.
fn check(described: &[Described; 2], expected: &Expect) {
    let (rules, places) = (rules(), Locations::of(&source()));
    let mut report = String::new();
    for difference in differences(&rules, described) {
        let diagnostic = difference.diagnostic(&rules, &places);
        report.extend([difference.code.id, ": ", &difference.to_string(), "\n"]);
        for label in &diagnostic.labels {
            let location = &RULES[label.span.start..label.span.end];
            report.extend(["  at `", location, "`: ", &label.text, "\n"]);
        }
    }
    expected.assert_eq(&report);
}

#[test]
fn tables_that_agree_have_no_differences() {
    check(&[app(), orders(by_customer())], &expect![""]);
    let hidden = || Described::Hidden("not allowed".to_owned());
    check(&[hidden(), hidden()], &expect![""]);
    // An index can be used while it is being updated.
    let updating = DescribedIndex { status: "UPDATING".to_owned(), ..by_customer() };
    check(&[app(), orders(updating)], &expect![""]);
}

#[test]
fn a_missing_table_is_reported() {
    check(
        &[Described::Missing, Described::Missing],
        &expect![[r"
            E080: table `production-app` does not exist
            help: check the `name` of table `app` in the rule file, the endpoint, the account and the Region
              at `production-app`: does not exist
            E080: table `orders` does not exist
            help: check the `name` of table `orders` in the rule file, the endpoint, the account and the Region
              at `orders`: does not exist
        "]],
    );
}

#[test]
fn every_difference_of_a_table_is_reported_with_a_fix() {
    let mut other = described(key("pk", None), Some("KEYS_ONLY"));
    other.status = "INACCESSIBLE_ENCRYPTION_CREDENTIALS".to_owned();
    check(
        &[Described::Table(other), orders(by_customer())],
        &expect![[r"
            E082: table `production-app` has the status INACCESSIBLE_ENCRYPTION_CREDENTIALS
            help: it must be ACTIVE
              at `production-app`: not ready
            E081: table `production-app` has the key `pk` (S), but the rule file says `pk` (S), `sk` (S)
            help: correct the `key` of table `app` in the rule file
              at `pk, sk`: not the table's key
            E083: the stream of table `production-app` has the view type KEYS_ONLY; Referee needs NEW_AND_OLD_IMAGES
            help: a stream's view type cannot be changed: disable the stream with aws dynamodb update-table --table-name production-app --stream-specification StreamEnabled=false, and then enable it: aws dynamodb update-table --table-name production-app --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES
              at `production-app`: its stream has the view type KEYS_ONLY
        "]],
    );
    let mut no_stream = described(key("pk", Some("sk")), None);
    no_stream.status = "CREATING".to_owned();
    check(
        &[Described::Table(no_stream), orders(by_customer())],
        &expect![[r"
            E082: table `production-app` has the status CREATING
            help: wait until it is ACTIVE
              at `production-app`: not ready
            E083: table `production-app` has no stream
            help: enable it: aws dynamodb update-table --table-name production-app --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES
              at `production-app`: rules need its changes
        "]],
    );
}

#[test]
fn every_difference_of_an_index_is_reported_with_a_fix() {
    check(
        &[app(), orders(index("by_date", None))],
        &expect![[r"
            E084: table `orders` has no index `by_customer`
            help: create it with the key `customer` (S), or correct the `find` of the references that use index `by_customer`
              at `by_customer`: does not exist
              at `by_customer`: also used here
        "]],
    );
    let local = DescribedIndex { is_global: false, ..by_customer() };
    check(
        &[app(), orders(local)],
        &expect![[r"
            E084: index `by_customer` of table `orders` is a local secondary index
            help: use a global secondary index: a local one has the table's own partition key
              at `by_customer`: not a global index
              at `by_customer`: also used here
        "]],
    );
    let other_key = index("by_customer", Some(key("user", None)));
    check(
        &[app(), orders(other_key)],
        &expect![[r"
            E085: index `by_customer` of table `orders` has the key `user` (S), but the rule file says `customer` (S)
            help: correct the `find` of the references that use index `by_customer`
              at `customer`: not the index's key
              at `customer`: also used here
        "]],
    );
    let mut other_type = key("customer", None);
    other_type.partition.kind = KeyKind::N;
    check(
        &[app(), orders(index("by_customer", Some(other_type)))],
        &expect![[r"
            E085: index `by_customer` of table `orders` has the key `customer` (N), but the rule file says `customer` (S)
            help: correct the `find` of the references that use index `by_customer`
              at `customer`: not the index's key
              at `customer`: also used here
        "]],
    );
    check(
        &[app(), orders(index("by_customer", None))],
        &expect![[r"
            E085: index `by_customer` of table `orders` has another key, but the rule file says `customer` (S)
            help: correct the `find` of the references that use index `by_customer`
              at `customer`: not the index's key
              at `customer`: also used here
        "]],
    );
    let building = DescribedIndex { status: "CREATING".to_owned(), ..by_customer() };
    check(
        &[app(), orders(building)],
        &expect![[r"
            E082: index `by_customer` of table `orders` has the status CREATING
            help: wait until it is ACTIVE
              at `by_customer`: not ready
              at `by_customer`: also used here
        "]],
    );
}

#[test]
fn a_table_that_no_rule_watches_needs_no_stream() {
    let mut rules = rules();
    assert_eq!(streamed(&rules).len(), 2);
    for reference in &mut rules.references {
        reference.find = Find::None;
    }
    assert_eq!(streamed(&rules), BTreeSet::from([TableId(1)]));
    assert!(streamed(&rules.in_mode(Mode::Off)).is_empty());
}

#[test]
fn only_rules_that_treat_ttl_deletes_differently_need_ttl() {
    assert_eq!(expiring(&rules()), BTreeMap::from([(TableId(0), "order_payer")]));
    assert_eq!(expiring(&rules().in_mode(Mode::Off)), BTreeMap::new());
}

#[test]
fn the_setting_of_ttl_is_compared_with_the_rules() {
    let notes = |ttl: Option<&str>, found: &TimeToLive| {
        let mut rules = rules();
        rules.tables[0].ttl = ttl.map(str::to_owned);
        assert!(with_ttl(&rules).contains(&TableId(0)));
        ttl_notes(&rules, TableId(0), found).join("\n")
    };
    let on = TimeToLive::On("expires".to_owned());
    let shown = [
        notes(None, &TimeToLive::Off),
        notes(Some("expires"), &TimeToLive::Off),
        notes(Some("expires"), &on),
        notes(Some("until"), &on),
        notes(Some("until"), &TimeToLive::Hidden),
        notes(None, &on),
    ];
    expect![[r"
        TTL is off on table `production-app`, so `on_ttl_delete` of `order_payer` never applies
        --
        TTL is off on table `production-app`, so `on_ttl_delete` of `order_payer` never applies
        TTL is off on table `production-app`, but the rule file says `ttl: expires`
        --

        --
        the TTL attribute of table `production-app` is `expires`, but the rule file says `ttl: until`
        --

        --
    "]].assert_eq(&shown.join("\n--\n"));
}

#[test]
fn mirrors_of_all_attributes_need_the_ttl_attribute_declared() {
    let text = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
mirrors:
  membership: { source: member, mirror: member_of }
"#;
    let source = RuleSource { name: "rules".to_owned(), text: text.to_owned() };
    let rules = load(&source, &|_| None).rules.unwrap();
    assert_eq!(with_ttl(&rules), BTreeSet::from([TableId(0)]));
    let notes = ttl_notes(&rules, TableId(0), &TimeToLive::On("expires".to_owned()));
    expect!["the mirrors of `membership` copy `expires`, the TTL attribute of table `app`, and expire by themselves; `ttl: expires` of the table prevents that"].assert_eq(&notes.join("\n"));
}

/// Checks in which indexes the mirrors of a rule with this `copy` appear.
#[cfg(feature = "cli")]
fn check_indexed(copy: &str, indexes: Vec<DescribedIndex>, expected: &Expect) {
    let text = format!(
        "version: 1
tables:
  app: {{ key: [pk, sk] }}
entities:
  member:
    table: app
    key: {{ pk: \"company#{{company}}\", sk: \"user#{{email}}\" }}
    attributes: {{ gsi1pk: S, gsi1sk: S, role: S }}
  member_of:
    table: app
    key: {{ pk: \"user#{{email}}\", sk: \"company#{{company}}\" }}
    where: {{ kind: mirror }}
mirrors:
  membership: {{ source: member, mirror: member_of, {copy} }}
"
    );
    let source = RuleSource { name: "referee.yaml".to_owned(), text };
    let rules = load(&source, &|_| None).rules.unwrap();
    let table = described(key("pk", Some("sk")), Some(STREAM_VIEW));
    let table = Described::Table(Description { indexes, ..table });
    let warnings = indexed_mirrors(&rules, &[table]);
    let lines: Vec<_> = warnings.iter().map(|it| format!("{}: {it}", it.code.id)).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[cfg(feature = "cli")]
#[test]
fn mirrors_that_copy_the_key_of_an_index_are_warned_about() {
    let by_email = || index("by_email", Some(key("gsi1pk", Some("gsi1sk"))));
    check_indexed(
        "copy: all",
        vec![by_email()],
        &expect![[r"
        W011: mirrors of `membership` copy `gsi1pk` and `gsi1sk`, so they appear in index `by_email` of table `app`
        help: leave the attributes out with `copy: { except: [gsi1pk, gsi1sk] }`, or list the attributes to copy"]],
    );
    let others = vec![
        // The mirror's own key and what `where` sets count, but are not copied.
        index("by_kind", Some(key("kind", Some("sk")))),
        index("by_kind_and_role", Some(key("kind", Some("role")))),
        // An index with a key of several attributes, and a local one.
        index("by_many", None),
        DescribedIndex { is_global: false, ..index("local", Some(key("pk", Some("role")))) },
    ];
    check_indexed(
        "copy: all",
        others,
        &expect![[r"
        W011: mirrors of `membership` copy `role`, so they appear in index `by_kind_and_role` of table `app`
        help: leave the attributes out with `copy: { except: [role] }`, or list the attributes to copy"]],
    );
    check_indexed("copy: { except: [gsi1sk] }", vec![by_email()], &expect![[""]]);
    check_indexed(
        "copy: { except: [role] }",
        vec![by_email()],
        &expect![[r"
        W011: mirrors of `membership` copy `gsi1pk` and `gsi1sk`, so they appear in index `by_email` of table `app`
        help: leave the attributes out with `copy: { except: [role, gsi1pk, gsi1sk] }`, or list the attributes to copy"]],
    );
    check_indexed("copy: [gsi1pk, gsi1sk]", vec![by_email()], &expect![[""]]);
    check_indexed("copy: all, mode: off", vec![by_email()], &expect![[""]]);
}
