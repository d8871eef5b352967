//! References, checked when the referencing item is written.

use expect_test::expect;

use kit::history::History;

const ORDERS: &str = r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}" } }
  order: { table: app, key: { pk: "order#{order}" }, attributes: { by: S } }
references:
  order_customer: { from: order, to: customer, on: { customer: "{by}" }, find: none }
"#;

#[test]
fn two_references_to_one_item_cost_one_read() {
    let history = History::new()
        .has("pk: customer#ann")
        .insert("pk: order#1, by: ann")
        .insert("pk: order#2, by: ann");
    history.under(ORDERS).results_in(expect![[r#"
        2 app: 1 requests, 1 read, 0 write
    "#]]);
}

#[test]
fn a_missing_target_is_read_again_before_it_is_reported() {
    History::new().insert("pk: order#1, by: ann").under(ORDERS).results_in(expect![[r#"
        1 app: 2 requests, 3 read, 0 write
          order_customer dangling_reference order#1 at by -> customer#ann @100 reported: the referenced `customer` does not exist
    "#]]);
}

#[test]
fn an_unchanged_reference_is_not_checked() {
    let history = History::new().change("pk: order#1, by: ann", "pk: order#1, by: ann, paid: true");
    history.under(ORDERS).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn a_changed_reference_is_checked_and_a_removed_one_is_not() {
    let history = History::new()
        .change("pk: order#1, by: ann", "pk: order#1, by: bob")
        .change("pk: order#2, by: ann", "pk: order#2");
    history.under(ORDERS).results_in(expect![[r#"
        2 app: 2 requests, 3 read, 0 write
          order_customer dangling_reference order#1 at by -> customer#bob @100 reported: the referenced `customer` does not exist
    "#]]);
}

#[test]
fn a_reference_changed_and_restored_in_one_batch_is_checked() {
    let history = History::new()
        .change("pk: order#1, by: ann", "pk: order#1, by: bob")
        .change("pk: order#1, by: bob", "pk: order#1, by: ann");
    history.under(ORDERS).results_in(expect![[r#"
        2 app: 2 requests, 3 read, 0 write
          order_customer dangling_reference order#1 at by -> customer#ann @200 reported: the referenced `customer` does not exist
    "#]]);
}

#[test]
fn only_the_last_image_in_a_batch_is_checked() {
    let history = History::new()
        .insert("pk: order#1, by: ann")
        .remove("pk: order#1, by: ann")
        .insert("pk: order#2, by: ann")
        .change("pk: order#2, by: ann", "pk: order#2");
    history.under(ORDERS).results_in(expect![[r#"
        4 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn an_absent_or_null_attribute_refers_to_nothing() {
    let history = History::new().insert("pk: order#1").insert("pk: order#2, by: null");
    history.under(ORDERS).results_in(expect![[r#"
        2 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn a_value_that_cannot_be_a_key_is_malformed() {
    let history = History::new()
        .insert("pk: order#1, by: 1")
        .insert("pk: order#2, by: ''")
        .insert("pk: order#3, by: ann#2")
        .insert("pk: order#4, by: [ann]")
        .insert("pk: order#5, by: {SS: [ann]}");
    history.under(ORDERS).results_in(expect![[r#"
        5 app: 1 requests, 5 read, 0 write
          order_customer malformed_reference order#1 at by -> ? @100 reported: `by` has type N; the rule file declares S
          order_customer malformed_reference order#2 at by -> ? @200 reported: `` cannot be `{customer}` of a key: it is empty
          order_customer malformed_reference order#3 at by -> ? @300 reported: `ann#2` cannot be `{customer}` of a key: it contains the table's separator
          order_customer malformed_reference order#4 at by -> ? @400 reported: `by` has type L; the rule file declares S
          order_customer malformed_reference order#5 at by -> ? @500 reported: `by` has type SS; the rule file declares S
    "#]]);
}

#[test]
fn items_that_no_rule_covers_cost_nothing() {
    let history = History::new()
        .insert("pk: invoice#1, by: ann")
        .insert("pk: order#1#2, by: ann")
        .insert("pk: customer#ann");
    history.under(ORDERS).results_in(expect![[r#"
        3 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn a_required_reference_must_not_be_absent_or_null() {
    let required = ORDERS.replace("find: none", "find: none, required: true");
    let history = History::new()
        .has("pk: customer#ann")
        .insert("pk: order#1")
        .insert("pk: order#2, by: null")
        .insert("pk: order#3, by: ann")
        .change("pk: order#4, by: ann", "pk: order#4");
    history.under(&required).results_in(expect![[r#"
        4 app: 2 requests, 4 read, 0 write
          order_customer missing_reference order#1 at by -> ? @100 reported: `by` is required but absent
          order_customer missing_reference order#2 at by -> ? @200 reported: `by` is required but absent
          order_customer missing_reference order#4 at by -> ? @400 reported: `by` is required but absent
    "#]]);
}

const SEVERAL: &str = r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  user: { table: app, key: { pk: "user#{user}" }, attributes: { boss: S } }
  task:
    table: app
    key: { pk: "task#{task}" }
    attributes: { work.by: S, work.for: S }
references:
  user_boss: { from: user, to: user, on: { user: "{boss}" }, find: none }
  task_by: { from: task, to: user, on: { user: "{work.by}" }, find: none }
  task_for: { from: task, to: user, on: { user: "{work.for}" }, find: none }
"#;

#[test]
fn several_references_to_one_entity_are_checked_independently() {
    let history = History::new()
        .has("pk: user#ann")
        .insert("pk: task#1, work: {by: ann, for: bob}")
        .insert("pk: task#2, work: {by: cid, for: cid}");
    history.under(SEVERAL).results_in(expect![[r#"
        2 app: 2 requests, 7 read, 0 write
          task_for dangling_reference task#1 at work.for -> user#bob @100 reported: the referenced `user` does not exist
          task_by dangling_reference task#2 at work.by -> user#cid @200 reported: the referenced `user` does not exist
          task_for dangling_reference task#2 at work.for -> user#cid @200 reported: the referenced `user` does not exist
    "#]]);
}

#[test]
fn a_path_through_a_value_that_is_not_a_map_refers_to_nothing() {
    let history = History::new().insert("pk: task#1, work: by").insert("pk: task#2, work: [ann]");
    history.under(SEVERAL).results_in(expect![[r#"
        2 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn an_item_may_refer_to_itself() {
    let history =
        History::new().insert("pk: user#ann, boss: ann").insert("pk: user#bob, boss: cid");
    history.under(SEVERAL).results_in(expect![[r#"
        2 app: 2 requests, 4 read, 0 write
          user_boss dangling_reference user#bob at boss -> user#cid @200 reported: the referenced `user` does not exist
    "#]]);
}

#[test]
fn deleting_an_item_that_refers_to_itself_leaves_no_orphan() {
    let history = History::new().remove("pk: user#ann, boss: ann");
    history.under(SEVERAL).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

const COMPOSITE: &str = r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  seat: { table: app, key: { pk: "seat#{hall}#{row}#{place}" } }
  ticket:
    table: app
    key: { pk: "ticket#{hall}#{ticket}" }
    attributes: { row: S, place: N }
references:
  ticket_seat: { from: ticket, to: seat, on: { row: "{row}", place: "{place}" }, find: none }
"#;

fn composite() -> History {
    History::new()
        .has("pk: seat#east#b#7")
        .insert("pk: ticket#east#1, row: b, place: 7")
        .insert("pk: ticket#west#2, row: b, place: 7")
        .insert("pk: ticket#east#3, row: b, place: {N: '7.0'}")
        .insert("pk: ticket#east#4, row: b")
        .insert("pk: ticket#east#5, row: null, place: 7")
        .insert("pk: ticket#east#6")
        .insert("pk: ticket#east#7, row: 3, place: c")
}

#[test]
fn a_composite_reference_with_missing_parts_is_not_checked() {
    composite().under(COMPOSITE).results_in(expect![[r#"
        7 app: 2 requests, 5 read, 0 write
          ticket_seat dangling_reference ticket#west#2 at row, place -> seat#west#b#7 @200 reported: the referenced `seat` does not exist
          ticket_seat malformed_reference ticket#east#7 at row, place -> ? @700 reported: `row` has type N; the rule file declares S
    "#]]);
}

#[test]
fn match_full_requires_all_parts_or_none() {
    let full = COMPOSITE.replace("find: none", "find: none, match: full");
    composite().under(&full).results_in(expect![[r#"
        7 app: 2 requests, 7 read, 0 write
          ticket_seat dangling_reference ticket#west#2 at row, place -> seat#west#b#7 @200 reported: the referenced `seat` does not exist
          ticket_seat partial_reference ticket#east#4 at row, place -> ? @400 reported: only some of `row`, `place` are present
          ticket_seat partial_reference ticket#east#5 at row, place -> ? @500 reported: only some of `row`, `place` are present
          ticket_seat malformed_reference ticket#east#7 at row, place -> ? @700 reported: `row` has type N; the rule file declares S
    "#]]);
}

#[test]
fn a_required_match_full_requires_all_parts() {
    let full = COMPOSITE.replace("find: none", "find: none, match: full, required: true");
    composite().under(&full).results_in(expect![[r#"
        7 app: 2 requests, 8 read, 0 write
          ticket_seat dangling_reference ticket#west#2 at row, place -> seat#west#b#7 @200 reported: the referenced `seat` does not exist
          ticket_seat partial_reference ticket#east#4 at row, place -> ? @400 reported: only some of `row`, `place` are present
          ticket_seat partial_reference ticket#east#5 at row, place -> ? @500 reported: only some of `row`, `place` are present
          ticket_seat missing_reference ticket#east#6 at row, place -> ? @600 reported: `row`, `place` are required but not all present
          ticket_seat malformed_reference ticket#east#7 at row, place -> ? @700 reported: `row` has type N; the rule file declares S
    "#]]);
}

const TYPED: &str = r#"
version: 1
tables:
  app: { key: [pk] }
  numbers: { key: ["id:N"] }
  binaries: { key: ["id:B"] }
entities:
  item: { table: app, key: { pk: "item#{item}" }, attributes: { n: N, b: B } }
  number: { table: numbers, key: { id: "{number}" } }
  binary: { table: binaries, key: { id: "{binary}" } }
references:
  item_number: { from: item, to: number, on: { number: "{n}" }, find: none }
  item_binary: { from: item, to: binary, on: { binary: "{b}" }, find: none }
"#;

#[test]
fn numbers_match_by_value_and_binaries_by_bytes() {
    let history = History::new()
        .in_table("numbers")
        .has("id: 10")
        .in_table("binaries")
        .has("id: {B: '/w=='}")
        .in_table("app")
        .insert("pk: item#1, n: {N: '1e1'}, b: {B: '/w=='}")
        .insert("pk: item#2, n: {N: '10.00'}, b: {B: '/g=='}")
        .insert("pk: item#3, n: 11, b: {B: ''}")
        .insert("pk: item#4, n: '10', b: /w==");
    history.under(TYPED).results_in(expect![[r#"
        4 app: 2 requests, 9 read, 0 write
          item_binary dangling_reference item#2 at b -> binaries:{"B":"/g=="} @200 reported: the referenced `binary` does not exist
          item_number dangling_reference item#3 at n -> numbers:11 @300 reported: the referenced `number` does not exist
          item_binary malformed_reference item#3 at b -> ? @300 reported: `` cannot be `{binary}` of a key: it is empty
          item_number malformed_reference item#4 at n -> ? @400 reported: `n` has type S; the rule file declares N
          item_binary malformed_reference item#4 at b -> ? @400 reported: `b` has type S; the rule file declares B
    "#]]);
}

#[test]
fn a_number_in_another_notation_is_the_same_reference() {
    let history = History::new().change("pk: item#1, n: 10", "pk: item#1, n: {N: '10.0'}");
    history.under(TYPED).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

const KINDS: &str = r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  person: { table: app, key: { pk: "party#{party}" }, where: { type: Person } }
  note:
    table: app
    key: { pk: "note#{note}" }
    attributes: { on: S }
    where: { kind: Personal }
references:
  note_person: { from: note, to: person, on: { party: "{on}" }, find: none }
"#;

#[test]
fn an_item_of_another_kind_is_not_the_target() {
    let history = History::new()
        .has("pk: party#ann, type: Person")
        .has("pk: party#acme, type: Company")
        .has("pk: party#none")
        .insert("pk: note#1, kind: Personal, on: ann")
        .insert("pk: note#2, kind: Personal, on: acme")
        .insert("pk: note#3, kind: Personal, on: none");
    history.under(KINDS).results_in(expect![[r#"
        3 app: 2 requests, 7 read, 0 write
          note_person dangling_reference note#2 at on -> party#acme @200 reported: an item is there, but is no `person`: `type` is `Company`
          note_person dangling_reference note#3 at on -> party#none @300 reported: an item is there, but is no `person`: `type` is absent
    "#]]);
}

#[test]
fn an_item_that_becomes_a_referencing_entity_counts_as_inserted() {
    let history = History::new()
        .insert("pk: note#1, kind: Public, on: ann")
        .change("pk: note#2, kind: Public, on: ann", "pk: note#2, kind: Personal, on: ann")
        .change("pk: note#3, kind: Personal, on: ann", "pk: note#3, kind: Public, on: bob");
    history.under(KINDS).results_in(expect![[r#"
        3 app: 2 requests, 3 read, 0 write
          note_person dangling_reference note#2 at on -> party#ann @200 reported: the referenced `person` does not exist
    "#]]);
}
