//! Key templates in SQL: how a key is split into captures, and how it is built from values.

use super::expression::{Expr, Function, SqlType, all, bind, call, case, concat};
use super::number::is_canonical;
use crate::data::{KeyKind, PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX};
use crate::rules::template::{Capture, EntityKey, Format, KeyTemplate, Part, Separator};

/// A key in SQL: the canonical texts of its attributes. A binary is in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyColumns {
    pub(super) partition: Expr,
    pub(super) sort: Option<Expr>,
}

/// A value that becomes a part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PartValue {
    /// The text; canonical for a number, base64 for a binary.
    pub(super) text: Expr,
    pub(super) kind: PartKind,
    /// Whether the value is a capture: then it is not empty, and may be without the separator.
    pub(super) origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A capture of a key, which is not empty and does not contain this separator.
    Capture(Option<Separator>),
    /// Anywhere else.
    Attribute,
}

impl Origin {
    /// Whether the value may be empty.
    const fn may_be_empty(self) -> bool {
        matches!(self, Self::Attribute)
    }

    /// Whether the value may contain a separator.
    fn may_contain(self, separator: Separator) -> bool {
        self != Self::Capture(Some(separator))
    }
}

/// The type of a part's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PartKind {
    /// The rule file determines it.
    Fixed(KeyKind),
    /// The type tag `S`, `N` or `B`: elements of a list may have different types.
    Tag(Expr),
}

/// A key split into captures.
pub(super) struct Parsed {
    /// Whether the key matches the templates.
    pub(super) matches: Expr,
    /// The values of the captures, in the order of [`EntityKey::captures`].
    pub(super) captures: Vec<PartValue>,
}

/// A key built from values.
pub(super) struct Built {
    /// The key, if [`Self::error`] is `NULL`.
    pub(super) key: KeyColumns,
    /// Why the values cannot be such a key, in words; `NULL` if they can.
    pub(super) error: Expr,
}

/// Splits a key into captures.
pub(super) fn parse(templates: &EntityKey, key: &KeyColumns) -> Parsed {
    let mut occurrences: Vec<(&str, Expr, Origin)> = Vec::new();
    let mut conditions = Vec::new();
    for (template, column) in attributes(templates, key) {
        if template.kind() == KeyKind::S {
            let separator = templates.separator();
            let pattern = pattern(template, separator);
            conditions.push(column.clone().matches(pattern.clone()));
            for (capture, group) in template.template().formatted().zip(1..) {
                let written = column.clone().captured(pattern.clone(), group);
                conditions.extend(is_in_case(&capture.format, &written));
                if !capture.is_rest && one_character(separator).is_none() {
                    conditions.push(contains(&written, separator).not());
                }
                let text = read(&capture.format, written);
                let excluded = (!capture.is_rest).then_some(separator);
                occurrences.push((&capture.name, text, Origin::Capture(excluded)));
            }
        } else {
            conditions.push(column.clone().is_present());
            let value = |name| (name, column.clone(), Origin::Capture(None));
            occurrences.extend(template.captures().map(value));
        }
    }
    let mut captures = Vec::new();
    for (index, name) in templates.captures().iter().enumerate() {
        let mut of_name = occurrences.iter().filter(|(other, ..)| other == name);
        let Some((_, text, origin)) = of_name.next() else { continue };
        conditions.extend(of_name.map(|(_, other, _)| text.clone().equals(other.clone())));
        let kind = PartKind::Fixed(templates.capture_kind(index));
        captures.push(PartValue { text: text.clone(), kind, origin: *origin });
    }
    Parsed { matches: all(conditions), captures }
}

/// Builds a key from values, in the order of [`EntityKey::captures`].
pub(super) fn build(templates: &EntityKey, values: &[PartValue]) -> Built {
    let mut errors = Vec::new();
    let mut attribute = |name: &'static str, template: &KeyTemplate, bytes_max: usize| {
        let of_capture = |capture: &str| {
            let index = templates.captures().iter().position(|other| other == capture)?;
            values.get(index)
        };
        let parts: Vec<_> =
            template.captures().filter_map(|name| Some((name, of_capture(name)?))).collect();
        let text = if template.kind() == KeyKind::S {
            text_key(template, templates.separator(), &parts, &mut errors)
        } else {
            sole_value(template.kind(), &parts, &mut errors)
        };
        errors.push(too_long(name, &text, template.kind(), bytes_max));
        text
    };
    let partition = attribute("partition", templates.partition(), PARTITION_KEY_BYTES_MAX);
    let sort = templates.sort().map(|sort| attribute("sort", sort, SORT_KEY_BYTES_MAX));
    let errors = errors.into_iter().filter(|(condition, _)| *condition != Expr::Bool(false));
    Built { key: KeyColumns { partition, sort }, error: case(errors, Expr::Null(SqlType::Text)) }
}

