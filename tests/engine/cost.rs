//! Exact costs: requests and capacity units are part of what Referee promises.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::RefCell;
use std::rc::Rc;

use kit::history::{History, load};
use referee::rules::Rules;
use referee::store::Memory;
use referee::store::memory::{CallKind, Fault};

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  company: { table: app, key: { pk: "company#{company}", sk: "-" } }
  member:
    table: app
    key: { pk: "company#{company}", sk: "user#{user}" }
    attributes: { role: S, boss: S, notes: S }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
references:
  member_company: { from: member, to: company }
  member_boss: { from: member, to: member, on: { user: "{boss}" }, find: none }
mirrors:
  membership: { source: member, mirror: member_of, copy: [role] }
"#;

/// Requests, read units and write units of a delivery.
type Cost = (u64, f64, f64);

/// Returns the cost of each delivery of a history, including deliveries of Referee's own records.
fn costs(rules: &Rules, history: &History) -> Vec<Cost> {
    let store = history.store(rules);
    let delivered = history.run(rules, &store);
    let costs: Vec<Cost> = delivered
        .iter()
        .map(|(outcome, _)| (outcome.requests, outcome.units.read, outcome.units.write))
        .collect();
    // The store must have counted the same requests and units.
    let usage = store.usage();
    let sum = |cost: fn(&Cost) -> f64| costs.iter().map(cost).sum::<f64>();
    assert_eq!(usage.requests, costs.iter().map(|cost| cost.0).sum::<u64>());
    assert_eq!((usage.units.read, usage.units.write), (sum(|cost| cost.1), sum(|cost| cost.2)));
    costs
}

fn members(count: usize, companies: usize) -> History {
    let history = (0..companies).fold(History::new(), |history, company| {
        history.has(&format!("pk: company#{company}, sk: '-'"))
    });
    (0..count).fold(history, |history, member| {
        history.insert(&format!("pk: company#{}, sk: user#{member}", member % companies))
    })
}

/// The rules without mirrors.
fn references() -> Rules {
    load(RULES.split("mirrors:").next().unwrap())
}

#[test]
fn a_thousand_records_that_refer_to_fifty_items_cost_one_request_of_fifty_keys() {
    assert_eq!(costs(&references(), &members(1_000, 50)), [(1, 50.0, 0.0)]);
}

#[test]
fn keys_are_read_in_batches_of_a_hundred() {
    assert_eq!(costs(&references(), &members(1_000, 250)), [(3, 250.0, 0.0)]);
}

#[test]
fn a_mirrored_change_costs_one_write_and_its_verification_one_read() {
    let change = |count: usize| {
        (0..count).fold(History::new(), |history, user| {
            history
                .has(&format!("pk: user#{user}, sk: company#1, _referee: membership@1, role: a"))
                .has(&format!("pk: company#1, sk: user#{user}, role: b"))
                .change(
                    &format!("pk: company#1, sk: user#{user}, role: a"),
                    &format!("pk: company#1, sk: user#{user}, role: b"),
                )
        })
    };
    assert_eq!(costs(&load(RULES), &change(1)), [(1, 0.0, 1.0), (1, 1.0, 0.0)]);
    // Each mirror is written in its own request. For verification, they are read in batches of 100.
    assert_eq!(costs(&load(RULES), &change(100)), [(100, 0.0, 100.0), (1, 100.0, 0.0)]);
}

#[test]
fn deleting_a_mirrored_item_costs_one_write_and_one_read_to_verify_it() {
    let history = History::new()
        .has("pk: user#1, sk: company#1, _referee: membership@1, role: a")
        .remove("pk: company#1, sk: user#1, role: a");
    assert_eq!(costs(&load(RULES), &history), [(1, 0.0, 1.0), (1, 1.0, 0.0)]);
}

#[test]
fn an_unchanged_reference_and_unchanged_copies_cost_nothing() {
    let history = History::new().change(
        "pk: company#1, sk: user#1, role: a, boss: '2', notes: x",
        "pk: company#1, sk: user#1, role: a, boss: '2', notes: y",
    );
    assert_eq!(costs(&load(RULES), &history), [(0, 0.0, 0.0)]);
}

#[test]
fn items_and_attributes_that_no_rule_uses_cost_nothing() {
    let history = (0..100).fold(History::new(), |history, item| {
        history
            .insert(&format!("pk: invoice#{item}, sk: '-'"))
            .insert(&format!("pk: company#{item}, sk: '-', name: Acme"))
            .change(
                &format!("pk: user#{item}, sk: '-'"),
                &format!("pk: user#{item}, sk: '-', x: 1"),
            )
            .remove(&format!("pk: invoice#{item}, sk: '-'"))
    });
    assert_eq!(costs(&load(RULES), &history), [(0, 0.0, 0.0)]);
}

