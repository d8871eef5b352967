//! Repairs of tables at rest: what is planned, and that nothing is lost or clobbered when it is
//! applied, interrupted, applied again and taken back.
//!
//! # Layout
//!
//! - `planning`: which write a finding has, or why it has none.
//! - `crashes`: a process that is killed at any request or any byte of the journal.
//! - `faults`: requests that fail, answers that are lost, and writes that are applied late.
//! - `beside`: applications that write meanwhile.
//! - `function`: beside applications and the stream function.
//! - `files`: plans and journals that are cut off, altered, or of other rules.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

mod beside;
mod crashes;
mod faults;
mod files;
mod function;
mod planning;
mod tables;

use std::sync::LazyLock;

use kit::history::{History, load};
use kit::repairs::Plan;
use referee::repair::Options;
use referee::rules::model::Rules;
use referee::store::Memory;

/// Rules in which every action of a repair occurs.
const RULES: &str = "
version: 1
tables:
  app: { key: [pk, sk] }
entities:
  company: { table: app, key: { pk: 'company#{company}', sk: '-' } }
  user: { table: app, key: { pk: 'user#{user}', sk: '-' } }
  member:
    table: app
    key: { pk: 'company#{company}', sk: 'user#{user}' }
    attributes: { role: S }
  member_of: { table: app, key: { pk: 'user#{user}', sk: 'company#{company}' } }
  task:
    table: app
    key: { pk: 'task#{task}', sk: '-' }
    attributes: { by: S, owner: S, with: L, tags: SS }
references:
  member_company: { from: member, to: company, on_missing: delete }
  task_by: { from: task, to: user, on: { user: '{by}' }, on_missing: unset, find: none }
  task_owner:
    from: task
    to: user
    on: { user: '{owner}' }
    on_missing: set_default
    default: root
    find: none
  task_with: { from: task, to: user, on: { user: '{with[*]}' }, on_missing: unset, find: none }
  task_tags: { from: task, to: user, on: { user: '{tags[*]}' }, on_missing: unset, find: none }
mirrors:
  membership:
    source: member
    mirror: member_of
    copy: [role]
    on_mirror_delete: delete_source
";

/// Tables with a violation for every action.
fn history() -> &'static History {
    static HISTORY: LazyLock<History> = LazyLock::new(with_all_violations);
    &HISTORY
}

fn with_all_violations() -> History {
    History::new()
        .has("pk: company#1, sk: '-'")
        .has("pk: user#root, sk: '-'")
        .has("pk: user#a, sk: '-', name: Ann")
        // A member of a company that does not exist, with a mirror.
        .has("pk: company#9, sk: user#a, role: admin")
        .has("pk: user#a, sk: company#9, role: admin, _referee: membership@5")
        // Mirrors that are missing, stale, superfluous, unmarked, and of the application.
        .has("pk: company#1, sk: user#a, role: admin")
        .has("pk: company#1, sk: user#b, role: admin")
        .has("pk: user#b, sk: company#1, role: guest, _referee: membership@7")
        .has("pk: user#c, sk: company#1, role: guest, _referee: membership@8")
        .has("pk: company#1, sk: user#d, role: guest")
        .has("pk: user#d, sk: company#1, role: guest")
        .has("pk: company#1, sk: user#e, role: guest")
        .has("pk: user#e, sk: company#1, role: other")
        // References of one item, two of them to the same missing item.
        .has("pk: task#1, sk: '-', by: x, owner: w, with: [a, x, z, x], tags: { SS: [a, x] }, n: 1")
        .has("pk: task#2, sk: '-', by: x, n: 2")
}

fn rules() -> Rules {
    load(RULES)
}

const ADOPT: Options = Options { adopt: true, only_missing: false };

/// The tables and their plan.
fn planned(rules: &Rules) -> (Memory, Plan) {
    let store = history().store(rules);
    let plan = Plan::new(rules, &store, ADOPT);
    (store, plan)
}
