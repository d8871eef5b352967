//! Common mistakes in YAML, and how to fix them.

use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::span::Span;

/// A mistake that is recognized from the parser's error message.
struct Mistake {
    /// A substring of the parser's message.
    pattern: &'static str,
    /// The message of the diagnostic.
    message: &'static str,
    label: &'static str,
    help: &'static str,
}

const MISTAKES: &[Mistake] = &[
    Mistake {
        pattern: "unclosed bracket",
        message: "a bracket is not closed",
        label: "opened here",
        help: "close it with the matching bracket, and quote texts that contain brackets",
    },
    Mistake {
        pattern: "mismatched bracket",
        message: "a bracket is closed by a bracket of another kind",
        label: "opened here",
        help: "close `[` with `]`, and `{` with `}`",
    },
    Mistake {
        pattern: "bracket",
        message: "a closing bracket has no opening bracket",
        label: "no bracket of this kind is open here",
        help: "remove it, or quote the text that contains it",
    },
    Mistake {
        pattern: "unclosed quote",
        message: "a quoted text is not closed",
        label: "opened here",
        help: "end the text with the same kind of quote",
    },
    Mistake {
        pattern: "after single-quoted scalar",
        message: "there is text after a closing quote",
        label: "unexpected text",
        help: "inside single quotes, write a quote twice: `'it''s'`",
    },
    Mistake {
        pattern: "after double-quoted scalar",
        message: "there is text after a closing quote",
        label: "unexpected text",
        help: "inside double quotes, write a quote as `\\\"`",
    },
    Mistake {
        pattern: "escape character",
        message: "an unknown escape in a double-quoted text",
        label: "after `\\`",
        help: "write a backslash as `\\\\`, or use single quotes, which have no escapes",
    },
    Mistake {
        pattern: "expected ',' or '}'",
        message: "a `,` or `}` is missing in a map in braces",
        label: "unexpected",
        help: "separate the pairs with `,`, and quote texts that contain brackets or commas",
    },
    Mistake {
        pattern: "expected ',' or ']'",
        message: "a `,` or `]` is missing in a list in brackets",
        label: "unexpected",
        help: "separate the elements with `,`, and quote texts that contain brackets or commas",
    },
    Mistake {
        pattern: "unexpected EOF",
        message: "the file ends inside a map or a list",
        label: "end of the file",
        help: "close the open bracket",
    },
    Mistake {
        pattern: "mapping values are not allowed",
        message: "a `:` follows a text that cannot be a key",
        label: "this `:`",
        help: "begin the nested key on its own line, with more indentation, or quote the text",
    },
    Mistake {
        pattern: "simple key expected",
        message: "there is no `:` after a key",
        label: "not a key with a value",
        help: "write `key: value` with a space after the `:`, and check the indentation",
    },
    Mistake {
        pattern: "did not find expected key",
        message: "the indentation of this line matches none of the keys above it",
        label: "no key can begin in this column",
        help: "begin the keys of one map in the same column",
    },
    Mistake {
        pattern: "indentation",
        message: "the indentation of this line does not match the lines around it",
        label: "wrong indentation",
        help: "begin the keys of one map in the same column, and indent nested keys further",
    },
    Mistake {
        pattern: "expected '-' indicator",
        message: "a line of a list does not begin with `-`",
        label: "expected `-`",
        help: "begin each element with `- `, in the same column",
    },
    Mistake {
        pattern: "block sequence entries are not allowed",
        message: "a list cannot begin here",
        label: "this `-`",
        help: "begin the list on the line after its key",
    },
    Mistake {
        pattern: "unknown anchor",
        message: "an unquoted text begins with `*`, which YAML reads as an alias",
        label: "unknown alias",
        help: "quote the text",
    },
    Mistake {
        pattern: "anchor",
        message: "an unquoted text begins with `*` or `&`, which YAML reads as an alias or an anchor",
        label: "begins here",
        help: "quote the text",
    },
    Mistake {
        pattern: "tag",
        message: "an unquoted text begins with `!`, which YAML reads as a tag",
        label: "begins here",
        help: "quote the text",
    },
    Mistake {
        pattern: "unexpected character",
        message: "an unquoted text begins with a character that is reserved in YAML",
        label: "reserved character",
        help: "quote the text",
    },
    Mistake {
        pattern: "expected string scalar",
        message: "a key is not text",
        label: "used as a key",
        help: "write keys as text, and quote values that contain braces",
    },
    Mistake {
        pattern: "null into string",
        message: "a key is empty",
        label: "before this `:`",
        help: "write the key before the `:`",
    },
];

