//! Splits an item in DynamoDB's JSON into its attributes, in one pass and without decoding them.

use super::names::{NameId, Names};
use crate::audit::excerpt::Kept;
use crate::data::ends::{past, typed_end};

/// The attributes of an item. The memory is reused from item to item.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) names: Names,
    spans: Vec<Span>,
    /// For each name, the last item that had it, and the position of its span.
    places: Vec<(u64, usize)>,
    /// The number of the item, from 1.
    item: u64,
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
    attributes: &'a Attributes,
    text: &'t str,
}

impl Attributes {
    /// Splits an item. `None` if the text is not JSON as DynamoDB writes it: with spaces, with
    /// escapes in names, or with two attributes of the same name. It may be sound JSON all the same.
    pub(super) fn split<'t>(&mut self, text: &'t [u8]) -> Option<SplitItem<'_, 't>> {
        let text = str::from_utf8(text).ok()?;
        self.fill(text.as_bytes())?;
        Some(SplitItem { attributes: self, text })
    }

    fn fill(&mut self, bytes: &[u8]) -> Option<()> {
        self.spans.clear();
        self.item += 1;
        let mut at = past(bytes, 0, b'{')?;
        let mut name = NameId::NONE;
        loop {
            let name_at = at;
            let (read, name_end) = self.names.read(bytes, name_at, name)?;
            name = read;
            let value = past(bytes, name_end + 1, b':')?;
            let (next, is_plain) = typed_end(bytes, value)?;
            self.place(name)?;
            let (name, value) = ((name_at + 1, name_end), (value, next));
            self.spans.push(Span { name, value, is_plain });
            at = next + 1;
            match bytes.get(next)? {
                b',' => {}
                b'}' if at == bytes.len() => return Some(()),
                _ => return None,
            }
        }
    }

    /// Notes that the next span is that of this name. `None` if the item has the name already.
    fn place(&mut self, name: NameId) -> Option<()> {
        if name.index() >= self.places.len() {
            self.places.resize(self.names.len(), (0, 0));
        }
        let place = self.places.get_mut(name.index())?;
        (place.0 != self.item).then_some(())?;
        *place = (self.item, self.spans.len());
        Some(())
    }

    fn find(&self, name: NameId) -> Option<&Span> {
        let (item, position) = *self.places.get(name.index())?;
        if item == self.item { self.spans.get(position) } else { None }
    }

    /// The attribute with this name in the item that was split last, which has this text.
    pub(super) fn kept<'t>(&self, text: &'t [u8], name: NameId) -> Kept<'t> {
        let Some(span) = self.find(name) else { return Kept::Absent };
        let (start, end) = span.content();
        match text.get(start..end) {
            Some(text) if span.is_plain => Kept::Text(text),
            Some(json) => Kept::Json(json),
            None => Kept::Absent,
        }
    }
}

impl<'t> SplitItem<'_, 't> {
    /// The attribute with this name.
    pub(super) fn find(&self, name: NameId) -> Option<RawValue<'t>> {
        self.value(self.attributes.find(name)?)
    }

    /// All attributes, in the order of the text.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'t str, RawValue<'t>)> {
        let text = self.text;
        self.attributes
            .spans
            .iter()
            .filter_map(move |span| Some((text.get(span.name.0..span.name.1)?, self.value(span)?)))
    }

    fn value(&self, span: &Span) -> Option<RawValue<'t>> {
        let (start, end) = span.content();
        let content = self.text.get(start..end)?;
        Some(if span.is_plain { RawValue::Text(content) } else { RawValue::Other(content) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audit::raw_item::RawItem;

    /// The attributes of an item that is split, with their values as JSON.
    fn split(text: &str) -> Option<Vec<(String, String)>> {
        split_with(&mut Attributes::default(), text)
    }

    fn split_with(attributes: &mut Attributes, text: &str) -> Option<Vec<(String, String)>> {
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
        let [b, c, d] = ["b", "c", "d"].map(|name| attributes.names.add(name.as_bytes()));
        for text in [
            r#"{"a":{"S":"1"},"b":{"S":"2"},"c":{"N":"3"}}"#,
            r#"{"c":{"N":"3"},"b":{"S":"2"}}"#,
            r#"{"b":{"S":"2"},"a long name of an attribute":{"S":"1"},"c":{"N":"3"}}"#,
            r#"{"b":{"S":"2"},"a long name of an artefact":{"S":"1"},"c":{"N":"3"}}"#,
        ] {
            let item = attributes.split(text.as_bytes()).unwrap();
            assert_eq!(item.find(b), Some(RawValue::Text("2")), "{text}");
            assert_eq!(item.find(d), None, "{text}");
            assert_eq!(item.find(c), Some(RawValue::Other(r#"{"N":"3"}"#)), "{text}");
        }
        let item = attributes.split(br#"{"a":{"S":"1"}}"#).unwrap();
        assert_eq!(item.find(b), None);
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
        fn what_is_split_is_what_the_parser_reads(
            texts in prop::collection::vec(almost_items(), 1..6),
        ) {
            // Names are remembered from item to item.
            let mut attributes = Attributes::default();
            for text in texts {
                if let Some(pairs) = split_with(&mut attributes, &text) {
                    prop_assert_eq!(RawItem::parse(text.as_bytes()).unwrap().texts(), pairs);
                }
            }
        }
    }
}
