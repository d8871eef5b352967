//! A sequence of random numbers, drawn in advance, that decide the content of a rule file.

use proptest::prelude::*;

/// The remaining choices. If none are left, the first alternative is chosen. So a failing case
/// becomes simpler when proptest removes or reduces choices.
#[derive(Debug)]
pub(crate) struct Tape(std::vec::IntoIter<u16>);

/// Enough choices for a rule file.
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

    /// Returns true with a probability of one in this many.
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
