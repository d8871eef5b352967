//! Both ways to find the facts of an item agree.

use proptest::prelude::*;

use super::Quick;
use crate::audit::decoded::Decoded;
use crate::audit::excerpt::{self, Excerpts};
use crate::audit::fact::{Fact, Location};
use crate::audit::raw_item::RawItem;
use crate::audit::suspect::group_of;
use crate::data::Item;
use crate::integrity::index::Index;
use crate::rules::model::{Rules, TableId};
use crate::rules::{RuleSource, load};

/// Rules with everything that `quick` covers, and some that it leaves to `decoded`.
const RULES: &str = r#"version: 1
tables:
  app: { key: [pk, sk], ttl: expires }
  log: { key: [id] }
  counter: { key: ["no:N"] }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: profile }, where: { kind: [user, absent] } }
  admin: { table: app, key: { pk: "user#{user}", sk: profile }, where: { kind: admin } }
  order:
    table: app
    key: { pk: "user#{user}", sk: "order#{order*}" }
    attributes: { category: S, product: S, "address.city": S, seen: N, tags: SS }
  product: { table: app, key: { pk: "product#{category}-{product}", sk: details } }
  issue: { table: app, key: { pk: "team#{team:lower}", sk: "{no:03}" } }
  city: { table: app, key: { pk: "city#{city}", sk: "{city}" }, where: { kind: { not: member }, expires: { after: now } } }
  member:
    table: app
    key: { pk: "team#{team}", sk: "user#{user}" }
    where: { kind: member }
    attributes: { since: S, role: S }
  member_of: { table: app, key: { pk: "user#{user}", sk: "team#{team}" } }
  label: { table: app, key: { pk: "label#{label*}", sk: "{text}" } }
  copy: { table: app, key: { pk: "copy#{text}", sk: "{label*}" } }
  entry: { table: log, key: { id: "{user}" }, attributes: { kind: S } }
  visit: { table: counter, key: { no: "{no}" } }
  unused: { table: app, key: { pk: "note#{note}", sk: note }, where: { kind: note } }
references:
  order_user: { from: order, to: user }
  order_admin: { from: order, to: admin, expired: absent, on: { user: "{product}" }, find: none }
  order_product:
    from: order
    to: product
    on: { category: "{category}", product: "{product}" }
    required: true
    match: full
    find: none
  member_user: { from: member, to: user, find: { mirror: membership } }
  order_issue: { from: order, to: issue, on: { team: "{product}", no: "{category}" }, none: ["", "2"], find: none }
  entry_user: { from: entry, to: user, on: { user: "{kind}" }, find: none }
mirrors:
  membership: { source: member, mirror: member_of, copy: [since, role] }
  labels: { source: label, mirror: copy, copy: all }
"#;

/// More rules for the same items: with parts that only `decoded` evaluates.
const UNUSUAL: &str = r#"
  order_city: { from: order, to: city, on: { city: "{address.city}" }, find: none }
  order_visit: { from: order, to: visit, on: { no: "{seen}" }, find: none }
  order_tags: { from: order, to: entry, on: { user: "{tags[*]}" }, find: none }
"#;

