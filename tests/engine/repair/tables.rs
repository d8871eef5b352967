//! Repairs of entities in several tables.

use expect_test::expect;
use kit::history::{History, lines, load};
use kit::repairs::Plan;
use referee::rules::model::Rules;

use super::ADOPT;

const RULES: &str = "
version: 1
tables:
  east: { key: [pk, sk] }
  west: { key: [pk, sk] }
entities:
  user: { table: [east, west], key: { pk: 'user#{user}', sk: user } }
  task: { table: [east, west], key: { pk: 'user#{user}', sk: 'task#{task}' }, attributes: { by: S } }
  task_of: { table: [east, west], key: { pk: 'task#{task}', sk: 'user#{user}' } }
references:
  task_user: { from: task, to: user, on_missing: delete }
  task_by:
    from: task
    to: user
    tables: any
    on: { user: '{by}' }
    on_missing: unset
    find: none
mirrors:
  tasks: { source: task, mirror: task_of, copy: none, on_mirror_delete: delete_source }
";

/// In each table, a task of a user who is in the other table, a mirror without a source, and a
/// source without a mirror, all with the same keys; and references to users in either table.
fn history() -> History {
    History::new()
        .in_table("east")
        .has("pk: user#a, sk: user")
        .has("pk: user#b, sk: task#1")
        .has("pk: task#1, sk: user#b, _referee: tasks@5")
        .has("pk: user#a, sk: task#2, by: b")
        .has("pk: task#3, sk: user#a, _referee: tasks@5")
        .in_table("west")
        .has("pk: user#b, sk: user")
        .has("pk: user#a, sk: task#1")
        .has("pk: task#1, sk: user#a, _referee: tasks@5")
        .has("pk: user#b, sk: task#2, by: c")
        .has("pk: task#3, sk: user#a, _referee: tasks@5")
}

fn rules() -> Rules {
    load(RULES)
}

#[test]
fn each_finding_is_repaired_in_its_own_table() {
    let rules = rules();
    let store = history().store(&rules);
    let plan = Plan::new(&rules, &store, ADOPT);
    let mut log = plan.log();
    plan.apply(&rules, &store, &mut log).unwrap().unwrap();
    expect![[r#"
        east:task#1/user#b _referee: tasks@5
        east:task#2/user#a _referee: tasks@
        east:user#a/task#2 by: b
        east:user#a/user
        west:task#1/user#a _referee: tasks@5
        west:task#2/user#b _referee: tasks@
        west:user#b/task#2
        west:user#b/user"#]]
    .assert_eq(&lines(&store).join("\n"));
    assert_eq!(plan.verify(&rules, &store), []);
}
