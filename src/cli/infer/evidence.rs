//! The evidence as JSON Lines, and its totals.

use serde::Serialize;

use crate::cli::rule_file::counts;
use crate::cli::{Context, Failure};
use crate::infer::{DraftTable, Entity, Inference, Mirror, Notice, Reference};

/// A line of output.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'i> {
    Table(&'i DraftTable),
    Entity(&'i Entity),
    Reference(&'i Reference),
    Mirror(&'i Mirror),
    Notice(&'i Notice),
    Note { text: &'i str },
    Summary { tables: usize, entities: usize, references: usize, mirrors: usize, is_sample: bool },
}

/// Prints one line for each part of the draft.
pub(super) fn print(inference: &Inference, context: &mut Context<'_>) -> Result<(), Failure> {
    let lines = (inference.tables.iter().map(Line::Table))
        .chain(inference.entities.iter().map(Line::Entity))
        .chain(inference.references.iter().map(Line::Reference))
        .chain(inference.mirrors.iter().map(Line::Mirror))
        .chain(inference.notices.iter().map(Line::Notice))
        .chain(inference.notes.iter().map(|text| Line::Note { text }));
    for line in lines {
        context.output.json(&line)?;
    }
    let active = |reference: &&Reference| reference.is_active();
    context.output.json(&Line::Summary {
        tables: inference.tables.len(),
        entities: inference.entities.len(),
        references: inference.references.iter().filter(active).count(),
        mirrors: inference.mirrors.len(),
        is_sample: inference.is_sample,
    })?;
    Ok(())
}

/// How much was drafted, in words.
pub(super) fn totals(inference: &Inference) -> String {
    let active = |reference: &&Reference| reference.is_active();
    counts(&[
        (inference.tables.len(), "table"),
        (inference.entities.len(), "entity"),
        (inference.references.iter().filter(active).count(), "reference"),
        (inference.mirrors.len(), "mirror"),
    ])
}
