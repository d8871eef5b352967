//! The rules, indexed once: which entities a key may belong to, which rules look at them, and at
//! which attributes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::mark::MARK;
use super::reference;
use crate::data::Key;
use crate::rules::matcher::Matcher;
use crate::rules::model::{
    Copied, Entity, EntityId, Find, Mirror, MirrorId, Mode, OnDelete, OnMissing, Reference,
    ReferenceId, Rules, TableId,
};
use crate::rules::template::Captures;

/// The attributes that the rules look at in an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Projection {
    /// Every attribute.
    All,
    /// These top-level attributes.
    Names(Names),
}

/// Names of attributes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Names {
    names: BTreeSet<String>,
    /// Bit `n` is set if a name has `n` bytes, modulo 64. An item can have many attributes, and most
    /// of the others need no comparison.
    lengths: u64,
}

impl Names {
    fn contains(&self, name: &str) -> bool {
        self.lengths & length_bit(name) != 0 && self.names.contains(name)
    }
}

const fn length_bit(name: &str) -> u64 {
    1 << (name.len() % 64)
}

impl Extend<String> for Names {
    fn extend<I: IntoIterator<Item = String>>(&mut self, names: I) {
        let Self { names: known, lengths } = self;
        known.extend(names.into_iter().inspect(|name| *lengths |= length_bit(name)));
    }
}

impl FromIterator<String> for Projection {
    fn from_iter<I: IntoIterator<Item = String>>(of: I) -> Self {
        let mut names = Names::default();
        names.extend(of);
        Self::Names(names)
    }
}

impl Projection {
    /// No attribute.
    pub(crate) const fn none() -> Self {
        Self::Names(Names { names: BTreeSet::new(), lengths: 0 })
    }

    /// Whether the rules look at this attribute.
    pub(crate) fn contains(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Names(names) => names.contains(name),
        }
    }

    /// The names of the attributes to request; `None` for all attributes.
    pub(crate) fn names(&self) -> Option<Vec<String>> {
        match self {
            Self::All => None,
            Self::Names(Names { names, .. }) => Some(names.iter().cloned().collect()),
        }
    }

    /// Adds the attributes of another projection.
    pub(crate) fn extend(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Names(names), Self::Names(others)) => names.extend(others.names.iter().cloned()),
            (_, Self::All) => *self = Self::All,
            (Self::All, Self::Names(_)) => {}
        }
    }
}

/// The role of an entity's items in a rule.
///
/// Invariant: the engine applies a rule to an item only through a role. A new kind of rule needs a
/// new variant, and the compiler then requires code for the attributes that the rule looks at and
/// for the work that it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Sources of a mirror.
    Source(MirrorId),
    /// Mirrors of a source.
    Mirror(MirrorId),
    /// The referencing items of a reference.
    Referencing(ReferenceId),
    /// The referenced items of a reference.
    Referenced(ReferenceId),
}

/// The rules, indexed for the engine's lookups.
#[derive(Debug)]
pub(crate) struct Index {
    /// For each table, the entities that rules use.
    matchers: Vec<Matcher>,
    /// For each table, the entities that no rule uses.
    unused: Vec<Matcher>,
    entities: Vec<EntityIndex>,
    /// The attributes that each mirror looks at in its source.
    sources: Vec<Projection>,
    /// The attributes that each reference looks at in the referencing item.
    referencing: Vec<Projection>,
    /// The attributes that decide for each reference whether the referenced item exists.
    targets: Vec<Projection>,
}

#[derive(Debug)]
struct EntityIndex {
    roles: Vec<Role>,
    /// The attributes that the rules look at in the entity's items.
    projection: Projection,
    /// The attributes that decide whether an item of the entity exists.
    #[cfg(feature = "cli")]
    existence: Projection,
}

impl Index {
    /// Indexes the rules.
    pub(crate) fn new(rules: &Rules) -> Self {
        let entities: Vec<EntityIndex> = roles(rules)
            .into_iter()
            .zip(&rules.entities)
            .map(|(roles, entity)| EntityIndex {
                projection: entity_projection(rules, entity, &roles),
                #[cfg(feature = "cli")]
                existence: existence_projection(rules, entity),
                roles,
            })
            .collect();
        let referencing =
            rules.references.iter().map(|rule| referencing_projection(rules, rule)).collect();
        let references = (0..rules.references.len()).map(ReferenceId);
        let targets = references.map(|rule| target_projection(rules, rule)).collect();
        let sources = rules.mirrors.iter().map(|rule| source_projection(rules, rule)).collect();
        let matcher = |table, is_used: bool| {
            let of_table = rules.entities.iter().zip(&entities).enumerate();
            let chosen = of_table.filter(|(_, (entity, index))| {
                entity.table == table && index.roles.is_empty() != is_used
            });
            let keys = chosen.map(|(position, (entity, _))| (EntityId(position), &entity.key));
            Matcher::new(&keys.collect::<Vec<_>>())
        };
        let matchers = |is_used| {
            (0..rules.tables.len()).map(|position| matcher(TableId(position), is_used)).collect()
        };
        Self {
            matchers: matchers(true),
            unused: matchers(false),
            entities,
            sources,
            referencing,
            targets,
        }
    }