/// The conditions that make a key invalid, each with the reason in words.
type Errors = Vec<(Expr, Expr)>;

/// The value of a key attribute that is a text.
fn text_key(
    template: &KeyTemplate,
    separator: Separator,
    values: &[(&str, &PartValue)],
    errors: &mut Errors,
) -> Expr {
    let mut left = values.iter();
    let mut texts = Vec::new();
    let mut written = Vec::new();
    for part in template.template().parts() {
        let capture = match part {
            Part::Literal(literal) => {
                texts.push(Expr::text(literal));
                continue;
            }
            Part::Capture(capture) => capture,
        };
        let Some((name, value)) = left.next() else { continue };
        errors.push(mistyped(name, value, KeyKind::S, KeyKind::B));
        errors.extend(empty(name, value));
        let unfit = not_in_format(&capture.format, &value.text).into_iter();
        errors.extend(unfit.map(|(unfit, why)| (unfit, refused(name, &value.text, why))));
        let text = write(&capture.format, value.text.clone());
        if !capture.is_rest && value.origin.may_contain(separator) {
            let why = "it contains the table's separator";
            errors.push((contains(&text, separator), refused(name, &value.text, why)));
        }
        written.push(text.clone());
        texts.push(text);
    }
    let text = concat(texts);
    // A single capture is between literals of known lengths.
    if values.len() > 1 {
        let pattern = pattern(template, separator);
        for (((name, value), written), group) in values.iter().zip(written).zip(1..) {
            let read = text.clone().captured(pattern.clone(), group);
            let why = "the key would be split into other captures";
            errors.push((read.differs(written), refused(name, &value.text, why)));
        }
    }
    text
}

/// The value of a key attribute that is a number or a binary.
fn sole_value(kind: KeyKind, values: &[(&str, &PartValue)], errors: &mut Errors) -> Expr {
    let [(name, value)] = values else { return Expr::Null(SqlType::Text) };
    if kind == KeyKind::N {
        errors.push(mistyped(name, value, KeyKind::N, KeyKind::B));
        let (is_text, message) = mistyped(name, value, KeyKind::N, KeyKind::S);
        if is_text != Expr::Bool(false) {
            errors.push((all([is_text, is_canonical(&value.text).not()]), message));
        }
    } else {
        errors.push(mistyped(name, value, KeyKind::B, KeyKind::S));
        errors.push(mistyped(name, value, KeyKind::B, KeyKind::N));
        errors.extend(empty(name, value));
    }
    value.text.clone()
}

/// The error of a value that has one type where the key needs another.
fn mistyped(capture: &str, value: &PartValue, expected: KeyKind, found: KeyKind) -> (Expr, Expr) {
    let condition = match &value.kind {
        PartKind::Fixed(kind) => Expr::Bool(*kind == found),
        PartKind::Tag(tag) => tag.clone().equals(Expr::text(found.as_type().tag())),
    };
    let message = format!(
        "`{{{capture}}}` of the key has type {}, but the value has type {}",
        expected.as_type(),
        found.as_type()
    );
    (condition, Expr::text(message))
}

/// The error of an empty value.
fn empty(capture: &str, value: &PartValue) -> Option<(Expr, Expr)> {
    let is_empty = value.text.clone().equals(Expr::text(""));
    let error = (is_empty, refused(capture, &value.text, "it is empty"));
    value.origin.may_be_empty().then_some(error)
}

fn refused(capture: &str, value: &Expr, why: &str) -> Expr {
    concat([
        Expr::text("`"),
        value.clone(),
        Expr::text(format!("` cannot be `{{{capture}}}` of a key: {why}")),
    ])
}

fn too_long(attribute: &str, text: &Expr, kind: KeyKind, bytes_max: usize) -> (Expr, Expr) {
    let bytes_max = i64::try_from(bytes_max).unwrap_or(i64::MAX);
    let bytes = match kind {
        KeyKind::S => call(Function::Bytes, [text.clone()]),
        // A number is always within the limits.
        KeyKind::N => return (Expr::Bool(false), Expr::text("")),
        KeyKind::B => binary_bytes(text),
    };
    let message = concat([
        Expr::text(format!("the {attribute} key would have ")),
        call(Function::ToText, [bytes.clone()]),
        Expr::text(format!(" bytes; DynamoDB allows {bytes_max}")),
    ]);
    (bytes.binary(">", Expr::Integer(bytes_max)), message)
}

/// The length in bytes of a binary in base64: three quarters of the characters without padding.
fn binary_bytes(base64: &Expr) -> Expr {
    let digits = call(Function::Length, [base64.clone().without("=")]);
    call(Function::Quotient, [digits.binary("*", Expr::Integer(3)), Expr::Integer(4)])
}

