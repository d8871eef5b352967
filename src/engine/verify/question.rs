//! Questions about the tables. Those of a batch are read together, and each is answered from what
//! it asked for.

use crate::engine::event::change::Cause;
use crate::engine::report::Report;
use crate::rules::model::Rules;
use crate::runtime::error::Fatal;
use crate::runtime::pass::Pass;
use crate::runtime::reads::{ReadSet, Snapshot};
use crate::store::StoreError;

/// A question about what is in the tables.
///
/// Invariant: an answer can only use what was asked for, because nothing else has a slot.
pub(super) trait Question<'h> {
    /// Where the items are that it asked for.
    type Slots;
    /// Its answer.
    type Answer;

    /// The work that asks.
    fn cause(&self) -> Cause<'h>;

    /// Asks for what must be read.
    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> Self::Slots;

    /// Answers from what was read.
    fn answer(
        &self,
        rules: &Rules,
        slots: &Self::Slots,
        snapshot: &Snapshot,
    ) -> Result<Self::Answer, StoreError>;
}

/// Questions of one kind that wait for their answers.
pub(super) struct Asked<'h, Q: Question<'h>>(Vec<(Q, Q::Slots)>);

impl<'h, Q: Question<'h>> Asked<'h, Q> {
    /// Asks them.
    pub(super) fn ask<'p, S, C>(
        questions: impl IntoIterator<Item = Q>,
        pass: Pass<'p, S, C>,
        reads: &mut ReadSet<'p>,
    ) -> Self {
        let asked = questions.into_iter().map(|question| {
            let slots = question.ask(pass, reads);
            (question, slots)
        });
        Self(asked.collect())
    }

    /// Their answers, in order. A question whose reads failed is reported and left out.
    pub(super) fn answers(
        self,
        rules: &Rules,
        snapshot: &Snapshot,
        report: &mut Report,
    ) -> Result<Vec<(Q, Q::Answer)>, Fatal> {
        let mut answers = Vec::with_capacity(self.0.len());
        for (question, slots) in self.0 {
            match question.answer(rules, &slots, snapshot) {
                Ok(answer) => answers.push((question, answer)),
                Err(error) => report.fail(error, &question.cause())?,
            }
        }
        Ok(answers)
    }
}
