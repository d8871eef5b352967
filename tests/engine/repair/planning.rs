//! Which write a finding has, or why it has none.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use kit::history::{History, lines};
use kit::repairs::{Plan, claims, findings};
use referee::data::Value;
use referee::repair::{Choice, Claims, Entry, Options, choose};
use referee::rules::model::Rules;
use referee::store::Memory;

use super::{ADOPT, history, planned, rules};

fn text(rules: &Rules, plan: &Plan) -> String {
    let mut text = String::new();
    let mut line = |of: &referee::repair::Claim, what: &str| {
        let key = of.referencing.as_ref().map(|item| rules[item.table].key.item_of(&item.key));
        let text_of = |value: &Value<'_>| {
            let Value::S(text) = value else { panic!("{value:?}") };
            text.to_string()
        };
        let key: Vec<String> = key.iter().flat_map(|key| key.values()).map(text_of).collect();
        writeln!(text, "{} {} {}: {what}", of.kind, of.rule, key.join("/")).unwrap();
    };
    for entry in &plan.entries {
        match entry {
            Entry::Write(write) => line(&write.claim, write.action.name()),
            Entry::NoAction(claim, why) => line(claim, &format!("- {}", why.name())),
        }
    }
    text
}

#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
fn check(rules: &Rules, store: &Memory, options: Options, expected: Expect) {
    expected.assert_eq(&text(rules, &Plan::new(rules, store, options)));
}