fn rules(text: &str) -> Rules {
    let source = RuleSource { name: "rules".to_owned(), text: text.to_owned() };
    let loaded = load(&source, &|_| None);
    loaded.rules.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

fn usual() -> Rules {
    rules(RULES)
}

fn unusual() -> Rules {
    rules(&RULES.replace("mirrors:\n", &format!("{}mirrors:\n", UNUSUAL.trim_start_matches('\n'))))
}

/// The time, at which `1` in the TTL attribute has passed and `99999999999` has not.
const NOW_MS: i64 = 1_000_000;

const AT: Location = Location { chunk: 1, row: 2 };

fn quick(rules: &Rules, table: TableId, text: &str) -> Option<Vec<String>> {
    let mut facts = Vec::new();
    let index = Index::new(rules);
    let mut quick = Quick::new(rules, &index, NOW_MS);
    // Twice, because positions of attributes are remembered.
    for _ in 0..2 {
        facts.clear();
        quick.facts(AT, table, text.as_bytes(), &mut facts)?;
    }
    Some(sorted(&facts))
}

fn decoded(rules: &Rules, table: TableId, text: &str) -> Result<Vec<String>, String> {
    let index = Index::new(rules);
    let raw = RawItem::parse(text.as_bytes())?;
    let key = raw.key(&rules[table].key)?;
    let mut facts = Vec::new();
    let attributes = |projection: &_| raw.attributes(projection);
    Decoded::new(rules, &index, NOW_MS).facts(AT, table, &key, attributes, &mut facts)?;
    Ok(sorted(&facts))
}

/// The attributes in the excerpt of an item; `None` if the item is unusual.
fn excerpt(rules: &Rules, table: TableId, text: &str) -> Option<Vec<String>> {
    let index = Index::new(rules);
    let mut quick = Quick::new(rules, &index, 0);
    quick.facts(AT, table, text.as_bytes(), &mut Vec::new())?;
    let excerpts = Excerpts::new(&std::env::temp_dir(), usize::MAX, 1);
    let mut writer = excerpts.writer();
    writer.add(AT, table, quick.excerpt(table, text.as_bytes())).unwrap();
    writer.finish().unwrap();
    let mut found = None;
    let each = |at, of_table, item: &Item<'_>| {
        assert_eq!((at, of_table), (AT, table));
        found = Some(item.iter().map(|it| format!("{it:?}")).collect());
    };
    excerpts.take(rules, group_of(AT, 1), &[AT], each).unwrap();
    found
}

fn sorted(facts: &[Fact]) -> Vec<String> {
    let mut facts: Vec<_> = facts.iter().map(|fact| format!("{fact:?}")).collect();
    facts.sort_unstable();
    facts
}

fn item(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    format!("{{{}}}", pairs.join(","))
}

