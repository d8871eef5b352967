//! Random histories: the application's writes, and how their records are delivered.

use proptest::prelude::*;

use crate::laws::world::{Act, Tampering, World};

pub(crate) const MEMBERS: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  company: { table: app, key: { pk: "company#{company}", sk: "-" } }
  user: { table: app, key: { pk: "user#{user}", sk: "-" } }
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" }, attributes: { role: S } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
references:
  member_company: { from: member, to: company }
  member_user: { from: member, to: user, find: { mirror: membership } }
mirrors:
  membership: { source: member, mirror: member_of, copy: [role], on_mirror_delete: ACTION }
"#;

pub(crate) const TASKS: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "-" } }
  task:
    table: app
    key: { pk: "task#{task}", sk: "-" }
    attributes: { by: S, with: L }
    where: { open: true }
references:
  task_by:
    from: task
    to: user
    on: { user: "{by}" }
    find: { index: by_user, key: { by: "{user}" } }
  task_with: { from: task, to: user, on: { user: "{with[*]}" }, find: none }
"#;

pub(crate) fn act() -> impl Strategy<Value = Act> {
    let number = || 0..2_u8;
    let role = prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))];
    let tampering =
        prop_oneof![Just(Tampering::Edit), Just(Tampering::Delete), Just(Tampering::Replace)];
    prop_oneof![
        2 => (prop_oneof![Just("company"), Just("user")], number(), any::<bool>())
            .prop_map(|(kind, number, is_there)| Act::Target(kind, number, is_there)),
        3 => (number(), number(), role)
            .prop_map(|(company, user, role)| Act::Member(company, user, role)),
        2 => (number(), number(), tampering)
            .prop_map(|(company, user, tampering)| Act::Tamper(company, user, tampering)),
    ]
}

pub(crate) fn task() -> impl Strategy<Value = Act> {
    let number = || 0..3_u8;
    let with = prop::collection::vec(number(), 0..3);
    prop_oneof![
        (number(), any::<bool>())
            .prop_map(|(number, is_there)| Act::Target("user", number, is_there)),
        (number(), any::<bool>(), prop::option::of(number()), with)
            .prop_map(|(task, is_open, by, with)| Act::Task(task, is_open, by, with)),
    ]
}

/// Acts under a rule file, and how many records are delivered after each.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) rules: String,
    pub(crate) acts: Vec<(Act, usize)>,
    /// The lengths of the batches in which the remaining records are delivered.
    pub(crate) lengths: Vec<usize>,
}

impl Case {
    /// Returns the world after these acts and deliveries.
    pub(crate) fn world(&self) -> World {
        let mut world = World::new(&self.rules);
        for (act, delivered) in &self.acts {
            world.act(act);
            world.deliver(*delivered);
        }
        world
    }

    /// Returns the world after all acts, before any record is delivered.
    pub(crate) fn world_undelivered(&self) -> World {
        let mut world = World::new(&self.rules);
        self.acts.iter().for_each(|(act, _)| world.act(act));
        world
    }
}

pub(crate) fn case(rules: String, act: impl Strategy<Value = Act>) -> impl Strategy<Value = Case> {
    let delivered = prop_oneof![Just(0_usize), 1..4_usize];
    let acts = prop::collection::vec((act, delivered), 1..20);
    (acts, prop::collection::vec(1..6_usize, 1..5)).prop_map(move |(acts, lengths)| Case {
        rules: rules.clone(),
        acts,
        lengths,
    })
}

/// Generates cases of members, with this `on_mirror_delete`.
pub(crate) fn members(action: &str) -> impl Strategy<Value = Case> + use<> {
    case(MEMBERS.replace("ACTION", action), act())
}

pub(crate) fn tasks() -> impl Strategy<Value = Case> {
    case(TASKS.to_owned(), task())
}

/// Generates cases of members that are deleted with their company or user. The mirrors by which
/// members are found are not tampered with.
pub(crate) fn cascading() -> impl Strategy<Value = Case> {
    let actions = "on_missing: delete, on_delete: cascade";
    let rules = MEMBERS
        .replace("ACTION", "restore")
        .replace("to: company }", &format!("to: company, {actions} }}"))
        .replace("to: user, find", &format!("to: user, {actions}, find"));
    case(rules, act().prop_filter("tampers", |act| !matches!(act, Act::Tamper(..))))
}

/// Generates cases of tasks whose `by` is unset if the user does not exist.
pub(crate) fn unsetting() -> impl Strategy<Value = Case> {
    let by = "    find: { index: by_user";
    case(TASKS.replace(by, &format!("    on_missing: unset\n    on_delete: unset\n{by}")), task())
}
