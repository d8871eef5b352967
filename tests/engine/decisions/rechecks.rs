//! Suspects that wait on a queue.

use std::fmt::Write as _;

use expect_test::expect;
use referee::engine::{Engine, Outcome, RecheckError, Rechecked, Services};
use referee::store::Memory;

use crate::decisions::delivery::{clock, seconds};
use kit::clocks::Jumping;
use kit::history::{History, lines, load};
use kit::queue::Shelf;

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}" } }
  order: { table: app, key: { pk: "order#{order}" }, attributes: { by: S, for: S } }
references:
  ordered_by: { from: order, to: customer, on: { customer: "{by}" }, find: none, grace: 30s, on_missing: unset }
  ordered_for: { from: order, to: customer, on: { customer: "{for}" }, find: none, grace: 10m }
"#;

const ORDER: &str = "pk: order#1, by: ann, note: secret";

/// An engine, its store, its clock and its queue.
struct Desk {
    engine: Engine,
    store: Memory,
    clock: Jumping,
    queue: Shelf,
}

impl Desk {
    fn new(rules: &str, history: &History) -> Self {
        let rules = load(rules);
        let store = history.store(&rules);
        let (clock, queue) = (clock(0, 10_000), Shelf::default());
        Self { engine: Engine::new(rules), store, clock, queue }
    }

    fn services(&self) -> Services<'_, Memory, Jumping, Shelf> {
        Services::new(&self.store, &self.clock).with_queue(Some(&self.queue))
    }

    fn process(&self, history: &History) -> Outcome {
        let batch = history.batches().pop().unwrap();
        let records: Vec<_> = batch.records.iter().map(|record| &**record).collect();
        let batch = self.engine.decode_records(&records);
        pollster::block_on(self.engine.process_with(batch, self.services())).unwrap()
    }

    fn recheck(&self, message: &str) -> Result<Rechecked, RecheckError> {
        pollster::block_on(self.engine.recheck(message, self.services()))
    }

    /// Takes the only message off the queue.
    fn message(&self) -> (String, u32) {
        let mut messages = self.queue.take();
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.pop().unwrap()
    }

    /// The time, what was found and done, and what the store contains.
    fn text(&self, outcome: &Outcome) -> String {
        let mut text = format!("at {} s: {} sent\n", seconds(&self.clock), outcome.queued);
        if let Some(unqueued) = &outcome.unqueued {
            writeln!(text, "{} not sent: {}", unqueued.suspects, unqueued.reason).unwrap();
        }
        for found in &outcome.violations {
            let sequence = found.occurrence.sequence.as_deref().unwrap().trim_start_matches('0');
            let (rule, response) = (&found.finding.rule, found.resolution.response.name());
            writeln!(text, "{rule} @{sequence} {}: {response}", found.kind()).unwrap();
        }
        for back in &outcome.handed_back {
            writeln!(text, "back: {}", back.reason).unwrap();
        }
        for line in lines(&self.store) {
            writeln!(text, "  {line}").unwrap();
        }
        text
    }
}

fn one_order() -> History {
    History::new().has(ORDER).insert(ORDER)
}

