//! What a diagnostic of the shape check is about.

use crate::rules::span::Span;

/// The value that is being checked.
pub(super) struct Subject {
    /// Its name in messages, such as "`grace` of reference `member_company`".
    pub(super) name: String,
    /// The span of its key; empty for the rule file as a whole.
    pub(super) span: Span,
}

/// The span of the value, or of its key if the value has no text of its own.
pub(super) fn visible(value: Span, key: Span) -> Span {
    if value.start == value.end { key } else { value }
}
