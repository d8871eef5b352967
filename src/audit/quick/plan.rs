//! What to do with the items of a table, prepared from the rules: the usual kinds of rule only.

use super::names::{NameId, Names};
use super::scanner::{Attributes, RawValue, SplitItem};
use crate::audit::excerpt::{self, Kept};
use crate::data::{KeyKind, KeySchema, KeyValue, Type, Value};
use crate::integrity::index::{Index, Role};
use crate::integrity::mark::MARK;
use crate::integrity::mirror::name_in_mirror;
use crate::integrity::reference;
use crate::rules::model::{
    Component, Copied, Discriminator, Entity, EntityId, Matching, MirrorId, MirrorPart, Reference,
    ReferenceId, Rules, TableId, Test,
};
use crate::rules::template::EntityKey;

/// The maximum number of captures in a key.
pub(super) const CAPTURES_MAX: usize = 8;

/// The plan for the items of one table.
#[derive(Debug)]
pub(super) struct TablePlan<'r> {
    pub(super) partition: Wanted<'r>,
    pub(super) sort: Option<Wanted<'r>>,
    pub(super) entities: Vec<EntityPlan<'r>>,
    /// The attributes of an item's excerpt.
    pub(super) excerpt: Vec<Wanted<'r>>,
}

/// The plan for the items of one entity.
#[derive(Debug)]
pub(super) struct EntityPlan<'r> {
    pub(super) id: EntityId,
    pub(super) key: &'r EntityKey,
    /// How the texts of a key begin.
    start: (KeyStart, Option<KeyStart>),
    /// The attributes in the entity's `where`, with what it requires of them.
    pub(super) conditions: Vec<(Wanted<'r>, &'r Test)>,
    pub(super) is_referenced: bool,
    /// The TTL attribute, if a rule asks whether the entity's items have expired.
    pub(super) ttl: Option<Wanted<'r>>,
    /// Whether a rule treats expired items as absent.
    pub(super) is_absent_if_expired: bool,
    pub(super) steps: Vec<Step<'r>>,
    /// Whether the plan covers everything that the rules look at in the entity's items.
    pub(super) is_complete: bool,
}

/// What a rule looks at in an item.
#[derive(Debug)]
pub(super) enum Step<'r> {
    Refer(Refer<'r>),
    Require(Require<'r>),
    Mirror(Mirror<'r>),
}

/// The item refers to another one.
#[derive(Debug)]
pub(super) struct Refer<'r> {
    pub(super) rule: ReferenceId,
    pub(super) table: TableId,
    pub(super) key: &'r EntityKey,
    pub(super) parts: Vec<Part<'r>>,
    /// The texts that mean that an attribute is absent.
    pub(super) none: Vec<&'r str>,
    /// The values of the discriminator, if there is one.
    pub(super) when: Option<When<'r>>,
    /// Whether it is a violation if this number of attributes is absent: by number, from 0.
    pub(super) is_broken_without: Vec<bool>,
}

/// The values of a discriminator.
#[derive(Debug)]
pub(super) struct When<'r> {
    /// The position of the discriminator among the parts.
    pub(super) part: usize,
    /// The value that leads to this alternative.
    pub(super) value: &'r str,
    /// The values that lead to the others.
    pub(super) others: Vec<&'r str>,
    /// Whether this is the first alternative, which reports a value that leads to none.
    pub(super) is_first: bool,
}

/// A part of a reference.
#[derive(Debug)]
pub(super) enum Part<'r> {
    Capture(usize),
    Attribute(Wanted<'r>),
}

/// The item requires a mirror.
#[derive(Debug)]
pub(super) struct Require<'r> {
    pub(super) rule: MirrorId,
    pub(super) key: &'r EntityKey,
    pub(super) schema: &'r KeySchema,
    pub(super) captures: Vec<usize>,
    pub(super) copied: CopiedAttributes<'r>,
}

/// The attributes that a mirror copies.
#[derive(Debug)]
pub(super) enum CopiedAttributes<'r> {
    /// All but these.
    AllBut(Vec<&'r str>),
    These(Vec<Wanted<'r>>),
}

/// The item is at the key of a mirror.
#[derive(Debug)]
pub(super) struct Mirror<'r> {
    pub(super) rule: MirrorId,
    pub(super) source: &'r EntityKey,
    pub(super) captures: &'r [usize],
    /// The text before and after the fence in a mark, if `rule` or `fence` comes first.
    pub(super) marks: [(String, String); 2],
}

/// An attribute that a plan needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'r> {
    name: &'r str,
    id: NameId,
}

impl<'r> Wanted<'r> {
    fn new(name: &'r str, names: &mut Names) -> Self {
        Self { name, id: names.add(name.as_bytes()) }
    }

    pub(super) const fn name(&self) -> &'r str {
        self.name
    }

    /// The attribute's value in an item.
    pub(super) fn of<'t>(&self, item: &SplitItem<'_, 't>) -> Option<RawValue<'t>> {
        item.find(self.id)
    }

    /// The attribute in the excerpt of the item that was split last, which has this text.
    pub(super) fn kept<'t>(&self, attributes: &Attributes, text: &'t [u8]) -> Kept<'t> {
        attributes.kept(text, self.id)
    }
}

