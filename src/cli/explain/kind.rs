//! Explains a kind of violation.

use crate::integrity::finding::Kind;

/// A kind, explained.
pub(super) fn explain(kind: Kind) -> String {
    format!("`{kind}` is a kind of violation.\n\n{}\n", meaning(kind))
}

/// What a kind means, when it is reported, and what to do about it.
pub(in crate::cli) const fn meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::DanglingReference => {
            "An item refers to an item that does not exist. It is reported when the referencing item \
             is written and its target is still missing after the rule's `grace`, and by audits. \
             `on_missing` decides what happens to the referencing item.\n\nWrite the missing item, \
             correct or remove the reference, or delete the referencing item. If the violation says \
             that an item is there, that item does not meet the `where` of its entity. If the target exists, \
             compare its key with the one in the violation: `referee explain` shows which key an \
             item refers to."
        }
        Kind::Orphaned => {
            "An item was deleted while other items still refer to it. It is reported when the \
             referenced item is deleted and is still missing after the rule's `grace`; the violation \
             counts the referencing items and lists their keys. `on_delete` and `on_ttl_delete` \
             decide what happens to these items.\n\nWrite the deleted item again, or change or delete \
             the items that refer to it."
        }
        Kind::MissingReference => {
            "An item lacks a reference that its rule declares as `required: true`: an attribute of \
             the reference is absent. It is only reported; no action applies.\n\nWrite the \
             attribute, or remove `required` from the rule."
        }
        Kind::PartialReference => {
            "A reference has some of its parts and lacks others, and its rule declares `match: full`. \
             It is only reported; no action applies.\n\nWrite all parts of the reference, or none."
        }
        Kind::MalformedReference => {
            "The value of a reference cannot be a key of the referenced entity: it has another type \
             than the rule file declares, is empty, contains the table's separator, or does not fit \
             the format of the key's capture. It is only reported: `on_missing` does not apply, \
             because it is unknown which item is meant.\n\nCorrect the value, or the type or the key \
             template in the rule file. If the value means that there is no reference, name it in \
             the rule: `none: \"\"`."
        }
        Kind::FanoutExceeded => {
            "More items refer to a deleted item than the rule may change: only `max_fanout` of them \
             were repaired.\n\nRepair the others with `referee audit` and `referee repair`, or raise \
             `max_fanout`."
        }
        Kind::DepthExceeded => {
            "A cascade between items of one entity has reached the rule's `max_depth`. The items \
             below stay.\n\nDelete them with `referee audit` and `referee repair`, or raise \
             `max_depth`."
        }
        Kind::MirrorMissing => {
            "A source item has no mirror: it was deleted, or never written. Unless the rule only \
             reports, the mirror is written.\n\nIf many mirrors are missing, because the rule is \
             new, write them with `referee backfill`."
        }
        Kind::MirrorStale => {
            "A mirror item differs from its source item: it was edited, or a change of its source \
             has not reached it. Unless the rule only reports, the mirror is written again.\n\n\
             Change the source item, not the mirror."
        }
        Kind::MirrorExtra => {
            "A mirror item has no source item. Unless the rule only reports, the mirror is \
             deleted.\n\nIf the source was meant to exist, write it: its mirror follows."
        }
        Kind::MirrorBlocked => {
            "An item that Referee did not write is at the key of a mirror, so the mirror is not \
             written.\n\nDelete the item or give it another key. With `adopt: true`, the rule \
             overwrites it. If the rule was renamed, declare its former name as `was`."
        }
        Kind::MirrorUnmarked => {
            "An item that Referee did not write is at the key of a mirror, and equals what the mirror \
             would be. Only audits report it.\n\n`referee backfill --adopt` adds Referee's mark, and \
             nothing else changes."
        }
        Kind::UnknownItem => {
            "The key of an item matches no entity, or the item does not meet the `where` of the \
             entities that it matches. Only `referee audit --unknown` reports it.\n\nDeclare an \
             entity for it, or correct the key template: `referee explain` with the item shows what \
             the rules see in it."
        }
    }
}
