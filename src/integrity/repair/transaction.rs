//! Repairs that share one transaction and one guard.

use super::conditions::AnyOf;
use super::remedy::Repair;
use crate::data::Item;
use crate::store::{Action, Condition, TRANSACT_ACTIONS_MAX, Write};

/// What an action of the transaction is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A check that a target does not exist.
    Guard,
    /// A check that these repairs need, by their index.
    Check(Vec<usize>),
    /// The write of the repair with this index.
    Write(usize),
}

/// Repairs that go into one transaction.
#[derive(Debug)]
pub(crate) struct GuardedTransaction {
    /// How many repairs there are.
    pub(crate) repairs: usize,
    /// What each action is for.
    pub(crate) purposes: Vec<Purpose>,
    /// The actions.
    pub(crate) actions: Vec<Write>,
}

impl GuardedTransaction {
    /// Takes as many of these repairs as fit, in order, but at least one.
    pub(crate) fn of<'r>(guard: &[Write], repairs: impl IntoIterator<Item = &'r Repair>) -> Self {
        let purposes = vec![Purpose::Guard; guard.len()];
        let mut transaction = Self { repairs: 0, purposes, actions: guard.to_vec() };
        for repair in repairs {
            if !transaction.add(repair) {
                break;
            }
        }
        transaction
    }

    /// Adds a repair, if there is room for it and no other action is on its items.
    ///
    /// DynamoDB allows one action for each item: a check of an item that is also written becomes a
    /// condition of that write.
    fn add(&mut self, repair: &Repair) -> bool {
        let mut write = repair.write.clone();
        if self.repairs == 0
            && let Some(own) = self.actions.iter().position(|guard| is_same_item(guard, &write))
        {
            let guard = self.actions.remove(own);
            self.purposes.remove(own);
            let conditions = [guard.condition, write.condition.take()];
            write.condition = Some(Condition::All(conditions.into_iter().flatten().collect()));
        }
        let checks = repair.checks.iter().filter_map(AnyOf::check);
        let others = checks.filter(|check| !is_same_item(check, &write));
        let (known, added): (Vec<&Write>, Vec<&Write>) =
            others.partition(|check| self.actions.contains(check));
        let is_free = |added: &Write| !self.actions.iter().any(|it| is_same_item(it, added));
        let fits = self.actions.len() + added.len() < TRANSACT_ACTIONS_MAX;
        if !fits || !is_free(&write) || !added.iter().all(|check| is_free(check)) {
            // The first repair is added in any case: DynamoDB decides whether to accept it.
            if self.repairs > 0 {
                return false;
            }
        }
        let index = self.repairs;
        for check in known {
            let at = self.actions.iter().position(|action| action == check);
            if let Some(Purpose::Check(of)) = at.and_then(|at| self.purposes.get_mut(at)) {
                of.push(index);
            }
        }
        for check in added {
            // Two rules may check one item.
            let actions = self.actions.iter_mut().zip(&self.purposes);
            let mut checks = actions.filter(|(_, it)| matches!(it, Purpose::Check(_)));
            match checks.find(|(it, _)| is_same_item(it, check)).map(|(it, _)| it) {
                Some(same) if same.condition == check.condition => {}
                Some(same) => {
                    let both = [same.condition.take(), check.condition.clone()];
                    same.condition = Some(Condition::All(both.into_iter().flatten().collect()));
                }
                None => {
                    self.actions.push(check.clone());
                    self.purposes.push(Purpose::Check(vec![index]));
                }
            }
        }
        self.actions.push(write);
        self.purposes.push(Purpose::Write(index));
        self.repairs += 1;
        true
    }
}

/// Whether two actions are on the same item. A put is never part of these transactions.
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
    use super::super::operation::Operation;
    use super::*;
    use crate::data::{Path, Value};

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
            checks: checks.iter().map(|key| check(key).into()).collect(),
            detail: None,
        }
    }

    fn purposes(repairs: &[Repair]) -> Vec<Purpose> {
        let transaction = GuardedTransaction::of(&[check("target")], repairs);
        assert_eq!(transaction.actions.len(), transaction.purposes.len());
        for (index, action) in transaction.actions.iter().enumerate() {
            let mut others = transaction.actions.iter().skip(index + 1);
            assert!(others.all(|other| !is_same_item(action, other)), "{action:?}");
        }
        transaction.purposes
    }

    #[test]
    fn the_guard_becomes_a_condition_of_an_item_that_refers_to_itself() {
        let transaction = GuardedTransaction::of(&[check("target")], &[repair("target", &[])]);
        assert_eq!(transaction.purposes, [Purpose::Write(0)]);
        let parts = ["checked", "repaired"].map(|name| Condition::Exists(Path::attribute(name)));
        assert_eq!(transaction.actions[0].condition, Some(Condition::All(parts.to_vec())));
        // A later repair of this kind is not added: it gets its own transaction.
        let repairs = [repair("a", &[]), repair("target", &[])];
        assert_eq!(purposes(&repairs), [Purpose::Guard, Purpose::Write(0)]);
    }

    #[test]
    fn repairs_share_a_check_of_the_same_item() {
        let repairs = [repair("a", &["default"]), repair("b", &["default"])];
        let expected =
            [Purpose::Guard, Purpose::Check(vec![0, 1]), Purpose::Write(0), Purpose::Write(1)];
        assert_eq!(purposes(&repairs), expected);
        // The check of an item that is also written is already part of that write's condition.
        assert_eq!(purposes(&[repair("a", &["a"])]), [Purpose::Guard, Purpose::Write(0)]);
    }

    #[test]
    fn an_item_has_at_most_one_action() {
        let twice = [repair("a", &[]), repair("a", &[])];
        assert_eq!(purposes(&twice), [Purpose::Guard, Purpose::Write(0)]);
        let written_and_asked = [repair("a", &[]), repair("b", &["a"])];
        assert_eq!(purposes(&written_and_asked), [Purpose::Guard, Purpose::Write(0)]);
        let asked_and_written = [repair("a", &["b"]), repair("b", &[])];
        assert_eq!(
            purposes(&asked_and_written),
            [Purpose::Guard, Purpose::Check(vec![0]), Purpose::Write(0)]
        );
    }

    #[test]
    fn a_transaction_is_filled_to_its_limit() {
        let alone: Vec<_> = (0..150).map(|at| repair(&at.to_string(), &[])).collect();
        assert_eq!(purposes(&alone).len(), TRANSACT_ACTIONS_MAX);
        let pairs: Vec<_> =
            (0..150).map(|at| repair(&at.to_string(), &[&format!("check{at}")])).collect();
        assert_eq!(purposes(&pairs).len(), TRANSACT_ACTIONS_MAX - 1);
        let known: Vec<_> = (0..150).map(|at| repair(&at.to_string(), &["default"])).collect();
        assert_eq!(purposes(&known).len(), TRANSACT_ACTIONS_MAX);
    }

    #[test]
    fn the_first_repair_is_added_whatever_it_needs() {
        let checks: Vec<String> = (0..150).map(|at| format!("check{at}")).collect();
        let checks: Vec<&str> = checks.iter().map(String::as_str).collect();
        let repairs = [repair("a", &checks), repair("b", &[])];
        assert_eq!(purposes(&repairs).len(), 1 + 150 + 1);
        let transaction = GuardedTransaction::of(
            &[check("target")],
            &[repair("a", &["target"]), repair("b", &[])],
        );
        assert_eq!(transaction.repairs, 2);
    }
}
