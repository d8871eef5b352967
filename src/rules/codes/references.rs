//! Codes for problems with references and with finding the referencing items.

use super::code::Code;

/// A capture of the referenced key has no source.
pub static UNBOUND: Code = Code {
    id: "E040",
    summary: "a part of the referenced key has no source",
    explanation: "\
To build the key of the referenced item, each of its captures needs a value. By default, it comes \
from the capture of the same name in the referencing item's key, but that key has no such \
capture. Write in `on` where the value comes from.",
    wrong: Some(
        r#"entities:
  task: { table: app, key: { pk: "task#{id}", sk: task }, attributes: { owner: S } }
  user: { table: app, key: { pk: "user#{email}", sk: "user#" } }
references:
  task_owner: { from: task, to: user, find: none }
"#,
    ),
    right: r#"entities:
  task: { table: app, key: { pk: "task#{id}", sk: task }, attributes: { owner: S } }
  user: { table: app, key: { pk: "user#{email}", sk: "user#" } }
references:
  task_owner: { from: task, to: user, on: { email: "{owner}" }, find: none }
"#,
};

/// A name is not a capture of the referenced key.
pub static UNKNOWN_CAPTURE: Code = Code {
    id: "E041",
    summary: "not a capture of the referenced key",
    explanation: "\
The keys of `on` and `default`, and the captures in the templates of `find`, must be captures of \
the referenced entity's key.",
    wrong: Some(
        r#"references:
  member_user: { from: member, to: user, on: { mail: "{email}" }, find: none }
"#,
    ),
    right: r#"references:
  member_user: { from: member, to: user, on: { email: "{email}" }, find: none }
"#,
};

/// A source that cannot be parsed.
pub static SOURCE: Code = Code {
    id: "E042",
    summary: "a malformed source",
    explanation: "\
A source in `on` is a single name in braces: \"{capture}\", \"{attribute}\", \"{path.to.value}\", \
\"{attribute[*]}\" for each element of a list or set, or \"{lines[*].productId}\" for a value in each \
map of a list. Text around a value belongs in the key \
template of the referenced entity.",
    wrong: Some(
        r#"references:
  member_sponsor: { from: member, to: user, on: { email: "user#{sponsor}" }, find: none }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, find: none }
"#,
};

/// A value whose type the key does not accept.
pub static TYPE_MISMATCH: Code = Code {
    id: "E043",
    summary: "a value of another type than the key requires",
    explanation: "\
DynamoDB keys are typed: the string \"42\" and the number 42 are different keys. A capture that is \
a whole key attribute accepts only the type of that attribute. A capture inside a longer text \
accepts strings and numbers.",
    wrong: Some(
        r#"references:
  member_note: { from: member, to: user, on: { email: "{note}" }, find: none }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, find: none }
"#,
};

/// Wrong use of `[*]`.
pub static ELEMENTS: Code = Code {
    id: "E044",
    summary: "wrong use of `[*]`",
    explanation: "\
\"{tags[*]}\" refers once for each element of the list or set `tags`, and \"{lines[*].productId}\" \
once for each map of the list `lines`. `[*]` is not possible for an attribute of another type, and \
it is required for a list or set. Several parts of a reference can have `[*]` only if they all \
come from the maps of one list.",
    wrong: Some(
        r#"references:
  member_tag: { from: member, to: user, on: { email: "{tags}" }, find: none }
"#,
    ),
    right: r#"references:
  member_tag: { from: member, to: user, on: { email: "{tags[*]}" }, find: none }
"#,
};

/// Entities of a union whose keys do not come from the same values.
pub static UNION: Code = Code {
    id: "E045",
    summary: "a union of entities that need different values",
    explanation: "\
With `to: [user, company]`, one item of any of these entities is enough. The key of each of them must \
therefore follow from the same values: `on` gives the captures of all these keys the same sources. \
If an attribute says which kind of item is meant, write `to: { by: \"{kind}\", USER: user, COMPANY: \
company }` instead.",
    wrong: Some(
        r#"references:
  member_sponsor:
    from: member
    to: [user, company]
    on: { email: "{sponsor}", company: "{role}" }
    find: none
"#,
    ),
    right: r#"references:
  member_sponsor:
    from: member
    to: [user, company]
    on: { email: "{sponsor}", company: "{sponsor}" }
    find: none
"#,
};

