//! Repairs of dangling references.

use expect_test::expect;
use serde_json::{Value as Json, json};

use crate::audit::{dangling, divergences};
use crate::faults::drain_with_late_writes;
use crate::proxy::{ALL, Fault, WRITES, When};
use crate::rules;
use crate::stage::{Environment, Stage};
use kit::runtime_api::Invoked;

pub(crate) async fn cascaded(environment: Environment) {
    let stage = Stage::new(environment, rules::cascading).await;
    let mut mapping = stage.mapping().await;
    stage.populate(2, 3).await;
    for (task, owner) in [("task#1", "0"), ("task#2", "1"), ("task#3", "9")] {
        stage.put(&[("pk", task), ("sk", "task#"), ("owner", owner)]).await;
    }
    mapping.drain().await;
    // Referee finds memberships in the company's partition and by the mirrors in the user's
    // partition. It finds tasks by the index.
    stage.delete("user#1", "user#").await;
    mapping.drain().await;
    stage.delete("company#0", "company#").await;
    mapping.drain().await;
    stage.put(&[("pk", "company#0"), ("sk", "user#2")]).await;
    mapping.drain().await;
    expect![[r#"
        company#1 / company#
        company#1 / user#0 role=staff
        company#1 / user#2 role=staff
        task#1 / task# owner=0
        * user#0 / company#1 role=staff
        user#0 / user#
        * user#2 / company#1 role=staff
        user#2 / user#
    "#]]
    .assert_eq(&stage.dump().await);
    expect![[r#"
        member_company dangling_reference: company#0 / user#2 -> company#0 / company#: repaired
        member_company orphaned: company#0 / user#0 -> company#0 / company#: repaired
        member_user orphaned: company#0 / user#1 -> user#1 / user#: repaired
        task_owner dangling_reference: task#3 / task# -> user#9 / user#: repaired
        task_owner orphaned: task#2 / task# -> user#1 / user#: repaired
    "#]]
    .assert_eq(&stage.violations());
    assert_eq!(mapping.counts.failures, 0);
}

pub(crate) async fn unset(environment: Environment) {
    let stage = Stage::new(environment, rules::team).await;
    let mut mapping = stage.mapping().await;
    for person in ["person#ada", "person#bob", "person#lead"] {
        stage.put(&[("pk", "team#red"), ("sk", person)]).await;
    }
    stage
        .put_all(json!({
            "pk": "team#red", "sk": "task#1", "owner": "ada", "tester": "ada",
            "watchers": { "SS": ["ada", "bob"] }, "steps": ["bob", "ada", "lead", "ada"],
        }))
        .await;
    stage
        .put_all(json!({
            "pk": "team#red", "sk": "task#2", "owner": "bob", "tester": "bob",
            "watchers": { "SS": ["ada"] }, "steps": ["ada"],
        }))
        .await;
    // No person has this name.
    stage
        .put_all(json!({
            "pk": "team#red", "sk": "task#3", "owner": "eve", "tester": "eve",
            "watchers": { "SS": ["bob", "eve"] }, "steps": ["eve", "bob"],
        }))
        .await;
    mapping.drain().await;
    stage.delete("team#red", "person#ada").await;
    mapping.drain().await;
    expect![[r#"
        team#red / person#bob
        team#red / person#lead
        team#red / task#1 steps=[bob lead] tester=lead watchers=<bob>
        team#red / task#2 owner=bob steps=[] tester=bob
        team#red / task#3 steps=[bob] tester=lead watchers=<bob>
    "#]]
    .assert_eq(&stage.dump().await);
    expect![[r#"
        task_owner dangling_reference: team#red / task#3 -> team#red / person#eve: repaired
        task_owner orphaned: team#red / task#1 -> team#red / person#ada: repaired
        task_steps dangling_reference: team#red / task#3 -> team#red / person#eve: repaired
        task_steps orphaned: team#red / task#1 -> team#red / person#ada: repaired
        task_tester dangling_reference: team#red / task#3 -> team#red / person#eve: repaired
        task_tester orphaned: team#red / task#1 -> team#red / person#ada: repaired
        task_watchers dangling_reference: team#red / task#3 -> team#red / person#eve: repaired
        task_watchers orphaned: team#red / task#1 -> team#red / person#ada: repaired
    "#]]
    .assert_eq(&stage.violations());
    assert_eq!(mapping.counts.failures, 0);
}

pub(crate) async fn restored(environment: Environment) {
    let stage = Stage::new(environment, rules::various).await;
    let mut mapping = stage.mapping().await;
    for plan in ["plan#gold", "plan#iron"] {
        stage.put(&[("pk", plan), ("sk", "plan#"), ("price", "12")]).await;
    }
    stage.put(&[("pk", "plan#gold"), ("sk", "user#ada")]).await;
    stage.set("plan#gold", "plan#", "price", "13").await;
    mapping.drain().await;
    stage.delete("plan#gold", "plan#").await;
    stage.delete("plan#iron", "plan#").await;
    mapping.drain().await;
    expect![[r#"
        plan#gold / plan# price=13
        plan#gold / user#ada
    "#]]
    .assert_eq(&stage.dump().await);
    expect![[r#"
        subscription_plan orphaned: plan#gold / user#ada -> plan#gold / plan#: repaired
    "#]]
    .assert_eq(&stage.violations());
    // After the first delete, no item refers to the plan any more. The plan is therefore not
    // restored.
    stage.delete("plan#gold", "user#ada").await;
    stage.delete("plan#gold", "plan#").await;
    mapping.drain().await;
    expect![""].assert_eq(&stage.dump().await);
}

pub(crate) async fn undone(environment: Environment) {
    let stage = Stage::new(environment, rules::various).await;
    let mut mapping = stage.mapping().await;
    stage.put(&[("pk", "post#1"), ("sk", "post#")]).await;
    stage.put(&[("pk", "post#1"), ("sk", "comment#1")]).await;
    stage.put(&[("pk", "plan#gold"), ("sk", "plan#")]).await;
    for user in ["user#ada", "user#bob"] {
        stage.put(&[("pk", user), ("sk", "profile#"), ("plan", "gold"), ("name", user)]).await;
    }
    mapping.drain().await;
    stage.put(&[("pk", "post#2"), ("sk", "comment#1")]).await;
    stage.set("user#ada", "profile#", "plan", "lead").await;
    stage.put(&[("pk", "user#bob"), ("sk", "profile#"), ("plan", "tin"), ("note", "mine")]).await;
    stage.put(&[("pk", "user#cid"), ("sk", "profile#"), ("plan", "tin")]).await;
    mapping.drain().await;
    expect![[r#"
        plan#gold / plan#
        post#1 / comment#1
        post#1 / post#
        user#ada / profile# name=user#ada plan=gold
        user#bob / profile# name=user#bob plan=gold
    "#]]
    .assert_eq(&stage.dump().await);
    expect![[r#"
        comment_post dangling_reference: post#2 / comment#1 -> post#2 / post#: repaired
        profile_plan dangling_reference: user#ada / profile# -> plan#lead / plan#: repaired
        profile_plan dangling_reference: user#bob / profile# -> plan#tin / plan#: repaired
        profile_plan dangling_reference: user#cid / profile# -> plan#tin / plan#: repaired
    "#]]
    .assert_eq(&stage.violations());
}

pub(crate) async fn tree_deleted(environment: Environment) {
    let stage = Stage::new(environment, rules::various).await;
    let mut mapping = stage.mapping().await;
    let category = |name: &str| format!("category#{name}");
    stage.put(&[("pk", "category#0"), ("sk", "category#")]).await;
    for (name, parent) in [("1", "0"), ("2", "1"), ("3", "2"), ("4", "3"), ("a", "0"), ("b", "a")] {
        stage.put(&[("pk", &category(name)), ("sk", "category#"), ("parent", parent)]).await;
    }
    // One category is its own parent, and two categories are each other's parents.
    for (name, parent) in [("x", "x"), ("y", "z"), ("z", "y")] {
        stage.put(&[("pk", &category(name)), ("sk", "category#"), ("parent", parent)]).await;
    }
    mapping.drain().await;
    stage.delete("category#a", "category#").await;
    mapping.drain().await;
    stage.delete("category#x", "category#").await;
    stage.delete("category#y", "category#").await;
    stage.delete("category#0", "category#").await;
    mapping.drain().await;
    // The cascade stops after three levels, so category 4 remains.
    expect![[r#"
        category#4 / category# parent=3
    "#]]
    .assert_eq(&stage.dump().await);
    expect![[r#"
        category_parent depth_exceeded: category#4 / category# -> category#3 / category#: reported
        category_parent orphaned: category#1 / category# -> category#0 / category#: repaired
        category_parent orphaned: category#2 / category# -> category#1 / category#: repaired
        category_parent orphaned: category#3 / category# -> category#2 / category#: repaired
        category_parent orphaned: category#b / category# -> category#a / category#: repaired
        category_parent orphaned: category#z / category# -> category#y / category#: repaired
    "#]]
    .assert_eq(&stage.violations());
}

/// Creates a company and a user, and items that become orphans if one of the two is deleted.
async fn change(stage: &Stage, number: &str) {
    let (company, user) = (format!("company#{number}"), format!("user#{number}"));
    stage.put(&[("pk", &company), ("sk", "company#")]).await;
    stage.put(&[("pk", &user), ("sk", "user#")]).await;
    for member in ["user#0", "user#1", &user] {
        stage.put(&[("pk", &company), ("sk", member), ("role", "staff")]).await;
    }
    stage.put(&[("pk", "company#0"), ("sk", &user), ("role", "guest")]).await;
    for task in ["1", "2"] {
        let task = format!("task#{number}-{task}");
        stage.put(&[("pk", &task), ("sk", "task#"), ("owner", number)]).await;
    }
}

pub(crate) async fn killed(environment: Environment) {
    let stage = Stage::new(environment, rules::cascading).await;
    stage.populate(1, 2).await;
    let mut mapping = stage.mapping().await;
    mapping.drain().await;
    let whole = stage.dump().await;
    let (mut deaths, mut unreported) = (0, 0);
    for is_before in [true, false] {
        for n in 0.. {
            let number = format!("{is_before}{n}");
            change(&stage, &number).await;
            mapping.drain().await;
            // Kills the process before or after the n-th write, for every n.
            let switch = stage.lambda.kill.clone();
            let fault =
                if is_before { Fault::KilledBefore(switch) } else { Fault::KilledAfter(switch) };
            stage.proxy.inject(WRITES, When::After(n), fault);
            let faults = stage.proxy.faults();
            stage.delete(&format!("user#{number}"), "user#").await;
            stage.delete(&format!("company#{number}"), "company#").await;
            mapping.drain().await;
            stage.proxy.stop_faults();
            assert_eq!(stage.dump().await, whole, "write {n}");
            let logged = named(&stage, "repair started", "item");
            let reported = named(&stage, "violation", "keys");
            let reported = [reported, named(&stage, "violation", "referencing")].concat();
            for orphan in orphans(&number) {
                assert!(logged.contains(&orphan), "write {n}: {orphan}");
                unreported += u32::from(!reported.contains(&orphan));
            }
            if stage.proxy.faults() == faults {
                assert!(n >= 3, "there are three transactions at least");
                break;
            }
            deaths += 1;
            assert!(matches!(mapping.last_failure, Some(Invoked::Crashed(_))));
        }
    }
    assert_eq!(stage.lambda.inits(), deaths + 1);
    assert!(unreported > 0, "every repair was also reported as a violation");
}

/// The keys of the items of [`change`] that become orphans.
fn orphans(number: &str) -> [Json; 6] {
    let key = |pk: String, sk: String| json!({ "pk": { "S": pk }, "sk": { "S": sk } });
    let member =
        |company: &str, user: &str| key(format!("company#{company}"), format!("user#{user}"));
    let task = |task: u8| key(format!("task#{number}-{task}"), "task#".to_owned());
    [
        member(number, "0"),
        member(number, "1"),
        member(number, number),
        member("0", number),
        task(1),
        task(2),
    ]
}

/// The keys that the lines with this message have in a field: of an item, or a list of keys.
fn named(stage: &Stage, message: &str, field: &str) -> Vec<Json> {
    let lines = stage.logged(message).into_iter();
    let values = lines.filter_map(|line| line[field].as_str().map(str::to_owned));
    let values = values.map(|value| serde_json::from_str::<Json>(&value).unwrap());
    values
        .flat_map(|value| value.as_array().cloned().unwrap_or(vec![value["key"].clone()]))
        .collect()
}

pub(crate) async fn every_fault(environment: Environment) {
    let stage = Stage::new(environment, rules::cascading).await;
    stage.populate(1, 2).await;
    let mut mapping = stage.mapping().await;
    mapping.drain().await;
    let whole = stage.dump().await;
    let faults = [
        Fault::Throttled,
        Fault::Conflict,
        Fault::Status(500),
        Fault::Status(503),
        Fault::CutOff,
        Fault::Dropped,
        Fault::Late(300),
        Fault::Slow(50),
        Fault::Unprocessed,
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let (number, context) = (format!("{number}-fault"), format!("{fault:?}"));
        change(&stage, &number).await;
        mapping.drain().await;
        let operations = if matches!(fault, Fault::Conflict) { WRITES } else { ALL };
        stage.proxy.inject(operations, When::Next(2), fault.clone());
        stage.proxy.inject(operations, When::Chance(0.3), fault);
        let faults = stage.proxy.faults();
        stage.delete(&format!("company#{number}"), "company#").await;
        stage.delete(&format!("user#{number}"), "user#").await;
        mapping.drain().await;
        stage.proxy.stop_faults();
        assert!(stage.proxy.faults() > faults, "{context}");
        drain_with_late_writes(&stage, &mut mapping).await;
        assert_eq!(divergences(&stage).await, Vec::<String>::new(), "{context}");
        assert!(dangling(&stage).await.is_empty(), "{context}");
        assert_eq!(stage.dump().await, whole, "{context}");
    }
    assert_eq!(mapping.counts.discarded, 0);
    assert_eq!(stage.logged("record rejected").len(), 0);
}

pub(crate) async fn conflict(environment: Environment) {
    let stage = Stage::new(environment, rules::cascading).await;
    stage.populate(1, 3).await;
    let mut mapping = stage.mapping().await;
    mapping.drain().await;
    // The store gives up before this many conflicts, so the record is returned for redelivery.
    stage.proxy.inject(&["TransactWriteItems"], When::Next(20), Fault::Conflict);
    stage.delete("company#0", "company#").await;
    mapping.drain().await;
    assert!(mapping.counts.failures > 0);
    expect![[r#"
        user#0 / user#
        user#1 / user#
        user#2 / user#
    "#]]
    .assert_eq(&stage.dump().await);
    expect![[r#"
        member_company orphaned: company#0 / user#0 -> company#0 / company#: repaired
    "#]]
    .assert_eq(&stage.violations());
}