fn text(text: &str) -> String {
    format!(r#"{{"S":"{text}"}}"#)
}

/// The mirror rule copies everything but the TTL attribute, which still decides what has expired.
#[test]
fn both_ways_agree_on_expired_sources_and_targets() {
    let rules = usual();
    let item = |sort: &str, partition: &str, expires: &str| {
        format!(
            r#"{{"pk":{{"S":"{partition}"}},"sk":{{"S":"{sort}"}},"kind":{{"S":"admin"}},"note":{{"S":"a"}}{expires}}}"#
        )
    };
    for (expires, has_expired) in [
        ("", false),
        (r#","expires":{"N":"1"}"#, true),
        (r#","expires":{"N":"1e2"}"#, true),
        (r#","expires":{"N":"1001"}"#, false),
        (r#","expires":{"S":"1"}"#, false),
    ] {
        for (partition, sort, of_expired) in
            [("label#1", "a", "has_expired: true"), ("user#1", "profile", "Expired {")]
        {
            let item = item(sort, partition, expires);
            let facts = quick(&rules, TableId(0), &item).unwrap();
            assert_eq!(Ok(facts.clone()), decoded(&rules, TableId(0), &item));
            let is_in_facts = facts.iter().any(|fact| fact.contains(of_expired));
            assert_eq!(is_in_facts, has_expired, "{item}: {facts:?}");
        }
        // The content that the mirror must have does not depend on the TTL attribute.
        let of = |expires| quick(&rules, TableId(0), &item("a", "label#1", expires)).unwrap();
        let plain =
            |facts: Vec<String>| facts.concat().replace("has_expired: true", "has_expired: false");
        assert_eq!(plain(of(expires)), plain(of("")));
    }
}

#[test]
fn usual_items_are_not_decoded() {
    let rules = usual();
    for (table, pairs) in [
        (0, [("pk", text("user#1")), ("sk", text("profile")), ("kind", text("admin"))]),
        (0, [("pk", text("user#1")), ("sk", text("order#7")), ("product", text("a"))]),
        (0, [("pk", text("team#1")), ("sk", text("user#2")), ("kind", text("member"))]),
        (0, [("pk", text("note#1")), ("sk", text("note")), ("n", r#"{"N":"1"}"#.to_owned())]),
        (1, [("x", text("1")), ("id", text("1")), ("kind", text("1"))]),
    ] {
        let item = item(&pairs.map(|(name, value)| (name.to_owned(), value)));
        assert!(quick(&rules, TableId(table), &item).is_some(), "{item}");
    }
    let marked = r#"{"pk":{"S":"user#1"},"sk":{"S":"team#1"},"_referee":{"M":{"rule":{"S":"membership"},"fence":{"S":"01"}}}}"#;
    let facts = quick(&rules, TableId(0), marked).unwrap();
    assert!(facts.iter().any(|fact| fact.contains("standing: Marked")), "{facts:?}");
}

/// A capture's text: usual, or refused by templates in one way or another.
fn capture() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[12]",
        1 => "[12#é-]{0,3}",
        1 => "[0-9A]{1,3}",
        1 => Just("\\u0031".to_owned()),
        1 => Just("x".repeat(1020)),
    ]
}

fn key() -> impl Strategy<Value = (String, String)> {
    let partition = prop::sample::select(
        &["user#", "team#", "product#", "city#", "label#", "copy#", "note#", "other#", ""][..],
    );
    let sort = prop::sample::select(
        &["profile", "order#", "details", "user#", "team#", "note", "1", ""][..],
    );
    (partition, capture(), prop::option::of(capture()), sort, prop::option::of(capture())).prop_map(
        |(partition, first, second, sort, last)| {
            let second = second.map(|second| format!("-{second}")).unwrap_or_default();
            (format!("{partition}{first}{second}"), format!("{sort}{}", last.unwrap_or_default()))
        },
    )
}

fn value() -> impl Strategy<Value = String> {
    const OTHERS: [&str; 10] = [
        r#"{"N":"1"}"#,
        r#"{"N":"99999999999"}"#,
        r#"{"N":"1.0"}"#,
        r#"{"NULL":true}"#,
        r#"{"SS":["1","2"]}"#,
        r#"{"M":{"city":{"S":"1"}}}"#,
        r#"{"M":{"rule":{"S":"membership"},"fence":{"S":"1"}}}"#,
        r#"{"M":{"fence":{"S":"1"},"rule":{"S":"labels"}}}"#,
        r#"{"M":{"rule":{"S":"membership"},"fence":{"S":"1"},"fix":{"S":"2"}}}"#,
        r#"{"M":{"rule":{"S":"member"}}}"#,
    ];
    prop_oneof![
        4 => capture().prop_map(|capture| text(&capture)),
        2 => prop::sample::select(&["user", "admin", "member", "note"][..]).prop_map(text),
        2 => prop::sample::select(&OTHERS[..]).prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn the_facts_do_not_depend_on_the_way(
        (partition, sort) in key(),
        pairs in prop::collection::btree_map(
            prop::sample::select(
                &["kind", "category", "product", "address", "seen", "tags", "since", "role", "expires", "_referee"][..],
            ),
            value(),
            0..6,
        ),
        table in 0..2_usize,
        at in 0..6_usize,
    ) {
        thread_local! {
            static RULES_OF_ALL: [Rules; 2] = [usual(), unusual()];
        }
        let mut pairs: Vec<(String, String)> =
            pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let at = at.min(pairs.len());
        if table == 0 {
            pairs.insert(at, ("sk".to_owned(), text(&sort)));
            pairs.insert(at, ("pk".to_owned(), text(&partition)));
        } else {
            pairs.insert(at, ("id".to_owned(), text(&partition)));
        }
        let item = item(&pairs);
        RULES_OF_ALL.with(|all| {
            for rules in all {
                let table = TableId(table);
                if let Some(facts) = quick(rules, table, &item) {
                    prop_assert_eq!(Ok(facts), decoded(rules, table, &item), "{}", item);
                }
                if let Some(kept) = excerpt(rules, table, &item) {
                    let raw = RawItem::parse(item.as_bytes()).unwrap();
                    let whole = raw.attributes(&excerpt::projection(rules, table)).unwrap();
                    let whole: Vec<_> = whole.iter().map(|it| format!("{it:?}")).collect();
                    prop_assert_eq!(kept, whole, "{}", item);
                }
            }
            Ok(())
        })?;
    }
}
