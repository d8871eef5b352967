//! What a diagnostic of the shape check is about.

use crate::rules::span::Span;

/// The value that is being checked.
pub(super) struct Subject {
    /// The value's name in messages, such as "`grace` of reference `member_company`".
    pub(super) name: String,
    /// The span of the value's key. It is empty if the value is the entire rule file.
    pub(super) span: Span,
}

/// The span to show for a value. If the value's span is empty, this is the span of its key.
pub(super) fn visible(value: Span, key: Span) -> Span {
    if value.start == value.end { key } else { value }
}
