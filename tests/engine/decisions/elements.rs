//! References from each element of a list or set.

use expect_test::expect;

use kit::history::History;

const TAGS: &str = r#"
version: 1
tables: { app: { key: [pk] }, numbers: { key: ["id:N"] } }
entities:
  tag: { table: app, key: { pk: "tag#{tag}" } }
  number: { table: numbers, key: { id: "{number}" } }
  post:
    table: app
    key: { pk: "post#{post}" }
    attributes: { tags: SS, meta.list: L, numbers: NS }
references:
  post_tags: { from: post, to: tag, on: { tag: "{tags[*]}" }, find: none }
  post_list: { from: post, to: tag, on: { tag: "{meta.list[*]}" }, find: none }
  post_numbers: { from: post, to: number, on: { number: "{numbers[*]}" }, find: none }
"#;

#[test]
fn each_element_is_a_reference() {
    let history =
        History::new().has("pk: tag#a").in_table("numbers").has("id: 1").in_table("app").insert(
            "pk: post#1, tags: {SS: [a, b]}, meta: {list: [c, a, d]}, numbers: {NS: ['1.0', '2']}",
        );
    history.under(TAGS).results_in(expect![[r#"
        1 app: 2 requests, 11 read, 0 write
          post_tags dangling_reference post#1 at tags[*] -> tag#b @100 reported: the referenced `tag` does not exist
          post_list dangling_reference post#1 at meta.list[0] -> tag#c @100 reported: the referenced `tag` does not exist
          post_list dangling_reference post#1 at meta.list[2] -> tag#d @100 reported: the referenced `tag` does not exist
          post_numbers dangling_reference post#1 at numbers[*] -> numbers:2 @100 reported: the referenced `number` does not exist
    "#]]);
}

#[test]
fn only_an_added_element_is_checked() {
    let history = History::new()
        .change("pk: post#1, tags: {SS: [a, b, c]}", "pk: post#1, tags: {SS: [a, b, c, d]}")
        .change("pk: post#2, meta: {list: [a, b]}", "pk: post#2, meta: {list: [z, b, a]}");
    history.under(TAGS).results_in(expect![[r#"
        2 app: 2 requests, 6 read, 0 write
          post_tags dangling_reference post#1 at tags[*] -> tag#d @100 reported: the referenced `tag` does not exist
          post_list dangling_reference post#2 at meta.list[0] -> tag#z @200 reported: the referenced `tag` does not exist
    "#]]);
}

#[test]
fn removing_or_reordering_elements_costs_nothing() {
    let history = History::new()
        .change("pk: post#1, tags: {SS: [a, b, c]}", "pk: post#1, tags: {SS: [c, b]}")
        .change("pk: post#2, meta: {list: [a, b, c]}", "pk: post#2, meta: {list: [c, a]}")
        .change("pk: post#3, tags: {SS: [a]}", "pk: post#3");
    history.under(TAGS).results_in(expect![[r#"
        3 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn a_repeated_element_is_one_reference() {
    let history = History::new().insert("pk: post#1, meta: {list: [a, a, a]}");
    history.under(TAGS).results_in(expect![[r#"
        1 app: 2 requests, 3 read, 0 write
          post_list dangling_reference post#1 at meta.list[0] -> tag#a @100 reported: the referenced `tag` does not exist
    "#]]);
}

#[test]
fn each_wrong_element_gets_its_own_violation() {
    let history = History::new()
        .has("pk: tag#a")
        .insert("pk: post#1, meta: {list: [a, 1, null, '', b#c, [a], a]}");
    history.under(TAGS).results_in(expect![[r#"
        1 app: 2 requests, 4 read, 0 write
          post_list dangling_reference post#1 at meta.list[1] -> tag#1 @100 reported: the referenced `tag` does not exist
          post_list malformed_reference post#1 at meta.list[3] -> ? @100 reported: `` cannot be `{tag}` of a key: it is empty
          post_list malformed_reference post#1 at meta.list[4] -> ? @100 reported: `b#c` cannot be `{tag}` of a key: it contains the table's separator
          post_list malformed_reference post#1 at meta.list[5] -> ? @100 reported: an element of `meta.list` has type L
    "#]]);
}

#[test]
fn a_value_of_the_wrong_type_is_malformed() {
    let history = History::new()
        .insert("pk: post#1, tags: a")
        .insert("pk: post#2, tags: [a]")
        .insert("pk: post#3, numbers: {SS: ['1']}")
        .insert("pk: post#4, meta: {list: {SS: [a]}}");
    history.under(TAGS).results_in(expect![[r#"
        4 app: 1 requests, 4 read, 0 write
          post_tags malformed_reference post#1 at tags -> ? @100 reported: `tags` has type S; the rule file declares SS
          post_tags malformed_reference post#2 at tags -> ? @200 reported: `tags` has type L; the rule file declares SS
          post_numbers malformed_reference post#3 at numbers -> ? @300 reported: `numbers` has type SS; the rule file declares NS
          post_list malformed_reference post#4 at meta.list -> ? @400 reported: `meta.list` has type SS; the rule file declares L
    "#]]);
}

#[test]
fn an_empty_list_refers_to_nothing() {
    let history = History::new()
        .insert("pk: post#1, meta: {list: []}")
        .insert("pk: post#2, meta: {list: [null]}");
    history.under(TAGS).results_in(expect![[r#"
        2 app: 0 requests, 0 read, 0 write
    "#]]);
    let required = TAGS.replace("{meta.list[*]}\" }", "{meta.list[*]}\" }, required: true");
    history.under(&required).results_in(expect![[r#"
        2 app: 1 requests, 2 read, 0 write
          post_list missing_reference post#1 at meta.list -> ? @100 reported: `meta.list` is required but absent
          post_list missing_reference post#2 at meta.list -> ? @200 reported: `meta.list` is required but absent
    "#]]);
}
