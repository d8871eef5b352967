//! References: what an item refers to, and who refers to an item.

mod evaluate;
mod finder;

pub(crate) use evaluate::{
    Claim, Elements, Grounds, Stance, claim_path, evaluate, grounds, is_unchanged,
};
pub(crate) use finder::{Finder, finder};
