//! Splits an item in DynamoDB's JSON into its attributes, in one pass and without decoding them.

use crate::audit::excerpt::Kept;

/// The maximum depth of nesting in a value. DynamoDB allows 32 levels, of two brackets each.
const DEPTH_MAX: usize = 70;

/// The attributes of an item. The memory is reused from item to item.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    spans: Vec<Span>,
}

/// Where an attribute is in the text of its item.
#[derive(Debug, Clone, Copy)]
struct Span {
    name: (usize, usize),
    value: (usize, usize),
    is_plain: bool,
}

impl Span {
    /// The text of a plain string, and the whole value of others.
    const fn content(&self) -> (usize, usize) {
        let (start, end) = self.value;
        // Between `{"S":"` and `"}`.
        if self.is_plain { (start + 6, end - 2) } else { (start, end) }
    }
}

/// An attribute's value as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RawValue<'t> {
    /// The text of a string that contains no escapes.
    Text(&'t str),
    /// Any other value, with its type tag.
    Other(&'t str),
}

/// An item that was split.
#[derive(Debug, Clone, Copy)]
pub(super) struct SplitItem<'a, 't> {
    spans: &'a [Span],
    text: &'t str,
}

impl Attributes {
    /// Splits an item. `None` if the text is not JSON as DynamoDB writes it: with spaces, with
    /// escapes in names, or with two attributes of the same name. It may be sound JSON all the same.
    pub(super) fn split<'t>(&mut self, text: &'t [u8]) -> Option<SplitItem<'_, 't>> {
        let text = str::from_utf8(text).ok()?;
        self.spans.clear();
        self.fill(text.as_bytes())?;
        Some(SplitItem { spans: &self.spans, text })
    }

    fn fill(&mut self, bytes: &[u8]) -> Option<()> {
        let mut seen = 0_u64;
        let mut at = past(bytes, 0, b'{')?;
        loop {
            let start = past(bytes, at, b'"')?;
            let end = plain_end(bytes, start)?;
            let value = past(bytes, end + 1, b':')?;
            let (next, is_plain) = typed_end(bytes, value)?;
            self.refuse_twice(bytes, (start, end), &mut seen)?;
            self.spans.push(Span { name: (start, end), value: (value, next), is_plain });
            at = next + 1;
            match bytes.get(next)? {
                b',' => {}
                b'}' if at == bytes.len() => return Some(()),
                _ => return None,
            }
        }
    }

    /// The attribute with this name in the item that was split last, which has this text. `likely`
    /// is as in [`SplitItem::find`].
    pub(super) fn kept<'t>(&self, text: &'t [u8], name: &str, likely: &mut usize) -> Kept<'t> {
        let Some(span) = find(&self.spans, text, name, likely) else { return Kept::Absent };
        let (start, end) = span.content();
        match text.get(start..end) {
            Some(text) if span.is_plain => Kept::Text(text),
            Some(json) => Kept::Json(json),
            None => Kept::Absent,
        }
    }

    /// Refuses a name that occurred before. `seen` has a bit for each name so far, so that most
    /// names need no comparison.
    fn refuse_twice(&self, bytes: &[u8], name: (usize, usize), seen: &mut u64) -> Option<()> {
        let name = bytes.get(name.0..name.1)?;
        let ends =
            [name.first(), name.last()].map(|byte| byte.map_or(0, |byte| usize::from(*byte)));
        let bit = 1 << ((ends.iter().sum::<usize>() + 7 * name.len()) % 64);
        let is_known = |span: &Span| bytes.get(span.name.0..span.name.1) == Some(name);
        if *seen & bit != 0 && self.spans.iter().any(is_known) {
            return None;
        }
        *seen |= bit;
        Some(())
    }
}

impl<'t> SplitItem<'_, 't> {
    /// The attribute with this name. `likely` is the position at which it is tried first: the one
    /// that it had in the item before.
    pub(super) fn find(&self, name: &str, likely: &mut usize) -> Option<RawValue<'t>> {
        self.value(find(self.spans, self.text.as_bytes(), name, likely)?)
    }

    /// All attributes, in the order of the text.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'t str, RawValue<'t>)> {
        let text = self.text;
        self.spans
            .iter()
            .filter_map(move |span| Some((text.get(span.name.0..span.name.1)?, self.value(span)?)))
    }

    fn value(&self, span: &Span) -> Option<RawValue<'t>> {
        let (start, end) = span.content();
        let content = self.text.get(start..end)?;
        Some(if span.is_plain { RawValue::Text(content) } else { RawValue::Other(content) })
    }
}

