//! Tables as they are, and what of them does not agree with the rules.

use std::collections::BTreeSet;
use std::fmt;

use crate::data::KeySchema;
use crate::rules::model::{Find, Mode, OnDelete, Rules, Table, TableId, TableIndex};

/// The view type that Referee needs of a stream.
pub const STREAM_VIEW: &str = "NEW_AND_OLD_IMAGES";

/// How a table's stream is turned on.
#[must_use]
pub fn stream_on(table: &str) -> String {
    format!(
        "turn it on: aws dynamodb update-table --table-name {table} --stream-specification \
         StreamEnabled=true,StreamViewType={STREAM_VIEW}"
    )
}

/// How a table's stream is replaced by one with the right view type, which cannot be changed.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_StreamSpecification.html>
#[must_use]
pub fn stream_off_and_on(table: &str) -> String {
    format!(
        "a stream's view type cannot be changed: turn the stream off, with aws dynamodb \
         update-table --table-name {table} --stream-specification StreamEnabled=false, and then \
         {}",
        stream_on(table)
    )
}
/// What can be learnt of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Described {
    /// The table is there, and this is what it looks like.
    Table(Description),
    /// There is no such table.
    Missing,
    /// Whoever asks is not allowed to know.
    Hidden(String),
}

/// What a table looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its key.
    pub key: KeySchema,
    /// Its indexes, by name, with their keys. The key of an index may have more attributes than
    /// rules can tell of: then there is none here.
    pub indexes: Vec<(String, Option<KeySchema>)>,
    /// The view type of its stream, if that is turned on.
    pub stream_view: Option<String>,
}

/// What of a table does not agree with the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What is wrong.
    pub problem: String,
    /// How it is put right.
    pub help: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}\nhelp: {}", self.problem, self.help)
    }
}

/// The tables whose changes the rules must see.
#[must_use]
pub fn streamed(rules: &Rules) -> BTreeSet<TableId> {
    let mut entities = BTreeSet::new();
    for reference in rules.references.iter().filter(|rule| rule.mode != Mode::Off) {
        entities.insert(reference.from);
        let ignored = OnDelete::Ignore;
        if (reference.on_delete != ignored || reference.on_ttl_delete != ignored)
            && reference.find != Find::None
        {
            entities.insert(reference.to);
        }
    }
    for mirror in rules.mirrors.iter().filter(|rule| rule.mode != Mode::Off) {
        entities.extend([mirror.source, mirror.mirror]);
    }
    entities.into_iter().map(|entity| rules[entity].table).collect()
}

/// Everything in which the tables do not agree with the rules. The descriptions are in the order
/// of the rules' tables.
#[must_use]
pub fn differences(rules: &Rules, described: &[Described]) -> Vec<Difference> {
    let streamed = streamed(rules);
    let tables = rules.tables.iter().enumerate().zip(described);
    let of_table = |((place, table), described): ((usize, &Table), &Described)| match described {
        Described::Hidden(_) => Vec::new(),
        Described::Missing => vec![missing(table)],
        Described::Table(described) => {
            let stream = streamed.contains(&TableId(place)).then(|| stream(table, described));
            let indexes = table.indexes.iter().filter_map(|wanted| index(table, wanted, described));
            key(table, described).into_iter().chain(indexes).chain(stream.flatten()).collect()
        }
    };
    tables.flat_map(of_table).collect()
}

fn missing(table: &Table) -> Difference {
    let Table { alias, name, .. } = table;
    Difference {
        problem: format!("there is no table `{name}`"),
        help: format!(
            "check the `name` of table `{alias}` in the rule file, the endpoint, the account and \
             the Region"
        ),
    }
}

fn key(table: &Table, described: &Description) -> Option<Difference> {
    let Table { alias, name, key, .. } = table;
    let (is, should_be) = (Shown(&described.key), Shown(key));
    (described.key != *key).then(|| Difference {
        problem: format!("table `{name}` has the key {is}, and in the rule file {should_be}"),
        help: format!("correct the `key` of table `{alias}` in the rule file"),
    })
}

fn index(table: &Table, wanted: &TableIndex, described: &Description) -> Option<Difference> {
    let (name, index) = (&table.name, &wanted.name);
    let problem = match described.indexes.iter().find(|(known, _)| known == index) {
        None => format!("table `{name}` has no index `{index}`"),
        Some((_, Some(key))) if serves(key, &wanted.key) => return None,
        Some((_, key)) => {
            let is = key
                .as_ref()
                .map_or("another key".to_owned(), |key| format!("the key {}", Shown(key)));
            let should_be = Shown(&wanted.key);
            format!("index `{index}` of table `{name}` has {is}, and in the rule file {should_be}")
        }
    };
    let help = format!("correct the `find` of the references that use index `{index}`");
    Some(Difference { problem, help })
}

fn stream(table: &Table, described: &Description) -> Option<Difference> {
    let name = &table.name;
    match described.stream_view.as_deref() {
        Some(STREAM_VIEW) => None,
        Some(view) => Some(Difference {
            problem: format!(
                "the stream of table `{name}` has the view type {view}, and Referee needs \
                 {STREAM_VIEW}"
            ),
            help: stream_off_and_on(name),
        }),
        None => Some(Difference {
            problem: format!("table `{name}` has no stream"),
            help: stream_on(name),
        }),
    }
}

