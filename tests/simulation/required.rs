//! What the `where` of an entity requires.

use fastrand::Rng;

use crate::model::{Content, FUTURE_S, PAST_S, Val};

/// The attribute that says of which kind an item is.
const TYPE: &str = "type";
/// The attribute with a time.
const UNTIL: &str = "until";

/// What a `where` requires of the attribute `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Required {
    /// Nothing.
    Anything,
    /// The name of the entity.
    Name,
    /// The name of the entity, another text, or no value.
    OneOf,
    /// Anything but `gone`.
    Not,
    /// Anything but `gone`, the number 1 or no value.
    NoneOf,
    /// No value.
    Absent,
    /// Any value.
    Present,
    /// A number less than 3.
    Less,
    /// A number from 1 to 3.
    Within,
    /// A text greater than `f`.
    Greater,
}

impl Required {
    /// Draws a requirement.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        match rng.u8(..12) {
            0 => Self::Name,
            1 => Self::OneOf,
            2 => Self::Not,
            3 => Self::NoneOf,
            4 => Self::Absent,
            5 => Self::Present,
            6 => Self::Less,
            7 => Self::Within,
            8 => Self::Greater,
            _ => Self::Anything,
        }
    }

    /// The condition in the entity's declaration.
    pub(crate) fn text(self, kind: usize) -> Option<String> {
        let test = match self {
            Self::Anything => return None,
            Self::Name => format!("e{kind}"),
            Self::OneOf => format!("[e{kind}, other, absent]"),
            Self::Not => "{ not: gone }".to_owned(),
            Self::NoneOf => "{ not: [gone, 1, absent] }".to_owned(),
            Self::Absent => "absent".to_owned(),
            Self::Present => "present".to_owned(),
            Self::Less => "{ lt: 3 }".to_owned(),
            Self::Within => "{ gte: 1, lte: 3 }".to_owned(),
            Self::Greater => "{ gt: f }".to_owned(),
        };
        Some(format!("{TYPE}: {test}"))
    }

    /// Whether an item may be of this kind.
    pub(crate) fn admits(self, kind: usize, item: &Content) -> bool {
        let value = item.get(TYPE);
        let is_text = |text: &str| matches!(value, Some(Val::Text(found)) if found == text);
        let is_named = is_text(&format!("e{kind}"));
        match (self, value) {
            (Self::Anything, _) => true,
            (Self::Name, _) => is_named,
            (Self::OneOf, _) => is_named || is_text("other") || value.is_none(),
            (Self::Not, _) => !is_text("gone"),
            (Self::NoneOf, _) => {
                !is_text("gone") && value != Some(&Val::Number(1)) && value.is_some()
            }
            (Self::Absent, _) => value.is_none(),
            (Self::Present, _) => value.is_some(),
            (Self::Less, Some(Val::Number(number))) => *number < 3,
            (Self::Within, Some(Val::Number(number))) => (1..=3).contains(number),
            (Self::Greater, Some(Val::Text(text))) => text.as_str() > "f",
            (Self::Less | Self::Within | Self::Greater, _) => false,
        }
    }

    /// Adds a value, which an item of this kind usually may have.
    pub(crate) fn draw(self, kind: usize, item: &mut Content, rng: &mut Rng) {
        let texts = [format!("e{kind}"), "other".to_owned(), "gone".to_owned()].map(Val::Text);
        let [name, ..] = &texts;
        if self == Self::Anything || self == Self::Name {
            if self == Self::Name && rng.u8(..6) > 0 {
                item.insert(TYPE.to_owned(), name.clone());
            }
            return;
        }
        let numbers = [0, 1, 3, 4].map(Val::Number);
        let values = texts.into_iter().chain(numbers).map(Some).chain([None]);
        let is_meant = rng.u8(..6) > 0;
        let with = |value: Option<Val>| {
            let mut item = item.clone();
            item.extend(value.map(|value| (TYPE.to_owned(), value)));
            item
        };
        let items = values.map(with).filter(|item| self.admits(kind, item) == is_meant);
        let items: Vec<_> = items.collect();
        if let Some(drawn) = rng.choice(items) {
            *item = drawn;
        }
    }
}

/// What a `where` requires of the attribute `until`, which contains a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Until {
    /// Whether the time must not have come yet. If not, it must have passed.
    is_after: bool,
    unit: Unit,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Seconds,
    Milliseconds,
    Text,
}

impl Until {
    /// Draws a requirement.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let unit = *rng.choice(&[Unit::Seconds, Unit::Milliseconds, Unit::Text]).unwrap();
        Self { is_after: rng.u8(..3) > 0, unit }
    }

    /// The condition in the entity's declaration.
    pub(crate) fn text(self) -> String {
        let word = if self.is_after { "after" } else { "before" };
        let now = if self.unit == Unit::Milliseconds { "now_ms" } else { "now" };
        format!("{UNTIL}: {{ {word}: {now} }}")
    }

    /// The declaration of the attribute.
    pub(crate) fn attribute(self) -> String {
        format!("{UNTIL}: {}", if self.unit == Unit::Text { "S" } else { "N" })
    }

    /// A time before every history, and one after it.
    fn times(self) -> [Val; 2] {
        match self.unit {
            Unit::Seconds => [PAST_S, FUTURE_S].map(Val::Number),
            Unit::Milliseconds => [PAST_S, FUTURE_S].map(|time_s| Val::Number(time_s * 1_000)),
            Unit::Text => ["2023-11-13T22:13:20Z", "2023-11-15T22:13:20Z"]
                .map(|time| Val::Text(time.to_owned())),
        }
    }

    /// Whether an item counts as existing.
    pub(crate) fn admits(self, item: &Content) -> bool {
        let [past, future] = self.times();
        item.get(UNTIL) == Some(if self.is_after { &future } else { &past })
    }

    /// Adds a time, which an item usually has.
    pub(crate) fn draw(self, item: &mut Content, rng: &mut Rng) {
        let [past, future] = self.times();
        let (meant, other) = if self.is_after { (future, past) } else { (past, future) };
        let time = match rng.u8(..8) {
            0 | 1 => other,
            2 => return,
            _ => meant,
        };
        item.insert(UNTIL.to_owned(), time);
    }
}