#[test]
fn a_suspect_waits_on_the_queue_and_is_judged_after_its_grace_period() {
    let history = one_order();
    let desk = Desk::new(RULES, &history);
    let sent = desk.process(&history);
    expect![[r#"
        at 0 s: 1 sent
          order#1 by: ann note: secret
    "#]]
    .assert_eq(&desk.text(&sent));
    let (message, delay_seconds) = desk.message();
    expect![[r#"{"version":1,"due_ms":1700000031000,"items":[{"suspects":[{"kind":"reference","rule":"ordered_by","record":0,"target":"{\"pk\":{\"S\":\"customer#ann\"}}"}],"records":[{"table":"app","key":{"pk":{"S":"order#1"}},"after":{"by":{"S":"ann"},"pk":{"S":"order#1"}},"sequence":"000000000000000000100","created_ms":1700000000000,"by_ttl":false}]}]}"#]].assert_eq(&message);
    // The time of a record is rounded down to the second.
    assert_eq!(delay_seconds, 31);
    desk.clock.pass(31_000);
    let judged = desk.recheck(&message).unwrap();
    expect![[r#"
        at 31 s: 0 sent
        ordered_by @100 dangling_reference: repaired
          order#1 note: secret
    "#]]
    .assert_eq(&desk.text(&judged.outcome));
}

#[test]
fn a_violation_has_the_same_id_with_and_without_a_queue() {
    let history = one_order();
    let desk = Desk::new(&RULES.replace(", on_missing: unset", ""), &history);
    desk.process(&history);
    let (message, _) = desk.message();
    desk.clock.pass(31_000);
    let ids = |outcome: &Outcome| {
        let ids = outcome.violations.iter().map(|it| it.id(desk.engine.rules()));
        ids.collect::<Vec<_>>()
    };
    let (once, twice) = (desk.recheck(&message).unwrap(), desk.recheck(&message).unwrap());
    let batch = history.batches().pop().unwrap();
    let records: Vec<_> = batch.records.iter().map(|record| &**record).collect();
    let processing = desk.engine.process(&records, &desk.store, &desk.clock);
    let without = pollster::block_on(processing).unwrap();
    assert_eq!(without.violations.len(), 1);
    assert_eq!(ids(&once.outcome), ids(&without));
    assert_eq!(ids(&twice.outcome), ids(&without));
}

#[test]
fn a_message_that_comes_early_is_sent_again() {
    let history = History::new().has("pk: order#1, for: ann").insert("pk: order#1, for: ann");
    let desk = Desk::new(RULES, &history);
    desk.process(&history);
    let (message, delay_seconds) = desk.message();
    assert_eq!(delay_seconds, 601);
    // The clock that set the delay was ahead, for example.
    desk.clock.pass(600_200);
    assert!(desk.recheck(&message).unwrap().is_forwarded);
    assert_eq!(desk.message(), (message.clone(), 1));
    desk.clock.pass(1_000);
    assert_eq!(desk.recheck(&message).unwrap().outcome.violations.len(), 1);
}

#[test]
fn suspects_with_the_same_grace_period_share_a_message() {
    let orders = ["pk: order#1, by: ann", "pk: order#2, by: bob", "pk: order#3, for: ann"];
    let history = History::new().has_all(orders.map(str::to_owned));
    let history = orders.into_iter().fold(history, History::insert);
    let desk = Desk::new(RULES, &history);
    assert_eq!(desk.process(&history).queued, 3);
    let delays: Vec<_> = desk.queue.take().into_iter().map(|(_, seconds)| seconds).collect();
    assert_eq!(delays, [31, 601]);
}

#[test]
fn a_suspect_whose_grace_period_is_over_is_not_sent() {
    let history = one_order();
    let desk = Desk::new(RULES, &history);
    desk.clock.pass(31_000);
    let outcome = desk.process(&history);
    assert_eq!((outcome.queued, outcome.violations.len(), desk.queue.attempts.get()), (0, 1, 0));
}

#[test]
fn without_an_answer_of_the_queue_the_batch_waits() {
    let orders = ["pk: order#1, by: ann", "pk: order#3, for: ann"];
    let history = History::new().has_all(orders.map(str::to_owned));
    let history = orders.into_iter().fold(history, History::insert);
    let desk = Desk::new(RULES, &history);
    desk.queue.is_down.set(true);
    let outcome = desk.process(&history);
    expect![[r#"
        at 601 s: 0 sent
        2 not sent: the queue is down
        ordered_by @100 dangling_reference: repaired
        ordered_for @200 dangling_reference: reported
          order#1
          order#3 for: ann
    "#]]
    .assert_eq(&desk.text(&outcome));
    // One attempt is enough to see that the queue is down.
    assert_eq!(desk.queue.attempts.get(), 1);
}

#[test]
fn a_message_that_comes_early_waits_if_the_queue_is_down() {
    let history = one_order();
    let mut desk = Desk::new(RULES, &history);
    desk.process(&history);
    let (message, _) = desk.message();
    desk.queue.is_down.set(true);
    assert_eq!(desk.recheck(&message).unwrap().outcome.violations.len(), 1);
    assert_eq!(seconds(&desk.clock), 31);
    desk.clock = clock(0, 30);
    assert_eq!(
        desk.recheck(&message).unwrap_err().to_string(),
        "the grace period is not over before the deadline: the queue is down"
    );
}

#[test]
fn records_too_large_for_a_message_wait_in_the_batch() {
    let rules = RULES.replace("unset", "revert");
    let large = |note: &str| format!("pk: order#1, by: ann, note: {}", note.repeat(390_000));
    let (before, after) = (large("x"), large("y"));
    // Quotation marks need two bytes in JSON.
    let quotes = large(r#"'"'"#).replace("''", "");
    let history = History::new().has(&after).change(&before.replace("ann", "bob"), &after);
    let desk = Desk::new(&rules, &history);
    assert_eq!(desk.process(&history).queued, 1);
    let history = History::new().has(&quotes).change(&quotes.replace("ann", "bob"), &quotes);
    let desk = Desk::new(&rules, &history);
    let outcome = desk.process(&history);
    assert_eq!(outcome.queued, 0);
    assert_eq!(outcome.unqueued.unwrap().reason, "their records are too large for a message");
    assert_eq!(outcome.violations.len(), 1);
}

#[test]
fn large_suspects_are_spread_over_several_messages() {
    let rules = RULES.replace("unset", "revert");
    let orders: Vec<_> = (0..5)
        .map(|number| format!("pk: order#{number}, by: ann, note: {}", "x".repeat(390_000)))
        .collect();
    let history = History::new().has_all(orders.clone());
    let history = orders.iter().fold(history, |history, order| history.insert(order));
    let desk = Desk::new(&rules, &history);
    assert_eq!(desk.process(&history).queued, 5);
    let messages = desk.queue.take();
    assert_eq!(messages.len(), 3);
    assert!(messages.iter().all(|(message, _)| message.len() <= 1_048_576));
    desk.clock.pass(31_000);
    let found =
        messages.iter().map(|(message, _)| desk.recheck(message).unwrap().outcome.violations.len());
    assert_eq!(found.sum::<usize>(), 5);
}

#[test]
fn a_suspect_is_judged_by_the_present_rules() {
    let history = one_order();
    let mut desk = Desk::new(RULES, &history);
    desk.process(&history);
    let (message, _) = desk.message();
    desk.clock.pass(31_000);
    // The action of its rule has changed.
    desk.engine = Engine::new(load(&RULES.replace(", on_missing: unset", "")));
    let judged = desk.recheck(&message).unwrap();
    expect![[r#"
        at 31 s: 0 sent
        ordered_by @100 dangling_reference: reported
          order#1 by: ann note: secret
    "#]]
    .assert_eq(&desk.text(&judged.outcome));
    let gone = [
        ("removed", "ordered_by", "other"),
        ("off", "grace: 30s", "mode: off"),
        ("looks elsewhere", r#""{by}""#, r#""{for}""#),
        ("other table", "{ key: [pk] }", "{ name: other, key: [pk] }"),
    ];
    let mut text = String::new();
    for (change, from, to) in gone {
        desk.engine = Engine::new(load(&RULES.replace(from, to)));
        let judged = desk.recheck(&message).unwrap();
        assert_eq!(judged.outcome.violations, []);
        for dropped in judged.dropped {
            let (rule, sequence) =
                (dropped.rule, dropped.sequence.trim_start_matches('0').to_owned());
            writeln!(text, "{change}: {rule} @{sequence}: {}", dropped.reason).unwrap();
        }
    }
    expect![[r#"
        removed: ordered_by @100: no rule requires it any more: the rules have changed since it was sent
        off: ordered_by @100: no rule requires it any more: the rules have changed since it was sent
        looks elsewhere: ordered_by @100: no rule requires it any more: the rules have changed since it was sent
        other table: ordered_by @100: table `app` is not in the rules, which declare `other`
    "#]].assert_eq(&text);
}

#[test]
fn a_message_that_cannot_be_read_is_refused_with_the_reason() {
    let desk = Desk::new(RULES, &History::new());
    let record = r#"{"table":"app","key":{"pk":{"S":"order#1"}},"sequence":"100"}"#;
    let listed = r#"{"kind":"reference","rule":"ordered_by","record":1}"#;
    let messages = [
        "",
        "{}",
        r#"{"version":2}"#,
        r#"{"version":1}"#,
        r#"{"version":1,"due_ms":0,"items":[],"more":1}"#,
        &format!(
            r#"{{"version":1,"due_ms":0,"items":[{{"suspects":[{listed}],"records":[{record}]}}]}}"#
        ),
        r#"{"Records":[]}"#,
    ];
    let lines = messages.map(|message| format!("{}\n", desk.recheck(message).unwrap_err()));
    expect![[r#"
        the message is not one of a re-check: EOF while parsing a value
        the message is not one of a re-check: missing field `version`
        the message has version 2, but this release reads only version 1
        help: deploy the release that sent it, or a later one, and redrive the message
        the message is not one of a re-check: missing field `due_ms`
        the message is not one of a re-check: unknown field `more`, expected one of `version`, `due_ms`, `items`
        a suspect in the message has no record
        the message is not one of a re-check: missing field `version`
    "#]].assert_eq(&lines.concat());
}

/// Records that will be redelivered anyway are not sent as well.
#[test]
fn suspects_after_the_checkpoint_are_not_sent() {
    use referee::store::StoreError;
    use referee::store::memory::{CallKind, Fault};
    let rules = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  team: { table: app, key: { pk: "team#{team}", sk: "-" } }
  member: { table: app, key: { pk: "team#{team}", sk: "user#{user}" } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "team#{team}" } }
references:
  member_team: { from: member, to: team }
mirrors:
  membership: { source: member, mirror: member_of }
"#;
    let members = ["pk: team#1, sk: user#1", "pk: team#1, sk: user#2"];
    let history = History::new().has_all(members.map(str::to_owned));
    let history = members.into_iter().fold(history, History::insert);
    let desk = Desk::new(rules, &history);
    let count = std::cell::Cell::new(0);
    desk.store.set_faults(Box::new(move |call| {
        let is_second = call.kind == CallKind::Write && count.replace(count.get() + 1) == 1;
        let error = || StoreError::Throttled("no".to_owned());
        if is_second { Fault::Fail(error()) } else { Fault::None }
    }));
    let outcome = desk.process(&history);
    assert_eq!(outcome.checkpoint().unwrap().position, 1);
    assert_eq!((outcome.queued, desk.queue.take().len()), (1, 1));
}
