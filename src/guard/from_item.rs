//! The subject for a given item.

use super::subject::{
    MirrorItem, Referrer, Subject, Target, attributes, key_attributes, listed, refuse_mirror,
};
use super::{Attributes, Operation, Refusal};
use crate::data::{Item, Key, KeyValue, Path};
use crate::integrity::finding::Defect;
use crate::integrity::inspect::{Sighting, View, inspect};
use crate::integrity::mirror::name_in_mirror;
use crate::integrity::reference::others;
use crate::rules::model::{Component, Mirror, MirrorId, Reference, ReferenceId, Rules, TableId};
use crate::wording;

pub(super) fn subject(
    rules: &Rules,
    table: TableId,
    item: &Item<'_>,
    operation: Operation,
) -> Result<Subject, Refusal> {
    let schema = &rules[table].key;
    let key = schema.key_of(item).map_err(|error| {
        let table = &rules[table].alias;
        Refusal::Impossible(format!("the item does not belong to table `{table}`: {error}"))
    })?;
    let sightings = inspect(rules, table, &key, item);
    let sighting = only_match(rules, item, &sightings, operation)?;
    refuse_mirror(rules, sighting.entity)?;
    let mut content = attributes(item);
    content.retain(|name, _| schema.names().all(|key| key != name));
    let subject = Subject {
        entity: sighting.entity,
        key: key_attributes(schema, &key),
        content,
        targets: Vec::new(),
        mirrors: Vec::new(),
        referrers: Vec::new(),
        notes: Vec::new(),
    };
    Builder { rules, operation, subject, broken: Vec::new() }.with(sighting)
}

/// Returns the entity that the item matches, if there is exactly one. For an update or a delete,
/// the item may lack attributes that `where` tests.
fn only_match<'s>(
    rules: &Rules,
    item: &Item<'_>,
    sightings: &'s [Sighting],
    operation: Operation,
) -> Result<&'s Sighting, Refusal> {
    let may_be = |sighting: &&Sighting| match operation {
        Operation::Put => sighting.admitted,
        Operation::Update | Operation::Delete => {
            let mut conditions = rules[sighting.entity].conditions.iter();
            conditions.all(|(path, test)| {
                let found = path.lookup(item);
                found.is_none() || test.holds(found)
            })
        }
    };
    let possible: Vec<&Sighting> = sightings.iter().filter(may_be).collect();
    let conditions = || {
        let of = sightings.iter().flat_map(|sighting| &rules[sighting.entity].conditions);
        let mut paths: Vec<_> = of.map(|(path, _)| path).collect();
        paths.sort_unstable();
        paths.dedup();
        listed(paths)
    };
    let names = |of: &[Sighting]| listed(of.iter().map(|it| &rules[it.entity].name));
    Err(Refusal::Impossible(match (possible.as_slice(), sightings) {
        ([only], _) => return Ok(only),
        ([], []) => "the key matches no entity".to_owned(),
        ([], _) => format!(
            "the key matches {}, but the item does not satisfy `where`, which tests {}",
            names(sightings),
            conditions()
        ),
        _ => format!(
            "the key matches {}: add {} to the item to select one",
            listed(possible.iter().map(|it| &rules[it.entity].name)),
            conditions()
        ),
    }))
}

/// A subject under construction.
struct Builder<'s> {
    rules: &'s Rules,
    operation: Operation,
    subject: Subject,
    broken: Vec<String>,
}

