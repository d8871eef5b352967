//! References to items that are known by the key of an index.

use expect_test::expect;

use kit::history::History;

const NOTES: &str = r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  user: { table: app, key: { pk: "user#{id}" }, where: { gone: absent } }
  robot: { table: app, key: { pk: "robot#{id}" } }
  note: { table: app, key: { pk: "note#{id}" }, attributes: { by: S } }
references:
  note_author:
    from: note
    to: { entity: user, index: byMail, key: { mail: "mail#{mail}" } }
    on: { mail: "{by}" }
    find: { index: byAuthor, key: { by: "{mail}" } }
"#;

#[test]
fn an_item_with_the_key_in_the_index_satisfies_the_reference() {
    let history = History::new().has("pk: user#1, mail: mail#ann").insert("pk: note#1, by: ann");
    history.under(NOTES).results_in(expect![[r#"
        1 app: 2 requests, 1.5 read, 0 write
    "#]]);
}

#[test]
fn a_missing_item_is_looked_for_again_before_it_is_reported() {
    History::new().insert("pk: note#1, by: ann").under(NOTES).results_in(expect![[r#"
        1 app: 3 requests, 2 read, 0 write
          note_author dangling_reference note#1 at by -> mail#ann @100 reported: the referenced `user` does not exist
    "#]]);
}

#[test]
fn an_item_of_another_entity_with_the_key_does_not_count() {
    let history = History::new().has("pk: robot#1, mail: mail#ann").insert("pk: note#1, by: ann");
    history.under(NOTES).results_in(expect![[r#"
        1 app: 3 requests, 2 read, 0 write
          note_author dangling_reference note#1 at by -> mail#ann @100 reported: the referenced `user` does not exist
    "#]]);
}

#[test]
fn an_item_that_does_not_meet_its_where_is_named_as_the_reason() {
    let history =
        History::new().has("pk: user#1, mail: mail#ann, gone: yes").insert("pk: note#1, by: ann");
    history.under(NOTES).results_in(expect![[r#"
        1 app: 5 requests, 4 read, 0 write
          note_author dangling_reference note#1 at by -> mail#ann @100 reported: an item is there, but is no `user`: `gone` is `true`
    "#]]);
}

#[test]
fn a_value_that_the_index_cannot_contain_is_malformed() {
    History::new().insert("pk: note#1, by: a#b").under(NOTES).results_in(expect![[r#"
        1 app: 1 requests, 1 read, 0 write
          note_author malformed_reference note#1 at by -> ? @100 reported: `a#b` cannot be `{mail}` of a key: it contains the table's separator
    "#]]);
}

#[test]
fn the_delete_of_one_of_two_items_with_the_key_leaves_no_orphan() {
    let history = History::new()
        .has("pk: note#1, by: ann")
        .has("pk: user#2, mail: mail#ann")
        .remove("pk: user#1, mail: mail#ann");
    history.under(NOTES).results_in(expect![[r#"
        1 app: 2 requests, 1.5 read, 0 write
    "#]]);
}

#[test]
fn the_delete_of_the_last_item_with_the_key_leaves_orphans() {
    let history = History::new().has("pk: note#1, by: ann").remove("pk: user#1, mail: mail#ann");
    history.under(NOTES).results_in(expect![[r#"
        1 app: 4 requests, 2.5 read, 0 write
          note_author orphaned note#1 -> mail#ann @100 reported: 1 `note` still refers to the deleted `user` [1]
    "#]]);
}

#[test]
fn an_item_that_gets_another_key_in_the_index_leaves_orphans_of_its_former_key() {
    let history = History::new()
        .has("pk: note#1, by: ann")
        .has("pk: note#2, by: eve")
        .change("pk: user#1, mail: mail#ann", "pk: user#1, mail: mail#eve");
    history.under(NOTES).results_in(expect![[r#"
        1 app: 4 requests, 2.5 read, 0 write
          note_author orphaned note#1 -> mail#ann @100 reported: 1 `note` still refers to the deleted `user` [1]
    "#]]);
}

#[test]
fn an_item_that_gets_its_key_back_in_one_batch_leaves_no_orphan() {
    let history = History::new()
        .has("pk: note#1, by: ann")
        .change("pk: user#1, mail: mail#ann", "pk: user#1")
        .change("pk: user#1", "pk: user#1, mail: mail#ann");
    history.under(NOTES).results_in(expect![[r#"
        2 app: 0 requests, 0 read, 0 write
    "#]]);
}
