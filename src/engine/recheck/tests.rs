//! The format keeps what it contains.

use proptest::prelude::*;

use super::message::{ItemPart, Kind, Listed, Message, Record, message_text, part_text};
use crate::data::{Item, Key, KeyValue, Number, SequenceNumber, Value};
use crate::engine::event::change::{Origin, StreamChange};
use crate::integrity::change::Change;
use crate::integrity::index::Projection;
use crate::rules::model::TableId;
use crate::rules::{self, RuleSource, Rules};

fn rules() -> Rules {
    let text = "
version: 1
tables: { app: { name: app-prod, key: [pk, 'sk:N'] } }
entities:
  user: { table: app, key: { pk: 'user#{user}', sk: '{n}' } }
";
    let source = RuleSource { name: "rules".to_owned(), text: text.to_owned() };
    rules::load(&source, &|_| None).rules.unwrap()
}

/// Generates a text, with characters that JSON escapes and that SQS refuses.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        Just('\u{fffe}'),
        Just('\u{ffff}'),
        Just('\0'),
        Just('"'),
        Just('\\'),
    ];
    prop::collection::vec(character, 0..6).prop_map(|text| text.into_iter().collect())
}

fn value() -> impl Strategy<Value = Value<'static>> {
    let leaf = prop_oneof![
        text().prop_map(|text| Value::S(text.into())),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(|bytes| Value::B(bytes.into())),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::L),
            prop::collection::vec((text().prop_map(Into::into), inner), 0..3)
                .prop_map(|map| Value::M(map.into())),
        ]
    })
}

fn image() -> impl Strategy<Value = Option<Item<'static>>> {
    let attributes = prop::collection::vec((text().prop_map(Into::into), value()), 0..4);
    prop::option::of(attributes.prop_map(Item::from))
}

prop_compose! {
    fn change()(
        name in "[a-z\u{fffe}]{1,5}",
        (before, after) in (image(), image()),
        sequence in "[0-9]{1,40}",
        created_ms: Option<i64>,
        by_ttl: bool,
    ) -> StreamChange<'static> {
        let sort = Some(KeyValue::N(Number::parse("7").unwrap()));
        let key = Key { partition: KeyValue::S(name.into()), sort };
        StreamChange {
            change: Change { table: TableId(0), key, before, after },
            sequence: SequenceNumber::parse(sequence).unwrap(),
            created_ms,
            origin: if by_ttl { Origin::Ttl } else { Origin::Client },
            position: 0,
        }
    }
}

fn part<'r>(rules: &'r Rules, changes: &[StreamChange<'r>]) -> ItemPart<'r> {
    let listed = |(record, _): (usize, _)| Listed {
        kind: Kind::Delete,
        rule: "a \"rule\"".into(),
        record,
        target: (record > 0).then(|| "{}".to_owned()),
    };
    ItemPart {
        suspects: changes.iter().enumerate().map(listed).collect(),
        records: changes.iter().map(|it| Record::of(rules, it, &Projection::All)).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn a_message_is_read_as_it_was_written(
        changes in prop::collection::vec(prop::collection::vec(change(), 0..3), 0..3),
        due_ms: i64,
    ) {
        let rules = rules();
        let parts = || changes.iter().map(|changes| part(&rules, changes));
        let texts: Vec<_> = parts().map(|part| part_text(&part).unwrap()).collect();
        let text = message_text(due_ms, &texts);
        let is_refused = |character: char| {
            // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
            !matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
        };
        prop_assert!(!text.contains(is_refused), "{}", text);
        let message = Message::parse(&text).unwrap();
        prop_assert_eq!(message.due_ms, due_ms);
        prop_assert_eq!(&message.items, &parts().collect::<Vec<_>>());
        for (part, changes) in message.items.into_iter().zip(&changes) {
            for (record, change) in part.records.into_iter().zip(changes) {
                prop_assert_eq!(&record.into_change(&rules, 0).unwrap(), change);
            }
        }
    }

    #[test]
    fn no_text_causes_a_panic(text in "\\PC{0,20}") {
        prop_assert!(Message::parse(&text).is_err());
    }
}
