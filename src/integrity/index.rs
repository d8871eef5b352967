//! What the rules need, worked out once: per table and per entity.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::data::Key;
use crate::rules::matcher::Matcher;
use crate::rules::model::{
    Copied, Entity, EntityId, Find, Mirror, MirrorId, Mode, OnDelete, OnMissing, Reference,
    ReferenceId, Rules, TableId,
};

/// The attribute in which a mirror carries its mark.
pub const MARK: &str = "_referee";

/// The attributes of a table that the rules look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Every attribute: a mirror copies them all.
    All,
    /// These top-level attributes.
    Names(BTreeSet<String>),
}

impl Wanted {
    /// Whether this attribute is looked at.
    pub(crate) fn contains(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Names(names) => names.contains(name),
        }
    }

    /// The names as a request's projection.
    pub(crate) fn to_projection(&self) -> Option<Vec<String>> {
        match self {
            Self::All => None,
            Self::Names(names) => Some(names.iter().cloned().collect()),
        }
    }

    /// Takes in what another one wants.
    pub(crate) fn extend(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Names(names), Self::Names(others)) => names.extend(others.iter().cloned()),
            (_, Self::All) => *self = Self::All,
            (Self::All, Self::Names(_)) => {}
        }
    }
}

/// The rules that look at an entity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Roles {
    /// References that its items make.
    pub(crate) outgoing: Vec<ReferenceId>,
    /// References that its items are the target of.
    pub(crate) incoming: Vec<ReferenceId>,
    /// Mirrors whose source it is.
    pub(crate) sources: Vec<MirrorId>,
    /// Mirrors that it is.
    pub(crate) mirrors: Vec<MirrorId>,
}

impl Roles {
    fn is_empty(&self) -> bool {
        self.outgoing.is_empty()
            && self.incoming.is_empty()
            && self.sources.is_empty()
            && self.mirrors.is_empty()
    }
}

/// What the rules need.
#[derive(Debug)]
pub(crate) struct Plan {
    matchers: Vec<Matcher>,
    entities: Vec<EntityPlan>,
    /// What each mirror looks at in its source.
    sources: Vec<Wanted>,
    /// What each reference looks at in the referencing item.
    referencing: Vec<Wanted>,
}

#[derive(Debug)]
struct EntityPlan {
    roles: Roles,
    /// What the rules look at in its items.
    wanted: Wanted,
    /// What tells whether an item of it exists.
    existence: Wanted,
}

impl Plan {
    /// Works out what the rules need.
    pub(crate) fn new(rules: &Rules) -> Self {
        let entities: Vec<EntityPlan> = roles(rules)
            .into_iter()
            .zip(&rules.entities)
            .map(|(roles, entity)| EntityPlan {
                wanted: entity_wants(rules, entity, &roles),
                existence: existence_wants(rules, entity),
                roles,
            })
            .collect();
        let referencing =
            rules.references.iter().map(|reference| referencing_wants(rules, reference)).collect();
        let sources = rules.mirrors.iter().map(|mirror| source_wants(rules, mirror)).collect();
        let used = |table| {
            rules
                .entities
                .iter()
                .zip(&entities)
                .enumerate()
                .filter(move |(_, (entity, plan))| entity.table == table && !plan.roles.is_empty())
                .map(|(place, (entity, _))| (EntityId(place), &entity.key))
        };
        let matchers = (0..rules.tables.len())
            .map(|place| Matcher::new(&used(TableId(place)).collect::<Vec<_>>()))
            .collect();
        Self { matchers, entities, sources, referencing }
    }

    /// The entities that a key of this table may belong to.
    pub(crate) fn candidates(&self, table: TableId, key: &Key<'_>) -> &[EntityId] {
        self.matchers.get(table.0).map_or(&[], |matcher| matcher.candidates(key))
    }

    /// The rules that look at an entity.
    pub(crate) fn roles(&self, entity: EntityId) -> &Roles {
        &self.entity(entity).roles
    }

    /// What the rules look at in the items of an entity.
    pub(crate) fn wanted(&self, entity: EntityId) -> &Wanted {
        &self.entity(entity).wanted
    }

    /// What tells whether an item of an entity exists: its key and its conditions.
    pub(crate) fn existence(&self, entity: EntityId) -> Cow<'_, Wanted> {
        Cow::Borrowed(&self.entity(entity).existence)
    }

    /// What a mirror looks at in its source.
    #[expect(clippy::indexing_slicing, reason = "an id is a place in the rules that this plans")]
    pub(crate) fn source(&self, mirror: MirrorId) -> Cow<'_, Wanted> {
        Cow::Borrowed(&self.sources[mirror.0])
    }

    /// What a reference looks at in the referencing item.
    #[expect(clippy::indexing_slicing, reason = "an id is a place in the rules that this plans")]
    pub(crate) fn referencing(&self, reference: ReferenceId) -> Cow<'_, Wanted> {
        Cow::Borrowed(&self.referencing[reference.0])
    }

    #[expect(clippy::indexing_slicing, reason = "an id is a place in the rules that this plans")]
    fn entity(&self, entity: EntityId) -> &EntityPlan {
        &self.entities[entity.0]
    }
}

