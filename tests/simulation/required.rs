//! What the `where` of an entity requires.

use fastrand::Rng;

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
    /// No value.
    Absent,
    /// Any value.
    Present,
}

impl Required {
    /// Draws a requirement.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        match rng.u8(..8) {
            0 => Self::Name,
            1 => Self::OneOf,
            2 => Self::Not,
            3 => Self::Absent,
            4 => Self::Present,
            _ => Self::Anything,
        }
    }

    /// The end of the entity's declaration.
    pub(crate) fn text(self, kind: usize) -> String {
        let test = match self {
            Self::Anything => return String::new(),
            Self::Name => format!("e{kind}"),
            Self::OneOf => format!("[e{kind}, other, absent]"),
            Self::Not => "{ not: gone }".to_owned(),
            Self::Absent => "absent".to_owned(),
            Self::Present => "present".to_owned(),
        };
        format!(", where: {{ type: {test} }}")
    }

    /// Whether an item of this kind may have this value.
    pub(crate) fn admits(self, kind: usize, value: Option<&str>) -> bool {
        let is_named = value == Some(format!("e{kind}").as_str());
        match self {
            Self::Anything => true,
            Self::Name => is_named,
            Self::OneOf => is_named || value == Some("other") || value.is_none(),
            Self::Not => value != Some("gone"),
            Self::Absent => value.is_none(),
            Self::Present => value.is_some(),
        }
    }

    /// Draws a value, which an item of this kind usually may have.
    pub(crate) fn draw(self, kind: usize, rng: &mut Rng) -> Option<String> {
        match self {
            Self::Anything => return None,
            Self::Name => return (rng.u8(..6) > 0).then(|| format!("e{kind}")),
            Self::OneOf | Self::Not | Self::Absent | Self::Present => {}
        }
        let values =
            [None, Some(format!("e{kind}")), Some("other".to_owned()), Some("gone".to_owned())];
        let is_meant = rng.u8(..6) > 0;
        let fits = |value: &&Option<String>| self.admits(kind, value.as_deref()) == is_meant;
        let values: Vec<_> = values.iter().filter(fits).collect();
        rng.choice(&values).and_then(|value| (*value).clone())
    }
}
