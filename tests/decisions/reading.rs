//! Mirrors that come while they are looked at.

use std::rc::Rc;

use expect_test::{Expect, expect};
use futures_util::FutureExt as _;
use referee::data::{JsonItem, into_owned};
use referee::store::memory::{CallKind, Fault};
use referee::store::{Action, Store as _, Write};

use crate::history::{History, item_json, load, outcome_on};

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
mirrors:
  membership: { source: member, mirror: member_of, on_mirror_delete: report, adopt: true }
"#;

/// Someone put an item where a mirror belongs. Its source and the mirror itself come just before
/// the n-th read, from one.
fn check(at: usize, expected: &Expect) {
    let rules = load(RULES);
    let history = History::new().insert("pk: user#ann, sk: company#acme, note: mine").later(60);
    let store = Rc::new(history.store(&rules));
    let (inner, mut reads) = (Rc::clone(&store), 0);
    store.set_faults(Box::new(move |call| {
        reads += usize::from(call.kind == CallKind::BatchGet);
        if call.kind == CallKind::BatchGet && reads == at {
            let mirror = "pk: user#ann, sk: company#acme, role: lead, _referee: membership@100";
            for item in ["pk: company#acme, sk: user#ann, role: lead", mirror] {
                let json = item_json(item).to_string();
                let item = into_owned(serde_json::from_str::<JsonItem<'_>>(&json).unwrap().0);
                let (table, action) = ("app".to_owned(), Action::Put(item));
                let write = Write { table, action, condition: None };
                inner.write(write).now_or_never().unwrap().unwrap();
            }
        }
        Fault::None
    }));
    expected.assert_eq(&outcome_on(&rules, &history, &store));
}

#[test]
fn a_mirror_that_comes_with_its_source_before_it_is_read_stays() {
    check(
        2,
        &expect![[r#"
        1 app: 3 requests, 3 read, 0 write
        2 own: 2 requests, 1 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme note: mine
        + company#acme/user#ann role: lead
        + user#ann/company#acme _referee: membership@101 role: lead
    "#]],
    );
}

#[test]
fn a_mirror_that_comes_with_its_source_after_it_was_read_stays() {
    check(
        3,
        &expect![[r#"
        1 app: 4 requests, 3 read, 1 write
        2 own: 2 requests, 1 read, 1 write
          membership put user#ann/company#acme
        1 own: 1 requests, 1 read, 0 write
        - user#ann/company#acme note: mine
        + company#acme/user#ann role: lead
        + user#ann/company#acme _referee: membership@101 role: lead
    "#]],
    );
}
