//! The formats of the texts in a rule file.

use std::time::Duration;

use crate::data::{KeyAttribute, KeyKind, MAX_DEPTH, Path, Step};
use crate::rules::template::Separator;

/// A format that a text must have.
pub(super) struct Format {
    /// The format's name in messages, such as "a duration".
    pub(super) what: &'static str,
    /// The regular expression in the JSON Schema. It may accept texts that [`Self::accepts`]
    /// rejects.
    pub(super) pattern: Option<&'static str>,
    pub(super) accepts: fn(&str) -> bool,
    /// How to write a text in this format.
    pub(super) help: &'static str,
}

/// The maximum `grace`. Referee waits inside an invocation, which ends after 15 minutes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const GRACE_MAX: Duration = Duration::from_mins(10);

/// Parses a duration such as `2s`, `500ms` or `1m`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let unit_start = text.find(|char: char| !char.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit_start)?;
    let number: u64 = number.parse().ok()?;
    let duration = match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        _ => return None,
    };
    (duration <= GRACE_MAX).then_some(duration)
}

/// Parses a key attribute with an optional type, such as `id` or `id:N`.
pub(crate) fn parse_key_attribute(text: &str) -> Option<KeyAttribute> {
    let (name, kind) = match text.rsplit_once(':') {
        None => (text, KeyKind::S),
        Some((name, "S")) => (name, KeyKind::S),
        Some((name, "N")) => (name, KeyKind::N),
        Some((name, "B")) => (name, KeyKind::B),
        Some(_) => return None,
    };
    let named = !name.is_empty() && !name.contains(':');
    named.then(|| KeyAttribute { name: name.to_owned(), kind })
}

/// Parses an attribute's path. A path is at most as deep as an item can nest.
pub(crate) fn parse_path(text: &str) -> Option<Path> {
    parse_list_path(text).filter(|path| !path.has_each())
}

/// Parses an attribute's path, which may lead through lists: `lines[*].productId`.
pub(crate) fn parse_list_path(text: &str) -> Option<Path> {
    let path = Path::parse(text)?;
    let is_plain = path.names().all(|name| !name.contains(['[', ']', '{', '}']));
    let ends_with_name = matches!(path.steps().last(), Some(Step::Name(_)));
    (is_plain && ends_with_name && path.steps().len() <= MAX_DEPTH).then_some(path)
}

/// Whether a text can be the name of an entity, a rule or a capture.
pub(crate) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-'))
        && text.len() <= 64
}

fn is_region(text: &str) -> bool {
    let is_part = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    !text.is_empty() && text.chars().all(is_part)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|char| char.is_ascii_digit())
}

fn is_not_empty(text: &str) -> bool {
    !text.is_empty()
}

pub(super) const NAME: Format = Format {
    what: "a name",
    pattern: Some("^[A-Za-z_][A-Za-z0-9_-]{0,63}$"),
    accepts: is_name,
    help: "a name has at most 64 letters, digits, `_` and `-`, and begins with a letter or `_`",
};

pub(super) const TABLE_NAME: Format = Format {
    what: "a table's name",
    pattern: None,
    accepts: is_not_empty,
    help: "write the table's name in DynamoDB, or omit `name` if it is the same as in this file",
};

pub(super) const DURATION: Format = Format {
    what: "a duration",
    pattern: Some("^[0-9]+(ms|s|m)$"),
    accepts: |text| parse_duration(text).is_some(),
    help: "write a whole number and a unit: `500ms`, `2s` or `1m`; the maximum is `10m`",
};

pub(super) const SEPARATOR: Format = Format {
    what: "a separator",
    pattern: Some("^[^{}]{1,16}$"),
    accepts: |text| Separator::parse(text).is_some(),
    help: "a separator has 1 to 16 bytes, and neither `{` nor `}`",
};

pub(super) const REGION: Format = Format {
    what: "an AWS Region",
    pattern: Some("^[a-z0-9-]+$"),
    accepts: is_region,
    help: "write the code of a Region, such as `eu-west-1`",
};

