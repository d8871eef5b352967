//! The second look at suspects, while others write.

use std::cell::Cell;
use std::fmt::Write as _;
use std::rc::Rc;

use expect_test::{Expect, expect};
use futures_util::FutureExt as _;

use super::{Jumping, Unsteady, item, key, retry, rules, store, strings};
use crate::audit::live::Interrupted;
use crate::audit::live::confirm::{Confirmed, confirm};
use crate::audit::live::suspect::Suspect;
use crate::data::{Item, Key, KeyValue};
use crate::integrity::finding::Finding;
use crate::integrity::mirror::{Mark, lowest_fence};
use crate::rules::model::{MirrorId, ReferenceId};
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::memory::{CallKind, Fault};
use crate::store::{Action, Memory, Store as _, Write};

const OWNER: ReferenceId = ReferenceId(0);
const WATCHERS: ReferenceId = ReferenceId(1);

fn user(name: &str) -> Item<'static> {
    strings(&format!("user#{name}/profile"), &[])
}

fn task(name: &str, owner: &str) -> Item<'static> {
    strings(&format!("task#{name}/task"), &[&format!("owner={owner}")])
}

fn member(role: &str) -> Item<'static> {
    strings("company#acme/user#ann", &[&format!("role={role}")])
}

/// The mirror that Referee writes of a member.
fn mirror(role: &str) -> Item<'static> {
    let mut item = strings("user#ann/company#acme", &[&format!("role={role}")]);
    item.insert("_referee".into(), Mark::new("membership", lowest_fence()).to_value());
    item
}

fn owner_of(task: &str) -> Suspect {
    Suspect::Reference { rule: OWNER, key: key(&format!("task#{task}/task")) }
}

fn membership() -> Suspect {
    let (mirror, source) = (key("user#ann/company#acme"), key("company#acme/user#ann"));
    Suspect::Mirror { rule: MirrorId(0), mirror, source }
}

fn put(item: Item<'static>) -> Write {
    Write { table: "app".to_owned(), action: Action::Put(item), condition: None }
}

fn delete(name: &str) -> Write {
    let action = Action::Delete(strings(name, &[]));
    Write { table: "app".to_owned(), action, condition: None }
}

fn apply(memory: &Memory, writes: Vec<Write>) {
    memory.transact(writes).now_or_never().unwrap().unwrap();
}

/// Makes these writes, as one transaction, just before the n-th request.
fn before(memory: &Rc<Memory>, n: u64, writes: Vec<Write>) {
    let (others, mut writes) = (Rc::clone(memory), Some(writes));
    memory.set_faults(Box::new(move |call| {
        if call.number >= n
            && let Some(writes) = writes.take()
        {
            apply(&others, writes);
        }
        Fault::None
    }));
}

fn run_on(
    memory: &Memory,
    clock: &impl Clock,
    suspects: Vec<Suspect>,
) -> Result<(Vec<Finding>, Confirmed), Interrupted<String>> {
    let mut findings = Vec::new();
    let (rules, stop) = (rules(), Stop::default());
    let suspects = suspects.into_iter().map(Ok);
    let found = |finding| {
        findings.push(finding);
        Ok(())
    };
    let confirmed = confirm(rules, (memory, clock, &stop), 0, suspects, found);
    let confirmed = confirmed.now_or_never().unwrap()?;
    Ok((findings, confirmed))
}

/// Checks what is found about these suspects.
fn check(memory: &Memory, suspects: Vec<Suspect>, expected: &Expect) {
    let (findings, counts) = run_on(memory, &Jumping::default(), suspects).unwrap();
    let mut text = String::new();
    for finding in findings {
        let name = |key: &Key<'_>| {
            let text = |value: &KeyValue<'_>| match value {
                KeyValue::S(text) => text.to_string(),
                KeyValue::N(_) | KeyValue::B(_) => panic!("not a string"),
            };
            format!("{}/{}", text(&key.partition), key.sort.as_ref().map(text).unwrap_or_default())
        };
        let name = |item: Option<_>| item.map_or_else(String::new, name);
        let referencing = name(finding.referencing.as_ref().map(|item| &item.key));
        let referenced = name(finding.referenced.as_ref().map(|item| &item.key));
        let path = finding.path.clone().unwrap_or_default();
        let (rule, kind) = (&finding.rule, finding.kind());
        writeln!(text, "{rule} {kind} {referencing} -> {referenced} {path}").unwrap();
    }
    let Confirmed { findings, cleared, unsettled } = counts;
    write!(text, "{findings} findings, {cleared} cleared, {unsettled} unsettled").unwrap();
    expected.assert_eq(&text);
}

