//! The facts of items whose rules and attributes are of the usual kind, straight from their text.
//!
//! Most items have keys of texts, refer to others by texts, and are written by DynamoDB without
//! spaces. For them, nothing is decoded into values and nothing is allocated. Everything else is
//! left to `decoded`, which calls the same functions as the engine.
//!
//! Invariant: the facts are those of `decoded`, or there are none. A test compares both.

#[cfg(test)]
mod laws;
mod names;
mod plan;
mod scanner;

use self::plan::{
    CAPTURES_MAX, CopiedAttributes, EntityPlan, KeyStart, Mirror, Part, Refer, Require, Step,
    TablePlan, Wanted, When,
};
use self::scanner::{Attributes, RawValue, SplitItem};
use super::excerpt::Kept;
use super::fact::{Fact, Location};
use super::hash::{ContentHash, ContentHasher, KeyHasher};
use super::raw_item;
use crate::data::{Item, PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX, Value};
use crate::integrity::expiry::has_passed;
use crate::integrity::index::Index;
use crate::integrity::mark::MARK;
use crate::integrity::mirror::Standing;
use crate::rules::model::{EntityId, Rules, TableId};

/// Finds the facts of usual items.
#[derive(Debug)]
pub(super) struct Quick<'r> {
    rules: &'r Rules,
    tables: Vec<Option<TablePlan<'r>>>,
    /// The entities of the last item.
    pub(super) entities: Vec<EntityId>,
    attributes: Attributes,
    keys: KeyBuffers,
    content: ContentHasher,
    now_ms: i64,
}

/// Memory for keys, which is reused from item to item.
#[derive(Debug, Default)]
struct KeyBuffers {
    hasher: KeyHasher,
    partition: String,
    sort: String,
}

/// The captures of a key.
type Captures<'t> = [&'t str; CAPTURES_MAX];

/// An item and its key.
#[derive(Debug, Clone, Copy)]
struct Subject<'a, 't> {
    item: SplitItem<'a, 't>,
    partition: &'t str,
    sort: Option<&'t str>,
    at: Location,
    /// Whether the item has expired, if a rule asks.
    has_expired: bool,
}

impl<'r> Quick<'r> {
    /// Prepares the rules, at this time in milliseconds since 1970.
    pub(super) fn new(rules: &'r Rules, index: &Index, now_ms: i64) -> Self {
        let mut attributes = Attributes::default();
        let mut plan = |id| TablePlan::new(rules, index, &mut attributes.names, TableId(id));
        Self {
            rules,
            tables: (0..rules.tables.len()).map(&mut plan).collect(),
            entities: Vec::new(),
            attributes,
            keys: KeyBuffers::default(),
            content: ContentHasher::default(),
            now_ms,
        }
    }

    /// Appends the facts of an item. `None` if it is unusual: then the facts are incomplete, and
    /// must be dropped.
    pub(super) fn facts(
        &mut self,
        at: Location,
        table: TableId,
        text: &[u8],
        out: &mut Vec<Fact>,
    ) -> Option<()> {
        let Self { rules, tables, entities, attributes, keys, content, now_ms } = self;
        entities.clear();
        let plan = tables.get_mut(table.0)?.as_mut()?;
        let item = attributes.split(text)?;
        let partition = key_text(&mut plan.partition, &item, PARTITION_KEY_BYTES_MAX)?;
        let sort = match &mut plan.sort {
            Some(sort) => Some(key_text(sort, &item, SORT_KEY_BYTES_MAX)?),
            None => None,
        };
        let mut subject = Subject { item, partition, sort, at, has_expired: false };
        let hash = keys.hasher.item_of_texts(table, partition, sort);
        let first = out.len();
        out.push(Fact::Item { item: hash, entity: None, at });
        let start = (KeyStart::of(partition), sort.map(KeyStart::of));
        let (mut entity, mut is_absent) = (None, false);
        for of_entity in &mut plan.entities {
            if !of_entity.may_have(start) {
                continue;
            }
            let mut captures = Captures::default();
            if !of_entity.key.split(partition, sort, &mut captures) {
                continue;
            }
            if !of_entity.is_complete {
                return None;
            }
            if !admits(of_entity, &item)? {
                continue;
            }
            entities.push(of_entity.id);
            subject.has_expired = has_expired(of_entity, &item, *now_ms)?;
            let is_current = is_current(of_entity, &item, *now_ms)?;
            is_absent |= is_current && subject.has_expired && of_entity.is_absent_if_expired;
            if of_entity.is_referenced && is_current {
                if entity.is_none() {
                    entity = Some(of_entity.id);
                } else {
                    out.push(Fact::AlsoIs { item: hash, entity: of_entity.id });
                }
            }
            for step in &mut of_entity.steps {
                let fact = match step {
                    Step::Refer(step) => refer(step, &captures, &subject, keys)?,
                    Step::Require(step) => require(step, &captures, &subject, keys, content)?,
                    Step::Mirror(step) => mirror(rules, step, &captures, &subject, keys, content)?,
                };
                if let Some(fact) = fact {
                    out.push(fact);
                }
            }
        }
        if let Some(fact) = out.get_mut(first) {
            *fact = Fact::Item { item: hash, entity, at };
        }
        if is_absent {
            out.push(Fact::Expired { item: hash });
        }
        if entities.is_empty() {
            out.push(Fact::Unknown { at });
        }
        Some(())
    }
}

