//! Checks the tables of the two sides of each rule: it must be clear in which table the other item
//! is.

use std::collections::BTreeSet;

use super::changes::declared_actions;
use crate::rules::ast::{
    Entity, File, Mirror, Misplaced, Placement, Reference, ReferentialAction, Tables, Target,
};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::span::{Span, Spanned};

pub(super) fn check(file: &File, problems: &mut Vec<Diagnostic>) {
    check_lists(&file.entities, problems);
    let tables = Tables(&file.entities);
    let mut reported = BTreeSet::new();
    let references = file.references.iter().filter(|it| it.is_placement_readable);
    for reference in references.filter(|it| it.alternative == 0) {
        let Some(from) = &reference.from else { continue };
        for target in &reference.targets.each {
            let from = (from.value.as_str(), reference.from_at);
            // A problem of several tables of `from` is reported for the first one.
            if let Some(problem) = of_target(reference, from, target, tables)
                && reported.insert(target.entity.span)
            {
                problems.push(problem);
            }
        }
        let mut targets = reference.targets.each.iter();
        if targets.all(|target| tables.count(&target.entity.value) == 1) {
            problems.extend(without_effect(reference.placement.as_ref(), "to"));
        }
    }
    for mirror in file.mirrors.iter().filter(|it| it.is_placement_readable) {
        if let Some(problem) = of_mirror(mirror, tables)
            && reported.insert(mirror.name.span)
        {
            problems.push(problem);
        }
    }
}

/// Reports tables that an entity lists twice.
fn check_lists(entities: &[Entity], problems: &mut Vec<Diagnostic>) {
    for (index, entity) in entities.iter().enumerate() {
        let Some(table) = &entity.table else { continue };
        let same = entities.iter().take(index).filter(|it| it.name.value == entity.name.value);
        let mut same = same.filter_map(|it| it.table.as_ref());
        if let Some(first) = same.find(|it| it.value == table.value) {
            problems.push(
                Diagnostic::new(&codes::DUPLICATE, format!("`{}` is listed twice", table.value))
                    .at(table.span, "second occurrence")
                    .at(first.span, "first occurrence")
                    .help("remove one of the two"),
            );
        }
    }
}

/// What is wrong with the tables of one entity that a reference may lead to.
fn of_target(
    reference: &Reference,
    (from, from_at): (&str, usize),
    target: &Target,
    tables: Tables<'_>,
) -> Option<Diagnostic> {
    let to = target.entity.value.as_str();
    let placement = reference.placement.as_ref();
    let found = tables.positions(placement.map(|it| it.value), (from, from_at), to);
    let spans = (target.entity.span, placement.map(|it| it.span));
    if let Err(problem) = found {
        let words = match problem {
            Misplaced::Ambiguous if tables.count(from) == tables.count(to) => {
                "write `tables: paired` if an item refers to one in the table at the same position \
                 in the list, or `tables: any` if an item in any of the tables is enough"
            }
            Misplaced::Ambiguous | Misplaced::Unpaired => {
                "write `tables: any` if an item in any of the tables is enough; otherwise, declare \
                 an entity for each table"
            }
            Misplaced::Elsewhere => {
                "write `tables: paired` if the tables belong together by their positions in the \
                 lists, or `tables: any`"
            }
        };
        return Some(misplaced(problem, (from, from_at), to, spans, tables).help(words));
    }
    let any = placement.filter(|it| it.value == Placement::Any && tables.count(to) > 1)?;
    let cascade =
        declared_actions(reference).find(|it| from == to && it.value == ReferentialAction::Cascade);
    let (span, label, help) = if let Some(by) = &reference.targets.by {
        (by.span, "the discriminator leads to one item", "write `tables: same` or `tables: paired`")
    } else if let Some(index) = &target.index {
        (index.name.span, "in one index", "refer to the items by the key of their tables")
    } else {
        let cascade = cascade?;
        let help = "write `tables: same`, or change the action to `report`";
        (cascade.span, "stays within one table, because its depth is limited", help)
    };
    let message = format!("`tables: any` is not possible for `{}`", reference.name.value);
    Some(Diagnostic::new(&codes::TABLES, message).at(any.span, "").at(span, label).help(help))
}

/// What is wrong with the tables of a mirror rule.
fn of_mirror(mirror: &Mirror, tables: Tables<'_>) -> Option<Diagnostic> {
    let (source, target) = (mirror.source.as_ref()?, mirror.target.as_ref()?);
    let (sources, targets) = (tables.count(&source.value), tables.count(&target.value));
    let from = (source.value.as_str(), mirror.source_at);
    let placement = mirror.placement.as_ref();
    let spans = (target.span, placement.map(|it| it.span));
    if targets == 1 && sources > 1 {
        return Some(
            Diagnostic::new(
                &codes::TABLES,
                format!(
                    "the mirrors of `{}` in {sources} tables would be in one table",
                    source.value
                ),
            )
            .at(target.span, "has one table")
            .at(source.span, "two sources with the same key would have the same mirror")
            .help(format!("give `{}` as many tables as `{}`", target.value, source.value)),
        );
    }
    if targets == 1 {
        return without_effect(placement, "mirror");
    }
    let problem = tables.positions(placement.map(|it| it.value), from, &target.value).err()?;
    let help = if sources == targets && problem != Misplaced::Unpaired {
        "write `tables: paired` if a mirror is in the table at the same position in the list"
            .to_owned()
    } else {
        format!("give `{}` as many tables as `{}`", target.value, source.value)
    };
    Some(misplaced(problem, from, &target.value, spans, tables).help(help))
}

/// The diagnostic that the tables of two entities do not belong together.
fn misplaced(
    problem: Misplaced,
    (from, from_at): (&str, usize),
    to: &str,
    (span, written): (Span, Option<Span>),
    tables: Tables<'_>,
) -> Diagnostic {
    let message = match problem {
        Misplaced::Ambiguous => format!("it is not clear in which of its tables a `{to}` is"),
        Misplaced::Elsewhere => {
            let own = tables.of(from).nth(from_at).unwrap_or_default();
            format!("no `{to}` is in the table `{own}` of `{from}`")
        }
        Misplaced::Unpaired => format!("`{from}` and `{to}` have different numbers of tables"),
    };
    let listed = |entity: &str| {
        let names: Vec<String> = tables.of(entity).map(|table| format!("`{table}`")).collect();
        names.join(", ")
    };
    let labels = format!("in {}; `{from}` is in {}", listed(to), listed(from));
    let diagnostic = Diagnostic::new(&codes::TABLES, message).at(span, labels);
    match written {
        Some(written) => diagnostic.at(written, "does not fit"),
        None => diagnostic,
    }
}

/// Reports `tables` of a rule that leads to one table only.
fn without_effect(placement: Option<&Spanned<Placement>>, key: &str) -> Option<Diagnostic> {
    let placement = placement?;
    let name = placement.value.name();
    Some(
        Diagnostic::new(&codes::NO_EFFECT, format!("`tables: {name}` has no effect"))
            .at(placement.span, format!("the entity in `{key}` has one table"))
            .help("remove it"),
    )
}
