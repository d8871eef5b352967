//! What must be so in the end, worked out anew and naively from what happened.

use std::collections::{BTreeMap, BTreeSet};

use referee::data::Key;
use referee::engine::{Response, Violation};
use referee::integrity::finding::Kind;

use crate::items::{Mark, of_key};
use crate::model::{
    Name, Sort, State, Thing, admits, exists, is_called_for, mirror_of, mirrored, name, sort,
    source_of, targets,
};
use crate::scenario::Lag;
use crate::schema::{Find, IDS, Mirror, Place, Reference, Schema};
use crate::truth::Doubts;
use crate::world::{Past, Step, Told};

/// What happened, and what has come of it.
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
        let mut doubts = Doubts::new(self.schema, self.past);
        doubts.look(&self.state, 0);
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
            doubts.look(&self.state, place + 1);
        }
        doubts.assert_none();
        self.past.told.iter().for_each(|told| self.assert_touched(told));
        for name in marked {
            let is_mirror = matches!(sort(name), Sort::Mirror(_));
            assert!(is_mirror, "{name:?} is still marked");
        }
        for reference in &self.schema.references {
            for (of, thing) in &self.state {
                self.assert_told(reference, of, thing);
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

    /// A mirror is told of only where people touched it, and in two of the known limits: as missing
    /// where its source went and came back, and as stale where it was put right twice after the same
    /// change.
    fn assert_touched(&self, told: &Told) {
        let is_of_mirror = matches!(
            told.violation.kind(),
            Kind::MirrorStale | Kind::MirrorExtra | Kind::MirrorBlocked
        );
        let mirror = told.violation.finding.referencing.as_ref().map(|it| of_key(&it.key));
        let is_touched = mirror
            .as_ref()
            .is_some_and(|it| self.steps_of(it, told.happened).any(|step| !step.by_engine));
        let is_put_right_twice = mirror.is_some_and(|it| self.is_put_right_twice(&it, told));
        let is_allowed = told.violation.kind() == Kind::MirrorStale && is_put_right_twice;
        assert!(is_touched || is_allowed || !is_of_mirror, "nobody touched it: {told:?}");
    }

    /// Whether two writes of ours carry one mark.
    fn is_put_right_twice(&self, mirror: &Name, told: &Told) -> bool {
        let fixes =
            self.steps_of(mirror, told.happened).filter_map(|step| step.mark_after.as_ref());
        let fixes: Vec<_> = fixes.filter(|mark| mark.fix.is_some()).collect();
        fixes.iter().enumerate().any(|(place, mark)| fixes[..place].contains(mark))
    }

    /// What the engine did was called for when it did it.
    fn assert_sound(&self, place: usize, step: &Step) {
        let is_sound = match sort(&step.name) {
            Sort::Mirror(id) => self.is_sound_mirror(self.schema.mirror(id).unwrap(), place, step),
            Sort::Own(_) => {
                let earlier = self.steps_of(&step.name, place).map(|it| it.after.clone());
                let earlier: Vec<_> = earlier.collect();
                // A cascade that may go deep marks what it is about to delete.
                step.before == step.after
                    || is_called_for(
                        self.schema,
                        &self.state,
                        &step.name,
                        step.after.as_ref(),
                        &earlier,
                    )
                    || (step.after.is_none() && self.goes_with_its_mirror(place, &step.name))
            }
        };
        assert!(is_sound, "not called for: {step:?}, when there was {:?}", self.state);
    }

    /// What happened to an item before.
    fn steps_of(&self, name: &Name, place: usize) -> impl Iterator<Item = &'p Step> {
        let name = name.clone();
        self.past.steps[..place].iter().filter(move |step| step.name == name)
    }

    /// A mirror is written as its source says, or once did; nothing else is.
    fn is_sound_mirror(&self, mirror: &Mirror, place: usize, step: &Step) -> bool {
        let rule = format!("mirror{}", mirror.id);
        let is_ours = |mark: &Option<Mark>| mark.as_ref().is_some_and(|mark| mark.rule == rule);
        let source = source_of(self.schema, mirror, &step.name);
        if step.before.is_some() && !is_ours(&step.mark_before) {
            // It is not ours.
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
            // It went, or was never there.
            let mut versions = versions.peekable();
            return versions.peek().is_none() || versions.any(|(_, after)| after.is_none());
        };
        let goes_on = match (&step.mark_before, &step.mark_after) {
            (Some(before), Some(after)) => before.fence <= after.fence,
            _ => true,
        };
        let is_announced = step.before == step.after && is_ours(&step.mark_before);
        is_ours(&step.mark_after)
            && goes_on
            && (is_announced || versions.any(|(_, version)| version.as_ref() == Some(after)))
    }

    /// A source is deleted because someone deleted its mirror, which is not back by anything newer.
    fn goes_with_its_mirror(&self, place: usize, source: &Name) -> bool {
        let mirrors = self.schema.mirrors.iter().filter(|mirror| {
            sort(source) == Sort::Own(mirror.source) && mirror.on_delete == "delete_source"
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

    /// Whatever an item refers to in vain was told since it does.
    fn assert_told(&self, reference: &Reference, of: &Name, thing: &Thing) {
        let (schema, place) = (self.schema, self.past.steps.len());
        let claims = |it: &Thing| targets(schema, reference, of, it);
        let is_one = sort(of) == Sort::Own(reference.from) && admits(schema, of, thing);
        let lacks = |kind, is_wrong: &dyn Fn(&Thing) -> bool| {
            if !is_one || !is_wrong(thing) {
                return;
            }
            let since =
                self.since(of, |it| it.is_some_and(|it| admits(schema, of, it) && is_wrong(it)));
            let is_told = self.told_since(since, &reference.name, |found| {
                found.kind() == kind && is_named(found, of)
            });
            assert!(is_told, "{kind} of {of:?} by {}, untold since {since}", reference.name);
        };
        if reference.is_required {
            lacks(Kind::MissingReference, &|it| claims(it).is_empty());
        }
        if let Place::Pair(one, other) = &reference.place
            && reference.is_full
        {
            lacks(Kind::PartialReference, &|it| it.contains_key(one) != it.contains_key(other));
        }
        for target in claims(thing) {
            if exists(schema, &self.state, &target) {
                continue;
            }
            let said = self.since(of, |after| after.is_some_and(|it| claims(it).contains(&target)));
            let is_there =
                |it: &Option<Thing>| it.as_ref().is_some_and(|it| admits(schema, &target, it));
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
            let is_told =
                self.told_since(since, &reference.name, |found| tells(found, of, &target));
            let name = &reference.name;
            assert!(is_told, "{of:?} refers to {target:?} by {name} in vain, untold since {since}");
        }
    }

    /// Whether nobody may expect an item to be found that refers to what is gone.
    fn is_hidden(&self, reference: &Reference, of: &Name) -> bool {
        match reference.find {
            Find::Derived => false,
            Find::Index => self.lag == Lag::Long,
            Find::None => true,
            Find::Mirror(id) => {
                let Some(mirror) = self.schema.mirror(id) else { return true };
                let of = mirror_of(self.schema, mirror, of);
                // Something else was in the mirror's place, or nothing, and it was left so.
                self.steps_of(&of, self.past.steps.len()).any(|step| {
                    let is_foreign = step.after.is_some() && step.mark_after.is_none();
                    let is_gone = step.after.is_none() && !step.by_engine;
                    is_foreign || (is_gone && mirror.on_delete == "report")
                })
            }
        }
    }

    /// Every mirror is what its source says, or people have changed it and were told of.
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
        // What is not ours, and in nobody's place, need not be told of.
        if expected.is_none() && mark.is_none() {
            return;
        }
        let rule = format!("mirror{}", mirror.id);
        let is_told = self.told_since(place + 1, &rule, |found| is_named(found, &of));
        assert!(is_told, "{words}, and nobody was told");
    }

    /// Whether this was told since so many steps.
    fn told_since(&self, since: usize, rule: &str, is_it: impl Fn(&Violation) -> bool) -> bool {
        let mut told = self.past.told.iter().filter(|told| told.happened >= since);
        told.any(|told| told.violation.finding.rule == rule && is_it(&told.violation))
    }

    /// Since how many steps something has held of an item.
    fn since(&self, of: &Name, holds: impl Fn(Option<&Thing>) -> bool) -> usize {
        let mut steps = self.past.steps.iter().enumerate().filter(|(_, step)| step.name == *of);
        let broken = steps.rfind(|(_, step)| !holds(step.after.as_ref()));
        let from = broken.map_or(0, |(place, _)| place + 1);
        let mut rest = self.past.steps.iter().enumerate().skip(from);
        rest.find(|(_, step)| step.name == *of).map_or(0, |(place, _)| place + 1)
    }
}

/// Whether a violation says that an item refers to a target in vain, and is not mended.
fn tells(found: &Violation, of: &Name, target: &Name) -> bool {
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