impl Quick<'_> {
    /// The excerpt of the item whose facts were found last.
    pub(super) fn excerpt<'t>(
        &mut self,
        table: TableId,
        text: &'t [u8],
    ) -> impl Iterator<Item = Kept<'t>> {
        let attributes = &self.attributes;
        let plan = self.tables.get_mut(table.0).and_then(Option::as_mut);
        let names = plan.map(|plan| plan.excerpt.iter_mut()).into_iter().flatten();
        names.map(|wanted| wanted.kept(attributes, text))
    }
}

/// The text of a key attribute. `None` if it is not a text, or not a valid key.
fn key_text<'t>(
    wanted: &mut Wanted<'_>,
    item: &SplitItem<'_, 't>,
    bytes_max: usize,
) -> Option<&'t str> {
    match wanted.of(item)? {
        RawValue::Text(text) if (1..=bytes_max).contains(&text.len()) => Some(text),
        RawValue::Text(_) | RawValue::Other(_) => None,
    }
}

/// Whether the entity's `where` holds. `None` if that is not clear from the text.
fn admits(entity: &mut EntityPlan<'_>, item: &SplitItem<'_, '_>) -> Option<bool> {
    for (attribute, test) in &mut entity.conditions {
        if !test.holds(found(attribute, item).ok()?.as_ref()) {
            return Some(false);
        }
    }
    Some(true)
}

/// Whether the conditions that depend on the time hold. `None` if that is not clear from the text.
fn is_current(entity: &mut EntityPlan<'_>, item: &SplitItem<'_, '_>, now_ms: i64) -> Option<bool> {
    for (attribute, test) in entity.conditions.iter_mut().filter(|(_, test)| test.is_timed()) {
        if !test.holds_at(found(attribute, item).ok()?.as_ref(), now_ms) {
            return Some(false);
        }
    }
    Some(true)
}

/// The text of a value is not valid.
struct Invalid;

/// The value of an attribute.
fn found<'t>(
    attribute: &mut Wanted<'_>,
    item: &SplitItem<'_, 't>,
) -> Result<Option<Value<'t>>, Invalid> {
    let value = attribute.of(item);
    value.map(|value| decoded(attribute.name(), value).ok_or(Invalid)).transpose()
}

/// Whether the item has expired, if a rule asks. `None` if its TTL attribute is not valid.
fn has_expired(entity: &mut EntityPlan<'_>, item: &SplitItem<'_, '_>, now_ms: i64) -> Option<bool> {
    let Some(ttl) = &mut entity.ttl else { return Some(false) };
    let name = ttl.name();
    match ttl.of(item) {
        Some(RawValue::Other(json)) => Some(has_passed(&raw_item::value(name, json).ok()?, now_ms)),
        Some(RawValue::Text(_)) | None => Some(false),
    }
}

/// The facts of an item's role in a rule: one at most. `None` if the item is unusual.
type OfRole = Option<Option<Fact>>;

fn refer(
    step: &mut Refer<'_>,
    captures: &Captures<'_>,
    subject: &Subject<'_, '_>,
    keys: &mut KeyBuffers,
) -> OfRole {
    let Refer { rule, table, key, parts, none, when, is_broken_without } = step;
    let (rule, at) = (*rule, subject.at);
    let mut values = Captures::default();
    let (mut absent, mut discriminator) = (0, None);
    for (position, (value, part)) in values.iter_mut().zip(parts).enumerate() {
        let found = match part {
            Part::Capture(index) => Some(*captures.get(*index)?),
            Part::Attribute(attribute) => match attribute.of(&subject.item) {
                Some(RawValue::Text(text)) => Some(text).filter(|text| !none.contains(text)),
                Some(RawValue::Other(_)) => return None,
                None => None,
            },
        };
        match found {
            Some(text) => *value = text,
            None => absent += 1,
        }
        if when.as_ref().is_some_and(|when| when.part == position) {
            discriminator = found;
        }
    }
    let lead = when.as_ref().map_or(Lead::Here, |when| lead(when, discriminator));
    if matches!(lead, Lead::Elsewhere) {
        return Some(None);
    }
    if absent > 0 {
        let is_broken = *is_broken_without.get(absent)?;
        return Some(is_broken.then_some(Fact::Malformed { rule, at }));
    }
    if matches!(lead, Lead::Nowhere) {
        return Some(Some(Fact::Malformed { rule, at }));
    }
    let KeyBuffers { hasher, partition, sort } = keys;
    Some(Some(match key.join(&values, partition, sort) {
        Some(sort) => {
            Fact::Refers { target: hasher.item_of_texts(*table, partition, sort), rule, at }
        }
        None => Fact::Malformed { rule, at },
    }))
}