/// A discriminator that cannot decide.
pub static DISCRIMINATOR: Code = Code {
    id: "E046",
    summary: "a discriminator that cannot decide",
    explanation: "\
The discriminator in `by` is a capture or an attribute of the referencing item, whose value decides \
which entity is referenced. It is a string or a number, and each value in the list is a possible \
value of it.",
    wrong: Some(
        r#"references:
  member_sponsor:
    from: member
    to: { by: "{tags}", USER: user, COMPANY: company }
    on: { email: "{sponsor}", company: "{sponsor}" }
    find: none
"#,
    ),
    right: r#"references:
  member_sponsor:
    from: member
    to: { by: "{role}", USER: user, COMPANY: company }
    on: { email: "{sponsor}", company: "{sponsor}" }
    find: none
"#,
};

/// An action that cannot find the referencing items.
pub static NO_LOOKUP: Code = Code {
    id: "E050",
    summary: "an action that cannot find the referencing items",
    explanation: "\
When a referenced item is deleted, the action must find the items that refer to it. The \
referenced key does not determine their partition key, so a query of the table cannot find them. \
Name an index or a mirror in `find`, or use `report` or `ignore`.",
    wrong: Some(
        r"references:
  member_user: { from: member, to: user, on_delete: cascade }
",
    ),
    right: r"references:
  member_user: { from: member, to: user, find: { mirror: membership } }
mirrors:
  membership: { source: member, mirror: member_of }
",
};

/// An index that is declared with two different keys.
pub static INDEX_KEY: Code = Code {
    id: "E051",
    summary: "an index with two different keys",
    explanation: "\
Two rules use the same index, but declare different key attributes or types for it.",
    wrong: Some(
        r#"references:
  member_user: { from: member, to: user, find: { index: by_user, key: { sk: "user#{email}" } } }
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, find: { index: by_user, key: { sponsor: "{email}" } } }
"#,
    ),
    right: r#"references:
  member_user: { from: member, to: user, find: { index: by_user, key: { sk: "user#{email}" } } }
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, find: { index: by_sponsor, key: { sponsor: "{email}" } } }
"#,
};

/// An index on the elements of a list or set.
pub static INDEX_ELEMENTS: Code = Code {
    id: "E052",
    summary: "an index cannot contain list elements",
    explanation: "\
The key attributes of an index are strings, numbers or binaries. The elements of a list or set \
are not indexed, so references with `[*]` cannot be found through an index. Write `find: none`; \
the orphans are then not found.",
    wrong: Some(
        r#"references:
  member_tag: { from: member, to: user, on: { email: "{tags[*]}" }, find: { index: by_tag, key: { tags: "{email}" } } }
"#,
    ),
    right: r#"references:
  member_tag: { from: member, to: user, on: { email: "{tags[*]}" }, find: none }
"#,
};

/// A mirror that cannot find the referencing items.
pub static MIRROR_LOOKUP: Code = Code {
    id: "E053",
    summary: "a mirror that cannot find the referencing items",
    explanation: "\
`find: { mirror: … }` finds the referencing items through their mirrors. The mirror's source must \
be the referencing entity, and the referenced key must determine the mirror's partition key.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, find: { mirror: membership } }
mirrors:
  membership: { source: member, mirror: member_of }
",
    ),
    right: r"references:
  member_user: { from: member, to: user, find: { mirror: membership } }
mirrors:
  membership: { source: member, mirror: member_of }
",
};

/// `expired: absent` without a TTL attribute.
pub static NO_TTL: Code = Code {
    id: "E054",
    summary: "`expired: absent` without a TTL attribute",
    explanation: "\
With `expired: absent`, a referenced item does not exist from the time in its TTL attribute on. \
Declare this attribute as `ttl` of the table that holds the referenced items.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, expired: absent }
",
    ),
    right: r"tables:
  app: { key: [pk, sk], ttl: expires }
