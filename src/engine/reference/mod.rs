//! References: what an item refers to, and who refers to an item.

mod evaluate;
mod find;

pub(crate) use evaluate::{Claim, Stance, claim_path, evaluate, is_unchanged};
pub(crate) use find::{Finder, finder};
