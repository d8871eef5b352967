//! Needs: the item actions that the engine uses for its rules, and the tables it uses them on.

use std::collections::{BTreeMap, BTreeSet};

use crate::preflight::{audited, tables_in_use};
use crate::rules::model::{
    EntityId, Find, Mirror, Mode, OnDelete, OnMirrorDelete, OnMissing, Reference, Rules, TableId,
};
use crate::rules::template::EntityKey;

/// An IAM action on items, or on their tables.
///
/// A transaction has no action of its own: each part needs the action of the corresponding request,
/// and a `ConditionCheck` needs `ConditionCheckItem`.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ItemAction {
    BatchGetItem,
    ConditionCheckItem,
    DeleteItem,
    DescribeTable,
    PutItem,
    Query,
    Scan,
    UpdateItem,
}

impl ItemAction {
    /// Its name in DynamoDB's API.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::BatchGetItem => "BatchGetItem",
            Self::ConditionCheckItem => "ConditionCheckItem",
            Self::DeleteItem => "DeleteItem",
            Self::DescribeTable => "DescribeTable",
            Self::PutItem => "PutItem",
            Self::Query => "Query",
            Self::Scan => "Scan",
            Self::UpdateItem => "UpdateItem",
        }
    }

    /// Whether it changes an item.
    pub(super) const fn is_write(self) -> bool {
        match self {
            Self::DeleteItem | Self::PutItem | Self::UpdateItem => true,
            Self::BatchGetItem
            | Self::ConditionCheckItem
            | Self::DescribeTable
            | Self::Query
            | Self::Scan => false,
        }
    }
}

/// The pattern of the partition keys that this template makes, in the syntax of IAM; `None` if they
/// may begin with any text, or are not text.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars>
fn leading_pattern(key: &EntityKey) -> Option<String> {
    let partition = key.partition();
    let mut pattern = String::new();
    for character in partition.literal_prefix().chars() {
        match character {
            '*' | '?' | '$' => pattern.extend(["${", character.encode_utf8(&mut [0; 4]), "}"]),
            _ => pattern.push(character),
        }
    }
    if partition.captures().next().is_some() && !pattern.is_empty() {
        pattern.push('*');
    }
    Some(pattern).filter(|pattern| !pattern.is_empty())
}

/// The resource of an action: a table or an index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Resource<'r> {
    /// The table's name in DynamoDB.
    pub(super) table: &'r str,
    /// The index, if the action is a query of an index. Such a query needs no permission on the
    /// table itself.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/iam-policy-specific-table-indexes.html>
    pub(super) index: Option<&'r str>,
}

/// Actions, each with a resource that it is needed on.
pub(super) type Actions<'r> = BTreeSet<(ItemAction, Resource<'r>)>;

/// What the engine needs for its rules.
#[derive(Debug, Default)]
pub(super) struct Needs<'r> {
    /// The actions.
    pub(super) actions: Actions<'r>,
    /// For each table that is written, by its name in DynamoDB, the patterns of the partition keys of
    /// the written items. `None` stands for items whose key may begin with any text.
    pub(super) written: BTreeMap<&'r str, BTreeSet<Option<String>>>,
}

/// The actions that the engine uses for these rules, and those of audits if the function audits.
pub(super) fn needs(rules: &Rules, audits: bool) -> Needs<'_> {
    let mut builder = Builder::new(rules);
    // The function reads items of each of these tables by key.
    for table in tables_in_use(rules) {
        builder.add_to_table(ItemAction::BatchGetItem, table);
    }
    for table in audited(rules).into_iter().filter(|_| audits) {
        builder.add_to_table(ItemAction::Scan, table);
    }
    for reference in rules.references.iter().filter(|rule| rule.mode != Mode::Off) {
        builder.add_lookup(reference);
        builder.add_view(reference);
        if reference.mode == Mode::Enforce {
            builder.add_on_missing(reference);
            builder.add_on_delete(reference);
        }
    }
    for mirror in rules.mirrors.iter().filter(|rule| rule.mode == Mode::Enforce) {
        builder.add_mirror(mirror);
    }
    builder.needs
}

/// Collects needs.
pub(super) struct Builder<'r> {
    rules: &'r Rules,
    pub(super) needs: Needs<'r>,
}

