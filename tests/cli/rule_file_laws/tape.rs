//! Choices, drawn before anyone knows what they are about.

use proptest::prelude::*;

/// Choices to come. Where there are none left, or they have been made smaller, the first of what
/// there is to choose from is chosen: a failing case shrinks towards the simplest.
#[derive(Debug)]
pub(crate) struct Tape(std::vec::IntoIter<u16>);

/// Choices for a rule file.
pub(crate) fn tapes() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 0..300)
}

impl Tape {
    pub(crate) fn new(choices: Vec<u16>) -> Self {
        Self(choices.into_iter())
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::from(self.0.next().unwrap_or_default()) % limit
    }

    /// True in one of so many cases.
    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == chances - 1
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.one_in(2)
    }

    pub(crate) fn pick<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())].clone()
    }
}
