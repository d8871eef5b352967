//! A part of the system, as Terraform and the account describe it.

/// A part that at least one source describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<T> {
    /// Only Terraform describes it.
    Planned(T),
    /// Only the account has it.
    Actual(T),
    /// Both do.
    Both {
        /// As Terraform describes it.
        planned: T,
        /// As it is.
        actual: T,
    },
}

impl<T> Part<T> {
    /// Pairs the descriptions of at most one part.
    pub(super) fn of(planned: Option<T>, actual: Option<T>) -> Option<Self> {
        match (planned, actual) {
            (Some(planned), Some(actual)) => Some(Self::Both { planned, actual }),
            (Some(planned), None) => Some(Self::Planned(planned)),
            (None, Some(actual)) => Some(Self::Actual(actual)),
            (None, None) => None,
        }
    }

    /// Pairs the descriptions of the same parts, in the order of the first ones.
    pub(super) fn pairs(
        planned: Vec<T>,
        actual: Vec<T>,
        are_same: impl Fn(&T, &T) -> bool,
    ) -> Vec<Self> {
        let mut rest = actual;
        let mut parts: Vec<Self> = Vec::new();
        for planned in planned {
            let same = rest.iter().position(|actual| are_same(&planned, actual));
            let actual = same.map(|position| rest.remove(position));
            parts.extend(Self::of(Some(planned), actual));
        }
        parts.extend(rest.into_iter().map(Self::Actual));
        parts
    }

    /// The description to show: the account's, if there is one.
    pub(super) const fn shown(&self) -> &T {
        match self {
            Self::Planned(part) | Self::Actual(part) | Self::Both { actual: part, .. } => part,
        }
    }

    /// What the account says, or else Terraform.
    pub(super) fn known<V>(&self, look: impl Fn(&T) -> Option<V>) -> Option<V> {
        match self {
            Self::Planned(part) | Self::Actual(part) => look(part),
            Self::Both { planned, actual } => look(actual).or_else(|| look(planned)),
        }
    }
}

/// A setting of a part, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    /// What it is.
    pub(super) label: &'static str,
    /// Its value, as it is shown.
    pub(super) value: String,
    /// Its value, as it is compared, if that is more than what is shown.
    pub(super) exact: String,
}

impl Fact {
    pub(super) fn new(label: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        Self { label, exact: value.clone(), value }
    }
}

/// What has facts, which are shown and compared. A setting that is not known has none.
pub(super) trait Facts {
    /// The known settings, in the order in which they are shown.
    fn facts(&self) -> Vec<Fact>;
}

/// A setting to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) label: &'static str,
    /// The account's value, or else Terraform's.
    pub(super) value: String,
    /// The value in Terraform, if it differs from the account's.
    pub(super) planned: Option<String>,
}

impl<T: Facts> Part<T> {
    /// All settings that either source knows.
    pub(super) fn settings(&self) -> Vec<Compared> {
        let (facts, planned) = match self {
            Self::Planned(part) | Self::Actual(part) => (part.facts(), Vec::new()),
            Self::Both { planned, actual } => (actual.facts(), planned.facts()),
        };
        let missing = planned.iter().filter(|it| facts.iter().all(|fact| fact.label != it.label));
        let missing: Vec<Fact> = missing.cloned().collect();
        let compared = |fact: Fact| {
            let planned = planned.iter().find(|it| it.label == fact.label);
            let other = planned.filter(|it| it.exact != fact.exact);
            let planned = other.map(|it| {
                if it.value == fact.value {
                    format!("others: {}", it.exact)
                } else {
                    it.value.clone()
                }
            });
            Compared { label: fact.label, value: fact.value, planned }
        };
        facts.into_iter().chain(missing).map(compared).collect()
    }
}