/// Returns a diagnostic that explains the parser's error message.
pub(super) fn explain(text: &str, span: Span, message: &str) -> Diagnostic {
    if message.contains("tab")
        && !message.contains("tag")
        && let Some(tab) = first_tab(text)
    {
        return Diagnostic::new(&codes::SYNTAX, "a line is indented with a tab")
            .at(tab, "the tab")
            .help("indent with spaces: YAML does not allow tabs for indentation");
    }
    let lower = message.to_lowercase();
    let diagnostic = match MISTAKES
        .iter()
        .find(|mistake| lower.contains(&mistake.pattern.to_lowercase()))
    {
        Some(mistake) => Diagnostic::new(&codes::SYNTAX, mistake.message)
            .at(span, mistake.label)
            .help(mistake.help),
        None => Diagnostic::new(&codes::SYNTAX, format!("the rule file is not YAML: {message}"))
            .at(span, "")
            .help("quote texts that contain special characters, and check the indentation"),
    };
    let line = line_around(text, span.start);
    if let Some(quoted) = cut_by_comment(line) {
        return diagnostic.help(format!(
            "`#` after a space begins a comment, which hides the rest of the line: quote the text, \
             \"{quoted}\""
        ));
    }
    diagnostic.maybe_help(unquoted_template(line).map(|template| {
        format!("quote key templates, because braces begin a map in YAML: \"{template}\"")
    }))
}

/// The first unquoted text in this line that continues in what YAML reads as a comment, although a
/// bracket is still open: `{ pk: user #{email}, sk: profile }`.
fn cut_by_comment(line: &str) -> Option<String> {
    let is_open = |before: &str| {
        let count = |brackets: [char; 2]| before.matches(brackets).count();
        let is_quoted = ['"', '\''].iter().any(|quote| before.matches(*quote).count() % 2 == 1);
        !is_quoted && count(['{', '[']) > count(['}', ']'])
    };
    let mut comments = line.match_indices(" #").map(|(offset, _)| offset);
    let comment = comments.find(|offset| line.get(..*offset).is_some_and(is_open))?;
    let before = line.get(..comment)?;
    let start = before.rfind([':', ',', '{', '[']).map_or(0, |at| at + 1);
    let rest = line.get(comment + 1..)?;
    let word = rest.get(..rest.find([' ', ','])?)?;
    let word = if word.contains('{') { word.get(..=word.find('}')?)? } else { word };
    Some(format!("{} {word}", before.get(start..)?.trim()))
}

/// The line that contains this offset.
fn line_around(text: &str, offset: usize) -> &str {
    let (before, after) = text.split_at_checked(offset).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let end = after.find('\n').map_or(text.len(), |newline| offset + newline);
    text.get(start..end).unwrap_or_default()
}

/// The first tab in the indentation of a line.
fn first_tab(text: &str) -> Option<Span> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line.get(..indentation).and_then(|spaces| spaces.find('\t')) {
            return Some(Span::new(start + tab, start + tab + 1));
        }
        start += line.len();
    }
    None
}

/// The first unquoted text in this line that contains a `{` after other characters, such as
/// `company#{company}`.
fn unquoted_template(line: &str) -> Option<&str> {
    const BEFORE: [char; 5] = [' ', '\t', '{', '[', ','];
    const AFTER: [char; 5] = [' ', '\t', '}', ']', ','];
    let brace = line.match_indices('{').map(|(offset, _)| offset).find(|offset| {
        let before = line.get(..*offset).unwrap_or_default();
        let is_quoted = ['"', '\''].iter().any(|quote| before.matches(*quote).count() % 2 == 1);
        !is_quoted
            && before.chars().next_back().is_some_and(|last| !BEFORE.contains(&last) && last != ':')
    })?;
    let start = line.get(..brace)?.rfind(BEFORE).map_or(0, |before| before + 1);
    let end = brace + line.get(brace..)?.find('}')? + 1;
    let tail = line.get(end..)?;
    line.get(start..end + tail.find(AFTER).unwrap_or(tail.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_a_comment_cuts_are_found() {
        for (line, expected) in [
            ("key: { pk: user #{email}, sk: profile }", Some("user #{email}")),
            ("key: { sk: profile, pk: user #, x: y }", Some("user #")),
            ("key: { pk: \"user #{email}\", sk: profile }", None),
            ("key: { pk: user } # as {before}, and so on", None),
            ("pk: user #{email}, x", None),
        ] {
            assert_eq!(cut_by_comment(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn unquoted_templates_are_found() {
        for (line, expected) in [
            ("key: { pk: company#{company}, sk: b }", Some("company#{company}")),
            ("key: { pk: \"company#{company}\", sk: user#{a}#x}", Some("user#{a}#x")),
            ("key: { pk: \"company#{company}\" }", None),
            ("key: { pk: b }", None),
            ("key:{ pk: b }", None),
        ] {
            assert_eq!(unquoted_template(line), expected, "{line}");
        }
    }
}