impl<'r> Builder<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        Self { rules, needs: Needs::default() }
    }

    pub(super) fn add(&mut self, action: ItemAction, entity: EntityId) {
        let table = self.rules[entity].table;
        self.add_to_table(action, table);
        if action.is_write() {
            let written = self.needs.written.entry(&self.rules[table].name).or_default();
            written.insert(leading_pattern(&self.rules[entity].key));
        }
    }

    pub(super) fn add_to_table(&mut self, action: ItemAction, table: TableId) {
        let resource = Resource { table: &self.rules[table].name, index: None };
        self.needs.actions.insert((action, resource));
    }

    /// Adds the query of the index by whose key the referenced items are known.
    fn add_view(&mut self, reference: &Reference) {
        if let Some(view) = self.rules.view(reference.to) {
            let index = Some(view.index_name(self.rules));
            let resource = Resource { table: &view.table.name, index };
            self.needs.actions.insert((ItemAction::Query, resource));
        }
    }

    /// Adds the query that finds the items that refer to a deleted item.
    fn add_lookup(&mut self, reference: &Reference) {
        if reference.on_deletes().iter().all(|action| *action == OnDelete::Ignore) {
            return;
        }
        match &reference.find {
            Find::Derived => self.add(ItemAction::Query, reference.from),
            Find::Mirror(mirror) => self.add(ItemAction::Query, self.rules[*mirror].mirror),
            Find::Index { index, .. } => {
                let table = &self.rules[self.rules[reference.from].table];
                let index = table.indexes.get(*index).map(|index| index.name.as_str());
                self.needs
                    .actions
                    .insert((ItemAction::Query, Resource { table: &table.name, index }));
            }
            Find::None => {}
        }
    }

    /// Adds the permissions to repair a dangling reference. The transaction also checks that the
    /// referenced item still does not exist.
    fn add_on_missing(&mut self, reference: &Reference) {
        let Reference { from, to, .. } = *reference;
        match reference.on_missing {
            OnMissing::Report => {}
            OnMissing::Delete => {
                self.add(ItemAction::ConditionCheckItem, to);
                self.add(ItemAction::DeleteItem, from);
            }
            // The default target is in the same table as the missing target.
            OnMissing::Unset | OnMissing::SetDefault => {
                self.add(ItemAction::ConditionCheckItem, to);
                self.add(ItemAction::UpdateItem, from);
            }
            OnMissing::Revert => {
                self.add(ItemAction::UpdateItem, from);
                self.add(ItemAction::DeleteItem, from);
                // All references of the restored image must have targets, even if the image belongs
                // to another entity with the same key.
                let rules = self.rules;
                let entity = &rules[from];
                let same_key = |other: &Reference| {
                    let other = &rules[other.from];
                    other.table == entity.table && other.key.overlap(&entity.key).is_some()
                };
                let in_use = rules.references.iter().filter(|other| other.mode != Mode::Off);
                for other in in_use.filter(|other| same_key(other)) {
                    self.add(ItemAction::ConditionCheckItem, other.to);
                }
            }
        }
    }

    /// Adds the permissions to repair orphans. The transaction also checks that the referenced item
    /// has not been written again.
    fn add_on_delete(&mut self, reference: &Reference) {
        let Reference { from, to, .. } = *reference;
        for action in reference.on_deletes() {
            match action {
                OnDelete::Report | OnDelete::Ignore => {}
                OnDelete::Cascade => {
                    self.add(ItemAction::ConditionCheckItem, to);
                    self.add(ItemAction::DeleteItem, from);
                    // A recursive cascade marks the items with their depth.
                    if reference.is_recursive() {
                        self.add(ItemAction::UpdateItem, from);
                    }
                }
                OnDelete::Unset | OnDelete::SetDefault => {
                    self.add(ItemAction::ConditionCheckItem, to);
                    self.add(ItemAction::UpdateItem, from);
                }
                // The item is restored only while another item refers to it.
                OnDelete::Restore => {
                    self.add(ItemAction::PutItem, to);
                    // An item that was only changed, such as by a soft delete, is changed back.
                    if !self.rules[to].conditions.is_empty() {
                        self.add(ItemAction::UpdateItem, to);
                    }
                    self.add(ItemAction::ConditionCheckItem, from);
                }
            }
        }
    }

    fn add_mirror(&mut self, mirror: &Mirror) {
        self.add(ItemAction::PutItem, mirror.mirror);
        self.add(ItemAction::DeleteItem, mirror.mirror);
        if mirror.on_mirror_delete == OnMirrorDelete::DeleteSource {
            // Before Referee deletes a mirror, it marks it.
            self.add(ItemAction::UpdateItem, mirror.mirror);
            // A source is deleted only if its mirror does not exist.
            self.add(ItemAction::ConditionCheckItem, mirror.mirror);
            self.add(ItemAction::DeleteItem, mirror.source);
        }
    }
}
