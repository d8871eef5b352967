//! Orphans: items that refer to a deleted item.

use expect_test::expect;

use crate::decisions::large;
use kit::history::History;

const DERIVED: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}", sk: "profile" } }
  order: { table: app, key: { pk: "customer#{customer}", sk: "order#{order}" } }
  note: { table: app, key: { pk: "customer#{customer}", sk: "note#{note}" } }
references:
  order_customer: { from: order, to: customer }
"#;

const ANN: &str = "pk: customer#ann, sk: profile";

#[test]
fn a_derived_query_finds_only_items_of_the_referencing_entity() {
    let history = History::new()
        .has("pk: customer#ann, sk: note#1")
        .has("pk: customer#ann, sk: order#1")
        .has("pk: customer#ann, sk: order#1#line")
        .has("pk: customer#ann, sk: order#2")
        .has("pk: customer#bob, sk: order#3")
        .remove(ANN);
    history.under(DERIVED).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/profile @100 reported: 2 `order` still refer to the deleted `customer` [2]
    "#]]);
}

#[test]
fn a_delete_without_orphans_costs_one_query() {
    History::new().has("pk: customer#ann, sk: note#1").remove(ANN).under(DERIVED).results_in(
        expect![[r#"
            1 app: 1 requests, 1 read, 0 write
        "#]],
    );
}

#[test]
fn ten_orphans_are_named_and_all_are_counted() {
    let orders = (10..35).map(|order| format!("pk: customer#ann, sk: order#{order}"));
    History::new().has_all(orders).remove(ANN).under(DERIVED).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#10 -> customer#ann/profile @100 reported: 25 `order` still refer to the deleted `customer` [10]
    "#]]);
}

#[test]
fn orphans_on_every_page_are_counted() {
    let orders = (1..=7).map(|order| large(&format!("pk: customer#ann, sk: order#{order}")));
    History::new().has_all(orders).remove(ANN).under(DERIVED).results_in(expect![[r#"
        1 app: 6 requests, 956 read, 0 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/profile @100 reported: 7 `order` still refer to the deleted `customer` [7]
    "#]]);
}

#[test]
fn max_fanout_applies_to_all_pages_together() {
    let limited = DERIVED.replace("to: customer }", "to: customer, max_fanout: 4 }");
    let orders = (1..=7).map(|order| large(&format!("pk: customer#ann, sk: order#{order}")));
    History::new().has_all(orders).remove(ANN).under(&limited).reports(expect!["order_customer orphaned customer#ann/order#1 -> customer#ann/profile @100 reported: at least 4 `order` still refer to the deleted `customer` [4 and more]"]);
}

/// A query may read more than a page of items that merely share the key prefix.
#[test]
fn orphans_after_a_page_without_any_are_found() {
    let lines = (1..=4).map(|line| large(&format!("pk: customer#ann, sk: order#1#line{line}")));
    let history = History::new().has_all(lines).has("pk: customer#ann, sk: order#2").remove(ANN);
    history.under(DERIVED).results_in(expect![[r#"
        1 app: 6 requests, 766 read, 0 write
          order_customer orphaned customer#ann/order#2 -> customer#ann/profile @100 reported: 1 `order` still refers to the deleted `customer` [1]
    "#]]);
}

#[test]
fn counting_stops_at_max_fanout() {
    let limited = DERIVED.replace("to: customer }", "to: customer, max_fanout: 3 }");
    let orders = |count: usize| {
        let orders = (0..count).map(|order| format!("pk: customer#ann, sk: order#{order}"));
        History::new().has_all(orders).remove(ANN)
    };
    orders(3).under(&limited).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#0 -> customer#ann/profile @100 reported: 3 `order` still refer to the deleted `customer` [3]
    "#]]);
    orders(4).under(&limited).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#0 -> customer#ann/profile @100 reported: at least 3 `order` still refer to the deleted `customer` [3 and more]
    "#]]);
}

#[test]
fn a_target_recreated_within_the_grace_period_leaves_no_orphans() {
    let order = || History::new().has("pk: customer#ann, sk: order#1");
    let same_batch = order().remove(ANN).insert(ANN);
    same_batch.under(DERIVED).results_in(expect![[r#"
        2 app: 0 requests, 0 read, 0 write
    "#]]);
    let within_grace = order().remove(ANN).later(1).insert(ANN);
    within_grace.under(DERIVED).results_in(expect![[r#"
        1 app: 2 requests, 2 read, 0 write
        1 app: 0 requests, 0 read, 0 write
    "#]]);
    let after_grace = order().remove(ANN).later(9).insert(ANN);
    after_grace.under(DERIVED).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/profile @100 reported: 1 `order` still refers to the deleted `customer` [1]
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn items_deleted_within_the_grace_period_are_no_orphans() {
    let order = "pk: customer#ann, sk: order#1";
    let history = History::new().has(order).remove(ANN).later(1).remove(order);
    history.under(DERIVED).results_in(expect![[r#"
        1 app: 3 requests, 3 read, 0 write
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn an_insert_and_a_delete_in_one_batch_count_as_a_delete() {
    let history = History::new().has("pk: customer#ann, sk: order#1").insert(ANN).remove(ANN);
    history.under(DERIVED).results_in(expect![[r#"
        2 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/profile @200 reported: 1 `order` still refers to the deleted `customer` [1]
    "#]]);
}

#[test]
fn on_ttl_delete_overrides_on_delete() {
    let order = || History::new().has("pk: customer#ann, sk: order#1");
    let lenient = DERIVED.replace("to: customer }", "to: customer, on_ttl_delete: ignore }");
    order().expire(ANN).under(&lenient).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
    order().remove(ANN).under(&lenient).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/profile @100 reported: 1 `order` still refers to the deleted `customer` [1]
    "#]]);
    order().expire(ANN).under(DERIVED).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/profile @100 reported: 1 `order` still refers to the deleted `customer` [1]
    "#]]);
    let strict = DERIVED
        .replace("to: customer }", "to: customer, on_delete: ignore, on_ttl_delete: report }");
    order().expire(ANN).under(&strict).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/profile @100 reported: 1 `order` still refers to the deleted `customer` [1]
    "#]]);
    order().remove(ANN).under(&strict).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn a_target_that_changes_its_kind_counts_as_deleted() {
    let kinds =
        DERIVED.replace("sk: \"profile\" } }", "sk: \"profile\" }, where: { type: Customer } }");
    let history = History::new()
        .has("pk: customer#ann, sk: order#1")
        .change(&format!("{ANN}, type: Customer"), &format!("{ANN}, type: Lead"));
    history.under(&kinds).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          order_customer orphaned customer#ann/order#1 -> customer#ann/profile @100 reported: 1 `order` still refers to the deleted `customer` [1]
    "#]]);
    let never_was =
        History::new().has("pk: customer#ann, sk: order#1").remove(&format!("{ANN}, type: Lead"));
    never_was.under(&kinds).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

const INDEXED: &str = r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  user: { table: app, key: { pk: "user#{user}" } }
  task:
    table: app
    key: { pk: "task#{task}" }
    attributes: { by: S, list: S }
    where: { kind: Task }
references:
  task_user:
    from: task
    to: user
    on: { user: "{by}" }
    find: { index: by_user, key: { by: "{user}" } }
"#;

#[test]
fn items_found_by_an_index_are_read_and_checked() {
    let history = History::new()
        .has("pk: task#1, kind: Task, by: ann")
        .has("pk: task#2, kind: Draft, by: ann")
        .has("pk: note#3, kind: Task, by: ann")
        .remove("pk: user#ann");
    history.under(INDEXED).results_in(expect![[r#"
        1 app: 4 requests, 5.5 read, 0 write
          task_user orphaned task#1 -> user#ann @100 reported: 1 `task` still refers to the deleted `user` [1]
    "#]]);
}

/// The index may show an item only after the grace period.
#[test]
fn an_index_that_shows_nothing_is_queried_again() {
    History::new().remove("pk: user#ann").under(INDEXED).results_in(expect![[r#"
        1 app: 2 requests, 1.5 read, 0 write
    "#]]);
}

#[test]
fn an_item_that_stops_referring_within_the_grace_period_is_no_orphan() {
    let task = "pk: task#1, kind: Task, by: ann";
    let history = History::new()
        .has(task)
        .remove("pk: user#ann")
        .later(1)
        .change(task, "pk: task#1, kind: Task, by: bob")
        .insert("pk: user#bob");
    history.under(INDEXED).results_in(expect![[r#"
        1 app: 2 requests, 1.5 read, 0 write
        2 app: 1 requests, 1 read, 0 write
    "#]]);
}

/// The index also holds items that do not refer to the target; the limit ignores them.
#[test]
fn index_entries_that_do_not_refer_do_not_count_towards_max_fanout() {
    let limited = INDEXED.replace("to: user\n", "to: user\n    max_fanout: 1\n");
    let history = History::new()
        .has("pk: note#0, kind: Task, by: ann")
        .has("pk: task#1, kind: Draft, by: ann")
        .has("pk: task#2, kind: Task, by: ann")
        .remove("pk: user#ann");
    history.under(&limited).results_in(expect![[r#"
        1 app: 4 requests, 5.5 read, 0 write
          task_user orphaned task#2 -> user#ann @100 reported: 1 `task` still refers to the deleted `user` [1]
    "#]]);
}

pub(crate) const MIRRORED: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "user#" } }
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
references:
  member_user: { from: member, to: user, find: { mirror: membership } }
mirrors:
  membership: { source: member, mirror: member_of, copy: none }
"#;

#[test]
fn a_mirror_written_in_the_same_batch_finds_the_referencing_item() {
    let history = History::new()
        .has("pk: user#ann, sk: user#")
        .insert("pk: company#acme, sk: user#ann")
        .remove("pk: user#ann, sk: user#");
    history.under(MIRRORED).results_in(expect![[r#"
        2 app: 7 requests, 7 read, 1 write
          member_user dangling_reference company#acme/user#ann -> user#ann/user# @100 reported: the referenced `user` does not exist
          member_user orphaned company#acme/user#ann -> user#ann/user# @200 reported: 1 `member` still refers to the deleted `user` [1]
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@100
    "#]]);
}

/// A source whose lookup mirror was missing during the lookup is checked once the mirror is
/// restored.
#[test]
fn an_orphan_whose_lookup_mirror_was_deleted_is_still_found() {
    let history = History::new()
        .has("pk: company#acme, sk: user#ann")
        .remove("pk: user#ann, sk: user#")
        .remove("pk: user#ann, sk: company#acme, _referee: membership@1");
    history.under(MIRRORED).results_in(expect![[r#"
        2 app: 9 requests, 8 read, 1 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @200 repaired: the source exists and its mirror does not
          member_user orphaned company#acme/user#ann -> user#ann/user# @200 reported: 1 `member` still refers to the deleted `user` [1]
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@1
    "#]]);
}

/// The source is checked even if the mirror is restored at once.
#[test]
fn a_source_is_checked_if_its_lookup_mirror_was_missing_during_the_batch() {
    let gone = || {
        History::new()
            .has("pk: company#acme, sk: user#ann")
            .remove("pk: user#ann, sk: company#acme, _referee: membership@1")
    };
    let back = "pk: user#ann, sk: company#acme, _referee: membership@50";
    let expected = expect![
        "member_user orphaned company#acme/user#ann -> user#ann/user# @100 reported: 1 `member` still refers to the deleted `user` [1]"
    ];
    for history in [gone(), gone().later(0)] {
        history.insert(back).under(MIRRORED).reports(&expected);
    }
}

#[test]
fn a_foreign_item_at_a_lookup_mirrors_key_is_reported_once() {
    let history = History::new()
        .has("pk: company#acme, sk: user#ann")
        .has("pk: user#ann, sk: user#")
        .remove("pk: user#ann, sk: company#acme, _referee: membership@1")
        .insert("pk: user#ann, sk: company#acme, mine: true");
    history.under(MIRRORED).reports(expect!["membership mirror_blocked user#ann/company#acme -> company#acme/user#ann @200 reported: an item that Referee did not write is at the mirror's key, and is left alone (`adopt: true` would overwrite it)"]);
}

#[test]
fn a_deleted_mirror_causes_no_check_if_its_source_is_missing_or_the_reference_is_off() {
    let deleted = "pk: user#ann, sk: company#acme, _referee: membership@1";
    let history = |source: &str| History::new().has(source).remove(deleted);
    let off = MIRRORED.replace("mirror: membership }", "mirror: membership }, mode: off");
    history("pk: company#acme, sk: user#ann").under(&off).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 1 write
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 repaired: the source exists and its mirror does not
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        + user#ann/company#acme _referee: membership@1
    "#]]);
    let of_kind = MIRRORED.replace(
        r##"sk: "user#{user}" } }"##,
        r##"sk: "user#{user}" }, attributes: { kind: S }, where: { kind: Member } }"##,
    );
    let guest = "pk: company#acme, sk: user#ann, kind: Guest";
    history(guest).under(&of_kind).results_in(expect![[r#"
        1 app: 1 requests, 1 read, 0 write
    "#]]);
}

#[test]
fn a_lookup_mirror_without_a_source_finds_no_orphan() {
    let history = History::new()
        .has("pk: user#ann, sk: company#acme, _referee: membership@1")
        .remove("pk: user#ann, sk: user#");
    history.under(MIRRORED).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
    "#]]);
}

#[test]
fn find_none_does_not_search_for_orphans() {
    let blind = DERIVED.replace("to: customer }", "to: customer, find: none }");
    let history = History::new().has("pk: customer#ann, sk: order#1").remove(ANN);
    history.under(&blind).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}
