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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Path, Value};
    use crate::engine::report::outcome::Operation;

    fn item(key: &str) -> Item<'static> {
        Item::from([("pk".into(), Value::S(key.to_owned().into()))])
    }

    fn check(key: &str) -> Write {
        let condition = Some(Condition::Exists(Path::attribute("checked")));
        Write { table: "app".to_owned(), action: Action::Check(item(key)), condition }
    }

    fn repair(key: &str, checks: &[&str]) -> Repair {
        let condition = Some(Condition::Exists(Path::attribute("repaired")));
        let action = Action::Delete(item(key));
        Repair {
            operation: Operation::Delete,
            write: Write { table: "app".to_owned(), action, condition },
            checks: checks.iter().map(|key| check(key)).collect(),
            detail: None,
        }
    }

    fn roles(repairs: &[Repair]) -> Vec<Role> {
        let page = Page::of(&check("target"), repairs);
        assert_eq!(page.actions.len(), page.roles.len());
        for (place, action) in page.actions.iter().enumerate() {
            let mut others = page.actions.iter().skip(place + 1);
            assert!(others.all(|other| !is_same_item(action, other)), "{action:?}");
        }
        page.roles
    }

    #[test]
    fn an_item_that_refers_to_itself_carries_the_guard() {
        let page = Page::of(&check("target"), &[repair("target", &[])]);
        assert_eq!(page.roles, [Role::Write(0)]);
        let parts = ["checked", "repaired"].map(|name| Condition::Exists(Path::attribute(name)));
        assert_eq!(page.actions[0].condition, Some(Condition::All(parts.to_vec())));
        // As the second it has a page of its own.
        let repairs = [repair("a", &[]), repair("target", &[])];
        assert_eq!(roles(&repairs), [Role::Guard, Role::Write(0)]);
    }

    #[test]
    fn what_several_ask_of_one_item_is_asked_once() {
        let repairs = [repair("a", &["default"]), repair("b", &["default"])];
        let expected = [Role::Guard, Role::Check(vec![0, 1]), Role::Write(0), Role::Write(1)];
        assert_eq!(roles(&repairs), expected);
        // What is asked of the item that is written is in its write's condition already.
        assert_eq!(roles(&[repair("a", &["a"])]), [Role::Guard, Role::Write(0)]);
    }

    #[test]
    fn one_item_is_in_one_action() {
        let twice = [repair("a", &[]), repair("a", &[])];
        assert_eq!(roles(&twice), [Role::Guard, Role::Write(0)]);
        let written_and_asked = [repair("a", &[]), repair("b", &["a"])];
        assert_eq!(roles(&written_and_asked), [Role::Guard, Role::Write(0)]);
        let asked_and_written = [repair("a", &["b"]), repair("b", &[])];
        assert_eq!(roles(&asked_and_written), [Role::Guard, Role::Check(vec![0]), Role::Write(0)]);
    }

    #[test]
    fn a_page_is_as_long_as_a_transaction_may_be() {
        let alone: Vec<_> = (0..150).map(|at| repair(&at.to_string(), &[])).collect();
        assert_eq!(roles(&alone).len(), TRANSACT_ACTIONS_MAX);
        let pairs: Vec<_> =
            (0..150).map(|at| repair(&at.to_string(), &[&format!("check{at}")])).collect();
        assert_eq!(roles(&pairs).len(), TRANSACT_ACTIONS_MAX - 1);
        let known: Vec<_> = (0..150).map(|at| repair(&at.to_string(), &["default"])).collect();
        assert_eq!(roles(&known).len(), TRANSACT_ACTIONS_MAX);
    }

    #[test]
    fn the_first_is_taken_whatever_it_needs() {
        let checks: Vec<String> = (0..150).map(|at| format!("check{at}")).collect();
        let checks: Vec<&str> = checks.iter().map(String::as_str).collect();
        let repairs = [repair("a", &checks), repair("b", &[])];
        assert_eq!(roles(&repairs).len(), 1 + 150 + 1);
        let page = Page::of(&check("target"), &[repair("a", &["target"]), repair("b", &[])]);
        assert_eq!(page.repairs, 2);
    }
}
