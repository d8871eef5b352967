//! What the rules need, worked out once: per table and per entity.

use std::collections::BTreeSet;

use crate::data::Key;
use crate::rules::matcher::Matcher;
use crate::rules::model::{
    Copied, Entity, EntityId, MirrorId, Mode, Reference, ReferenceId, Rules, Source, TableId,
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
}

#[derive(Debug)]
struct EntityPlan {
    roles: Roles,
    wanted: Wanted,
}

impl Plan {
    /// Works out what the rules need.
    pub(crate) fn new(rules: &Rules) -> Self {
        let entities: Vec<EntityPlan> = roles(rules)
            .into_iter()
            .zip(&rules.entities)
            .map(|(roles, entity)| EntityPlan {
                wanted: entity_wants(rules, entity, &roles),
                roles,
            })
            .collect();
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
        Self { matchers, entities }
    }

    /// The entities that a key of this table may belong to.
    pub(crate) fn candidates(&self, table: TableId, key: &Key<'_>) -> &[EntityId] {
        self.matchers.get(table.0).map_or(&[], |matcher| matcher.candidates(key))
    }

    /// The rules that look at an entity.
    pub(crate) fn roles(&self, entity: EntityId) -> Option<&Roles> {
        self.entities.get(entity.0).map(|plan| &plan.roles)
    }

    /// What the rules look at in the items of an entity.
    pub(crate) fn wanted(&self, entity: EntityId) -> Option<&Wanted> {
        self.entities.get(entity.0).map(|plan| &plan.wanted)
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
/// it is an edit too.
fn entity_wants(rules: &Rules, entity: &Entity, uses: &Roles) -> Wanted {
    if !uses.mirrors.is_empty() {
        return Wanted::All;
    }
    let mut wanted = existence_wants(rules, entity);
    for reference in &uses.outgoing {
        wanted.extend(&reference_wants(&rules[*reference]));
    }
    for mirror in &uses.sources {
        wanted.extend(&copy_wants(&rules[*mirror].copy));
    }
    wanted
}

/// What tells whether an item of an entity exists: its key and its conditions.
pub(crate) fn existence_wants(rules: &Rules, entity: &Entity) -> Wanted {
    let keys = rules[entity.table].key.names();
    let conditions = entity.conditions.iter().map(|(path, _)| path.root());
    Wanted::Names(keys.chain(conditions).map(str::to_owned).collect())
}

/// What a reference looks at in the referencing item.
pub(crate) fn reference_wants(reference: &Reference) -> Wanted {
    let roots = reference.components.iter().filter_map(|component| match component {
        Source::Capture(_) => None,
        Source::Attribute(path, _) | Source::Elements(path, _) => Some(path.root().to_owned()),
    });
    Wanted::Names(roots.collect())
}

/// What a mirror looks at in its source.
pub(crate) fn copy_wants(copied: &Copied) -> Wanted {
    match copied {
        Copied::All => Wanted::All,
        Copied::None => Wanted::Names(BTreeSet::new()),
        Copied::List(names) => Wanted::Names(names.iter().cloned().collect()),
    }
}
