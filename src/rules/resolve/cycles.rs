//! Destructive actions that cause one another in a circle.

use std::collections::BTreeSet;

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
    let mut reported = BTreeSet::new();
    for (at, edge) in edges.iter().enumerate() {
        // An entity that refers to itself is a tree, and a cascade down a tree ends.
        let Some(_) = edge.rule.filter(|_| edge.cause != edge.effect) else { continue };
        if reported.contains(&at) {
            continue;
        }
        let circle: Vec<usize> = edges
            .iter()
            .enumerate()
            .filter(|(_, other)| other.rule.is_some() && other.cause != other.effect)
            .filter(|(_, other)| {
                reaches(&edges, edge.effect, other.cause)
                    && reaches(&edges, other.effect, edge.cause)
            })
            .map(|(at, _)| at)
            .collect();
        if circle.is_empty() {
            continue;
        }
        reported.extend(circle.iter().copied());
        problems.push(report(circle.iter().filter_map(|at| edges.get(*at))));
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

/// Whether deletes of the one entity lead to deletes of the other.
fn reaches(edges: &[Edge<'_>], from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(entity) = open.pop() {
        if entity == to {
            return true;
        }
        let next = edges.iter().filter(|edge| edge.cause == entity).map(|edge| edge.effect);
        open.extend(next.filter(|effect| seen.insert(effect)));
    }
    false
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
