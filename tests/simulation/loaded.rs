//! The random rules of the audits and repairs of tables at rest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use fastrand::Rng;
use kit::oracle::{Audited, Dump};
use referee::rules::{RuleSource, Rules, load};

use crate::schema::Schema;

/// How many seeds' rules and tables are kept. Several tests use the first seeds, and loading rules is
/// slow.
const KEPT_MAX: usize = 4_096;

/// The rules of a seed.
pub(crate) struct Loaded {
    /// What the rules contain.
    pub(crate) features: Vec<&'static str>,
    /// The rule file.
    pub(crate) text: String,
    pub(crate) rules: Rules,
    /// The random tables that the audits share.
    pub(crate) planted: OnceLock<Arc<Planted>>,
}

/// Random tables with violations.
pub(crate) struct Planted {
    pub(crate) tables: Dump,
    /// What an audit of the tables must find.
    pub(crate) expected: Vec<Audited>,
    /// The random numbers after the tables.
    pub(crate) rng: Rng,
}

/// `None` if the rules of a seed are refused.
type Kept = Arc<OnceLock<Option<Arc<Loaded>>>>;

static KEPT: Mutex<BTreeMap<u64, Kept>> = Mutex::new(BTreeMap::new());

/// Returns the rules of a seed, and the random numbers after them; `None` if the rules are refused.
pub(crate) fn rules(seed: u64) -> Option<(Arc<Loaded>, Rng)> {
    let mut rng = Rng::with_seed(seed);
    let schema = Schema::rich(&mut rng);
    let kept = {
        let mut all = KEPT.lock().unwrap();
        let is_full = all.len() >= KEPT_MAX;
        match all.get(&seed) {
            Some(kept) => Arc::clone(kept),
            None if is_full => Kept::default(),
            None => Arc::clone(all.entry(seed).or_default()),
        }
    };
    let loaded = kept.get_or_init(|| {
        let text = schema.text();
        let source = RuleSource { name: "rules".to_owned(), text: text.clone() };
        let rules = load(&source, &|_| None).rules?;
        let planted = OnceLock::new();
        Some(Arc::new(Loaded { features: schema.features(), text, rules, planted }))
    });
    Some((Arc::clone(loaded.as_ref()?), rng))
}
