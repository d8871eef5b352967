//! The modes and severities of rules.

use expect_test::expect;
use referee::rules::model::Mode;
use referee::store::memory::Fault;

use kit::fixture::Fixture;
use kit::history::{History, load, outcome};

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  company: { table: app, key: { pk: "company#{company}", sk: "-" } }
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
references:
  member_company: { from: member, to: company, SETTINGS }
mirrors:
  membership: { source: member, mirror: member_of, SETTINGS }
"#;

fn history() -> History {
    History::new()
        .has("pk: company#acme, sk: user#bob")
        .insert("pk: company#acme, sk: user#ann")
        .insert("pk: user#cid, sk: company#acme, _referee: membership@1")
        .remove("pk: company#acme, sk: '-'")
}

#[test]
fn a_rule_enforces_observes_or_is_off() {
    let under = |mode: &str| history().under(&RULES.replace("SETTINGS", &format!("mode: {mode}")));
    under("enforce").results_in(expect![[r#"
        3 app: 7 requests, 7 read, 2 write
          member_company dangling_reference company#acme/user#ann -> company#acme/- @100 reported: the referenced `company` does not exist
          member_company orphaned company#acme/user#ann -> company#acme/- @300 reported: 2 `member` still refer to the deleted `company` [2]
          membership put user#ann/company#acme
          membership delete user#cid/company#acme
        2 own: 1 requests, 2 read, 0 write
        - user#cid/company#acme _referee: membership@1
        + user#ann/company#acme _referee: membership@100
    "#]]);
    under("observe").results_in(expect![[r#"
        3 app: 6 requests, 10 read, 0 write
          member_company dangling_reference company#acme/user#ann -> company#acme/- @100 reported: the referenced `company` does not exist
          membership mirror_missing user#ann/company#acme -> company#acme/user#ann @100 would_repair: the source exists and its mirror does not
          membership mirror_extra user#cid/company#acme -> company#acme/user#cid @200 would_repair: the mirror exists and its source does not
          member_company orphaned company#acme/user#ann -> company#acme/- @300 reported: 2 `member` still refer to the deleted `company` [2]
          membership would put user#ann/company#acme
          membership would delete user#cid/company#acme
    "#]]);
    under("off").results_in(expect![[r#"
        3 app: 0 requests, 0 read, 0 write
    "#]]);
}

#[test]
fn severity_warn_turns_violations_into_warnings() {
    history().under(&RULES.replace("SETTINGS", "severity: warn")).results_in(expect![[r#"
        3 app: 7 requests, 7 read, 2 write
          warning: member_company dangling_reference company#acme/user#ann -> company#acme/- @100 reported: the referenced `company` does not exist
          warning: member_company orphaned company#acme/user#ann -> company#acme/- @300 reported: 2 `member` still refer to the deleted `company` [2]
          membership put user#ann/company#acme
          membership delete user#cid/company#acme
        2 own: 1 requests, 2 read, 0 write
        - user#cid/company#acme _referee: membership@1
        + user#ann/company#acme _referee: membership@100
    "#]]);
}

#[test]
fn a_mode_for_all_rules_does_not_turn_on_a_rule_that_is_off() {
    let of = |mode: &str| load(&RULES.replace("SETTINGS", &format!("mode: {mode}")));
    for mode in [Mode::Enforce, Mode::Observe, Mode::Off] {
        let expected = outcome(&of("off"), &history());
        assert_eq!(outcome(&of("off").in_mode(mode), &history()), expected);
    }
    let observed = outcome(&of("observe"), &history());
    assert_eq!(outcome(&of("enforce").in_mode(Mode::Observe), &history()), observed);
}

#[test]
fn modes_are_parsed_from_their_exact_names() {
    let modes = [("off", Mode::Off), ("observe", Mode::Observe), ("enforce", Mode::Enforce)];
    for (name, mode) in modes {
        assert_eq!(Mode::from_name(name), Some(mode));
    }
    assert_eq!(Mode::from_name("Enforce"), None);
}

/// In a shadow deployment, nothing is written, whatever the engine finds.
#[test]
fn observe_mode_makes_no_write() {
    let mut fixtures = 0;
    for mut fixture in Fixture::all() {
        fixture.rules = fixture.rules.in_mode(Mode::Observe);
        let store = fixture.store();
        let name = fixture.name.clone();
        store.set_faults(Box::new(move |call| {
            assert!(!call.kind.is_write(), "`{name}` writes: {call:?}");
            Fault::None
        }));
        fixture.replay(&store);
        fixtures += 1;
    }
    assert!(fixtures >= 17);
}
