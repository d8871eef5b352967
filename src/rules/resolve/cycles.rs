//! Destructive actions that cause one another in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::Scope;
use crate::rules::ast::Action;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{Mode, OnMirrorDelete};
use crate::rules::span::Span;

/// The delete of an item of one entity that causes the delete of items of another.
struct Edge<'f> {
    cause: &'f str,
    effect: &'f str,
    /// The rule, and where it says so; nothing for mirrors, which are copies and no items lost.
    rule: Option<(&'f str, Span)>,
}

pub(super) fn check(scope: &Scope<'_>, problems: &mut Vec<Diagnostic>) {
    let edges = edges(scope);
    let forward = Graph::new(edges.iter().map(|edge| (edge.cause, edge.effect)));
    let backward = Graph::new(edges.iter().map(|edge| (edge.effect, edge.cause)));
    // An entity that refers to itself is a tree, and a cascade down a tree ends.
    let rules = || edges.iter().filter(|edge| edge.rule.is_some() && edge.cause != edge.effect);
    let mut reported = BTreeSet::new();
    for edge in rules() {
        let caused = forward.reached_from(edge.effect);
        if !caused.contains(edge.cause) || reported.contains(edge.cause) {
            continue;
        }
        let causing = backward.reached_from(edge.effect);
        let circle: BTreeSet<&str> = caused.intersection(&causing).copied().collect();
        let within = |edge: &&Edge<'_>| circle.contains(edge.cause) && circle.contains(edge.effect);
        problems.push(report(rules().filter(within)));
        reported.extend(circle);
    }
}

/// What leads where.
struct Graph<'f>(BTreeMap<&'f str, Vec<&'f str>>);

impl<'f> Graph<'f> {
    fn new(edges: impl Iterator<Item = (&'f str, &'f str)>) -> Self {
        let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (from, to) in edges {
            next.entry(from).or_default().push(to);
        }
        Self(next)
    }

    /// All that can be reached, the start among it.
    fn reached_from(&self, start: &'f str) -> BTreeSet<&'f str> {
        let mut reached = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            let next = self.0.get(at).into_iter().flatten().copied();
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
        let deletes = actions
            .into_iter()
            .flatten()
            .find(|action| matches!(action.value, Action::Cascade | Action::Delete));
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

fn report<'e, 'f: 'e>(circle: impl Iterator<Item = &'e Edge<'f>>) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::new(&codes::CYCLE, "the deletes of these rules cause one another in a circle");
    for edge in circle {
        if let Some((_, span)) = edge.rule {
            diagnostic = diagnostic
                .at(span, format!("a deleted `{}` deletes items of `{}`", edge.cause, edge.effect));
        }
    }
    diagnostic.help("let one of them `report`")
}