/// The attribute with this name.
fn find<'s>(spans: &'s [Span], text: &[u8], name: &str, likely: &mut usize) -> Option<&'s Span> {
    let is_it = |span: &&Span| {
        let (start, end) = span.name;
        end - start == name.len() && text.get(start..end) == Some(name.as_bytes())
    };
    if let Some(span) = spans.get(*likely).filter(is_it) {
        return Some(span);
    }
    *likely = spans.iter().position(|span| is_it(&span))?;
    spans.get(*likely)
}

/// The position after this byte.
fn past(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    (*bytes.get(at)? == byte).then_some(at + 1)
}

/// The end of an attribute's value, and whether it is a string without escapes.
fn typed_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let start: &[u8; 6] = bytes.get(at..)?.first_chunk()?;
    let [b'{', b'"', tag @ (b'S' | b'N' | b'B'), b'"', b':', b'"'] = *start else {
        past(bytes, at, b'{')?;
        return Some((value_end(bytes, at, 0)?, false));
    };
    let (end, is_plain) = text_end(bytes, at + 6)?;
    Some((past(bytes, end + 1, b'}')?, is_plain && tag == b'S'))
}

/// The end of any value that consists of texts, flags, lists and maps, as all of DynamoDB's do.
fn value_end(bytes: &[u8], at: usize, depth: usize) -> Option<usize> {
    if depth == DEPTH_MAX {
        return None;
    }
    let rest = bytes.get(at..)?;
    match rest.first()? {
        b'"' => text_end(bytes, at + 1).map(|(end, _)| end + 1),
        b't' => rest.starts_with(b"true").then_some(at + 4),
        b'f' => rest.starts_with(b"false").then_some(at + 5),
        b'[' => elements_end(bytes, at + 1, b']', |at| value_end(bytes, at, depth + 1)),
        b'{' => elements_end(bytes, at + 1, b'}', |at| {
            let (name_end, _) = text_end(bytes, past(bytes, at, b'"')?)?;
            value_end(bytes, past(bytes, name_end + 1, b':')?, depth + 1)
        }),
        _ => None,
    }
}

/// The end of a list or map. `element_end` returns the end of the element at a position.
fn elements_end(
    bytes: &[u8],
    mut at: usize,
    close: u8,
    element_end: impl Fn(usize) -> Option<usize>,
) -> Option<usize> {
    if *bytes.get(at)? == close {
        return Some(at + 1);
    }
    loop {
        let end = element_end(at)?;
        at = end + 1;
        match *bytes.get(end)? {
            b',' => {}
            byte if byte == close => return Some(at),
            _ => return None,
        }
    }
}

/// The position of the closing quote of a text without escapes; `None` if it has any.
fn plain_end(bytes: &[u8], at: usize) -> Option<usize> {
    let end = special(bytes, at)?;
    (*bytes.get(end)? == b'"').then_some(end)
}

/// The position of the closing quote of a text, and whether the text has no escapes.
fn text_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let mut end = special(bytes, at)?;
    let mut is_plain = true;
    loop {
        match *bytes.get(end)? {
            b'"' => return Some((end, is_plain)),
            b'\\' => end = special(bytes, escape_end(bytes, end + 1)?)?,
            // A control character.
            _ => return None,
        }
        is_plain = false;
    }
}

/// The end of an escape, from the byte after the backslash.
fn escape_end(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
        b'u' => {
            let digits = bytes.get(at + 1..at + 5)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 5)
        }
        _ => None,
    }
}

/// The position of the next quote, backslash or control character. Looks at eight bytes at a time:
/// most texts are too short for the set-up of a vectorized search.
fn special(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let found = specials(u64::from_le_bytes(*eight));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let is_special = |byte: &u8| matches!(*byte, b'"' | b'\\' | 0..=0x1f);
    Some(at + bytes.get(at..)?.iter().position(is_special)?)
}