/// Where a value leads, by its discriminator.
enum Lead {
    Here,
    Elsewhere,
    Nowhere,
}

/// Where this value of the discriminator leads. The first alternative reports an absent one.
fn lead(when: &When<'_>, discriminator: Option<&str>) -> Lead {
    match discriminator {
        Some(text) if text == when.value => Lead::Here,
        Some(text) if when.is_first && !when.others.contains(&text) => Lead::Nowhere,
        None if when.is_first => Lead::Here,
        Some(_) | None => Lead::Elsewhere,
    }
}

fn require(
    step: &mut Require<'_>,
    captures: &Captures<'_>,
    subject: &Subject<'_, '_>,
    keys: &mut KeyBuffers,
    content: &mut ContentHasher,
) -> OfRole {
    let Require { rule, key, schema, captures: positions, copied } = step;
    let KeyBuffers { hasher, partition, sort } = keys;
    let values = reorder(captures, positions);
    // Without a key, there can be no mirror.
    let Some(sort) = key.join(&values, partition, sort) else { return Some(None) };
    let mirror = hasher.mirror_of_texts(*rule, partition, sort);
    content.begin();
    for (name, text) in schema.names().zip([Some(&**partition), sort]) {
        content.text(name, text?);
    }
    match copied {
        CopiedAttributes::AllBut(names) => {
            for (name, value) in subject.item.iter().filter(|(name, _)| !names.contains(name)) {
                add(content, name, value)?;
            }
        }
        CopiedAttributes::These(attributes) => {
            for attribute in attributes {
                if let Some(value) = attribute.of(&subject.item) {
                    add(content, attribute.name(), value)?;
                }
            }
        }
    }
    let (rule, content, at) = (*rule, content.finish(), subject.at);
    Some(Some(Fact::Requires { mirror, content, rule, at, has_expired: subject.has_expired }))
}

fn mirror(
    rules: &Rules,
    step: &Mirror<'_>,
    captures: &Captures<'_>,
    subject: &Subject<'_, '_>,
    keys: &mut KeyBuffers,
    content: &mut ContentHasher,
) -> OfRole {
    let Mirror { rule, source, captures: positions, .. } = step;
    let KeyBuffers { hasher, partition, sort } = keys;
    // The rule ignores keys that no source can produce.
    if source.join(&reorder(captures, positions), partition, sort).is_none() {
        return Some(None);
    }
    let mirror = hasher.mirror_of_texts(*rule, subject.partition, subject.sort);
    let (content, mark) = content_and_mark(&subject.item, content)?;
    let standing = match mark {
        Some(RawValue::Other(mark)) if is_mark(step, mark) => Standing::Marked,
        mark => {
            let mark = mark.map(|mark| Some((MARK.into(), decoded(MARK, mark)?)));
            let item: Option<Item<'_>> = mark.into_iter().collect();
            Standing::of(rules, *rule, Some(&item?))
        }
    };
    let (rule, at) = (*rule, subject.at);
    Some(Some(Fact::IsMirror { mirror, content, standing, rule, at }))
}

/// The hash of an item's attributes, and its mark.
fn content_and_mark<'t>(
    item: &SplitItem<'_, 't>,
    content: &mut ContentHasher,
) -> Option<(ContentHash, Option<RawValue<'t>>)> {
    let mut mark = None;
    content.begin();
    for (name, value) in item.iter() {
        if name == MARK {
            mark = Some(value);
        } else {
            add(content, name, value)?;
        }
    }
    Some((content.finish(), mark))
}

/// Whether a value is a mark of the rule, in the form in which Referee writes it.
fn is_mark(step: &Mirror<'_>, mark: &str) -> bool {
    step.marks.iter().any(|(before, after)| {
        let fence = mark.strip_prefix(&**before).and_then(|rest| rest.strip_suffix(&**after));
        fence.is_some_and(|fence| fence.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

fn add(content: &mut ContentHasher, name: &str, value: RawValue<'_>) -> Option<()> {
    match value {
        RawValue::Text(text) => content.text(name, text),
        RawValue::Other(_) => content.value(name, &decoded(name, value)?),
    }
    Some(())
}

fn decoded<'t>(name: &str, value: RawValue<'t>) -> Option<crate::data::Value<'t>> {
    match value {
        RawValue::Text(text) => Some(crate::data::Value::S(text.into())),
        RawValue::Other(json) => raw_item::value(name, json).ok(),
    }
}

fn reorder<'t>(captures: &Captures<'t>, positions: &[usize]) -> Captures<'t> {
    let mut reordered = Captures::default();
    for (value, position) in reordered.iter_mut().zip(positions) {
        *value = captures.get(*position).copied().unwrap_or_default();
    }
    reordered
}
