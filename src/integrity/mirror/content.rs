//! What a mirror must contain, given its source.

use std::borrow::Cow;

use crate::data::{Item, Key, KeyValue, Path, Value, into_owned};
use crate::integrity::mark::MARK;
use crate::rules::model::{Copied, Mirror, MirrorId, MirrorPart, Rules};
use crate::rules::template::{BuildError, Captures};

/// A source and its mirror, by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The rule that pairs them.
    pub(crate) rule: MirrorId,
    /// The source's key.
    pub(crate) source: Key<'static>,
    /// The mirror's key.
    pub(crate) mirror: Key<'static>,
}

impl Pair {
    /// The pair of a source with these captures. `None` if the source has no mirror, because an
    /// attribute that is a part of the mirror's key is absent or has another type.
    pub(crate) fn of_source(
        rules: &Rules,
        rule: MirrorId,
        captures: &[KeyValue<'_>],
        source: Option<&Item<'_>>,
    ) -> Result<Option<Self>, BuildError> {
        let Some(parts) = parts(&rules[rule], captures, source) else { return Ok(None) };
        Ok(Some(Self {
            rule,
            source: rules.source_of(rule).key.build(captures)?,
            mirror: rules.mirror_of(rule).key.build(&parts)?,
        }))
    }

    /// The pair of a mirror with these captures.
    pub(crate) fn of_mirror(
        rules: &Rules,
        rule: MirrorId,
        captures: &[KeyValue<'_>],
    ) -> Result<Self, BuildError> {
        let of_source: Captures<'_> = rules[rule]
            .source_from_mirror
            .iter()
            .filter_map(|position| captures.get(*position).cloned())
            .collect();
        Ok(Self {
            rule,
            source: rules.source_of(rule).key.build(&of_source)?,
            mirror: rules.mirror_of(rule).key.build(captures)?,
        })
    }

    /// Whether this source is one whose mirror has the key of the pair's mirror.
    fn is_of(&self, rules: &Rules, source: &Item<'_>) -> bool {
        if !rules[self.rule].depends_on_attributes() {
            return true;
        }
        let captures = rules.source_of(self.rule).key.parse(&self.source);
        let pair = captures.and_then(|captures| {
            Self::of_source(rules, self.rule, &captures, Some(source)).ok().flatten()
        });
        pair.is_some_and(|pair| pair.mirror == self.mirror)
    }
}

/// The captures of the mirror's key; `None` if an attribute does not provide its part.
fn parts<'k>(
    mirror: &Mirror,
    captures: &[KeyValue<'k>],
    source: Option<&'k Item<'_>>,
) -> Option<Captures<'k>> {
    let part = |part: &MirrorPart| match part {
        MirrorPart::Capture(index) => captures.get(*index).cloned(),
        MirrorPart::Attribute(name, kind) => {
            let value = KeyValue::from_value(source?.get(name.as_str())?)?;
            (value.kind() == *kind).then_some(value)
        }
    };
    mirror.mirror_from_source.iter().map(part).collect()
}

/// The mirror that a source requires, without its mark; `None` if there is no source.
pub(crate) fn expected(
    rules: &Rules,
    pair: &Pair,
    source: Option<&Item<'_>>,
) -> Option<Item<'static>> {
    let mirror = &rules[pair.rule];
    let source = source.filter(|source| rules.source_of(pair.rule).admits(source))?;
    if !pair.is_of(rules, source) {
        return None;
    }
    let mut item: Item<'static> = source
        .iter()
        .filter_map(|(name, value)| {
            let name = name_in_mirror(rules, mirror, name)?;
            Some((Cow::Owned(name.to_owned()), value.clone().into_owned()))
        })
        .collect();
    for (path, test) in &rules.mirror_of(pair.rule).conditions {
        if let Some(value) = test.literal() {
            insert(&mut item, path, value.clone());
        } else if test.is_absence() {
            let names: Vec<&str> = path.names().collect();
            remove(&mut item, &names);
        }
    }
    item.extend(into_owned(rules.key_schema(mirror.mirror).item_of(&pair.mirror)));
    Some(item)
}

