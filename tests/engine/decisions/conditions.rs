//! Conditions of `where` other than a value: soft deletes, lists of values, and times. The history
//! begins at 1,700,000,000.

use expect_test::expect;
use kit::history::History;

const SESSIONS: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  session:
    table: app
    key: { pk: "session#{session}", sk: "-" }
    where: { until: { after: now } }
  event: { table: app, key: { pk: "session#{session}", sk: "event#{event}" } }
references:
  event_session: { from: event, to: session, on_missing: delete, on_delete: DELETE }
"#;

const EVENT: &str = "pk: session#1, sk: event#1";
const SESSION: &str = "pk: session#1, sk: '-'";

fn session(until: u64) -> String {
    format!("{SESSION}, until: {until}")
}

fn rules(on_delete: &str) -> String {
    SESSIONS.replace("DELETE", on_delete)
}

#[test]
fn a_target_whose_time_is_over_does_not_exist() {
    History::new().has(&session(1_800_000_000)).insert(EVENT).under(&rules("report")).results_in(
        expect![[r#"
            1 app: 1 requests, 1 read, 0 write
        "#]],
    );
    History::new()
        .has(&session(1_700_000_000))
        .insert(EVENT)
        .under(&rules("report"))
        .results_in(expect![[r#"
            1 app: 3 requests, 3 read, 4 write
              event_session dangling_reference session#1/event#1 -> session#1/- @100 repaired: an item is there, but is no `session`: `until` is `1700000000`
              event_session delete session#1/event#1
            1 own: 0 requests, 0 read, 0 write
            - session#1/event#1
        "#]]);
    History::new().has(SESSION).insert(EVENT).under(&rules("report")).results_in(expect![[r#"
        1 app: 3 requests, 3 read, 4 write
          event_session dangling_reference session#1/event#1 -> session#1/- @100 repaired: an item is there, but is no `session`: `until` is absent
          event_session delete session#1/event#1
        1 own: 0 requests, 0 read, 0 write
        - session#1/event#1
    "#]]);
}

#[test]
fn a_change_that_ends_a_time_counts_as_a_delete() {
    let with_event = || History::new().has(EVENT);
    let ended = with_event().change(&session(1_800_000_000), &session(1_600_000_000));
    ended.under(&rules("cascade")).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 4 write
          event_session orphaned session#1/event#1 -> session#1/- @100 repaired: 1 `event` referred to the deleted `session` and was deleted [1]
          event_session delete session#1/event#1
        1 own: 0 requests, 0 read, 0 write
        - session#1/event#1
    "#]]);
    let prolonged = with_event().change(&session(1_600_000_000), &session(1_800_000_000));
    prolonged.under(&rules("cascade")).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
    let renamed = format!("{}, name: A", session(1_600_000_000));
    let changed = with_event().change(&session(1_600_000_000), &renamed);
    changed.under(&rules("cascade")).results_in(expect![[r#"
        1 app: 0 requests, 0 read, 0 write
    "#]]);
}

/// No record says that its time was over, so its delete is the first one about that.
#[test]
fn the_delete_of_an_item_whose_time_is_over_finds_its_referencing_items() {
    let history = History::new().has(EVENT);
    history.remove(&session(1_600_000_000)).under(&rules("cascade")).results_in(expect![[r#"
        1 app: 4 requests, 3 read, 4 write
          event_session orphaned session#1/event#1 -> session#1/- @100 repaired: 1 `event` referred to the deleted `session` and was deleted [1]
          event_session delete session#1/event#1
        1 own: 0 requests, 0 read, 0 write
        - session#1/event#1
    "#]]);
    let history = History::new().has(EVENT);
    history.remove(&session(1_600_000_000)).under(&rules("restore")).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          event_session orphaned session#1/event#1 -> session#1/- @100 reported: 1 `event` still refers to the deleted `session`; the deleted item has expired [1]
    "#]]);
}

/// Nothing would delete a mirror at the moment when the time of its source is over.
#[test]
fn a_time_does_not_decide_about_sources_and_referencing_items() {
    let rules = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "-" } }
  pass: { table: app, key: { pk: "user#{user}", sk: "pass#{pass}" }, where: { until: { after: now } } }
  pass_of: { table: app, key: { pk: "pass#{pass}", sk: "{user}" } }
references:
  pass_user: { from: pass, to: user }
mirrors:
  passes: { source: pass, mirror: pass_of, copy: all }
"#;
    let history = History::new().insert("pk: user#1, sk: pass#1, until: 1600000000");
    history.under(rules).results_in(expect![[r#"
        1 app: 3 requests, 3 read, 1 write
          pass_user dangling_reference user#1/pass#1 -> user#1/- @100 reported: the referenced `user` does not exist
          passes put pass#1/1
        1 own: 1 requests, 1 read, 0 write
        + pass#1/1 _referee: passes@100 until: 1600000000
    "#]]);
}

const ACCOUNTS: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  account:
    table: app
    key: { pk: "account#{account}", sk: "-" }
    where: { closedAt: absent, meta.state: [open, new], kind: { not: old } }
  archived: { table: app, key: { pk: "account#{account}", sk: "-" }, where: { kind: old } }
  invoice: { table: app, key: { pk: "account#{account}", sk: "invoice#{invoice}" } }
references:
  invoice_account: { from: invoice, to: account, on_delete: restore }
"#;

const ACCOUNT: &str = "pk: account#1, sk: '-', meta: { state: open, by: Ann }, note: a";

fn with_invoice() -> History {
    History::new().has("pk: account#1, sk: invoice#1")
}

#[test]
fn a_soft_deleted_item_gets_its_attributes_back() {
    let closed =
        "pk: account#1, sk: '-', meta: { state: open, by: Ann }, note: b, closedAt: '2026'";
    with_invoice().change(ACCOUNT, closed).under(ACCOUNTS).results_in(expect![[r#"
        1 app: 5 requests, 3 read, 8 write
          invoice_account orphaned account#1/invoice#1 -> account#1/- @100 repaired: 1 `invoice` still refers to the deleted `account`, which was restored [1]
          invoice_account update account#1/-: REMOVE closedAt
        1 own: 0 requests, 0 read, 0 write
        - account#1/- closedAt: 2026 meta: ( by: Ann state: open) note: b
        + account#1/- meta: ( by: Ann state: open) note: b
    "#]]);
    let changed = "pk: account#1, sk: '-', meta: { state: shut, by: Bob }, note: b";
    with_invoice().change(ACCOUNT, changed).under(ACCOUNTS).results_in(expect![[r#"
        1 app: 5 requests, 3 read, 8 write
          invoice_account orphaned account#1/invoice#1 -> account#1/- @100 repaired: 1 `invoice` still refers to the deleted `account`, which was restored [1]
          invoice_account update account#1/-: SET meta.state = {"S":"open"}
        1 own: 0 requests, 0 read, 0 write
        - account#1/- meta: ( by: Bob state: shut) note: b
        + account#1/- meta: ( by: Bob state: open) note: b
    "#]]);
    let without = "pk: account#1, sk: '-', meta: gone, note: b";
    with_invoice().change(ACCOUNT, without).under(ACCOUNTS).results_in(expect![[r#"
        1 app: 5 requests, 3 read, 8 write
          invoice_account orphaned account#1/invoice#1 -> account#1/- @100 repaired: 1 `invoice` still refers to the deleted `account`, which was restored [1]
          invoice_account update account#1/-: SET meta = {"M":{"by":{"S":"Ann"},"state":{"S":"open"}}}
        1 own: 0 requests, 0 read, 0 write
        - account#1/- meta: gone note: b
        + account#1/- meta: ( by: Ann state: open) note: b
    "#]]);
    let observed = ACCOUNTS.replace("restore }", "restore, mode: observe }");
    with_invoice().change(ACCOUNT, closed).under(&observed).results_in(expect![[r#"
        1 app: 4 requests, 4 read, 0 write
          invoice_account orphaned account#1/invoice#1 -> account#1/- @100 would_repair: 1 `invoice` still refers to the deleted `account`, which would be restored [1]
          invoice_account would update account#1/-
    "#]]);
}

/// The application made it another kind of item, which an update would destroy.
#[test]
fn an_item_that_became_one_of_another_entity_is_not_changed_back() {
    let archived = "pk: account#1, sk: '-', meta: { state: open }, kind: old";
    with_invoice().change(ACCOUNT, archived).under(ACCOUNTS).results_in(expect![[r#"
        1 app: 5 requests, 4 read, 4 write
          invoice_account orphaned account#1/invoice#1 -> account#1/- @100 reported: 1 `invoice` still refers to the deleted `account`; another item is at the deleted item's key [1]
    "#]]);
}

#[test]
fn a_soft_deleted_item_that_is_then_deleted_is_restored_as_it_was() {
    let closed =
        "pk: account#1, sk: '-', meta: { state: open, by: Ann }, note: b, closedAt: '2026'";
    let history = with_invoice().change(ACCOUNT, closed).remove(closed);
    history.under(ACCOUNTS).results_in(expect![[r#"
        2 app: 4 requests, 3 read, 4 write
          invoice_account orphaned account#1/invoice#1 -> account#1/- @100 repaired: 1 `invoice` still refers to the deleted `account`, which was restored [1]
          invoice_account put account#1/-
        1 own: 0 requests, 0 read, 0 write
        + account#1/- meta: ( by: Ann state: open) note: a
    "#]]);
}

#[test]
fn an_item_that_is_open_again_is_left_alone() {
    let closed =
        "pk: account#1, sk: '-', meta: { state: open, by: Ann }, note: b, closedAt: '2026'";
    let history = with_invoice().change(ACCOUNT, closed).change(closed, ACCOUNT);
    history.under(ACCOUNTS).results_in(expect![[r#"
        2 app: 0 requests, 0 read, 0 write
    "#]]);
}