impl<'r> TablePlan<'r> {
    /// The plan for a table; `None` if its keys are not texts, or have too many captures.
    pub(super) fn new(
        rules: &'r Rules,
        index: &Index,
        names: &mut Names,
        table: TableId,
    ) -> Option<Self> {
        let schema = &rules[table].key;
        let entities = (0..).map(EntityId).zip(&rules.entities);
        let of_table = entities.filter(|(_, entity)| entity.table == table);
        let is_text = schema.attributes().all(|attribute| attribute.kind == KeyKind::S);
        let is_short =
            of_table.clone().all(|(_, entity)| entity.key.captures().len() <= CAPTURES_MAX);
        (is_text && is_short).then(|| Self {
            partition: Wanted::new(&schema.partition.name, names),
            sort: schema.sort.as_ref().map(|sort| Wanted::new(&sort.name, names)),
            entities: of_table
                .map(|(id, entity)| EntityPlan::new(rules, index, names, id, entity))
                .collect(),
            excerpt: excerpt::names(rules, table)
                .into_iter()
                .map(|name| Wanted::new(name, names))
                .collect(),
        })
    }
}

impl<'r> EntityPlan<'r> {
    fn new(
        rules: &'r Rules,
        index: &Index,
        names: &mut Names,
        id: EntityId,
        entity: &'r Entity,
    ) -> Self {
        let of_entity = index.roles(id);
        let is_in_index = |role: &&Role| matches!(role, Role::Referenced(rule) if rules.view(rules[*rule].to).is_some());
        let is_usual = !of_entity.iter().any(|role| is_in_index(&role));
        let steps = of_entity.iter().filter(|role| !matches!(role, Role::Referenced(_)));
        let steps: Option<Vec<_>> = steps.map(|role| step(rules, names, *role)).collect();
        let conditions: Option<Vec<_>> = entity
            .conditions
            .iter()
            .map(|(path, test)| Some((Wanted::new(path.only_name()?, names), test)))
            .collect();
        let is_absent_if_expired = of_entity.iter().any(|role| match role {
            Role::Referenced(rule) => reference::ttl(rules, &rules[*rule]).is_some(),
            Role::Referencing(_) | Role::Source(_) | Role::Mirror(_) => false,
        });
        let is_source = of_entity.iter().any(|role| matches!(role, Role::Source(_)));
        let ttl = rules[entity.table].ttl.as_deref();
        Self {
            id,
            key: &entity.key,
            start: (
                KeyStart::of(entity.key.partition().literal_prefix()),
                entity.key.sort().map(|sort| KeyStart::of(sort.literal_prefix())),
            ),
            ttl: ttl
                .filter(|_| is_absent_if_expired || is_source)
                .map(|name| Wanted::new(name, names)),
            is_absent_if_expired,
            is_referenced: of_entity.iter().any(|role| matches!(role, Role::Referenced(_))),
            is_complete: steps.is_some() && conditions.is_some() && is_usual,
            steps: steps.unwrap_or_default(),
            conditions: conditions.unwrap_or_default(),
        }
    }
}

impl EntityPlan<'_> {
    /// Whether a key that begins like this can be one of the entity's keys. If so, it has to be
    /// compared with the whole template.
    pub(super) fn may_have(&self, (partition, sort): (KeyStart, Option<KeyStart>)) -> bool {
        let is_sort = match (self.start.1, sort) {
            (Some(start), Some(sort)) => start.begins(sort),
            (Some(_) | None, _) => true,
        };
        is_sort && self.start.0.begins(partition)
    }
}

/// The first bytes of a text. Comparing them excludes most entities in a few instructions.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyStart {
    bytes: u64,
    /// Has the bits of the bytes that the text has.
    mask: u64,
}

impl KeyStart {
    /// The first bytes of a text.
    pub(super) fn of(text: &str) -> Self {
        let text = text.as_bytes();
        if let Some(first) = text.first_chunk() {
            return Self { bytes: u64::from_be_bytes(*first), mask: u64::MAX };
        }
        let bytes = text.iter().fold(0, |bytes, byte| bytes << 8 | u64::from(*byte));
        let unused = 64 - 8 * text.len();
        let left = |bits: u64| bits.checked_shl(u32::try_from(unused).unwrap_or(64)).unwrap_or(0);
        Self { bytes: left(bytes), mask: left(u64::MAX) }
    }

    /// Whether a text that begins with `other` may begin with this one.
    const fn begins(self, other: Self) -> bool {
        (self.bytes ^ other.bytes) & self.mask == 0
    }
}

fn step<'r>(rules: &'r Rules, names: &mut Names, role: Role) -> Option<Step<'r>> {
    match role {
        Role::Referenced(_) => None,
        Role::Referencing(id) => refer(rules, names, id).map(Step::Refer),
        Role::Source(id) => require(rules, names, id).map(Step::Require),
        Role::Mirror(id) => mirror(rules, id).map(Step::Mirror),
    }
}