/// Whether two images of a source require the same mirror.
pub(crate) fn is_unchanged(
    rules: &Rules,
    rule: MirrorId,
    before: Option<&Item<'_>>,
    after: Option<&Item<'_>>,
) -> bool {
    let mirror = &rules[rule];
    let source = rules.source_of(rule);
    let before = before.filter(|item| source.admits(item));
    let after = after.filter(|item| source.admits(item));
    let (Some(before), Some(after)) = (before, after) else {
        return before.is_none() && after.is_none();
    };
    if mirror.key_attributes().any(|name| before.get(name) != after.get(name)) {
        return false;
    }
    match &mirror.copy {
        Copied::None => true,
        Copied::List(names) => {
            names.iter().all(|name| before.get(name.as_str()) == after.get(name.as_str()))
        }
        Copied::Renamed(names) => {
            names.iter().all(|(name, _)| before.get(name.as_str()) == after.get(name.as_str()))
        }
        Copied::All | Copied::Except(_) => {
            copied(rules, mirror, before).eq(copied(rules, mirror, after))
        }
    }
}

/// Whether an item is the expected mirror, apart from its mark.
pub(crate) fn is_same(found: &Item<'_>, expected: &Item<'_>) -> bool {
    found.iter().filter(|(name, _)| **name != MARK).eq(expected.iter())
}

fn copied<'i, 'a>(
    rules: &'i Rules,
    mirror: &'i Mirror,
    item: &'i Item<'a>,
) -> impl Iterator<Item = (&'i Cow<'a, str>, &'i Value<'a>)> {
    item.iter().filter(|(name, _)| name_in_mirror(rules, mirror, name).is_some())
}

/// The name under which a mirror has an attribute of its source; `None` if it is not copied. Keys and
/// the mark are never copied.
pub(crate) fn name_in_mirror<'n>(
    rules: &Rules,
    mirror: &'n Mirror,
    name: &'n str,
) -> Option<&'n str> {
    other_name(rules, mirror, name, |(own, new)| (own, new))
}

/// The name in the source of an attribute of its mirror; `None` if the mirror does not copy it.
#[cfg(feature = "cli")]
pub(crate) fn name_in_source<'n>(
    rules: &Rules,
    mirror: &'n Mirror,
    name: &'n str,
) -> Option<&'n str> {
    other_name(rules, mirror, name, |(own, new)| (new, own))
}

/// The name that an attribute has in the other one of source and mirror. `sides` tells the two names
/// of a renamed attribute apart: the given one, and the other one.
fn other_name<'n>(
    rules: &Rules,
    mirror: &'n Mirror,
    name: &'n str,
    sides: fn(&'n (String, String)) -> (&'n String, &'n String),
) -> Option<&'n str> {
    match &mirror.copy {
        Copied::Renamed(names) => {
            let (_, other) = names.iter().map(sides).find(|(given, _)| *given == name)?;
            Some(other)
        }
        Copied::All | Copied::Except(_) | Copied::None | Copied::List(_) => {
            is_copied(rules, mirror, name).then_some(name)
        }
    }
}

/// Whether a mirror copies an attribute under its own name.
///
/// The TTL attribute of the mirror's table is copied only if the rule lists it. With it, the mirror
/// would expire by itself, before its source or long after it. Without it, the mirror is deleted when
/// its source is.
fn is_copied(rules: &Rules, mirror: &Mirror, name: &str) -> bool {
    let is_ttl = || rules.table_of(mirror.mirror).ttl.as_deref() == Some(name);
    let listed = match &mirror.copy {
        Copied::All => !is_ttl(),
        Copied::Except(names) => !is_ttl() && names.iter().all(|excepted| excepted != name),
        Copied::None => false,
        Copied::List(names) => names.iter().any(|listed| listed == name),
        Copied::Renamed(names) => names.iter().any(|(own, new)| own == name && new == name),
    };
    let is_key = |entity| rules.key_schema(entity).names().any(|key| key == name);
    listed && name != MARK && !is_key(mirror.source) && !is_key(mirror.mirror)
}

/// Removes the value at a path. The maps along the path remain.
fn remove(item: &mut Item<'static>, path: &[&str]) {
    let Some((name, inner)) = path.split_first() else { return };
    if inner.is_empty() {
        item.remove(*name);
    } else if let Some(Value::M(map)) = item.get_mut(*name) {
        remove(map, inner);
    }
}

/// Puts a value at a path, and creates the maps along the path.
fn insert(item: &mut Item<'static>, path: &Path, value: Value<'static>) {
    let mut parents = path.names();
    let Some(last) = parents.next_back() else { return };
    let mut map = item;
    for parent in parents {
        let entry = map
            .entry(Cow::Owned(parent.to_owned()))
            .and_modify(|value| {
                if !matches!(value, Value::M(_)) {
                    *value = Value::M(Item::new());
                }
            })
            .or_insert_with(|| Value::M(Item::new()));
        let Value::M(inner) = entry else { return };
        map = inner;
    }
    map.insert(Cow::Owned(last.to_owned()), value);
}