pub(super) const ACCOUNT: Format = Format {
    what: "an AWS account",
    pattern: Some("^[0-9]{12}$"),
    accepts: is_account,
    help: "write the account's 12 digits in quotes",
};

pub(super) const KEY_ATTRIBUTE: Format = Format {
    what: "a key attribute",
    pattern: Some("^[^:]+(:[SNB])?$"),
    accepts: |text| parse_key_attribute(text).is_some(),
    help: "write the attribute's name, followed by `:N` or `:B` if it is a number or a binary",
};

pub(super) const ATTRIBUTE: Format = Format {
    what: "an attribute's name",
    pattern: None,
    accepts: is_not_empty,
    help: "write the attribute's name",
};

pub(super) const INDEX_NAME: Format = Format {
    what: "an index's name",
    pattern: None,
    accepts: is_not_empty,
    help: "write the name of a global secondary index",
};

pub(super) const PATH: Format = Format {
    what: "an attribute's path",
    pattern: Some(r"^[^.\[\]{}]+(\.[^.\[\]{}]+)*$"),
    accepts: |text| parse_path(text).is_some(),
    help: "write the names that lead to the value, separated by dots: `address.city_id`",
};

pub(super) const LIST_PATH: Format = Format {
    what: "an attribute's path",
    pattern: Some(r"^[^.\[\]{}]+((\[\*\])*\.[^.\[\]{}]+)*$"),
    accepts: |text| parse_list_path(text).is_some(),
    help: "write the names that lead to the value, separated by dots: `address.city_id`; `[*]` \
           leads into the maps of a list: `lines[*].productId`",
};

pub(super) const CAPTURE: Format = Format {
    what: "a capture's name",
    pattern: Some("^[A-Za-z0-9_]+$"),
    accepts: is_not_empty,
    help: "write the capture's name without braces",
};

pub(super) const DISCRIMINATOR: Format = Format {
    what: "a value of the discriminator",
    pattern: None,
    accepts: |_| true,
    help: "write the value that the items have, such as POST",
};

/// A key template. Its syntax errors have separate diagnostics.
pub(super) const TEMPLATE: Format = Format {
    what: "a key template",
    pattern: None,
    accepts: |_| true,
    help: "write a text with captures, such as \"company#{company}\"",
};

/// A source. Its syntax errors have separate diagnostics.
pub(super) const SOURCE: Format = Format {
    what: "a source",
    pattern: None,
    accepts: |_| true,
    help: "write the name of a capture or an attribute in braces, such as \"{company}\"",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_a_maximum() {
        for (text, expected) in [
            ("0s", Some(0)),
            ("500ms", Some(500)),
            ("2s", Some(2000)),
            ("1m", Some(60_000)),
            ("10m", Some(600_000)),
            ("11m", None),
            ("2", None),
            ("s", None),
            ("", None),
            ("-1s", None),
            ("1.5s", None),
            ("2 s", None),
            ("99999999999999999999s", None),
            ("18446744073709551615m", None),
        ] {
            assert_eq!(parse_duration(text), expected.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn a_path_is_at_most_as_deep_as_an_item() {
        let deep = |levels: usize| vec!["a"; levels].join(".");
        assert!(parse_path(&deep(MAX_DEPTH)).is_some());
        assert!(parse_path(&deep(MAX_DEPTH + 1)).is_none());
    }

    #[test]
    fn only_paths_of_attributes_lead_into_lists() {
        for text in ["lines[*].productId", "a.b[*][*].c"] {
            assert!(parse_list_path(text).is_some() && parse_path(text).is_none(), "{text}");
        }
        for text in ["lines[*]", "lines[0].a", "[*].a", "a[*]b.c", "a.[*]"] {
            assert_eq!(parse_list_path(text), None, "{text}");
        }
    }

    #[test]
    fn key_attributes_may_name_a_type() {
        let read = |text| parse_key_attribute(text).map(|read| (read.name, read.kind));
        assert_eq!(read("pk"), Some(("pk".to_owned(), KeyKind::S)));
        assert_eq!(read("id:N"), Some(("id".to_owned(), KeyKind::N)));
        for wrong in ["", ":N", "id:", "id:NUMBER", "a:b:N"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