fn refer<'r>(rules: &'r Rules, names: &mut Names, rule: ReferenceId) -> Option<Refer<'r>> {
    let reference = &rules[rule];
    let (from, to) = (&rules[reference.from], &rules[reference.to]);
    let parts: Option<Vec<_>> = reference
        .components
        .iter()
        .zip(&reference.contained)
        .map(|(component, contained)| match component {
            _ if contained.is_some() => None,
            Component::Capture(index) => Some(Part::Capture(*index)),
            Component::Attribute(path, Type::S) => {
                Some(Part::Attribute(Wanted::new(path.only_name()?, names)))
            }
            Component::Attribute(..)
            | Component::Elements(..)
            | Component::Field(..)
            | Component::Constant(_) => None,
        })
        .collect();
    (from.key.is_text() && to.key.is_text()).then_some(())?;
    (reference.components.len() <= CAPTURES_MAX).then_some(())?;
    // The other items of a union are facts of their own.
    (!reference.alternative.is_union()).then_some(())?;
    Some(Refer {
        rule,
        table: to.table,
        key: &to.key,
        parts: parts?,
        none: none_texts(reference),
        when: match &reference.alternative.discriminator {
            Some(discriminator) => Some(when(reference, discriminator)?),
            None => None,
        },
        is_broken_without: is_broken_without(reference),
    })
}

/// The values of a discriminator; `None` if they are no texts.
fn when<'r>(reference: &Reference, discriminator: &'r Discriminator) -> Option<When<'r>> {
    let Discriminator { component, value, others } = discriminator;
    Some(When {
        part: *component,
        value: text_of(value)?,
        others: others.iter().map(text_of).collect::<Option<_>>()?,
        is_first: reference.alternative.is_first,
    })
}

fn text_of<'v>(value: &'v KeyValue<'static>) -> Option<&'v str> {
    if let KeyValue::S(text) = value { Some(text) } else { None }
}

/// The texts that mean that there is no reference. Other values are not usual.
fn none_texts(reference: &Reference) -> Vec<&str> {
    reference
        .none
        .iter()
        .filter_map(|value| if let Value::S(text) = value { Some(&**text) } else { None })
        .collect()
}

fn is_broken_without(reference: &Reference) -> Vec<bool> {
    let all = reference.paths().count();
    let is_partly = |absent| absent > 0 && absent < all && reference.matching == Matching::Full;
    (0..=all).map(|absent| absent > 0 && (is_partly(absent) || reference.required)).collect()
}

fn require<'r>(rules: &'r Rules, names: &mut Names, id: MirrorId) -> Option<Require<'r>> {
    let rule = &rules[id];
    let mirror = rules.mirror_of(id);
    let is_usual = mirror.key.is_text() && mirror.conditions.is_empty();
    let captures = rule.mirror_from_source.iter().map(|part| match part {
        MirrorPart::Capture(index) => Some(*index),
        MirrorPart::Attribute(..) => None,
    });
    let captures: Option<Vec<_>> = captures.collect();
    is_usual.then_some(())?;
    let keys = |entity| rules.key_schema(entity).names();
    let copied = match &rule.copy {
        Copied::All | Copied::Except(_) => {
            let except = match &rule.copy {
                Copied::Except(names) => names.as_slice(),
                Copied::All | Copied::None | Copied::List(_) | Copied::Renamed(_) => &[],
            };
            let ttl = rules.table_of(rule.mirror).ttl.iter();
            let left_out = except.iter().chain(ttl).map(String::as_str).chain([MARK]);
            CopiedAttributes::AllBut(
                left_out.chain(keys(rule.source)).chain(keys(rule.mirror)).collect(),
            )
        }
        // The attributes of both items are compared by their names.
        Copied::Renamed(_) => return None,
        Copied::None => CopiedAttributes::These(Vec::new()),
        Copied::List(list) => {
            let mut copied: Vec<&str> = list.iter().map(String::as_str).collect();
            copied.sort_unstable();
            copied.dedup();
            copied.retain(|name| name_in_mirror(rules, rule, name).is_some());
            CopiedAttributes::These(
                copied.into_iter().map(|name| Wanted::new(name, names)).collect(),
            )
        }
    };
    Some(Require {
        rule: id,
        key: &mirror.key,
        schema: rules.key_schema(rule.mirror),
        captures: captures?,
        copied,
    })
}

fn mirror(rules: &Rules, id: MirrorId) -> Option<Mirror<'_>> {
    let rule = &rules[id];
    let source = rules.source_of(id);
    let is_usual = source.key.is_text() && rules.mirror_of(id).conditions.is_empty();
    let of_rule = format!(r#""rule":{{"S":"{}"}}"#, rule.name);
    is_usual.then(|| Mirror {
        rule: id,
        source: &source.key,
        captures: &rule.source_from_mirror,
        marks: [
            (format!(r#"{{"M":{{{of_rule},"fence":{{"S":""#), r#""}}}"#.to_owned()),
            (r#"{"M":{"fence":{"S":""#.to_owned(), format!(r#""}},{of_rule}}}}}"#)),
        ],
    })
}
