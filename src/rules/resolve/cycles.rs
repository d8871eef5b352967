//! Finds cycles of rules in which each delete causes the next one.

use std::collections::{BTreeMap, BTreeSet};

use super::scope::Scope;
use crate::rules::ast::ReferentialAction;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{Mode, OnMirrorDelete};
use crate::rules::span::Span;

/// A rule by which deleting an item of one entity deletes items of another.
struct Edge<'f> {
    cause: &'f str,
    effect: &'f str,
    /// The reference's name and the span of its action. `None` for a mirror rule: its deletes lose
    /// no data, because mirror items are copies.
    rule: Option<(&'f str, Span)>,
}

pub(super) fn check(scope: &Scope<'_>, problems: &mut Vec<Diagnostic>) {
    let edges = edges(scope);
    let forward = Graph::new(edges.iter().map(|edge| (edge.cause, edge.effect)));
    let backward = Graph::new(edges.iter().map(|edge| (edge.effect, edge.cause)));
    // References within one entity are ignored: their items form trees, so a cascade ends.
    let rules = || edges.iter().filter(|edge| edge.rule.is_some() && edge.cause != edge.effect);
    let mut reported = BTreeSet::new();
    for edge in rules() {
        let caused = forward.reached_from(edge.effect);
        if !caused.contains(edge.cause) || reported.contains(edge.cause) {
            continue;
        }
        let causing = backward.reached_from(edge.effect);
        let cycle: BTreeSet<&str> = caused.intersection(&causing).copied().collect();
        let within = |edge: &&Edge<'_>| cycle.contains(edge.cause) && cycle.contains(edge.effect);
        problems.push(report(rules().filter(within)));
        reported.extend(cycle);
    }
}

/// For each entity, the entities that its edges lead to.
struct Graph<'f>(BTreeMap<&'f str, Vec<&'f str>>);

impl<'f> Graph<'f> {
    fn new(edges: impl Iterator<Item = (&'f str, &'f str)>) -> Self {
        let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (from, to) in edges {
            next.entry(from).or_default().push(to);
        }
        Self(next)
    }

    /// All entities that can be reached from the start, including the start itself.
    fn reached_from(&self, start: &'f str) -> BTreeSet<&'f str> {
        let mut reached = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(entity) = open.pop() {
            let next = self.0.get(entity).into_iter().flatten().copied();
            open.extend(next.filter(|next| reached.insert(next)));
        }
        reached
    }
}

fn edges<'f>(scope: &Scope<'f>) -> Vec<Edge<'f>> {
    let mut edges = Vec::new();
    for reference in scope.file.references.iter().filter(|rule| rule.mode != Some(Mode::Off)) {
        let (Some(from), Some(to)) = (&reference.from, &reference.to) else { continue };
        let actions = [&reference.on_delete, &reference.on_ttl_delete, &reference.on_missing];
        let deletes = actions.into_iter().flatten().find(|action| {
            matches!(action.value, ReferentialAction::Cascade | ReferentialAction::Delete)
        });
        if let Some(action) = deletes {
            let rule = Some((reference.name.value.as_str(), action.span));
            edges.push(Edge { cause: &to.value, effect: &from.value, rule });
        }
    }
    for mirror in scope.file.mirrors.iter().filter(|rule| rule.mode != Some(Mode::Off)) {
        let (Some(source), Some(copy)) = (&mirror.source, &mirror.target) else { continue };
        edges.push(Edge { cause: &source.value, effect: &copy.value, rule: None });
        if mirror.on_mirror_delete == Some(OnMirrorDelete::DeleteSource) {
            edges.push(Edge { cause: &copy.value, effect: &source.value, rule: None });
        }
    }
    edges
}

fn report<'e, 'f: 'e>(cycle: impl Iterator<Item = &'e Edge<'f>>) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(&codes::CYCLE, "the deletes of these rules form a cycle");
    for edge in cycle {
        if let Some((_, span)) = edge.rule {
            diagnostic = diagnostic.at(
                span,
                format!("deleting a `{}` deletes items of `{}`", edge.cause, edge.effect),
            );
        }
    }
    diagnostic.help("change one of the actions to `report`")
}
