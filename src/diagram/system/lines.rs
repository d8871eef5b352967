//! The picture and the findings as lines of JSON.

use serde::Serialize;

use super::deployment::Unread;
use super::finding::Finding;
use super::picture::{Arrow, PartBox, Picture};

/// A line of output.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line<'l> {
    /// A box.
    Box(&'l PartBox),
    /// An arrow.
    Arrow(&'l Arrow),
    /// A finding.
    Finding {
        /// Its kind.
        kind: &'static str,
        /// How bad it is.
        severity: &'static str,
        /// The id of the box that it concerns.
        subject: &'l str,
        /// What is wrong.
        message: &'l str,
        /// How to fix it.
        help: &'l str,
    },
    /// What could not be read.
    Unread {
        /// What it is.
        what: &'l str,
        /// The reason.
        why: &'l str,
    },
    /// The end.
    Summary {
        /// The number of boxes.
        boxes: usize,
        /// The number of findings.
        findings: usize,
        /// Whether everything could be read.
        complete: bool,
    },
}

/// All lines.
#[must_use]
pub fn lines<'l>(
    picture: &'l Picture,
    findings: &'l [Finding],
    unread: &'l [Unread],
) -> Vec<Line<'l>> {
    let mut lines: Vec<Line<'_>> = picture.parts.iter().map(Line::Box).collect();
    lines.extend(picture.arrows.iter().map(Line::Arrow));
    lines.extend(findings.iter().map(|finding| Line::Finding {
        kind: finding.kind.name(),
        severity: finding.kind.severity().name(),
        subject: &finding.subject,
        message: &finding.message,
        help: &finding.help,
    }));
    lines.extend(unread.iter().map(|it| Line::Unread { what: &it.what, why: &it.why }));
    let (boxes, findings) = (picture.parts.len(), findings.len());
    lines.push(Line::Summary { boxes, findings, complete: unread.is_empty() });
    lines
}