fn roles(rules: &Rules) -> Vec<Roles> {
    let mut by_entity = vec![Roles::default(); rules.entities.len()];
    let mut add = |entity: EntityId, add: &dyn Fn(&mut Roles)| {
        if let Some(roles) = by_entity.get_mut(entity.0) {
            add(roles);
        }
    };
    for (place, reference) in rules.references.iter().enumerate() {
        if reference.mode != Mode::Off {
            add(reference.from, &|roles| roles.outgoing.push(ReferenceId(place)));
            add(reference.to, &|roles| roles.incoming.push(ReferenceId(place)));
        }
    }
    for (place, mirror) in rules.mirrors.iter().enumerate() {
        if mirror.mode != Mode::Off {
            add(mirror.source, &|roles| roles.sources.push(MirrorId(place)));
            add(mirror.mirror, &|roles| roles.mirrors.push(MirrorId(place)));
        }
    }
    by_entity
}

/// What an entity's rules look at in its items. Of a mirror it is everything: what someone adds to
/// it is an edit too; and of what may be written again as it was.
fn entity_wants(rules: &Rules, entity: &Entity, uses: &Roles) -> Wanted {
    if !uses.mirrors.is_empty() {
        return Wanted::All;
    }
    let mut wanted = existence_wants(rules, entity);
    for reference in uses.outgoing.iter().map(|id| &rules[*id]) {
        wanted.extend(&referencing_wants(rules, reference));
    }
    for reference in uses.incoming.iter().map(|id| &rules[*id]) {
        if reference.on_deletes().contains(&OnDelete::Restore) {
            wanted = Wanted::All;
        }
    }
    for mirror in &uses.sources {
        wanted.extend(&source_wants(rules, &rules[*mirror]));
    }
    wanted
}

/// What tells whether an item of an entity exists: its key and its conditions.
fn existence_wants(rules: &Rules, entity: &Entity) -> Wanted {
    let keys = rules[entity.table].key.names();
    let conditions = entity.conditions.iter().map(|(path, _)| path.root());
    Wanted::Names(keys.chain(conditions).map(str::to_owned).collect())
}

/// What a reference looks at in the referencing item.
fn referencing_wants(rules: &Rules, reference: &Reference) -> Wanted {
    let mut wanted = existence_wants(rules, &rules[reference.from]);
    let roots = reference.paths().map(|path| path.root().to_owned());
    wanted.extend(&Wanted::Names(roots.collect()));
    if reference.on_missing == OnMissing::Revert {
        wanted = Wanted::All;
    }
    if reference.is_recursive() {
        wanted.extend(&Wanted::Names(BTreeSet::from([MARK.to_owned()])));
    }
    wanted
}

/// What a mirror looks at in its source.
fn source_wants(rules: &Rules, mirror: &Mirror) -> Wanted {
    let mut wanted = existence_wants(rules, &rules[mirror.source]);
    match &mirror.copy {
        Copied::All => wanted = Wanted::All,
        Copied::None => {}
        Copied::List(names) => wanted.extend(&Wanted::Names(names.iter().cloned().collect())),
    }
    wanted
}

/// The references in use for which this rule's mirrors lead to who refers.
pub(crate) fn found_by(rules: &Rules, mirror: MirrorId) -> impl Iterator<Item = ReferenceId> {
    let references = rules.references.iter().enumerate();
    let is_found_by_it = move |reference: &Reference| {
        matches!(reference.find, Find::Mirror(id) if id == mirror) && reference.mode != Mode::Off
    };
    references
        .filter(move |(_, reference)| is_found_by_it(reference))
        .map(|(place, _)| ReferenceId(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_looked_at_is_asked_for() {
        let names =
            |names: &[&str]| Wanted::Names(names.iter().map(|name| (*name).to_owned()).collect());
        let mut wanted = names(&["kind"]);
        wanted.extend(&names(&["by"]));
        assert!(wanted.contains("by") && wanted.contains("kind") && !wanted.contains("notes"));
        assert_eq!(wanted.to_projection(), Some(vec!["by".to_owned(), "kind".to_owned()]));
        wanted.extend(&Wanted::All);
        assert!(wanted.contains("notes"));
        assert_eq!(wanted.to_projection(), None);
    }
}