impl Builder<'_> {
    fn with(mut self, sighting: &Sighting) -> Result<Subject, Refusal> {
        for view in &sighting.views {
            match view {
                View::Refers { rule, values } => {
                    if self.is_checked(&self.rules[*rule]) {
                        for (target, _) in values {
                            self.add_target(*rule, target);
                        }
                    }
                }
                View::Referred { rule, .. } => {
                    let only = only_referrer(self.rules, &self.rules[*rule], &sighting.captures);
                    self.subject.referrers.push(Referrer { rule: *rule, only });
                }
                View::Mirrored { rule, mirror, content } => {
                    self.add_mirror(*rule, mirror, content.as_ref());
                }
                View::Mirrors { .. } => {}
            }
        }
        if self.broken.is_empty() { Ok(self.subject) } else { Err(Refusal::Broken(self.broken)) }
    }

    /// Whether the operation can break the reference. An update that sets none of the reference's
    /// attributes cannot.
    fn is_checked(&mut self, reference: &Reference) -> bool {
        if self.operation != Operation::Update {
            return self.operation == Operation::Put;
        }
        let is_given = |path: &&Path| self.subject.content.contains_key(path.root());
        let given = reference.paths().filter(is_given).count();
        let all = reference.paths().count();
        if given > 0 && given < all {
            let paths = listed(reference.paths());
            self.subject.notes.push(format!(
                "`{}` is not checked, because the update does not set all of {paths}",
                reference.name
            ));
        }
        given > 0 && given == all
    }

    fn add_target(&mut self, rule: ReferenceId, target: &Result<Key<'static>, Defect>) {
        let reference = &self.rules[rule];
        match target {
            Ok(key) => {
                let rules = self.rules;
                if rules.view(reference.to).is_some() {
                    self.subject.notes.push(in_index(rules, reference));
                    return;
                }
                let others = others(rules, rule, key).map(|(rule, key)| {
                    (rule, key_attributes(rules.key_schema(rules[rule].to), &key))
                });
                let others = others.collect();
                let key = key_attributes(rules.key_schema(reference.to), key);
                self.subject.targets.push(Target { rule, key, others });
            }
            Err(defect) => {
                let why = wording::defect(defect);
                self.broken.push(format!("`{}` is broken: {why}", reference.name));
            }
        }
    }

    fn add_mirror(
        &mut self,
        rule: MirrorId,
        mirror: &Result<Key<'static>, String>,
        content: Option<&Item<'static>>,
    ) {
        let of_rule = &self.rules[rule];
        let key = match mirror {
            Ok(key) => key,
            Err(why) => {
                self.broken.push(format!("`{}` cannot mirror the item: {why}", of_rule.name));
                return;
            }
        };
        let schema = self.rules.key_schema(of_rule.mirror);
        let content: Attributes = match (self.operation, content) {
            (Operation::Update, _) => copied(self.rules, of_rule, &self.subject.content),
            (_, None) => Attributes::new(),
            (_, Some(content)) => attributes(content),
        };
        let mut content = content;
        content.retain(|name, _| schema.names().all(|key| key != name));
        let key = key_attributes(schema, key);
        self.subject.mirrors.push(MirrorItem { rule, key, content });
    }
}

/// The attributes of a source that its mirror copies.
pub(super) fn copied(rules: &Rules, mirror: &Mirror, content: &Attributes) -> Attributes {
    let copied = content.iter().filter_map(|(name, value)| {
        Some((name_in_mirror(rules, mirror, name)?.to_owned(), value.clone()))
    });
    copied.collect()
}

/// Why a reference is not checked whose targets are known by the key of an index.
pub(super) fn in_index(rules: &Rules, reference: &Reference) -> String {
    let index = rules.view(reference.to).map_or("", |view| view.index_name(rules));
    format!(
        "`{}` is not checked: its `{}` is known by the key of the index `{index}`, which a \
         transaction cannot check",
        reference.name, rules[reference.to].name
    )
}

/// The key of the only item that can refer to an item with these captures, if the referenced key
/// determines it.
fn only_referrer(
    rules: &Rules,
    reference: &Reference,
    captures: &[KeyValue<'static>],
) -> Option<Attributes> {
    let values: Vec<KeyValue<'_>> = fixed_by(rules, reference)?
        .into_iter()
        .map(|index| captures.get(index).cloned())
        .collect::<Option<_>>()?;
    let key = rules[reference.from].key.build(&values).ok()?;
    Some(key_attributes(rules.key_schema(reference.from), &key))
}

/// For each capture of the referencing key, the index of its value among the captures of the
/// referenced key. `None` if the referenced key does not determine the whole referencing key, or if
/// the reference also depends on an attribute.
pub(super) fn fixed_by(rules: &Rules, reference: &Reference) -> Option<Vec<usize>> {
    let is_capture = |source: &Component| matches!(source, Component::Capture(_));
    if !reference.components.iter().all(is_capture) {
        return None;
    }
    let (from, to) = (&rules[reference.from].key, &rules[reference.to].key);
    (0..from.captures().len())
        .map(|index| {
            let mut sources = reference.components.iter().enumerate();
            let is_same = |(of_target, source): (usize, &Component)| {
                *source == Component::Capture(index) && from.is_determined_by(index, to, of_target)
            };
            sources.position(is_same)
        })
        .collect()
}