/// Whether an index with this key can be asked as the rules will: they may leave out its sort key.
fn serves(key: &KeySchema, wanted: &KeySchema) -> bool {
    key.partition == wanted.partition && (wanted.sort.is_none() || key.sort == wanted.sort)
}

/// A key for people: "`pk` (S), `sk` (S)".
struct Shown<'k>(&'k KeySchema);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, attribute) in self.0.attributes().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(formatter, "{comma}`{}` ({})", attribute.name, attribute.kind.as_type())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{KeyAttribute, KeyKind};
    use crate::rules::{RuleSource, load};
    use expect_test::{Expect, expect};

    const RULES: &str = r#"
version: 1
tables:
  app: { name: production-app, key: [pk, sk] }
  orders: { key: [id] }
entities:
  customer: { table: app, key: { pk: "customer#{customer}", sk: "customer#" } }
  order:
    table: orders
    key: { id: "{order}" }
    attributes: { customer: S }
references:
  order_customer:
    from: order
    to: customer
    on: { customer: "{customer}" }
    find: { index: by_customer, key: { customer: "{customer}" } }
"#;

    fn rules() -> Rules {
        let source = RuleSource { name: "referee.yaml".to_owned(), text: RULES.to_owned() };
        let loaded = load(&source, &|_| None);
        loaded.rules.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
    }

    fn key(partition: &str, sort: Option<&str>) -> KeySchema {
        let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
        KeySchema { partition: attribute(partition), sort: sort.map(attribute) }
    }

    fn described(key: KeySchema, view: Option<&str>) -> Description {
        Description { key, indexes: Vec::new(), stream_view: view.map(str::to_owned) }
    }

    fn orders(index: &str, key_of_index: Option<KeySchema>) -> Description {
        let indexes = vec![(index.to_owned(), key_of_index)];
        Description { indexes, ..described(key("id", None), Some(STREAM_VIEW)) }
    }

    fn app() -> Description {
        described(key("pk", Some("sk")), Some(STREAM_VIEW))
    }

    fn check(described: &[Described; 2], expected: &Expect) {
        let found = differences(&rules(), described);
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn tables_that_agree_have_no_differences() {
        let by_customer = Some(key("customer", Some("date")));
        let orders = orders("by_customer", by_customer);
        check(&[Described::Table(app()), Described::Table(orders)], &expect![""]);
        let hidden = || Described::Hidden("not allowed".to_owned());
        check(&[hidden(), hidden()], &expect![""]);
    }

    #[test]
    fn every_difference_is_told_with_its_mend() {
        check(
            &[Described::Missing, Described::Missing],
            &expect![[r"
            there is no table `production-app`
            help: check the `name` of table `app` in the rule file, the endpoint, the account and the Region
            there is no table `orders`
            help: check the `name` of table `orders` in the rule file, the endpoint, the account and the Region"]],
        );
        let keys_only = described(key("pk", None), Some("KEYS_ONLY"));
        let other = orders("by_date", None);
        check(
            &[Described::Table(keys_only), Described::Table(other)],
            &expect![[r"
            table `production-app` has the key `pk` (S), and in the rule file `pk` (S), `sk` (S)
            help: correct the `key` of table `app` in the rule file
            the stream of table `production-app` has the view type KEYS_ONLY, and Referee needs NEW_AND_OLD_IMAGES
            help: a stream's view type cannot be changed: turn the stream off, with aws dynamodb update-table --table-name production-app --stream-specification StreamEnabled=false, and then turn it on: aws dynamodb update-table --table-name production-app --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES
            table `orders` has no index `by_customer`
            help: correct the `find` of the references that use index `by_customer`"]],
        );
        let no_stream = described(key("pk", Some("sk")), None);
        let other = orders("by_customer", Some(key("user", None)));
        check(
            &[Described::Table(no_stream), Described::Table(other)],
            &expect![[r"
            table `production-app` has no stream
            help: turn it on: aws dynamodb update-table --table-name production-app --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES
            index `by_customer` of table `orders` has the key `user` (S), and in the rule file `customer` (S)
            help: correct the `find` of the references that use index `by_customer`"]],
        );
        let longer = orders("by_customer", None);
        check(
            &[Described::Table(app()), Described::Table(longer)],
            &expect![[r"
            index `by_customer` of table `orders` has another key, and in the rule file `customer` (S)
            help: correct the `find` of the references that use index `by_customer`"]],
        );
    }

    #[test]
    fn what_no_rule_watches_needs_no_stream() {
        let mut rules = rules();
        assert_eq!(streamed(&rules).len(), 2);
        for reference in &mut rules.references {
            reference.find = Find::None;
        }
        assert_eq!(streamed(&rules), BTreeSet::from([TableId(1)]));
        assert!(streamed(&rules.in_mode(Mode::Off)).is_empty());
    }
}