/// The key attributes' templates and values.
fn attributes<'t>(
    templates: &'t EntityKey,
    key: &'t KeyColumns,
) -> impl Iterator<Item = (&'t KeyTemplate, &'t Expr)> {
    let sort = templates.sort().zip(key.sort.as_ref());
    std::iter::once((templates.partition(), &key.partition)).chain(sort)
}

/// The regular expression of a template, with a group for each capture.
///
/// A capture is as short as possible, as in [`Template`](crate::rules::template::Template).
fn pattern(template: &KeyTemplate, separator: Separator) -> String {
    let mut pattern = "^".to_owned();
    for part in template.template().parts() {
        match part {
            Part::Literal(literal) => literal.chars().for_each(|char| escape(char, &mut pattern)),
            Part::Capture(capture) => capture_pattern(capture, separator, &mut pattern),
        }
    }
    pattern + r"\z"
}

/// The separator, if it is one character. A regular expression cannot exclude a longer one.
fn one_character(separator: Separator) -> Option<char> {
    let mut characters = separator.as_str().chars();
    characters.next().filter(|_| characters.next().is_none())
}

fn contains(text: &Expr, separator: Separator) -> Expr {
    call(Function::Contains, [text.clone(), Expr::text(separator.as_str())])
}

/// Appends the group of a capture. Cases are compared apart: not every regular expression knows them.
fn capture_pattern(capture: &Capture, separator: Separator, pattern: &mut String) {
    pattern.push('(');
    if let Format::Prefix(prefix) = &capture.format {
        prefix.chars().for_each(|char| escape(char, pattern));
    }
    if matches!(capture.format, Format::Zeros(_)) {
        pattern.push_str("[0-9]");
    } else if let Some(separator) = one_character(separator).filter(|_| !capture.is_rest) {
        pattern.push_str("[^");
        escape(separator, pattern);
        pattern.push(']');
    } else {
        pattern.push_str(r"[\s\S]");
    }
    match &capture.format {
        Format::Zeros(width) | Format::Width(width) => {
            pattern.extend(["{", &width.to_string(), "}"]);
        }
        Format::Prefix(_) if capture.is_rest => pattern.push('*'),
        Format::Prefix(_) => pattern.push_str("*?"),
        Format::Plain | Format::Lower | Format::Upper if capture.is_rest => pattern.push('+'),
        Format::Plain | Format::Lower | Format::Upper => pattern.push_str("+?"),
    }
    pattern.push(')');
}

/// Whether the written text of a capture is in the format's case; `None` if it has none.
fn is_in_case(format: &Format, written: &Expr) -> Option<Expr> {
    format.case().map(|_| written.clone().equals(write(format, written.clone())))
}

/// The value of a capture's written text.
fn read(format: &Format, written: Expr) -> Expr {
    if !matches!(format, Format::Zeros(_)) {
        return written;
    }
    bind("padded", written, |written| {
        let number = written.without("^0+");
        case([(number.clone().equals(Expr::text("")), Expr::text("0"))], number)
    })
}

/// The text that is written for a value.
fn write(format: &Format, value: Expr) -> Expr {
    match format {
        Format::Zeros(width) => call(Function::Padded, [value, integer(*width)]),
        Format::Lower => call(Function::Lower, [value]),
        Format::Upper => call(Function::Upper, [value]),
        Format::Plain | Format::Width(_) | Format::Prefix(_) => value,
    }
}

/// The conditions that a value has no text in the format, each with the reason.
fn not_in_format(format: &Format, value: &Expr) -> Vec<(Expr, &'static str)> {
    let length = || call(Function::Length, [value.clone()]);
    match format {
        Format::Zeros(width) => vec![
            (
                value.clone().matches(r"^(0|[1-9][0-9]*)\z").not(),
                "it is not a whole number without a sign and leading zeros",
            ),
            (length().binary(">", integer(*width)), "it has more digits than the capture's width"),
        ],
        Format::Width(width) => {
            vec![(length().binary("<>", integer(*width)), "its length is not the capture's width")]
        }
        Format::Prefix(prefix) => {
            let mut pattern = "^".to_owned();
            prefix.chars().for_each(|char| escape(char, &mut pattern));
            vec![(
                value.clone().matches(pattern).not(),
                "it does not begin with the capture's prefix",
            )]
        }
        Format::Plain | Format::Lower | Format::Upper => Vec::new(),
    }
}

fn integer(count: usize) -> Expr {
    Expr::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

fn escape(char: char, pattern: &mut String) {
    if char.is_ascii_punctuation() && !"#_:/@%,;=\"'~`<>!".contains(char) {
        pattern.push('\\');
    }
    pattern.push(char);
}

/// Whether two keys are equal.
pub(super) fn is_same(left: &KeyColumns, right: &KeyColumns) -> Expr {
    let sort = left.sort.clone().zip(right.sort.clone()).map(|(left, right)| left.equals(right));
    all([left.partition.clone().equals(right.partition.clone())].into_iter().chain(sort))
}
