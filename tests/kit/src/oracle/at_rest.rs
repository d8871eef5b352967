//! Checks what must hold when all records are processed: every defect was reported.

use std::collections::BTreeMap;

use referee::data::Key;
use referee::rules::model::{Find, OnDelete, Rules};

use super::{Defect, ItemName, Kind, Report};

/// Who deleted an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletedBy {
    Client,
    Ttl,
}

/// The items whose last change was a delete, and who deleted them.
#[derive(Debug, Clone, Default)]
pub struct Deletes(BTreeMap<(String, Key<'static>), DeletedBy>);

impl Deletes {
    /// Records a change of an item in the table with this name. `deleted` is `None` if the change
    /// was not a delete.
    pub fn note(&mut self, table: &str, key: &Key<'static>, deleted: Option<DeletedBy>) {
        let item = (table.to_owned(), key.clone());
        match deleted {
            Some(by) => self.0.insert(item, by),
            None => self.0.remove(&item),
        };
    }

    fn of(&self, rules: &Rules, item: &ItemName) -> Option<DeletedBy> {
        self.0.get(&(rules[item.table].name.clone(), item.key.clone())).copied()
    }
}

/// Returns the defects that should have been reported, but were not.
pub(super) fn unreported(
    rules: &Rules,
    mut defects: Vec<Defect>,
    deletes: &Deletes,
    reports: &[Report],
) -> Vec<Defect> {
    defects.retain(|defect| {
        let is_hidden = defect.kind == Kind::DanglingReference && is_hidden(rules, defect, deletes);
        // The application may put its own item at a mirror's key while no source exists.
        let is_exempt = is_hidden || defect.kind == Kind::Unowned;
        !is_exempt && !reports.iter().any(|report| report.covers(defect))
    });
    defects
}

/// Whether the defect is an orphan that the rule does not look for after this delete of its target.
fn is_hidden(rules: &Rules, defect: &Defect, deletes: &Deletes) -> bool {
    let reference = rules.references.iter().find(|it| it.name == defect.rule).unwrap();
    let targets = defect.referenced.iter().chain(&defect.others);
    let deletions: Vec<_> = targets.filter_map(|target| deletes.of(rules, target)).collect();
    // All alternatives of a rule have the same actions; each has its own lookup.
    let is_unseen = |deleted_by: &DeletedBy| {
        let action = match deleted_by {
            DeletedBy::Client => reference.on_delete,
            DeletedBy::Ttl => reference.on_ttl_delete,
        };
        let of_rule = rules.references.iter().filter(|it| it.name == reference.name);
        action == OnDelete::Ignore || of_rule.clone().any(|it| it.find == Find::None)
    };
    deletions.iter().any(is_unseen)
}
