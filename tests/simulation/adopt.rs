//! Histories of tables that have been in use: items that the function never saw change, and people
//! who audit and repair the tables while applications write and the function works.

use std::rc::Rc;

use kit::oracle::{Audited, Kind, Oracle as AtRest};
use referee::engine::Engine;

use crate::history::{Plan, tally};
use crate::items::of_key;
use crate::model::{BEGIN_S, Content, mirrored_at};
use crate::oracle::Oracle;
use crate::run::Tally;
use crate::scenario::{Lag, Scenario};
use crate::schema::{Mirror, Schema};
use crate::world::World;

/// Rules, faults, writes and repairs of every kind.
pub(crate) const ADOPTING: Plan =
    Plan { rules: Schema::rich, scenario: Scenario::adopting, execute };

fn execute(scenario: &Scenario, engine: &Rc<Engine>) -> Tally {
    let mut world = World::new(scenario, engine);
    world.run_to_rest(&scenario.earlier);
    world.write_unseen(&scenario.unseen);
    let seen_from = world.past().steps.len();
    world.begin_repairs(scenario.repairs);
    world.run_to_rest(&scenario.acts);
    world.replay();
    assert_mirrored(scenario, engine, &world, seen_from);
    world.repair_all();
    let (dump, happened) = (world.dump(), world.happened());
    let past = world.into_past();
    // The last audit began after the last change. What the function reports has a sequence number.
    let end = past.steps.len();
    let audits = past.reported.iter().filter(|reported| {
        reported.begun == end && reported.violation.occurrence.sequence.is_none()
    });
    let mut found: Vec<Audited> =
        audits.map(|reported| Audited::of(&reported.violation.finding)).collect();
    found.sort();
    found.dedup();
    let mut expected = AtRest::new(engine.rules(), dump.clone()).at(BEGIN_S).audited();
    if past.lag == Lag::Long {
        // An index does not show the items that are referred to.
        let is_in_index = |it: &Audited| {
            let mut references = scenario.schema.references.iter();
            references.any(|reference| reference.is_in_index && reference.name == it.rule)
        };
        found.retain(|it| !is_in_index(it));
        expected.retain(|it| !is_in_index(it));
    }
    assert_eq!(found, expected, "the last audit and the oracle differ");
    Oracle::new(&scenario.schema, &past).check().check_repaired(engine.rules(), dump);
    tally(&past, happened)
}

/// Asserts that the function kept the mirrors right of the sources whose changes it saw, whatever
/// repairs did to them. It ignores changes that do not concern the mirror.
fn assert_mirrored(scenario: &Scenario, engine: &Rc<Engine>, world: &World<'_>, seen_from: usize) {
    let steps = &world.past().steps;
    for defect in AtRest::new(engine.rules(), world.dump()).at(BEGIN_S).defects() {
        let mirror = |it: &&Mirror| format!("mirror{}", it.id) == defect.rule;
        let Some(mirror) = scenario.schema.mirrors.iter().find(mirror) else { continue };
        let is_kept = mirror.on_edit == "overwrite" && mirror.on_delete != "report";
        let is_wrong =
            matches!(defect.kind, Kind::MirrorMissing | Kind::MirrorStale | Kind::MirrorExtra);
        let (true, Some(source)) = (is_kept && is_wrong, &defect.referenced) else { continue };
        let source = of_key(&source.key);
        let at = of_key(&defect.referencing.key);
        let image = |content: &Option<Content>| {
            mirrored_at(&scenario.schema, mirror, &at, &source, content.as_ref())
        };
        let mut seen = steps.iter().skip(seen_from).filter(|step| step.name == source);
        let changed = seen.find(|step| image(&step.before) != image(&step.after));
        assert_eq!(changed, None, "the function did not keep a mirror right: {defect:?}");
    }
}
