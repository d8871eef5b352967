//! Reads JSON as Lambda writes it, without spaces, from its beginning to its end.
//!
//! Every method returns `None` if the text is anything else. It may be sound JSON all the same.

use std::borrow::Cow;

use serde::Deserialize;

use crate::data::Value;
use crate::data::ends::{past, plain_end, text_end, typed_end, value_end};

/// A place in a text.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// The value of an attribute, which is not decoded yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawAttribute<'a> {
    json: &'a str,
    is_plain: bool,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Whether the text ends here.
    pub(super) const fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Reads an object. `each` gets the name of each member, and reads its value.
    pub(super) fn object(
        &mut self,
        mut each: impl FnMut(&'a str, &mut Self) -> Option<()>,
    ) -> Option<()> {
        self.elements(b'{', b'}', |cursor| {
            let name = cursor.name()?;
            each(name, cursor)
        })
    }

    /// Reads a list. `each` reads an element.
    pub(super) fn list(&mut self, each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.elements(b'[', b']', each)
    }

    fn elements(
        &mut self,
        open: u8,
        close: u8,
        mut each: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.pass(open)?;
        if self.pass(close).is_some() {
            return Some(());
        }
        loop {
            each(self)?;
            if self.pass(b',').is_none() {
                return self.pass(close);
            }
        }
    }

    /// Passes this byte, if it is the next one.
    fn pass(&mut self, byte: u8) -> Option<()> {
        self.at = past(self.text.as_bytes(), self.at, byte)?;
        Some(())
    }

    /// Reads the name of a member, which contains no escapes, and the colon.
    fn name(&mut self) -> Option<&'a str> {
        self.pass(b'"')?;
        let name = self.to(plain_end(self.text.as_bytes(), self.at)?)?;
        self.pass(b'"')?;
        self.pass(b':')?;
        Some(name)
    }

    /// Reads up to this position.
    fn to(&mut self, end: usize) -> Option<&'a str> {
        let read = self.text.get(self.at..end)?;
        self.at = end;
        Some(read)
    }

    /// Reads a text.
    pub(super) fn text(&mut self) -> Option<Cow<'a, str>> {
        let start = past(self.text.as_bytes(), self.at, b'"')?;
        let (end, is_plain) = text_end(self.text.as_bytes(), start)?;
        let quoted = self.to(end + 1)?;
        if is_plain { self.text.get(start..end).map(Cow::Borrowed) } else { json(quoted) }
    }

    /// Reads a value of any other type.
    pub(super) fn value<T: Deserialize<'a>>(&mut self) -> Option<T> {
        json(self.skip()?)
    }

    /// Reads the value of an attribute.
    pub(super) fn attribute(&mut self) -> Option<RawAttribute<'a>> {
        let (end, is_plain) = typed_end(self.text.as_bytes(), self.at)?;
        Some(RawAttribute { json: self.to(end)?, is_plain })
    }

    /// Skips any value, and returns its text.
    pub(super) fn skip(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(self.at..)?;
        match rest.first()? {
            b'-' | b'0'..=b'9' => {
                let is_part =
                    |byte: &u8| matches!(byte, b'+' | b'-' | b'.' | b'0'..=b'9' | b'E' | b'e');
                let length = rest.iter().position(|byte| !is_part(byte))?;
                let number = self.to(self.at + length)?;
                json::<f64>(number).map(|_| number)
            }
            b'n' if rest.starts_with(b"null") => self.to(self.at + 4),
            _ => self.to(value_end(bytes, self.at)?),
        }
    }
}

impl<'a> RawAttribute<'a> {
    /// Decodes the value.
    pub(super) fn decode(self) -> Option<Value<'a>> {
        if self.is_plain {
            return self.text();
        }
        self.map_of_texts().or_else(|| json(self.json))
    }

    /// Decodes a string without escapes.
    fn text(self) -> Option<Value<'a>> {
        let text = self.json.strip_prefix(r#"{"S":""#)?.strip_suffix(r#""}"#)?;
        Some(Value::S(Cow::Borrowed(text)))
    }

    /// Decodes a map of such strings, as the mark of a mirror is; `None` if it is anything else.
    fn map_of_texts(self) -> Option<Value<'a>> {
        let map = self.json.strip_prefix(r#"{"M":"#)?.strip_suffix('}')?;
        let (mut cursor, mut attributes) = (Cursor::new(map), Vec::new());
        cursor.object(|name, cursor| {
            let value = cursor.attribute().filter(|value| value.is_plain)?;
            attributes.push((Cow::Borrowed(name), value.text()?));
            Some(())
        })?;
        // A value with a second type is none.
        cursor.is_at_end().then(|| Value::M(attributes.into()))
    }
}

fn json<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    serde_json::from_str(text).ok()
}