    /// The entities that a key of this table may belong to.
    pub(crate) fn candidates(&self, table: TableId, key: &Key<'_>) -> &[EntityId] {
        self.matchers.get(table.0).map_or(&[], |matcher| matcher.candidates(key))
    }

    /// The entities that a key of this table belongs to, each with the values of its captures.
    pub(crate) fn matching<'m, 'k>(
        &'m self,
        rules: &'m Rules,
        table: TableId,
        key: &'k Key<'_>,
    ) -> impl Iterator<Item = (EntityId, Captures<'k>)> + use<'m, 'k> {
        let candidates = self.candidates(table, key).iter();
        candidates.filter_map(|id| Some((*id, rules[*id].key.parse(key)?)))
    }

    /// The entities that no rule uses to which a key of this table belongs.
    pub(crate) fn matching_unused<'m>(
        &'m self,
        rules: &'m Rules,
        table: TableId,
        key: &Key<'_>,
    ) -> impl Iterator<Item = EntityId> {
        let candidates = self.unused.get(table.0).map_or(&[][..], |it| it.candidates(key)).iter();
        candidates.copied().filter(|id| rules[*id].key.matches(key))
    }

    /// The attributes that the rules look at in the item with this key, by entity. Empty if no rule
    /// looks at it.
    pub(crate) fn projections<'m>(
        &'m self,
        rules: &'m Rules,
        table: TableId,
        key: &Key<'_>,
    ) -> Vec<&'m Projection> {
        self.matching(rules, table, key).map(|(entity, _)| self.projection(entity)).collect()
    }

    /// The roles of the entity's items.
    pub(crate) fn roles(&self, entity: EntityId) -> &[Role] {
        &self.entity(entity).roles
    }

    /// The attributes that the rules look at in an entity's items.
    pub(crate) fn projection(&self, entity: EntityId) -> &Projection {
        &self.entity(entity).projection
    }

    /// The attributes that decide whether an item of an entity exists: its key, and those in the
    /// entity's conditions.
    #[cfg(feature = "cli")]
    pub(crate) fn existence(&self, entity: EntityId) -> Cow<'_, Projection> {
        Cow::Borrowed(&self.entity(entity).existence)
    }

    /// The attributes that decide whether the item exists that a reference refers to.
    #[expect(clippy::indexing_slicing, reason = "an id is a position in the rules indexed here")]
    pub(crate) fn target(&self, reference: ReferenceId) -> Cow<'_, Projection> {
        Cow::Borrowed(&self.targets[reference.0])
    }

    /// The attributes that a mirror looks at in its source.
    #[expect(clippy::indexing_slicing, reason = "an id is a position in the rules indexed here")]
    pub(crate) fn source(&self, mirror: MirrorId) -> Cow<'_, Projection> {
        Cow::Borrowed(&self.sources[mirror.0])
    }

    /// The attributes that a reference looks at in the referencing item.
    #[expect(clippy::indexing_slicing, reason = "an id is a position in the rules indexed here")]
    pub(crate) fn referencing(&self, reference: ReferenceId) -> Cow<'_, Projection> {
        Cow::Borrowed(&self.referencing[reference.0])
    }

    /// The attributes in an item's images that decide what work a change in this role requires and,
    /// if that becomes a violation, how it is resolved.
    pub(crate) fn of_work(rules: &Rules, role: Role) -> Projection {
        let mut projection = match role {
            // What an edited mirror contains is read again.
            Role::Mirror(mirror) => existence_projection(rules, rules.mirror_of(mirror)),
            Role::Source(_) | Role::Referencing(_) | Role::Referenced(_) => {
                role_projection(rules, role)
            }
        };
        projection.extend(&Projection::from_iter([MARK.to_owned()]));
        projection
    }

    #[expect(clippy::indexing_slicing, reason = "an id is a position in the rules indexed here")]
    fn entity(&self, entity: EntityId) -> &EntityIndex {
        &self.entities[entity.0]
    }
}

fn roles(rules: &Rules) -> Vec<Vec<Role>> {
    let mut by_entity = vec![Vec::new(); rules.entities.len()];
    let mut add = |entity: EntityId, role: Role| {
        if let Some(roles) = by_entity.get_mut(entity.0) {
            roles.push(role);
        }
    };
    // Mirrors come first: they are written before anything is read.
    for (position, mirror) in rules.mirrors.iter().enumerate() {
        if mirror.mode != Mode::Off {
            add(mirror.source, Role::Source(MirrorId(position)));
            add(mirror.mirror, Role::Mirror(MirrorId(position)));
        }
    }
    for (position, reference) in rules.references.iter().enumerate() {
        if reference.mode != Mode::Off {
            add(reference.from, Role::Referencing(ReferenceId(position)));
            add(rules.declared(reference.to), Role::Referenced(ReferenceId(position)));
        }
    }
    by_entity
}

