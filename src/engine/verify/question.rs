//! Questions about the tables. The items that all questions of a batch ask for are read together,
//! and each question is answered from its own items.

use crate::engine::event::change::Cause;
use crate::engine::report::Report;
use crate::rules::model::Rules;
use crate::runtime::error::Fatal;
use crate::runtime::pass::Pass;
use crate::runtime::reads::{ReadSet, Snapshot};
use crate::store::StoreError;

/// A question about what is in the tables.
///
/// Invariant: an answer can use only items that were asked for, because no other item has a slot.
pub(super) trait Question<'h> {
    /// The slots of the items that the question asked for.
    type Slots;
    /// The question's answer.
    type Answer;

    /// The cause of the work that asks.
    fn cause(&self) -> Cause<'h>;

    /// Requests reads of the items that the answer depends on.
    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> Self::Slots;

    /// Answers from the items that were read.
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
    /// Asks the questions.
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

    /// Returns the answers, in order. If the reads of a question failed, the error is reported and
    /// the question is left out.
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
