//! What must hold in the end, computed naively from what happened.

use std::collections::{BTreeMap, BTreeSet};

use referee::data::Key;
use referee::engine::{Response, Violation};
use referee::integrity::finding::Kind;

use crate::items::{Mark, of_key};
use crate::model::{
    Content, Name, Role, State, exists, is_called_for, is_of_its_kind, mirror_of, mirrored, name,
    role_of, source_of, targets,
};
use crate::scenario::Lag;
use crate::schema::{Find, IDS, Mirror, Place, Reference, Schema};
use crate::truth::Unconfirmed;
use crate::world::{Past, Reported, Step};

/// Checks what happened against the rules.
pub(crate) struct Oracle<'p> {
    schema: &'p Schema,
    past: &'p Past,
    lag: Lag,
    state: State,
    marks: BTreeMap<Name, Mark>,
}

impl<'p> Oracle<'p> {
    pub(crate) fn new(schema: &'p Schema, past: &'p Past, lag: Lag) -> Self {
        let (state, marks) = (State::new(), BTreeMap::new());
        Self { schema, past, lag, state, marks }
    }

    /// Checks everything.
    pub(crate) fn check(mut self, marked: &[Name]) {
        let mut unconfirmed = Unconfirmed::new(self.schema, self.past);
        unconfirmed.confirm(&self.state, 0);
        for (place, step) in self.past.steps.iter().enumerate() {
            assert_eq!(self.state.get(&step.name), step.before.as_ref());
            if step.by_engine {
                self.assert_sound(place, step);
            }
            match &step.after {
                Some(after) => self.state.insert(step.name.clone(), after.clone()),
                None => self.state.remove(&step.name),
            };
            match &step.mark_after {
                Some(mark) => self.marks.insert(step.name.clone(), mark.clone()),
                None => self.marks.remove(&step.name),
            };
            unconfirmed.confirm(&self.state, place + 1);
        }
        unconfirmed.assert_none();
        self.past.reported.iter().for_each(|reported| self.assert_mirror_was_edited(reported));
        for name in marked {
            let is_mirror = matches!(role_of(name), Role::Mirror(_));
            assert!(is_mirror, "{name:?} is still marked");
        }
        for reference in &self.schema.references {
            for (of, content) in &self.state {
                self.assert_reported(reference, of, content);
            }
        }
        for mirror in &self.schema.mirrors {
            let sources: BTreeSet<Name> = (0..IDS * IDS)
                .map(|both| name(self.schema, mirror.source, both / IDS, both % IDS))
                .collect();
            for source in &sources {
                self.assert_mirrored(mirror, source);
            }
        }
    }

    /// Asserts that a violation of a mirror is reported only if people edited the mirror. Two known
    /// limits are excepted: a mirror may be reported as missing if its source was deleted and
    /// re-created, and as stale if it was corrected twice after the same change.
    fn assert_mirror_was_edited(&self, reported: &Reported) {
        let is_of_mirror = matches!(
            reported.violation.kind(),
            Kind::MirrorStale | Kind::MirrorExtra | Kind::MirrorBlocked
        );
        let mirror = reported.violation.finding.referencing.as_ref().map(|it| of_key(&it.key));
        let is_edited = mirror
            .as_ref()
            .is_some_and(|it| self.steps_of(it, reported.happened).any(|step| !step.by_engine));
        let is_corrected_twice = mirror.is_some_and(|it| self.is_corrected_twice(&it, reported));
        let is_allowed = reported.violation.kind() == Kind::MirrorStale && is_corrected_twice;
        assert!(is_edited || is_allowed || !is_of_mirror, "nobody edited the mirror: {reported:?}");
    }

    /// Whether two of the engine's writes carry the same mark.
    fn is_corrected_twice(&self, mirror: &Name, reported: &Reported) -> bool {
        let fixes =
            self.steps_of(mirror, reported.happened).filter_map(|step| step.mark_after.as_ref());
        let fixes: Vec<_> = fixes.filter(|mark| mark.fix.is_some()).collect();
        fixes.iter().enumerate().any(|(place, mark)| fixes[..place].contains(mark))
    }

    /// Asserts that a write by the engine was justified when it was made.
    fn assert_sound(&self, place: usize, step: &Step) {
        let is_sound = match role_of(&step.name) {
            Role::Mirror(id) => self.is_sound_mirror(self.schema.mirror(id).unwrap(), place, step),
            Role::Own(_) => {
                let earlier = self.steps_of(&step.name, place).map(|it| it.after.clone());
                let earlier: Vec<_> = earlier.collect();
                // A cascade within one entity marks items before it deletes them.
                step.before == step.after
                    || is_called_for(
                        self.schema,
                        &self.state,
                        &step.name,
                        step.after.as_ref(),
                        &earlier,
                    )
                    || (step.after.is_none() && self.follows_its_mirror(place, &step.name))
            }
        };
        assert!(is_sound, "unjustified write: {step:?}, with the table {:?}", self.state);
    }

