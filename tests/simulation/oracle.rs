//! Checks each step of what happened: whether the engine's writes were justified and its reports
//! were true. The final state is checked by [`Rest`].

use std::collections::BTreeMap;

use referee::integrity::finding::Kind;
use referee::integrity::repair::Operation;
use referee::runtime::repair_log::StartedRepair;

use crate::items::{Mark, of_key};
use crate::justified::is_called_for;
use crate::model::{Content, Name, Role, State, mirror_of, mirrored_at, role_of, source_of};
use crate::past::{By, Past, Reported, Started, Step};
use crate::rest::Rest;
use crate::schema::{Mirror, Schema};
use crate::truth::Unconfirmed;

/// Checks what happened against the rules.
pub(crate) struct Oracle<'p> {
    schema: &'p Schema,
    past: &'p Past,
    state: State,
    marks: BTreeMap<Name, Mark>,
}

impl<'p> Oracle<'p> {
    pub(crate) fn new(schema: &'p Schema, past: &'p Past) -> Self {
        let (state, marks) = (State::new(), BTreeMap::new());
        Self { schema, past, state, marks }
    }

    /// Checks every step, and returns the final state.
    pub(crate) fn check(mut self) -> Rest<'p> {
        let mut unconfirmed = Unconfirmed::new(self.schema, self.past);
        unconfirmed.confirm(&self.state, 0);
        for (place, step) in self.past.steps.iter().enumerate() {
            assert_eq!(self.state.get(&step.name), step.before.as_ref());
            if step.is_by_rules() {
                self.assert_sound(place, step);
                self.assert_logged(place, step);
            } else if step.by == By::Undo {
                self.assert_undone(place, step);
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
        // An audit also reports mirrors that the function has not written yet, or never will.
        if !self.past.is_audited {
            self.past.reported.iter().for_each(|reported| self.assert_mirror_was_edited(reported));
        }
        Rest { schema: self.schema, past: self.past, state: self.state, marks: self.marks }
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
            .is_some_and(|it| self.steps_of(it, reported.happened).any(|step| !step.is_by_rules()));
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
                    || is_called_for(self.schema, &self.state, step, &earlier)
                    || (step.after.is_none() && self.follows_its_mirror(place, &step.name))
            }
        };
        assert!(is_sound, "unjustified write: {step:?}, with the table {:?}", self.state);
    }

    /// Asserts that a write by the engine to an item of the application was logged before it was
    /// made, as often as it was made.
    fn assert_logged(&self, place: usize, step: &Step) {
        // A cascade within one entity marks items before it deletes them.
        let is_repair = |it: &Step| it.by == By::Engine && it.before != it.after;
        if matches!(role_of(&step.name), Role::Mirror(_)) || !is_repair(step) {
            return;
        }
        let is_same = |it: &&Step| is_repair(it) && it.after.is_none() == step.after.is_none();
        let made = self.steps_of(&step.name, place).filter(is_same).count() + 1;
        let is_of_step = |it: &&Started| {
            let StartedRepair { operation, item, .. } = &it.repair;
            let deletes = *operation == Operation::Delete;
            it.happened <= place
                && deletes == step.after.is_none()
                && of_key(&item.key) == step.name
        };
        let logged = self.past.started.iter().filter(is_of_step).count();
        assert!(made <= logged, "made {made} times, and logged {logged} times: {step:?}");
    }

    /// Asserts that an undo brought an item back to what it was before an earlier write, and that it
    /// was as this write left it.
    fn assert_undone(&self, place: usize, step: &Step) {
        let images = |step: &Step| (step.before.clone(), step.after.clone());
        let is_inverse = |it: &Step| images(it) == (step.after.clone(), step.before.clone());
        let is_sound =
            step.before == step.after || self.steps_of(&step.name, place).any(is_inverse);
        assert!(is_sound, "unjustified undo: {step:?}, with the table {:?}", self.state);
    }

    /// Returns the earlier steps of an item.
    fn steps_of(&self, name: &Name, place: usize) -> impl Iterator<Item = &'p Step> {
        self.past.steps_of(name, place)
    }

    /// Whether a write to a mirror's key shows a current or earlier version of the source.
    fn is_sound_mirror(&self, mirror: &Mirror, place: usize, step: &Step) -> bool {
        let rule = format!("mirror{}", mirror.id);
        let is_ours = |mark: &Option<Mark>| mark.as_ref().is_some_and(|mark| mark.rule == rule);
        let source = source_of(self.schema, mirror, &step.name);
        if step.before.is_some() && !is_ours(&step.mark_before) {
            // The engine does not own the item. A repair may adopt it as it is.
            let is_adopted = step.by == By::Repair && step.before == step.after;
            if is_adopted {
                return is_ours(&step.mark_after);
            }
            if !mirror.adopts || mirror.on_edit != "overwrite" || step.after.is_none() {
                return false;
            }
        }
        let mut versions = self.steps_of(&source, place).map(|it| {
            (
                mirrored_at(self.schema, mirror, &step.name, &source, it.before.as_ref()),
                mirrored_at(self.schema, mirror, &step.name, &source, it.after.as_ref()),
            )
        });
        let Some(after) = &step.after else {
            // The source was deleted, or never existed.
            let mut versions = versions.peekable();
            return versions.peek().is_none() || versions.any(|(_, after)| after.is_none());
        };
        let keeps_order = match (&step.mark_before, &step.mark_after) {
            (Some(before), Some(marked)) if before.fence > marked.fence => {
                self.is_newest_since_mark(mirror, place, step, after)
            }
            _ => true,
        };
        let is_announced = step.before == step.after && is_ours(&step.mark_before);
        is_ours(&step.mark_after)
            && keeps_order
            && (is_announced || versions.any(|(_, version)| version.as_ref() == Some(after)))
    }

    /// Whether the source required this content at some time since the mirror got its previous mark.
    /// A higher fence may be replaced then, because it could come from another stream.
    fn is_newest_since_mark(
        &self,
        mirror: &Mirror,
        place: usize,
        step: &Step,
        content: &Content,
    ) -> bool {
        let source = source_of(self.schema, mirror, &step.name);
        let marked = self.past.steps[..place]
            .iter()
            .rposition(|it| it.name == step.name && it.mark_after == step.mark_before)
            .unwrap_or(0);
        let since = self.past.steps[marked..place].iter().filter(|it| it.name == source);
        let mut versions = self.steps_of(&source, marked).last().into_iter().chain(since);
        versions.any(|it| {
            let version = mirrored_at(self.schema, mirror, &step.name, &source, it.after.as_ref());
            version.as_ref() == Some(content)
        })
    }

    /// Whether a source may be deleted because a client, and not TTL, deleted its mirror and no newer
    /// version of the mirror exists.
    fn follows_its_mirror(&self, place: usize, source: &Name) -> bool {
        let mirrors = self.schema.mirrors.iter().filter(|mirror| {
            role_of(source) == Role::Own(mirror.source) && mirror.on_delete == "delete_source"
        });
        mirrors.into_iter().any(|mirror| {
            let content = self.state.get(source);
            let of = content.and_then(|it| mirror_of(self.schema, mirror, source, it));
            let Some(of) = of else { return false };
            let fences = self
                .steps_of(&of, place)
                .filter(|step| step.by == By::People && !step.expired && step.after.is_none())
                .filter_map(|step| step.mark_before.as_ref().map(|mark| &mark.fence));
            let is_back = |fence: &String| match self.state.get(&of) {
                None => false,
                Some(_) => self.marks.get(&of).is_none_or(|mark| mark.fence > *fence),
            };
            fences.max().is_some_and(|fence| !is_back(fence))
        })
    }
}
