//! Codes for problems with mirrors.

use super::code::Code;

/// The keys of source and mirror have different captures.
pub static NOT_INVERSE: Code = Code {
    id: "E070",
    summary: "a mirror that is not the inverse of its source",
    explanation: "\
The keys of a source and its mirror must have the same captures, with the same types. Then each \
key can be built from the other, and a mirror item can be compared with its source item. The key of \
the mirror may also contain attributes of the source, which `attributes` declares as S, N or B.",
    wrong: Some(
        r"mirrors:
  employment: { source: member, mirror: user }
",
    ),
    right: r"mirrors:
  membership: { source: member, mirror: member_of }
",
};

/// A mirror item could overwrite a source item.
pub static SAME_KEYS: Code = Code {
    id: "E071",
    summary: "a mirror with the keys of its source",
    explanation: "\
Some keys match both the source and the mirror, so a mirror item could overwrite a source item.",
    wrong: Some(
        r"mirrors:
  membership: { source: member, mirror: member }
",
    ),
    right: r"mirrors:
  membership: { source: member, mirror: member_of }
",
};

/// Two mirror rules write the same entity.
pub static TWO_MIRRORS: Code = Code {
    id: "E072",
    summary: "two rules write the same mirror",
    explanation: "\
Two mirror rules write the same entity. Each would overwrite the items of the other, without end. \
Give each rule its own mirror entity.",
    wrong: Some(
        r"mirrors:
  membership: { source: member, mirror: member_of }
  affiliation: { source: member, mirror: member_of }
",
    ),
    right: r"mirrors:
  membership: { source: member, mirror: member_of }
",
};

/// The source of a mirror is a mirror itself.
pub static MIRROR_OF_MIRROR: Code = Code {
    id: "E073",
    summary: "a mirror of a mirror",
    explanation: "\
The source of this rule is written by another mirror rule. Use the original source as the source \
of both rules.",
    wrong: Some(
        r#"entities:
  a: { table: app, key: { pk: "a#{x}", sk: a } }
  b: { table: app, key: { pk: "b#{x}", sk: b } }
  c: { table: app, key: { pk: "c#{x}", sk: c } }
mirrors:
  first: { source: a, mirror: b }
  second: { source: b, mirror: c }
"#,
    ),
    right: r#"entities:
  a: { table: app, key: { pk: "a#{x}", sk: a } }
  b: { table: app, key: { pk: "b#{x}", sk: b } }
  c: { table: app, key: { pk: "c#{x}", sk: c } }
mirrors:
  first: { source: a, mirror: b }
  second: { source: a, mirror: c }
"#,
};

/// A mirror copies a key attribute.
pub static COPIED_KEY: Code = Code {
    id: "E075",
    summary: "a key attribute cannot be copied",
    explanation: "\
A mirror's key is built from its template, so a key attribute cannot be copied from the source.",
    wrong: Some(
        r"mirrors:
  membership: { source: member, mirror: member_of, copy: [role, sk] }
",
    ),
    right: r"mirrors:
  membership: { source: member, mirror: member_of, copy: [role] }
",
};

/// A mirror's former name is another rule's.
pub static FORMER_NAME: Code = Code {
    id: "E076",
    summary: "a former name that another rule has",
    explanation: "\
The mirror items that have the name in `was` in their mark count as written by this rule. Another \
rule must not have this name, now or formerly, and a rule's former name differs from its present \
one.",
    wrong: Some(
        r"mirrors:
  membership: { was: membership, source: member, mirror: member_of }
",
    ),
    right: r"mirrors:
  membership: { was: member_mirror, source: member, mirror: member_of }
",
};
