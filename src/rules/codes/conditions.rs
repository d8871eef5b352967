//! Codes about the conditions of `where`.

use super::code::Code;

/// A mirror item need not meet the `where` of its entity.
pub static MIRROR_WHERE: Code = Code {
    id: "E077",
    summary: "a condition that a mirror may not meet",
    explanation: "\
A mirror item is written with the value that the `where` of its entity requires, and without an \
attribute that must be absent. Another condition, such as `not` or a list of values, only says \
something about what is copied. So the source must have the same condition, and the rule must copy \
the attribute.",
    wrong: Some(
        r#"entities:
  note: { table: app, key: { pk: "note#{id}", sk: note } }
  copy: { table: app, key: { pk: "copy#{id}", sk: copy }, where: { status: [OPEN, DONE] } }
mirrors:
  copies: { source: note, mirror: copy }
"#,
    ),
    right: r#"entities:
  note: { table: app, key: { pk: "note#{id}", sk: note }, where: { status: [OPEN, DONE] } }
  copy: { table: app, key: { pk: "copy#{id}", sk: copy }, where: { status: [OPEN, DONE] } }
mirrors:
  copies: { source: note, mirror: copy }
"#,
};

/// A destructive action depends on a flag that may be absent.
pub static ABSENT_FLAG: Code = Code {
    id: "W013",
    summary: "an action that depends on a flag that may be absent",
    explanation: "\
The `where` of the referenced entity requires that a flag is `false`. An item without this attribute \
does not belong to the entity, and the action of `on_missing` applies to the items that refer to it, \
although many applications omit a flag until it is set. If an item without the flag belongs to the \
entity, write `{ not: true }`. If every item has it, ignore this warning.",
    wrong: Some(
        r#"entities:
  user: { table: app, key: { pk: "user#{email}", sk: "user#" }, where: { deleted: false } }
  task: { table: app, key: { pk: "user#{email}", sk: "task#{id}" } }
references:
  task_user: { from: task, to: user, on_missing: delete }
"#,
    ),
    right: r#"entities:
  user: { table: app, key: { pk: "user#{email}", sk: "user#" }, where: { deleted: { not: true } } }
  task: { table: app, key: { pk: "user#{email}", sk: "task#{id}" } }
references:
  task_user: { from: task, to: user, on_missing: delete }
"#,
};

/// A change of an attribute has the effect of a delete.
pub static CHANGING_STATUS: Code = Code {
    id: "W014",
    summary: "a change of an attribute with the effect of a delete",
    explanation: "\
An item that no longer meets the `where` of its entity counts as deleted, so `on_delete` applies to \
the items that refer to it. The condition is on an attribute that may change while the item exists, \
such as a status or the time of a soft delete, and the action deletes or changes those items for \
good. If that is intended, ignore this warning. A condition on the kind of an item, such as `type: \
USER`, does not cause it.",
    wrong: Some(
        r#"entities:
  user: { table: app, key: { pk: "user#{email}", sk: "user#" }, where: { status: [ACTIVE, INVITED] } }
  task: { table: app, key: { pk: "user#{email}", sk: "task#{id}" } }
references:
  task_user: { from: task, to: user, on_delete: cascade }
"#,
    ),
    right: r#"entities:
  user: { table: app, key: { pk: "user#{email}", sk: "user#" } }
  task: { table: app, key: { pk: "user#{email}", sk: "task#{id}" } }
references:
  task_user: { from: task, to: user, on_delete: cascade }
"#,
};

/// A text in `where` that looks like a comparison.
pub static OPERATOR_TEXT: Code = Code {
    id: "W015",
    summary: "a text that looks like a comparison",
    explanation: "\
A text in `where` is compared as it is: `\"!DELETED\"` is met only by an item whose attribute is the \
text `!DELETED`. Comparisons are written as a map: `{ not: DELETED }`, `{ lt: 5 }`. If the \
attribute contains this text, ignore this warning.",
    wrong: Some(
        r#"entities:
  user: { table: app, key: { pk: "user#{email}", sk: "user#" }, where: { status: "!DELETED" } }
"#,
    ),
    right: r#"entities:
  user: { table: app, key: { pk: "user#{email}", sk: "user#" }, where: { status: { not: DELETED } } }
"#,
};

/// A lookup through mirrors that may be missing.
pub static MISSING_MIRROR: Code = Code {
    id: "W016",
    summary: "an action through mirrors that may be missing",
    explanation: "\
The items that refer to a deleted item are found through their mirrors, and the mirror rule does \
not keep them complete: it does not write them because of its `mode`, or it leaves a deleted mirror \
missing because of `on_mirror_delete: report`. The action does not apply to an item whose mirror is \
missing when the referenced item is deleted. Mirrors that are deleted together with the referenced \
item do not matter: the records of these deletes lead to their sources.",
    wrong: Some(
        r"references:
  member_user:
    from: member
    to: user
    on_delete: cascade
    find: { mirror: membership }
mirrors:
  membership: { source: member, mirror: member_of, on_mirror_delete: report }
",
    ),
    right: r"references:
  member_user:
    from: member
    to: user
    on_delete: cascade
    find: { mirror: membership }
mirrors:
  membership: { source: member, mirror: member_of }
",
};