/// Sets the upper bit of each byte that is a quote, a backslash or a control character. Only the
/// lowest bit that is set is reliable.
/// <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>
const fn specials(eight: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const fn below(eight: u64, limit: u64) -> u64 {
        eight.wrapping_sub(ONES * limit) & !eight
    }
    let quote = below(eight ^ (ONES * b'"' as u64), 1);
    let backslash = below(eight ^ (ONES * b'\\' as u64), 1);
    (quote | backslash | below(eight, 0x20)) & (ONES * 0x80)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audit::raw_item::RawItem;

    /// The attributes of an item that is split, with their values as JSON.
    fn split(text: &str) -> Option<Vec<(String, String)>> {
        let mut attributes = Attributes::default();
        let item = attributes.split(text.as_bytes())?;
        let json = |value| match value {
            RawValue::Text(text) => format!(r#"{{"S":"{text}"}}"#),
            RawValue::Other(json) => json.to_owned(),
        };
        Some(item.iter().map(|(name, value)| (name.to_owned(), json(value))).collect())
    }

    #[test]
    fn an_item_as_dynamodb_writes_it_is_split() {
        let pairs = [
            ("pk", r#"{"S":"user#1"}"#),
            ("empty", r#"{"S":""}"#),
            ("quoted", r#"{"S":"a \"gift\" \u00fc"}"#),
            ("n", r#"{"N":"-1.5"}"#),
            ("flag", r#"{"BOOL":false}"#),
            ("none", r#"{"NULL":true}"#),
            ("set", r#"{"SS":["a","b\\"]}"#),
            ("list", r#"{"L":[{"S":"}"},{"M":{"a\"b":{"L":[]}}}]}"#),
            ("long", r#"{"S":"Größe: ein langer Text, der nicht in acht Bytes passt"}"#),
        ];
        let body: Vec<_> =
            pairs.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
        let pairs: Vec<_> = pairs.map(|(name, value)| (name.into(), value.into())).into();
        assert_eq!(split(&format!("{{{}}}", body.join(","))), Some(pairs));
    }

    #[test]
    fn unusual_items_are_left_to_the_parser() {
        for text in [
            "",
            "{",
            "{}",
            "[]",
            r#"{"a":{"S":"x"}} "#,
            r#"{"a": {"S":"x"}}"#,
            r#"{"a\"":{"S":"x"}}"#,
            r#"{"a":{"S":"x"},"a":{"S":"y"}}"#,
            r#"{"a":{"S":"x"},}"#,
            r#"{"a":{"S":"x"#,
            r#"{"a":{"S":"\x"}}"#,
            r#"{"a":{"S":"\u00g0"}}"#,
            "{\"a\":{\"S\":\"\u{1}\"}}",
            r#"{"a":{"N":1}}"#,
            r#"{"a":"x"}"#,
            r#"{"a":{"L":[{"S":"x"},]}}"#,
        ] {
            assert_eq!(split(text), None, "{text}");
        }
        let mut attributes = Attributes::default();
        assert!(attributes.split(b"{\"a\":{\"S\":\"\xff\"}}").is_none());
    }

    #[test]
    fn an_attribute_is_found_wherever_it_is() {
        let mut attributes = Attributes::default();
        let item = attributes.split(br#"{"a":{"S":"1"},"b":{"S":"2"},"c":{"N":"3"}}"#).unwrap();
        for mut likely in 0..4 {
            assert_eq!(item.find("b", &mut likely), Some(RawValue::Text("2")));
            assert_eq!(likely, 1);
            assert_eq!(item.find("d", &mut likely), None);
            assert_eq!(item.find("c", &mut likely), Some(RawValue::Other(r#"{"N":"3"}"#)));
        }
    }

    /// Texts like items, of which many are almost right.
    fn almost_items() -> impl Strategy<Value = String> {
        const TOKENS: [&str; 18] = [
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "\\",
            "\\\"",
            "\\u00e9",
            "\"S\":",
            "{\"S\":\"",
            "\"}",
            "{\"L\":[",
            "true",
            "é",
            "\u{1f}",
            " ",
        ];
        let tokens = prop::collection::vec(prop::sample::select(&TOKENS[..]), 0..12);
        let value = prop_oneof![
            8 => "[a-é \"]{0,20}".prop_map(|text| format!(r#"{{"S":"{text}"}}"#)),
            2 => tokens.prop_map(|tokens| tokens.concat()),
            1 => Just(r#"{"M":{"x":{"SS":["a","b"]}}}"#.to_owned()),
        ];
        let pair = ("[a-d]{0,2}", value).prop_map(|(name, value)| format!(r#""{name}":{value}"#));
        prop::collection::vec(pair, 0..5).prop_map(|pairs| format!("{{{}}}", pairs.join(",")))
    }

    proptest! {
        #[test]
        fn what_is_split_is_what_the_parser_reads(text in almost_items()) {
            if let Some(pairs) = split(&text) {
                prop_assert_eq!(RawItem::parse(text.as_bytes()).unwrap().texts(), pairs);
            }
        }
    }
}