/// The attributes that an entity's rules look at in its items.
fn entity_projection(rules: &Rules, entity: &Entity, of_entity: &[Role]) -> Projection {
    let mut projection = existence_projection(rules, entity);
    for role in of_entity {
        projection.extend(&role_projection(rules, *role));
    }
    projection
}

fn role_projection(rules: &Rules, role: Role) -> Projection {
    match role {
        Role::Source(mirror) => source_projection(rules, &rules[mirror]),
        // Adding an attribute to a mirror is an edit, too.
        Role::Mirror(_) => Projection::All,
        Role::Referencing(reference) => referencing_projection(rules, &rules[reference]),
        Role::Referenced(reference) => {
            // Restoring a deleted item requires all of its attributes.
            if rules[reference].on_deletes().contains(&OnDelete::Restore) {
                Projection::All
            } else {
                target_projection(rules, reference)
            }
        }
    }
}

/// The attributes that decide whether an item of an entity exists: its key, and those in the
/// entity's conditions.
fn existence_projection(rules: &Rules, entity: &Entity) -> Projection {
    let keys = rules[entity.table].key.names();
    let conditions = entity.conditions.iter().map(|(path, _)| path.root());
    keys.chain(conditions).map(str::to_owned).collect()
}

/// The attributes that decide whether the item exists that a reference refers to.
fn target_projection(rules: &Rules, rule: ReferenceId) -> Projection {
    let mut projection = existence_projection(rules, rules.referenced(rule));
    let ttl = reference::ttl(rules, &rules[rule]).map(str::to_owned);
    projection.extend(&ttl.into_iter().collect());
    // An item that is found in an index is read by the key of its table.
    let declared = rules.declared(rules[rule].to);
    let keys = rules.key_schema(declared).names().map(str::to_owned);
    projection.extend(&keys.collect());
    projection
}

/// The attributes that a reference looks at in the referencing item.
fn referencing_projection(rules: &Rules, reference: &Reference) -> Projection {
    let mut projection = existence_projection(rules, &rules[reference.from]);
    let roots = reference.paths().map(|path| path.root().to_owned());
    let derived = reference.derived.iter().map(|derived| derived.attribute.clone());
    projection.extend(&roots.chain(derived).collect());
    if matches!(reference.find, Find::Mirror(_)) {
        let ttl = rules.table_of(reference.from).ttl.clone();
        projection.extend(&ttl.into_iter().collect());
    }
    // An item may refer to itself.
    if rules[reference.from].table == rules[reference.to].table {
        let ttl = reference::ttl(rules, reference).map(str::to_owned);
        projection.extend(&ttl.into_iter().collect());
    }
    if reference.on_missing == OnMissing::Revert {
        projection = Projection::All;
    }
    if reference.is_recursive() {
        projection.extend(&Projection::from_iter([MARK.to_owned()]));
    }
    projection
}

/// The attributes that a mirror looks at in its source.
fn source_projection(rules: &Rules, mirror: &Mirror) -> Projection {
    let mut projection = existence_projection(rules, &rules[mirror.source]);
    let ttl = rules.table_of(mirror.source).ttl.clone();
    let of_key = mirror.key_attributes().map(str::to_owned);
    projection.extend(&of_key.chain(ttl).collect());
    match &mirror.copy {
        Copied::All | Copied::Except(_) => projection = Projection::All,
        Copied::None => {}
        Copied::List(names) => {
            projection.extend(&names.iter().cloned().collect());
        }
        Copied::Renamed(names) => {
            let names = names.iter().map(|(name, _)| name.clone());
            projection.extend(&names.collect());
        }
    }
    projection
}

/// Returns the references that use this rule's mirrors to find their referencing items.
pub(crate) fn looked_up_by(rules: &Rules, mirror: MirrorId) -> impl Iterator<Item = ReferenceId> {
    let references = rules.references.iter().enumerate();
    let is_looked_up_by_it = move |reference: &Reference| {
        matches!(reference.find, Find::Mirror(id) if id == mirror) && reference.mode != Mode::Off
    };
    references
        .filter(move |(_, reference)| is_looked_up_by_it(reference))
        .map(|(position, _)| ReferenceId(position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projection_has_exactly_the_names_that_were_added() {
        let names = |names: &[&str]| -> Projection {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let mut projection = names(&["kind"]);
        projection.extend(&names(&["by"]));
        assert!(
            projection.contains("by")
                && projection.contains("kind")
                && !projection.contains("notes")
        );
        assert_eq!(projection.names(), Some(vec!["by".to_owned(), "kind".to_owned()]));
        projection.extend(&Projection::All);
        assert!(projection.contains("notes"));
        assert_eq!(projection.names(), None);
    }
}