#[test]
fn what_stays_wrong_is_a_finding() {
    let watched = item(
        r#"{"pk": {"S": "task#2"}, "sk": {"S": "task"},
            "watchers": {"L": [{"S": "ann"}, {"S": "bob"}, {"BOOL": true}, {"S": "eve"}]}}"#,
    );
    let memory = store([user("ann"), task("1", "bob"), watched, task("3", "ann"), member("boss")]);
    let watchers = Suspect::Reference { rule: WATCHERS, key: key("task#2/task") };
    let gone = owner_of("4");
    check(
        &memory,
        vec![membership(), watchers, owner_of("1"), owner_of("3"), gone],
        &expect![[r"
        membership mirror_missing user#ann/company#acme -> company#acme/user#ann 
        task_watchers dangling_reference task#2/task -> user#bob/profile watchers[1]
        task_watchers malformed_reference task#2/task ->  watchers[2]
        task_watchers dangling_reference task#2/task -> user#eve/profile watchers[3]
        task_owner dangling_reference task#1/task -> user#bob/profile owner
        5 findings, 2 cleared, 0 unsettled"]],
    );
}

#[test]
fn what_is_put_right_is_none() {
    for n in [1, 2, 3] {
        let memory = store([task("1", "bob"), member("boss")]);
        before(&memory, n, vec![put(user("bob")), put(mirror("boss"))]);
        let (findings, _) =
            run_on(&memory, &Jumping::default(), vec![owner_of("1"), membership()]).unwrap();
        assert_eq!(findings, [], "before request {n}");
    }
}

/// The scan saw the item, and then both were deleted.
#[test]
fn an_item_deleted_with_its_target_is_no_finding() {
    for n in 1..=4 {
        let memory = store([user("ann"), task("1", "ann"), member("boss"), mirror("boss")]);
        let writes =
            ["user#ann/profile", "task#1/task", "company#acme/user#ann", "user#ann/company#acme"];
        before(&memory, n, writes.map(delete).to_vec());
        check(
            &memory,
            vec![owner_of("1"), membership()],
            &expect!["0 findings, 2 cleared, 0 unsettled"],
        );
    }
}

#[test]
fn an_item_written_with_its_target_is_no_finding() {
    for n in 1..=4 {
        let memory = store([]);
        let items = [user("ann"), task("1", "ann"), member("boss"), mirror("boss")];
        before(&memory, n, items.map(put).to_vec());
        check(
            &memory,
            vec![owner_of("1"), membership()],
            &expect!["0 findings, 2 cleared, 0 unsettled"],
        );
    }
}

#[test]
fn a_source_that_changes_with_its_mirror_is_no_finding() {
    for n in 1..=4 {
        let memory = store([member("boss"), mirror("boss")]);
        before(&memory, n, vec![put(member("clerk")), put(mirror("clerk"))]);
        check(&memory, vec![membership()], &expect!["0 findings, 1 cleared, 0 unsettled"]);
    }
}

/// Before each look, the reference and the source change, and neither target nor mirror follow.
#[test]
fn what_changes_all_the_time_is_unsettled() {
    let memory = store([task("1", "0"), member("0"), mirror("none")]);
    let others = Rc::clone(&memory);
    memory.set_faults(Box::new(move |call| {
        let text = call.number.to_string();
        if call.number % 2 == 1 {
            apply(&others, vec![put(task("1", &text)), put(member(&text))]);
        }
        Fault::None
    }));
    check(
        &memory,
        vec![owner_of("1"), membership()],
        &expect!["0 findings, 0 cleared, 2 unsettled"],
    );
}

#[test]
fn a_reference_that_changes_once_is_looked_at_once_more() {
    let memory = store([task("1", "bob")]);
    before(&memory, 3, vec![put(task("1", "eve"))]);
    check(
        &memory,
        vec![owner_of("1")],
        &expect![[r"
        task_owner dangling_reference task#1/task -> user#eve/profile owner
        1 findings, 0 cleared, 0 unsettled"]],
    );
}

#[test]
fn the_grace_passes_before_the_first_look_and_between_looks() {
    let (memory, clock) = (store([task("1", "bob")]), Jumping::default());
    let (times, now) = (Rc::new(Cell::new(Vec::new())), clock.clone());
    let seen = Rc::clone(&times);
    memory.set_faults(Box::new(move |call| {
        assert_eq!(call.kind, CallKind::BatchGet);
        let mut times = seen.take();
        times.push(now.now_ms());
        seen.set(times);
        Fault::None
    }));
    run_on(&memory, &clock, vec![owner_of("1")]).unwrap();
    assert_eq!(times.take(), [5_000, 5_000, 10_000, 10_000]);
}

#[test]
fn nothing_is_read_or_waited_for_without_suspects() {
    let (memory, clock) = (store([]), Jumping::default());
    run_on(&memory, &clock, Vec::new()).unwrap();
    assert_eq!((memory.usage().requests, clock.now_ms()), (0, 0));
}

/// Thousands of suspects: the findings are in order, and the blocks wait at the same time.
#[test]
fn many_suspects_are_confirmed_in_order() {
    let names: Vec<_> = (0..4_500).map(|number| format!("{number:05}")).collect();
    let tasks = names
        .iter()
        .enumerate()
        .map(|(n, name)| task(name, if n % 3 == 0 { "ann" } else { "bob" }));
    let memory = store(tasks.chain([user("ann")]));
    let clock = Jumping::default();
    // Each of them three times.
    let suspects = names.iter().flat_map(|name| std::iter::repeat_n(owner_of(name), 3)).collect();
    let (findings, counts) = run_on(&memory, &clock, suspects).unwrap();
    assert_eq!(counts, Confirmed { findings: 3_000, cleared: 1_500, unsettled: 0 });
    let keys: Vec<_> =
        findings.into_iter().filter_map(|it| it.referencing).map(|it| it.key).collect();
    assert!(keys.is_sorted());
    assert_eq!(keys.len(), 3_000);
}

#[test]
fn a_failed_read_ends_it() {
    for n in 1..=4 {
        let memory = store([task("1", "bob")]);
        memory.set_faults(Box::new(move |call| {
            if call.number == n { Fault::Fail(retry()) } else { Fault::None }
        }));
        let ended = run_on(&memory, &Jumping::default(), vec![owner_of("1")]);
        assert_eq!(ended, Err(Interrupted::Store(retry())));
    }
}

#[test]
fn a_stop_ends_it() {
    let (rules, memory, stop) = (rules(), store([task("1", "bob")]), Stop::default());
    stop.set();
    let suspects = [Ok::<_, String>(owner_of("1"))].into_iter();
    let clock = Jumping::default();
    let ended = confirm(rules, (&*memory, &clock, &stop), 0, suspects, |_| Ok(())).now_or_never();
    assert_eq!(ended, Some(Err(Interrupted::Stopped)));
    assert_eq!(memory.usage().requests, 0);
}

#[test]
fn a_clock_that_is_set_back_and_forth_changes_nothing() {
    let memory = store([task("1", "bob")]);
    let (findings, _) = run_on(&memory, &Unsteady::default(), vec![owner_of("1")]).unwrap();
    assert_eq!(findings.len(), 1);
}

/// Applications write and delete an item only together with its target, and a mirror only together
/// with its source, at random moments: nothing is ever wrong, and nothing is ever found.
#[test]
fn consistent_writers_cause_no_finding() {
    for seed in 0..3_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let memory = store([user("ann"), task("1", "ann"), member("boss"), mirror("boss")]);
        let others = Rc::clone(&memory);
        let phase = random.u64(..3);
        memory.set_faults(Box::new(move |call| {
            // Once in a look, which has three requests.
            if call.number % 3 != phase {
                return Fault::None;
            }
            match random.u8(..6) {
                0 => apply(&others, vec![delete("user#ann/profile"), delete("task#1/task")]),
                1 => apply(&others, vec![put(user("ann")), put(task("1", "ann"))]),
                2 => apply(&others, vec![put(user("bob")), put(task("1", "bob"))]),
                3 => {
                    let both = ["company#acme/user#ann", "user#ann/company#acme"];
                    apply(&others, both.map(delete).to_vec());
                }
                4 => apply(&others, vec![put(member("clerk")), put(mirror("clerk"))]),
                _ => apply(&others, vec![put(member("boss")), put(mirror("boss"))]),
            }
            Fault::None
        }));
        let suspects = vec![owner_of("1"), membership()];
        let (findings, _) = run_on(&memory, &Jumping::default(), suspects).unwrap();
        assert_eq!(findings, [], "seed {seed}");
    }
}