references:
  member_company: { from: member, to: company, expired: absent }
",
};

/// A lookup whose value no referencing item has.
pub static NEVER_EQUAL: Code = Code {
    id: "E055",
    summary: "a lookup that finds nothing",
    explanation: "\
`find: { index: …, key: … }` finds the items whose attributes equal the values that the templates \
build from the referenced key. Here, no referencing item can have such a value: the attribute is a \
key attribute whose own template never gives it, a part of the reference that holds the value \
alone, or an attribute for which `where` requires another value. Upper and lower case differ, and \
the whole value is compared, not its beginning.",
    wrong: Some(
        r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, find: { index: by_sponsor, key: { sponsor: "user#{email}" } } }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, find: { index: by_sponsor, key: { sponsor: "{email}" } } }
"#,
};

/// An index that holds values in any case.
pub static INDEX_CASE: Code = Code {
    id: "E056",
    summary: "an index that holds values in any case",
    explanation: "\
The referenced key is converted to lower or upper case, so items refer to it in any case. A query \
of an index finds only one of them. The index needs a key attribute that the application writes in \
the case of the referenced key.",
    wrong: Some(
        r#"entities:
  account: { table: app, key: { pk: "account#{account:lower}", sk: account } }
  member: { table: app, key: { pk: "member#{member}", sk: member }, attributes: { sponsor: S } }
references:
  member_account: { from: member, to: account, on: { account: "{sponsor}" }, on_delete: unset, find: { index: by_sponsor, key: { sponsor: "{account}" } } }
"#,
    ),
    right: r#"entities:
  account: { table: app, key: { pk: "account#{account:lower}", sk: account } }
  member: { table: app, key: { pk: "member#{member}", sk: member }, attributes: { sponsor: S } }
references:
  member_account: { from: member, to: account, on: { account: "{sponsor}" }, on_delete: unset, find: { index: GSI1, key: { gs1pk: "account#{account}" } } }
"#,
};

/// A wrong `on_key`.
pub static ON_KEY: Code = Code {
    id: "E057",
    summary: "a wrong `on_key`",
    explanation: "\
`on_key` is for items that contain the key of the referenced item. It names the source of each key \
attribute of the referenced table, and replaces `on`.",
    wrong: Some(
        r#"entities:
  user: { table: app, key: { pk: "user#{email}", sk: "user#" } }
  review: { table: app, key: { pk: "review#{review}", sk: review }, attributes: { by.pk: S, by.sk: S } }
references:
  review_user: { from: review, to: user, on_key: { pk: "{by.pk}" }, find: none }
"#,
    ),
    right: r#"entities:
  user: { table: app, key: { pk: "user#{email}", sk: "user#" } }
  review: { table: app, key: { pk: "review#{review}", sk: review }, attributes: { by.pk: S, by.sk: S } }
references:
  review_user: { from: review, to: user, on_key: { pk: "{by.pk}", sk: "{by.sk}" }, find: none }
"#,
};

/// An action on a reference to items that are known by an index.
pub static INDEX_TARGET: Code = Code {
    id: "E059",
    summary: "an action on a reference to an index",
    explanation: "\
An action is a transaction that checks again that the referenced item does not exist. A transaction \
cannot read an index. The index may also lag behind its table, so that an item seems to be missing \
that exists. A reference to items that are known by the key of an index can therefore only be \
reported.",
    wrong: Some(
        r#"entities:
  person: { table: app, key: { pk: "person#{id}", sk: person } }
  note: { table: app, key: { pk: "note#{id}", sk: note }, attributes: { author: S } }
references:
  note_author: { from: note, to: { entity: person, index: byEmail, key: { email: "{email}" } }, on: { email: "{author}" }, on_missing: delete, find: none }
"#,
    ),
    right: r#"entities:
  person: { table: app, key: { pk: "person#{id}", sk: person } }
  note: { table: app, key: { pk: "note#{id}", sk: note }, attributes: { author: S } }
references:
  note_author: { from: note, to: { entity: person, index: byEmail, key: { email: "{email}" } }, on: { email: "{author}" }, find: none }
"#,
};
