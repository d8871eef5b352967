//! Pages: repairs that go into one transaction, behind one guard.

use super::remedy::Repair;
use crate::data::Item;
use crate::store::{Action, Condition, TRANSACT_ACTIONS_MAX, Write};

/// What an action of a page's transaction is there for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// The check that the target does not exist.
    Guard,
    /// A check that these repairs need, by their places in the page.
    Check(Vec<usize>),
    /// The write of this repair.
    Write(usize),
}

/// Repairs that go into one transaction.
#[derive(Debug)]
pub(crate) struct Page {
    /// How many repairs there are.
    pub(crate) repairs: usize,
    /// What each action is there for.
    pub(crate) roles: Vec<Role>,
    /// The transaction.
    pub(crate) actions: Vec<Write>,
}

impl Page {
    /// As many of these repairs as fit, from the first on: one at least.
    pub(crate) fn of<'r>(guard: &Write, repairs: impl IntoIterator<Item = &'r Repair>) -> Self {
        let mut page = Self { repairs: 0, roles: vec![Role::Guard], actions: vec![guard.clone()] };
        for repair in repairs {
            if !page.take(repair) {
                break;
            }
        }
        page
    }

    /// Takes a repair in, if there is room for it and nothing else is done to its items.
    ///
    /// DynamoDB takes one action for each item: what is asked of an item that is written as well
    /// becomes a condition of that write.
    fn take(&mut self, repair: &Repair) -> bool {
        let mut write = repair.write.clone();
        if self.repairs == 0
            && let [guard] = self.actions.as_slice()
            && is_same_item(guard, &write)
        {
            let conditions = [guard.condition.clone(), write.condition.take()];
            write.condition = Some(Condition::All(conditions.into_iter().flatten().collect()));
            self.actions.clear();
            self.roles.clear();
        }
        let others = repair.checks.iter().filter(|check| !is_same_item(check, &write));
        let (known, added): (Vec<&Write>, Vec<&Write>) =
            others.partition(|check| self.actions.contains(check));
        let is_free = |added: &Write| !self.actions.iter().any(|it| is_same_item(it, added));
        let fits = self.actions.len() + added.len() < TRANSACT_ACTIONS_MAX;
        if !fits || !is_free(&write) || !added.iter().all(|check| is_free(check)) {
            // The first one is alone with the guard, and is for DynamoDB to refuse.
            if self.repairs > 0 {
                return false;
            }
        }
        let place = self.repairs;
        for check in known {
            let at = self.actions.iter().position(|action| action == check);
            if let Some(Role::Check(of)) = at.and_then(|at| self.roles.get_mut(at)) {
                of.push(place);
            }
        }
        for check in added {
            self.actions.push(check.clone());
            self.roles.push(Role::Check(vec![place]));
        }
        self.actions.push(write);
        self.roles.push(Role::Write(place));
        self.repairs += 1;
        true
    }
}

/// Whether two actions are about one item; of a put, all attributes are compared, and it is in no
/// page.
fn is_same_item(one: &Write, other: &Write) -> bool {
    one.table == other.table && key_of(&one.action) == key_of(&other.action)
}

const fn key_of(action: &Action) -> &Item<'static> {
    match action {
        Action::Put(key)
        | Action::Update { key, .. }
        | Action::Delete(key)
        | Action::Check(key) => key,
    }
}
