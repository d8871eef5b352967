//! What mirrors must be, and where.

use super::{Content, Name, Role, TTL, Val, id, is_of_its_kind, role_of};
use crate::schema::{Copied, LETTERS, Mirror, Schema};

/// The key of the mirror of a source with this content; `None` if there is no such key, because the
/// source lacks the attribute that belongs to it.
pub(crate) fn mirror_of(
    schema: &Schema,
    mirror: &Mirror,
    source: &Name,
    content: &Content,
) -> Option<Name> {
    let Some(attribute) = &mirror.attribute else { return Some(fixed(schema, mirror, source)) };
    let Some(Val::Text(value)) = content.get(attribute) else { return None };
    moved(schema, mirror, source, value)
}

/// Every key that the mirror of a source may have.
pub(crate) fn possible_mirrors(schema: &Schema, mirror: &Mirror, source: &Name) -> Vec<Name> {
    if mirror.attribute.is_none() {
        return vec![fixed(schema, mirror, source)];
    }
    let values = LETTERS.iter().map(|letter| (*letter).to_owned());
    let ids = (0..crate::schema::IDS).map(|id| schema.alphabet.value(id));
    let names = values.chain(ids).filter_map(|value| moved(schema, mirror, source, &value));
    names.collect()
}

/// The key of a mirror that does not depend on its source's content.
fn fixed(schema: &Schema, mirror: &Mirror, (pk, sk): &Name) -> Name {
    match schema.entities[mirror.source].parent {
        None => (format!("m{}#{}", mirror.id, id(pk)), "-".to_owned()),
        Some(_) => (format!("e{}#{}", mirror.by, id(sk)), format!("m{}#{}", mirror.id, id(pk))),
    }
}

/// The key of a mirror that depends on an attribute with this value; `None` if no key contains it.
fn moved(schema: &Schema, mirror: &Mirror, (pk, sk): &Name, value: &str) -> Option<Name> {
    let value = mirror.format(schema).write(value)?;
    let own = match schema.entities[mirror.source].parent {
        None => id(pk).to_owned(),
        Some(_) => format!("{}#{}", id(pk), id(sk)),
    };
    Some((format!("e{}#{value}", mirror.by), format!("m{}#{own}", mirror.id)))
}

/// Returns the key of the source whose mirror has this key.
pub(crate) fn source_of(schema: &Schema, mirror: &Mirror, (pk, sk): &Name) -> Name {
    let kind = mirror.source;
    match (schema.entities[kind].parent, &mirror.attribute) {
        (None, None) => (format!("e{kind}#{}", id(pk)), "-".to_owned()),
        (Some(parent), None) => (format!("e{parent}#{}", id(sk)), format!("c{kind}#{}", id(pk))),
        (None, Some(_)) => (format!("e{kind}#{}", id(sk)), "-".to_owned()),
        (Some(parent), Some(_)) => {
            let own = sk.split('#').nth(2).unwrap();
            (format!("e{parent}#{}", id(sk)), format!("c{kind}#{own}"))
        }
    }
}

/// Whether an item has a value in a mirror's key that no key can contain.
pub(crate) fn has_impossible_mirror(schema: &Schema, name: &Name, content: &Content) -> bool {
    schema.mirrors.iter().any(|mirror| {
        let has_value = || {
            let value = mirror.attribute.as_ref().and_then(|attribute| content.get(attribute));
            matches!(value, Some(Val::Text(_)))
        };
        role_of(name) == Role::Own(mirror.source)
            && has_value()
            && is_of_its_kind(schema, name, content)
            && mirror_of(schema, mirror, name, content).is_none()
    })
}

/// Returns the content that a source's mirror must have at this key; `None` if there must be no
/// mirror.
pub(crate) fn mirrored_at(
    schema: &Schema,
    mirror: &Mirror,
    at: &Name,
    source: &Name,
    content: Option<&Content>,
) -> Option<Content> {
    let is_here =
        |content: &&Content| mirror_of(schema, mirror, source, content).as_ref() == Some(at);
    mirrored(schema, mirror, source, content.filter(is_here))
}

/// Returns the content that a source's mirror must have, wherever it is; `None` if there must be no
/// mirror.
pub(crate) fn mirrored(
    schema: &Schema,
    mirror: &Mirror,
    source: &Name,
    content: Option<&Content>,
) -> Option<Content> {
    let mut content = content.filter(|content| is_of_its_kind(schema, source, content))?.clone();
    let is_ttl = |name: &str| name == TTL && schema.ttl[mirror.table];
    if let Copied::Renamed(names) = &mirror.copied {
        let values = names.iter().map(|(own, new)| (new.clone(), content.get(own).cloned()));
        content = values.filter_map(|(new, value)| Some((new, value?))).collect();
    }
    content.retain(|name, _| match &mirror.copied {
        Copied::Renamed(_) => true,
        Copied::All => !is_ttl(name),
        Copied::None => false,
        Copied::Except(names) => !names.contains(name) && !is_ttl(name),
        Copied::List(names) => names.contains(name),
    });
    if mirror.is_typed {
        content.insert("type".to_owned(), Val::Text(format!("m{}", mirror.id)));
    }
    Some(content)
}
