//! Single writes and transactions.

use std::collections::BTreeSet;

use super::State;
use super::bill;
use super::check;
use super::invalid::Invalid;
use super::request;
use super::table::Table;
use super::update;
use crate::data::{Item, Key, Path};
use crate::store::{
    Action, Answer, CancellationReason, Clause, Condition, StoreError, TRANSACT_ACTIONS_MAX,
    Transacted, Units, Write, Written,
};

/// The maximum total size of the actions in a transaction.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
const TRANSACTION_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The cost of a transaction relative to plain writes. DynamoDB first prepares and then commits
/// each transaction.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>
const TRANSACTION_FACTOR: f64 = 2.0;

/// The effect of a write on the current item.
struct Plan {
    key: Key<'static>,
    effect: Effect,
    /// The write units for the table.
    table_units: f64,
    /// The write units for the indexes.
    index_units: f64,
}

enum Effect {
    /// A check whose condition holds.
    Nothing,
    /// The item is put or deleted.
    Replace(Option<Item<'static>>),
    /// The condition does not hold for this item.
    ConditionFailed(Option<Item<'static>>),
}

impl State {
    pub(super) fn write(&mut self, write: Write) -> Result<Answer<Written>, StoreError> {
        if matches!(write.action, Action::Check(_)) {
            let message = "condition checks are allowed only in transactions";
            return Err(StoreError::Rejected(message.to_owned()));
        }
        let table = self.table(&write.table)?;
        request::check(table, &write)?;
        let plan = Plan::new(table, write.action, write.condition.as_ref())?;
        let (units, written) = match plan.effect {
            Effect::ConditionFailed(old) => (plan.table_units, Written::ConditionFailed(old)),
            Effect::Nothing => (plan.table_units, Written::Applied),
            Effect::Replace(image) => {
                self.replace(&write.table, plan.key, image)?;
                (plan.table_units + plan.index_units, Written::Applied)
            }
        };
        let units = Units { read: 0.0, write: units };
        self.usage.units += units;
        Ok(Answer { value: written, units })
    }

    pub(super) fn transact(
        &mut self,
        actions: Vec<Write>,
    ) -> Result<Answer<Transacted>, StoreError> {
        self.check_transaction(&actions)?;
        let mut plans = Vec::with_capacity(actions.len());
        for Write { table, action, condition } in actions {
            let plan = Plan::new(self.table(&table)?, action, condition.as_ref());
            plans.push((table, plan));
        }
        let is_clean = plans.iter().all(|(_, plan)| plan.as_ref().is_ok_and(Plan::is_clean));
        let units =
            plans.iter().flat_map(|(_, plan)| plan).map(|plan| plan.units(is_clean)).sum::<f64>();
        let units = Units { read: 0.0, write: TRANSACTION_FACTOR * units };
        self.usage.units += units;
        if !is_clean {
            let reasons = plans.into_iter().map(|(_, plan)| reason(plan)).collect();
            return Ok(Answer { value: Transacted::Canceled(reasons), units });
        }
        for (table, plan) in plans {
            if let Ok(Plan { key, effect: Effect::Replace(image), .. }) = plan {
                self.replace(&table, key, image)?;
            }
        }
        Ok(Answer { value: Transacted::Applied, units })
    }

    /// Validates a transaction as a whole, before any item is read.
    fn check_transaction(&self, actions: &[Write]) -> Result<(), StoreError> {
        let constraint = |value: &str, member: &str, constraint: &str| {
            StoreError::from(Invalid(format!(
                "1 validation error detected: Value {value} at 'transactItems{member}' failed to \
                 satisfy constraint: Member must {constraint}"
            )))
        };
        if actions.is_empty() {
            return Err(constraint("'[]'", "", "have length greater than or equal to 1"));
        }
        if actions.len() > TRANSACT_ACTIONS_MAX {
            return Err(constraint("", "", "have length less than or equal to 100"));
        }
        let mut keys = BTreeSet::new();
        for (position, write) in actions.iter().enumerate() {
            let table = self.table(&write.table)?;
            if matches!(&write.action, Action::Update { clauses, .. } if clauses.is_empty()) {
                let message = "Invalid UpdateExpression: The expression can not be empty;";
                return Err(Invalid(message.to_owned()).into());
            }
            if matches!(write.action, Action::Check(_)) && write.condition.is_none() {
                let member = format!(".{}.member.conditionCheck.conditionExpression", position + 1);
                return Err(constraint("null", &member, "not be null"));
            }
            request::check(table, write)?;
            // An action without a valid key does not cause a rejection here. It cancels the
            // transaction later.
            if let Ok(key) = check::action_key(table, &write.action)
                && !keys.insert((&write.table, key))
            {
                let message = "Transaction request cannot include multiple operations on one item";
                return Err(Invalid(message.to_owned()).into());
            }
        }
        let bytes = actions.iter().map(request::payload_bytes).sum::<usize>();
        if bytes > TRANSACTION_BYTES_MAX {
            let message =
                format!("Transaction payload size cannot exceed 4MB. Payload Size: {bytes}");
            return Err(Invalid(message).into());
        }
        Ok(())
    }
}

impl Plan {
    /// Checks a write and its condition against the current item.
    fn new(table: &Table, action: Action, condition: Option<&Condition>) -> Result<Self, Invalid> {
        let key = check::action_key(table, &action)?;
        match &action {
            Action::Put(item) => check::index_keys(table, item)?,
            Action::Update { clauses, .. } => check::update(table, clauses)?,
            Action::Delete(_) | Action::Check(_) => {}
        }
        let old = table.item(&key);
        let effect = if condition.is_some_and(|condition| !condition.holds(old)) {
            Effect::ConditionFailed(old.cloned())
        } else {
            match action {
                Action::Put(item) => Effect::Replace(Some(item)),
                Action::Update { key, clauses } => {
                    Effect::Replace(updated(table, key, old, clauses)?)
                }
                Action::Delete(_) => Effect::Replace(None),
                Action::Check(_) => Effect::Nothing,
            }
        };
        let new = match &effect {
            Effect::Replace(image) => image.as_ref(),
            Effect::Nothing | Effect::ConditionFailed(_) => old,
        };
        Ok(Self {
            table_units: bill::table_write(old, new),
            index_units: bill::index_writes(&table.indexes, old, new),
            key,
            effect,
        })
    }

    fn is_clean(&self) -> bool {
        !matches!(self.effect, Effect::ConditionFailed(_))
    }

    /// The cost of the action; index writes count only if the transaction is applied.
    fn units(&self, is_applied: bool) -> f64 {
        self.table_units + if is_applied { self.index_units } else { 0.0 }
    }
}

/// Returns the item after an update. An update creates a missing item, unless every clause only
/// removes something.
///
/// AWS documents this for the legacy parameters; expressions behave in the same way.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValueUpdate.html>
fn updated(
    table: &Table,
    key: Item<'static>,
    old: Option<&Item<'static>>,
    clauses: Vec<Clause>,
) -> Result<Option<Item<'static>>, Invalid> {
    let only_removes =
        !clauses.is_empty() && !clauses.iter().any(|clause| matches!(clause, Clause::Set(..)));
    let paths: Vec<Path> = clauses.iter().map(|clause| clause.path().clone()).collect();
    let mut item = old.cloned().unwrap_or(key);
    update::apply(&mut item, clauses)?;
    check::updated(table, &item, &paths)?;
    Ok((old.is_some() || !only_removes).then_some(item))
}

fn reason(plan: Result<Plan, Invalid>) -> CancellationReason {
    match plan.map(|plan| plan.effect) {
        Ok(Effect::Nothing | Effect::Replace(_)) => CancellationReason::None,
        Ok(Effect::ConditionFailed(old)) => CancellationReason::ConditionFailed(old),
        Err(Invalid(message)) => CancellationReason::Invalid(message),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{item, memory};
    use super::*;
    use crate::store::Store as _;
    use futures_util::FutureExt as _;

    /// The size limit applies to the request, not to the items that it deletes.
    #[test]
    fn a_transaction_may_delete_items_larger_than_its_size_limit() {
        let memory = memory();
        let filler = "x".repeat(300 * 1024);
        let key =
            |number: usize| item(&format!(r#"{{"pk": {{"S": "p"}}, "sk": {{"S": "{number}"}}}}"#));
        for number in 0..99 {
            let mut large = key(number);
            large.insert("x".into(), filler.as_str().into());
            memory.seed("app", large).unwrap();
        }
        let write = |action, condition| Write { table: "app".to_owned(), action, condition };
        let absent = Condition::NotExists(Path::attribute("pk"));
        let check = write(Action::Check(key(99)), Some(absent));
        let deletes = (0..99).map(|number| write(Action::Delete(key(number)), None));
        let answer = memory.transact(deletes.chain([check]).collect()).now_or_never().unwrap();
        assert_eq!(answer.unwrap().value, Transacted::Applied);
        assert!(memory.dump()["app"].is_empty());
    }
}