#[test]
fn every_finding_has_a_write_or_a_reason() {
    let rules = rules();
    check(
        &rules,
        &history().store(&rules),
        ADOPT,
        expect![[r#"
            dangling_reference member_company company#9/user#a: delete
            dangling_reference task_by task#1/-: unset
            dangling_reference task_owner task#1/-: set_default
            dangling_reference task_with task#1/-: unset
            dangling_reference task_with task#1/-: unset
            dangling_reference task_tags task#1/-: unset
            dangling_reference task_by task#2/-: unset
            mirror_missing membership user#a/company#1: put_mirror
            mirror_stale membership user#b/company#1: overwrite_mirror
            mirror_extra membership user#c/company#1: announce_delete
            mirror_extra membership user#c/company#1: delete_mirror
            mirror_unmarked membership user#d/company#1: adopt_mirror
            mirror_blocked membership user#e/company#1: - not_ours
        "#]],
    );
}

#[test]
fn without_adopt_an_unmarked_item_stays_as_it_is() {
    let rules = rules();
    let store = History::new()
        .has("pk: company#1, sk: '-'")
        .has("pk: company#1, sk: user#d, role: guest")
        .has("pk: user#d, sk: company#1, role: guest")
        .store(&rules);
    check(
        &rules,
        &store,
        Options::default(),
        expect![[r#"
        mirror_unmarked membership user#d/company#1: - unmarked
    "#]],
    );
}

#[test]
fn a_backfill_writes_only_mirrors_that_do_not_exist() {
    let rules = rules();
    let options = Options { adopt: false, only_missing: true };
    check(
        &rules,
        &history().store(&rules),
        options,
        expect![[r#"
        mirror_missing membership user#a/company#1: put_mirror
        mirror_stale membership user#b/company#1: - not_missing
        mirror_extra membership user#c/company#1: - not_missing
        mirror_unmarked membership user#d/company#1: - unmarked
        mirror_blocked membership user#e/company#1: - not_ours
    "#]],
    );
}

#[test]
fn the_tables_are_as_planned() {
    let rules = rules();
    let (store, plan) = planned(&rules);
    let before = lines(&store);
    let mut log = plan.log();
    plan.apply(&rules, &store, &mut log).unwrap().unwrap();
    let after = lines(&store);
    let mut text = String::new();
    for line in before.iter().filter(|line| !after.contains(line)) {
        writeln!(text, "- {line}").unwrap();
    }
    for line in after.iter().filter(|line| !before.contains(line)) {
        writeln!(text, "+ {line}").unwrap();
    }
    expect![[r#"
        - company#9/user#a role: admin
        - task#1/- by: x n: 1 owner: w tags: <a x> with: [a x z x]
        - task#2/- by: x n: 2
        - user#b/company#1 _referee: membership@7 role: guest
        - user#c/company#1 _referee: membership@8 role: guest
        - user#d/company#1 role: guest
        + task#1/- n: 1 owner: root tags: <a> with: [a]
        + task#2/- n: 2
        + user#a/company#1 _referee: membership@ role: admin
        + user#b/company#1 _referee: membership@7 fix 3e4a4151701b9be22070ea9d9adc614 role: admin
        + user#d/company#1 _referee: membership@ role: guest
    "#]]
    .assert_eq(&text);
    let left: Vec<String> =
        plan.verify(&rules, &store).iter().map(|left| left.kind().to_string()).collect();
    expect!["mirror_blocked"].assert_eq(&left.join("\n"));
}

#[test]
fn a_finding_that_no_longer_holds_has_no_write() {
    let rules = rules();
    let broken = history().store(&rules);
    let claims = claims(&rules, &broken);
    let store = History::new().has("pk: company#1, sk: '-'").store(&rules);
    let plan = Plan::of(&rules, &store, claims.clone(), ADOPT);
    assert_eq!(plan.writes(&rules), []);
    assert_eq!(plan.entries.len(), claims.len());
    for entry in &plan.entries {
        let Entry::NoAction(_, why) = entry else { panic!("{entry:?}") };
        assert!(why.is_resolved(), "{entry:?}");
    }
}

#[test]
fn findings_without_a_rule_or_a_table_are_refused() {
    let rules = rules();
    for (line, expected) in [
        (
            r#"{"type":"violation","id":"1","rule":"x","kind":"dangling_reference","severity":"error"}"#,
            "line 1: the rule file has no rule `x`",
        ),
        (
            r#"{"type":"violation","id":"1","rule":"task_by","kind":"x","severity":"error"}"#,
            "line 1: the kind `x` is unknown",
        ),
        (
            r#"{"type":"violation","id":"1","rule":"task_by","kind":"dangling_reference","severity":"error","referencing":{"table":"other","key":{}}}"#,
            "line 1: the rule file has no table `other` in DynamoDB",
        ),
        ("no json", "line 1 is not a line of `referee audit --json`"),
        (r#"{"a": 1}"#, "line 1 is not a line of `referee audit --json`"),
    ] {
        let error = Claims::new(&rules, line.as_bytes()).next().unwrap().unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let mut claims = Claims::new(&rules, b"".as_slice());
    assert!(claims.next().is_none() && claims.is_complete().is_none());
}

#[test]
fn an_action_can_be_chosen_where_the_rule_could_name_it() {
    let choose = |rule: &str, action: &str| {
        let choice = Choice { rule: rule.to_owned(), action: action.to_owned() };
        choose(&mut rules(), &choice).err().unwrap_or_default()
    };
    let mut text = String::new();
    for (rule, action) in [
        ("none", "delete"),
        ("task_by", "delete"),
        ("task_by", "unset"),
        ("task_by", "set_default"),
        ("task_by", "restore"),
        ("member_company", "unset"),
        ("membership", "restore"),
        ("membership", "overwrite"),
        ("membership", "delete"),
    ] {
        writeln!(text, "{rule} {action}: {}", choose(rule, action)).unwrap();
    }
    expect![[r#"
        none delete: the rule file has no rule `none`
        task_by delete: 
        task_by unset: 
        task_by set_default: `set_default` is impossible for `task_by`: the rule has no `default`
        task_by restore: `restore` is not an action of `task_by`; the actions are delete, unset or set_default
        member_company unset: `unset` is impossible for `member_company`: all parts of the reference come from the key
        membership restore: 
        membership overwrite: 
        membership delete: `delete` is not an action of `membership`; the actions are restore or overwrite
    "#]].assert_eq(&text);
}

#[test]
fn no_action_can_be_chosen_for_a_reference_to_an_index() {
    let by_key = "to: user, on: { user: '{by}' }, on_missing: unset";
    let by_name = "to: { entity: user, index: byName, key: { name: '{user}' } }, \
                   on: { user: '{by}' }";
    let text = super::RULES.replace(by_key, by_name);
    let mut rules = kit::history::load(&text);
    for action in ["delete", "unset", "set_default"] {
        let choice = Choice { rule: "task_by".to_owned(), action: action.to_owned() };
        let error = choose(&mut rules, &choice).unwrap_err();
        assert!(error.ends_with("a transaction cannot check an index"), "{error}");
    }
}

/// A rule that only reports has a write once an action is chosen.
#[test]
fn a_chosen_action_is_planned() {
    let text = super::RULES.replace("on_missing: unset", "on_missing: report");
    let mut rules = kit::history::load(&text);
    let store = History::new().has("pk: task#2, sk: '-', by: x, n: 2").store(&rules);
    check(
        &rules,
        &store,
        ADOPT,
        expect![[r#"
        dangling_reference task_by task#2/-: - only_reported
    "#]],
    );
    let choice = Choice { rule: "task_by".to_owned(), action: "delete".to_owned() };
    choose(&mut rules, &choice).unwrap();
    check(
        &rules,
        &store,
        ADOPT,
        expect![[r#"
        dangling_reference task_by task#2/-: delete
    "#]],
    );
}

#[test]
fn a_default_that_does_not_exist_is_not_set() {
    let rules = rules();
    let store = History::new().has("pk: task#1, sk: '-', owner: x").store(&rules);
    assert_eq!(findings(&rules, &store).len(), 1);
    check(
        &rules,
        &store,
        ADOPT,
        expect![[r#"
        dangling_reference task_owner task#1/-: - impossible
    "#]],
    );
}
