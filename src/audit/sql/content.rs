//! Whether a mirror has the content that its source requires.
//!
//! This is `integrity/mirror/content.rs` in SQL, as a comparison: SQL cannot build an item, but it
//! can compare what remains of two without the attributes that the mirror's `where` sets, and
//! those attributes one by one.

use std::collections::BTreeMap;

use super::expression::{Expr, Function, all, call};
use super::value::{Names, attributes, is_literal};
use crate::data::{Type, Value};
use crate::integrity::mark::MARK;
use crate::integrity::mirror::name_in_source;
use crate::rules::model::{Copied, Mirror, Rules};

/// What the `where` of the mirror's entity sets at a path.
enum Set {
    /// This value.
    Literal(Value<'static>),
    /// No value.
    Absent,
    /// A map with these entries.
    Map {
        entries: BTreeMap<String, Set>,
        /// Whether other entries are those of the source.
        is_copied: bool,
    },
}

/// Whether the found item is the mirror of the source, apart from its key and its mark. The result
/// may be `NULL`.
pub(super) fn is_expected(rules: &Rules, mirror: &Mirror, found: &Expr, source: &Expr) -> Expr {
    let keys = |entity| rules.key_schema(entity).names().map(str::to_owned);
    let mut set = BTreeMap::new();
    for (path, test) in &rules[mirror.mirror].conditions {
        let value = if test.is_absence() { None } else { test.literal() };
        if value.is_some() || test.is_absence() {
            let names: Vec<_> = path.names().map(str::to_owned).collect();
            insert(&mut set, &names, value, &|name| name_in_source(rules, mirror, name).is_some());
        }
    }
    // The key is built from its template, whatever `where` says.
    set.retain(|name, _| keys(mirror.mirror).all(|key| key != *name));
    let set_names = || set.keys().cloned();

    let renamed = renamed(mirror).filter(|(_, new)| !set.contains_key(new));
    let excluded: Vec<_> = keys(mirror.mirror)
        .chain([MARK.to_owned()])
        .chain(set_names())
        .chain(renamed.clone().map(|(_, new)| new.clone()))
        .collect();
    let copied = match &mirror.copy {
        Copied::All | Copied::Except(_) => {
            let ttl = rules.table_of(mirror.mirror).ttl.iter();
            let except = match &mirror.copy {
                Copied::Except(names) => names.as_slice(),
                Copied::All | Copied::None | Copied::List(_) | Copied::Renamed(_) => &[],
            };
            let left_out = excluded.iter().chain(ttl).chain(except).cloned();
            Names::Except(left_out.chain(keys(mirror.source)).collect())
        }
        Copied::None | Copied::Renamed(_) => Names::Only(Vec::new()),
        Copied::List(names) => {
            let is_left = |name: &&String| {
                name_in_source(rules, mirror, name).is_some() && !set.contains_key(*name)
            };
            Names::Only(names.iter().filter(is_left).cloned().collect())
        }
    };
    let found_rest = attributes(found.clone(), &Names::Except(excluded));
    let rest = found_rest.equals(attributes(source.clone(), &copied));
    let at = |item: &Expr, name: &str| item.clone().json_at(&[name]);
    let of_where = set.iter().map(|(name, set)| {
        let own = name_in_source(rules, mirror, name).unwrap_or(name);
        is_set(set, &at(found, name), &at(source, own))
    });
    let of_renamed = renamed.map(|(own, new)| {
        let [found, source] = [at(found, new), at(source, own)].map(json_text);
        found.equals(source)
    });
    all([rest].into_iter().chain(of_where).chain(of_renamed))
}

/// The text of JSON; empty if there is none.
fn json_text(json: Expr) -> Expr {
    call(Function::Coalesce, [call(Function::JsonText, [json]), Expr::text("")])
}

/// The attributes that the mirror has under other names.
fn renamed(mirror: &Mirror) -> impl Iterator<Item = &(String, String)> + Clone {
    let names = match &mirror.copy {
        Copied::Renamed(names) => names.as_slice(),
        Copied::All | Copied::Except(_) | Copied::None | Copied::List(_) => &[],
    };
    names.iter()
}

/// Sets a value at a path, as `integrity/mirror/content.rs` does.
fn insert(
    map: &mut BTreeMap<String, Set>,
    path: &[String],
    value: Option<&Value<'static>>,
    is_copied: &dyn Fn(&str) -> bool,
) {
    let Some((name, inner)) = path.split_first() else { return };
    if inner.is_empty() {
        map.insert(name.clone(), value.map_or(Set::Absent, |value| Set::Literal(value.clone())));
        return;
    }
    let entry = map
        .entry(name.clone())
        .or_insert_with(|| Set::Map { entries: BTreeMap::new(), is_copied: is_copied(name) });
    if let Set::Literal(_) | Set::Absent = entry {
        *entry = Set::Map { entries: BTreeMap::new(), is_copied: false };
    }
    if let Set::Map { entries, is_copied } = entry {
        let is_copied = *is_copied;
        insert(entries, inner, value, &|_| is_copied);
    }
}

/// Whether a value is what `where` sets, and copied from the source for the rest.
fn is_set(set: &Set, found: &Expr, source: &Expr) -> Expr {
    let (entries, is_copied) = match set {
        Set::Literal(value) => return is_literal(found, value),
        Set::Absent => return found.clone().is_null(),
        Set::Map { entries, is_copied } => (entries, *is_copied),
    };
    let [found, source] = [found, source].map(|value| value.clone().json_at(&[Type::M.tag()]));
    let rest = Names::Except(entries.keys().cloned().collect());
    let copied = if is_copied { rest.clone() } else { Names::Only(Vec::new()) };
    let rest = attributes(found.clone(), &rest).equals(attributes(source.clone(), &copied));
    let inner = entries.iter().map(|(name, set)| {
        is_set(set, &found.clone().json_at(&[name]), &source.clone().json_at(&[name]))
    });
    all([found.clone().is_present(), rest].into_iter().chain(inner))
}
