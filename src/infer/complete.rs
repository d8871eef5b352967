//! Estimates how many of the referenced items are among the items: a sample lacks most of them.

use super::candidate::World;
use super::probe::Probe;

/// The share from which on the items are taken for whole tables, some of whose references are broken.
const COMPLETE: f64 = 0.6;
/// How many sources must name an entity.
const SOURCES_MIN: usize = 2;
/// How many different values each of them must have.
const VALUES_MIN: usize = 3;

/// The share of the values of references that exist: the median of the attributes that are named
/// after an entity.
pub(super) fn share(world: &World<'_>, probe: &Probe) -> f64 {
    let mut shares: Vec<f64> = Vec::new();
    for (from, sources) in world.sources.iter().enumerate() {
        let several = sources.iter().filter(|source| source.distinct >= VALUES_MIN);
        shares.extend(several.filter_map(|source| world.named_share(probe, from, source)));
    }
    shares.sort_by(f64::total_cmp);
    if shares.len() < SOURCES_MIN {
        return 1.0;
    }
    shares.get(shares.len() / 2).copied().unwrap_or(1.0)
}

/// Whether the items are probably all items of their tables.
pub(super) fn is_complete(share: f64) -> bool {
    share >= COMPLETE
}