/// A write with a failed condition is billed like any other, and causes no other request.
#[test]
fn a_redelivery_costs_no_more_than_the_delivery() {
    let history = History::new()
        .has("pk: company#1, sk: '-'")
        .insert("pk: company#1, sk: user#1, role: a")
        .again(0);
    let echo = (1, 1.0, 0.0);
    let delivery = (2, 1.0, 1.0);
    assert_eq!(costs(&load(RULES), &history), [delivery, echo, delivery]);
}

/// Old records of sources that have changed since are delivered again. Their writes are refused,
/// and one request reads all of these sources.
#[test]
fn redelivered_changes_of_a_hundred_sources_cost_one_request_besides_their_writes() {
    let member = |user: usize, role: &str| format!("pk: company#1, sk: user#{user}, role: {role}");
    let (users, insert) = (0..100, |history: History, user| history.insert(&member(user, "a")));
    let history = users.clone().fold(History::new(), insert).later(0);
    let history = users.fold(history, |it, user| it.change(&member(user, "a"), &member(user, "b")));
    let history = history.later(9).again(0);
    let (entities, mirrors) =
        (RULES.split("references:").next().unwrap(), RULES.split("mirrors:").last().unwrap());
    let rules = load(&format!("{entities}mirrors:{mirrors}"));
    assert_eq!(costs(&rules, &history).last(), Some(&(101, 100.0, 100.0)));
}

#[test]
fn a_delete_of_an_unreferenced_item_costs_one_query() {
    let history = History::new().remove("pk: company#1, sk: '-'");
    assert_eq!(costs(&references(), &history), [(1, 1.0, 0.0)]);
}

/// Everything in a batch that looks like a violation is read again in one request.
#[test]
fn confirming_all_suspects_of_a_batch_costs_one_request() {
    let rules = references();
    let history = (0..50).fold(History::new(), |history, user| {
        history.insert(&format!("pk: company#1, sk: user#{user}, boss: x"))
    });
    // The first request reads the company and the boss; the second one reads them again, together
    // with the fifty items that refer to them.
    assert_eq!(costs(&rules, &history), [(2, 2.0 + 52.0, 0.0)]);
}

/// Returns the kinds of the requests, in order.
fn calls(rules: &Rules, history: &History) -> Vec<CallKind> {
    let store: Memory = history.store(rules);
    let calls = Rc::new(RefCell::new(Vec::new()));
    let made = Rc::clone(&calls);
    store.set_faults(Box::new(move |call| {
        made.borrow_mut().push(call.kind);
        Fault::None
    }));
    history.run(rules, &store);
    calls.take()
}

/// A plain write of the application fails while its item is in a transaction, so Referee uses
/// transactions only for repairs.
#[test]
fn no_transaction_is_made_without_a_violation() {
    let history = members(20, 2)
        .later(9)
        .change("pk: company#1, sk: user#1", "pk: company#1, sk: user#1, role: a")
        .remove("pk: company#0, sk: user#0");
    let calls = calls(&load(RULES), &history);
    assert!(calls.contains(&CallKind::Write) && calls.contains(&CallKind::BatchGet));
    assert!(!calls.contains(&CallKind::Transact) && !calls.contains(&CallKind::Query));
}

/// An item can contain tens of thousands of elements. A quadratic comparison could take longer than
/// the invocation may run.
#[test]
fn an_added_element_of_a_large_set_is_found_without_quadratic_comparison() {
    let rules = load(
        r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  tag: { table: app, key: { pk: "{tag}" }, where: { kind: Tag } }
  post: { table: app, key: { pk: "post#{post}" }, attributes: { tags: SS } }
references:
  post_tags: { from: post, to: tag, on: { tag: "{tags[*]}" }, find: none }
"#,
    );
    let tags = |count: usize| {
        let tags: Vec<String> = (0..count).map(|tag| format!("t{tag}")).collect();
        format!("pk: post#1, tags: {{SS: [{}]}}", tags.join(", "))
    };
    let history = History::new().has("pk: t20000, kind: Tag").change(&tags(20_000), &tags(20_001));
    assert_eq!(costs(&rules, &history), [(1, 1.0, 0.0)]);
    // No target exists: the tags are read in batches of 100, and read again to confirm the
    // violations.
    let history = History::new().insert(&tags(2_000));
    let requests: Vec<u64> = costs(&rules, &history).iter().map(|cost| cost.0).collect();
    assert_eq!(requests, [20 + 21]);
}