    /// The earlier steps of an item.
    fn steps_of(&self, name: &Name, place: usize) -> impl Iterator<Item = &'p Step> {
        let name = name.clone();
        self.past.steps[..place].iter().filter(move |step| step.name == name)
    }

    /// Whether a write to a mirror's key shows a current or earlier version of the source.
    fn is_sound_mirror(&self, mirror: &Mirror, place: usize, step: &Step) -> bool {
        let rule = format!("mirror{}", mirror.id);
        let is_ours = |mark: &Option<Mark>| mark.as_ref().is_some_and(|mark| mark.rule == rule);
        let source = source_of(self.schema, mirror, &step.name);
        if step.before.is_some() && !is_ours(&step.mark_before) {
            // The item is not the engine's.
            if !mirror.adopts || mirror.on_edit != "overwrite" || step.after.is_none() {
                return false;
            }
        }
        let mut versions = self.steps_of(&source, place).map(|it| {
            (
                mirrored(self.schema, mirror, &source, it.before.as_ref()),
                mirrored(self.schema, mirror, &source, it.after.as_ref()),
            )
        });
        let Some(after) = &step.after else {
            // The source was deleted, or never existed.
            let mut versions = versions.peekable();
            return versions.peek().is_none() || versions.any(|(_, after)| after.is_none());
        };
        let keeps_order = match (&step.mark_before, &step.mark_after) {
            (Some(before), Some(after)) => before.fence <= after.fence,
            _ => true,
        };
        let is_announced = step.before == step.after && is_ours(&step.mark_before);
        is_ours(&step.mark_after)
            && keeps_order
            && (is_announced || versions.any(|(_, version)| version.as_ref() == Some(after)))
    }

    /// Whether a source may be deleted because people deleted its mirror, and no newer version of
    /// the mirror exists.
    fn follows_its_mirror(&self, place: usize, source: &Name) -> bool {
        let mirrors = self.schema.mirrors.iter().filter(|mirror| {
            role_of(source) == Role::Own(mirror.source) && mirror.on_delete == "delete_source"
        });
        mirrors.into_iter().any(|mirror| {
            let of = mirror_of(self.schema, mirror, source);
            let fences = self
                .steps_of(&of, place)
                .filter(|step| !step.by_engine && step.after.is_none())
                .filter_map(|step| step.mark_before.as_ref().map(|mark| &mark.fence));
            let is_back = |fence: &String| match self.state.get(&of) {
                None => false,
                Some(_) => self.marks.get(&of).is_none_or(|mark| mark.fence > *fence),
            };
            fences.max().is_some_and(|fence| !is_back(fence))
        })
    }

    /// Asserts that each dangling reference of an item was reported since it dangles.
    fn assert_reported(&self, reference: &Reference, of: &Name, content: &Content) {
        let (schema, place) = (self.schema, self.past.steps.len());
        let claims = |it: &Content| targets(schema, reference, of, it);
        let is_one =
            role_of(of) == Role::Own(reference.from) && is_of_its_kind(schema, of, content);
        let lacks = |kind, is_wrong: &dyn Fn(&Content) -> bool| {
            if !is_one || !is_wrong(content) {
                return;
            }
            let since = self.since(of, |it| {
                it.is_some_and(|it| is_of_its_kind(schema, of, it) && is_wrong(it))
            });
            let is_reported = self.reported_since(since, &reference.name, |found| {
                found.kind() == kind && is_named(found, of)
            });
            assert!(
                is_reported,
                "{kind} of {of:?} by {}, unreported since {since}",
                reference.name
            );
        };
        if reference.is_required {
            lacks(Kind::MissingReference, &|it| claims(it).is_empty());
        }
        if let Place::Pair(one, other) = &reference.place
            && reference.is_full
        {
            lacks(Kind::PartialReference, &|it| it.contains_key(one) != it.contains_key(other));
        }
        for target in claims(content) {
            if exists(schema, &self.state, &target) {
                continue;
            }
            let said = self.since(of, |after| after.is_some_and(|it| claims(it).contains(&target)));
            let is_there = |it: &Option<Content>| {
                it.as_ref().is_some_and(|it| is_of_its_kind(schema, &target, it))
            };
            let mut gone =
                self.past.steps[..place].iter().enumerate().filter(|(_, step)| step.name == target);
            let gone = gone.rfind(|(_, step)| is_there(&step.before) && !is_there(&step.after));
            let gone = gone.filter(|(place, _)| place + 1 > said);
            if let Some((_, step)) = gone {
                let action =
                    if step.expired { reference.on_ttl_delete } else { reference.on_delete };
                if action == "ignore" || self.is_hidden(reference, of) {
                    continue;
                }
            }
            let since = gone.map_or(said, |(place, _)| place + 1);
            let is_reported = self.reported_since(since, &reference.name, |found| {
                reports_dangling(found, of, &target)
            });
            let name = &reference.name;
            assert!(
                is_reported,
                "{of:?} refers to the missing {target:?} by {name}, unreported since {since}"
            );
        }
    }

    /// Whether the rule does not promise to find the referencing item of a deleted target.
    fn is_hidden(&self, reference: &Reference, of: &Name) -> bool {
        match reference.find {
            Find::Derived => false,
            Find::Index => self.lag == Lag::Long,
            Find::None => true,
            Find::Mirror(id) => {
                let Some(mirror) = self.schema.mirror(id) else { return true };
                let of = mirror_of(self.schema, mirror, of);
                // Another item was at the mirror's key, or the mirror was missing, and it was left
                // so.
                self.steps_of(&of, self.past.steps.len()).any(|step| {
                    let is_foreign = step.after.is_some() && step.mark_after.is_none();
                    let is_gone = step.after.is_none() && !step.by_engine;
                    is_foreign || (is_gone && mirror.on_delete == "report")
                })
            }
        }
    }

    /// Asserts that every mirror equals its source, unless people changed it, the rule leaves that
    /// alone, and it was reported.
    fn assert_mirrored(&self, mirror: &Mirror, source: &Name) {
        let schema = self.schema;
        let of = mirror_of(schema, mirror, source);
        let expected = mirrored(schema, mirror, source, self.state.get(source));
        let (found, mark) = (self.state.get(&of), self.marks.get(&of));
        if expected.as_ref() == found && mark.is_some() == found.is_some() {
            return;
        }
        let mut steps = self.past.steps.iter().enumerate();
        let last = steps.rfind(|(_, step)| step.name == of);
        let people = last.filter(|(_, step)| !step.by_engine);
        let is_left = match (found, mark) {
            (None, _) => mirror.on_delete == "report",
            (Some(_), Some(_)) => mirror.on_edit == "report",
            (Some(_), None) => !mirror.adopts || mirror.on_edit == "report" || expected.is_none(),
        };
        let words = format!("{of:?} is {found:?} with {mark:?}, and should be {expected:?}");
        let Some((place, _)) = people.filter(|_| is_left) else { panic!("{words}") };
        // An item of others that is at the key of no existing source's mirror need not be reported.
        if expected.is_none() && mark.is_none() {
            return;
        }
        let rule = format!("mirror{}", mirror.id);
        let is_reported = self.reported_since(place + 1, &rule, |found| is_named(found, &of));
        assert!(is_reported, "{words}, and it was not reported");
    }

    /// Whether such a violation was reported since this step.
    fn reported_since(&self, since: usize, rule: &str, is_it: impl Fn(&Violation) -> bool) -> bool {
        let mut reported = self.past.reported.iter().filter(|reported| reported.happened >= since);
        reported
            .any(|reported| reported.violation.finding.rule == rule && is_it(&reported.violation))
    }

    /// The number of steps after which a condition has held for an item ever since.
    fn since(&self, of: &Name, holds: impl Fn(Option<&Content>) -> bool) -> usize {
        let mut steps = self.past.steps.iter().enumerate().filter(|(_, step)| step.name == *of);
        let broken = steps.rfind(|(_, step)| !holds(step.after.as_ref()));
        let from = broken.map_or(0, |(place, _)| place + 1);
        let mut rest = self.past.steps.iter().enumerate().skip(from);
        rest.find(|(_, step)| step.name == *of).map_or(0, |(place, _)| place + 1)
    }
}

/// Whether a violation reports that an item's reference to a target dangles and was not repaired.
fn reports_dangling(found: &Violation, of: &Name, target: &Name) -> bool {
    let is = |key: &Key<'_>, name: &Name| of_key(key) == *name;
    let is_referenced = found.finding.referenced.as_ref().is_some_and(|it| is(&it.key, target));
    let is_referring = match (found.finding.orphans(), found.kind()) {
        (Some(orphans), Kind::Orphaned | Kind::DepthExceeded) => {
            orphans.keys.iter().any(|key| is(key, of))
        }
        _ => is_named(found, of),
    };
    is_referenced && is_referring && found.resolution.response != Response::Repaired
}

fn is_named(found: &Violation, of: &Name) -> bool {
    found.finding.referencing.as_ref().is_some_and(|it| of_key(&it.key) == *of)
}
