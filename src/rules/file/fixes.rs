//! What the usual mistakes in YAML are, and how to mend them.

use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::span::Span;

/// A mistake that the parser's message gives away.
struct Mistake {
    /// What the message has in it.
    sign: &'static str,
    /// What we say instead.
    message: &'static str,
    label: &'static str,
    help: &'static str,
}

const MISTAKES: &[Mistake] = &[
    Mistake {
        sign: "unclosed bracket",
        message: "a bracket is never closed",
        label: "opened here",
        help: "close it with the bracket of its kind, and quote texts that have brackets in them",
    },
    Mistake {
        sign: "mismatched bracket",
        message: "a bracket is closed by one of another kind",
        label: "opened here",
        help: "close `[` with `]`, and `{` with `}`",
    },
    Mistake {
        sign: "bracket",
        message: "a bracket closes nothing",
        label: "no bracket of this kind is open here",
        help: "remove it, or quote the text that it belongs to",
    },
    Mistake {
        sign: "unclosed quote",
        message: "a quoted text is never closed",
        label: "opened here",
        help: "end the text with the same kind of quote",
    },
    Mistake {
        sign: "after single-quoted scalar",
        message: "text goes on after its closing quote",
        label: "after the closing quote",
        help: "write a quote inside single quotes twice, as in `'it''s'`",
    },
    Mistake {
        sign: "after double-quoted scalar",
        message: "text goes on after its closing quote",
        label: "after the closing quote",
        help: "write a quote inside double quotes as `\\\"`",
    },
    Mistake {
        sign: "escape character",
        message: "an unknown escape in a double-quoted text",
        label: "after a `\\`",
        help: "write a backslash as `\\\\`, or use single quotes, where it means itself",
    },
    Mistake {
        sign: "expected ',' or '}'",
        message: "a map in braces has neither `,` nor `}` where one has to be",
        label: "not expected here",
        help: "separate the pairs with `,`, and quote texts that have brackets or commas in them",
    },
    Mistake {
        sign: "expected ',' or ']'",
        message: "a list in brackets has neither `,` nor `]` where one has to be",
        label: "not expected here",
        help: "separate the elements with `,`, and quote texts that have brackets or commas in them",
    },
    Mistake {
        sign: "unexpected EOF",
        message: "the file ends in the middle of a map or a list",
        label: "the end",
        help: "close the bracket that is open",
    },
    Mistake {
        sign: "mapping values are not allowed",
        message: "a `:` where no key can be",
        label: "this `:`",
        help: "begin the nested key on a line of its own, further to the right; or quote the text",
    },
    Mistake {
        sign: "simple key expected",
        message: "a key has no `:` after it",
        label: "not a key with its value",
        help: "write `key: value`, with a space after the `:`, and check the indentation",
    },
    Mistake {
        sign: "did not find expected key",
        message: "this line is indented like none of the keys above it",
        label: "no key is expected in this column",
        help: "begin keys that belong together in the same column",
    },
    Mistake {
        sign: "indentation",
        message: "this line is not indented as what is around it asks for",
        label: "here",
        help: "begin keys that belong together in the same column, and nested ones further to the right",
    },
    Mistake {
        sign: "expected '-' indicator",
        message: "a list goes on with a line that does not begin with `-`",
        label: "no `-` here",
        help: "begin each element with `- `, in the same column",
    },
    Mistake {
        sign: "block sequence entries are not allowed",
        message: "a `-` where no list can begin",
        label: "this `-`",
        help: "begin the list on the line after its key",
    },
    Mistake {
        sign: "unknown anchor",
        message: "an unquoted text begins with `*`, which YAML reads as an alias",
        label: "no anchor has this name",
        help: "quote the text",
    },
    Mistake {
        sign: "anchor",
        message: "an unquoted text begins with `*` or `&`, which YAML reads as an alias or an anchor",
        label: "here",
        help: "quote the text",
    },
    Mistake {
        sign: "tag",
        message: "an unquoted text begins with `!`, which YAML reads as a tag",
        label: "here",
        help: "quote the text",
    },
    Mistake {
        sign: "unexpected character",
        message: "an unquoted text begins with a character that YAML reserves",
        label: "reserved",
        help: "quote the text",
    },
    Mistake {
        sign: "expected string scalar",
        message: "a key is not text",
        label: "this is the key of a map",
        help: "write keys as text; quote a value that has braces in it",
    },
    Mistake {
        sign: "null into string",
        message: "a key is empty",
        label: "before this `:`",
        help: "write the key before the `:`",
    },
];

/// The diagnostic for what the parser says.
pub(super) fn explain(text: &str, span: Span, message: &str) -> Diagnostic {
    if message.contains("tab")
        && !message.contains("tag")
        && let Some(tab) = first_tab(text)
    {
        return Diagnostic::new(&codes::SYNTAX, "a line is indented with a tab")
            .at(tab, "the tab")
            .help("indent with spaces: YAML does not allow tabs there");
    }
    let lower = message.to_lowercase();
    let diagnostic = match MISTAKES
        .iter()
        .find(|mistake| lower.contains(&mistake.sign.to_lowercase()))
    {
        Some(mistake) => Diagnostic::new(&codes::SYNTAX, mistake.message)
            .at(span, mistake.label)
            .help(mistake.help),
        None => Diagnostic::new(&codes::SYNTAX, format!("the rule file is not YAML: {message}"))
            .at(span, "")
            .help("quote texts with special characters in them, and check the indentation"),
    };
    diagnostic.maybe_help(unquoted_template(line_around(text, span.start)).map(|template| {
        format!("quote key templates, since braces mean a map in YAML: \"{template}\"")
    }))
}

/// The line that has this place in it.
fn line_around(text: &str, offset: usize) -> &str {
    let (before, after) = text.split_at_checked(offset).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let end = after.find('\n').map_or(text.len(), |newline| offset + newline);
    text.get(start..end).unwrap_or_default()
}

/// The first tab that indents a line.
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

/// An unquoted text of this line that has a `{` inside, such as `company#{company}`.
fn unquoted_template(line: &str) -> Option<&str> {
    const BEFORE: [char; 5] = [' ', '\t', '{', '[', ','];
    const AFTER: [char; 5] = [' ', '\t', '}', ']', ','];
    let brace = line.match_indices('{').map(|(at, _)| at).find(|at| {
        let before = line.get(..*at).unwrap_or_default();
        let quoted = ['"', '\''].iter().any(|quote| before.matches(*quote).count() % 2 == 1);
        !quoted
            && before.chars().next_back().is_some_and(|last| !BEFORE.contains(&last) && last != ':')
    })?;
    let start = line.get(..brace)?.rfind(BEFORE).map_or(0, |at| at + 1);
    let closed = brace + line.get(brace..)?.find('}')? + 1;
    let tail = line.get(closed..)?;
    line.get(start..closed + tail.find(AFTER).unwrap_or(tail.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
