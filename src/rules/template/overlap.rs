//! Checks whether two templates can match the same text.

use std::collections::{BTreeMap, VecDeque};

use super::format::{Capture, Case, Format};
use super::text::{Part, Template};

impl Template {
    /// A shortest text that matches both templates; `None` if there is none.
    ///
    /// The result is exact, because the search covers every combination of a position in one
    /// template and a position in the other.
    #[must_use]
    pub fn overlap(&self, other: &Self, separator: char) -> Option<String> {
        common_text(&steps(self), &steps(other), separator)
    }
}

/// The characters that are allowed at one position of a text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Class {
    Only(char),
    /// The characters of a capture.
    Of {
        kind: Kind,
        allows_separator: bool,
    },
}

/// The characters that a capture's format allows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Any,
    Digit,
    InCase(Case),
}

impl Class {
    pub(super) fn contains(self, char: char, separator: char) -> bool {
        match self {
            Self::Only(only) => only == char,
            Self::Of { kind, allows_separator } => {
                let is_kind = match kind {
                    Kind::Any => true,
                    Kind::Digit => char.is_ascii_digit(),
                    Kind::InCase(case) => case.is_case_of_char(char),
                };
                is_kind && (allows_separator || char != separator)
            }
        }
    }
}

/// A step of the automaton that accepts the texts of a template.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) class: Class,
    /// Whether the step accepts any number of these characters, including none, instead of exactly
    /// one.
    pub(super) repeats: bool,
}

/// The steps of a template.
pub(super) fn steps(template: &Template) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in template.parts() {
        match part {
            Part::Literal(literal) => steps.extend(literally(literal)),
            Part::Capture(capture) => add_capture(capture, &mut steps),
        }
    }
    steps
}

fn literally(text: &str) -> impl Iterator<Item = Step> {
    text.chars().map(|char| Step { class: Class::Only(char), repeats: false })
}

/// Adds the steps of a capture: one for each character if its width is fixed, otherwise one for its
/// first character and one for the rest.
fn add_capture(capture: &Capture, steps: &mut Vec<Step>) {
    let kind = match &capture.format {
        Format::Zeros(_) => Kind::Digit,
        Format::Lower => Kind::InCase(Case::Lower),
        Format::Upper => Kind::InCase(Case::Upper),
        Format::Plain | Format::Width(_) | Format::Prefix(_) => Kind::Any,
    };
    let class = Class::Of { kind, allows_separator: capture.is_rest };
    match &capture.format {
        Format::Zeros(width) | Format::Width(width) => {
            steps.extend(std::iter::repeat_n(Step { class, repeats: false }, *width));
        }
        Format::Prefix(prefix) => {
            steps.extend(literally(prefix));
            steps.push(Step { class, repeats: true });
        }
        Format::Plain | Format::Lower | Format::Upper => {
            steps.extend([false, true].map(|repeats| Step { class, repeats }));
        }
    }
}

/// The number of completed steps of each template.
type State = (usize, usize);

/// A shortest text that both sequences of steps accept.
///
/// This is a breadth-first search through the states. Leaving a repeated step consumes no
/// character, so the resulting state is added to the front of the queue.
fn common_text(left: &[Step], right: &[Step], separator: char) -> Option<String> {
    let mut reached: BTreeMap<State, (State, Option<char>)> = BTreeMap::new();
    let mut queue = VecDeque::from([((0, 0), ((0, 0), None))]);
    while let Some((state, origin)) = queue.pop_front() {
        if reached.contains_key(&state) {
            continue;
        }
        reached.insert(state, origin);
        let (left_index, right_index) = state;
        let (left, right) = (left.get(left_index), right.get(right_index));
        if left.is_none() && right.is_none() {
            return Some(retrace(&reached, state));
        }
        if left.is_some_and(|step| step.repeats) {
            queue.push_front(((left_index + 1, right_index), (state, None)));
        }
        if right.is_some_and(|step| step.repeats) {
            queue.push_front(((left_index, right_index + 1), (state, None)));
        }
        let (Some(left), Some(right)) = (left, right) else { continue };
        if let Some(char) = common_char(left.class, right.class, separator) {
            let next = (
                left_index + usize::from(!left.repeats),
                right_index + usize::from(!right.repeats),
            );
            queue.push_back((next, (state, Some(char))));
        }
    }
    None
}

/// The text that leads to a state.
fn retrace(reached: &BTreeMap<State, (State, Option<char>)>, end: State) -> String {
    let mut chars: Vec<char> = Vec::new();
    let mut state = end;
    while let Some((origin, char)) = reached.get(&state).filter(|_| state != (0, 0)) {
        chars.extend(char);
        state = *origin;
    }
    chars.into_iter().rev().collect()
}

/// A character that belongs to both classes.
///
/// Classes of captures differ only in letters, digits and the separator, so two characters of each
/// kind represent all: one of the two is not the separator.
fn common_char(left: Class, right: Class, separator: char) -> Option<char> {
    let is_common =
        |char: &char| left.contains(*char, separator) && right.contains(*char, separator);
    match (left, right) {
        (Class::Only(char), _) | (_, Class::Only(char)) => Some(char).filter(is_common),
        (Class::Of { .. }, Class::Of { .. }) => "xyXY12".chars().find(is_common),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(left: &str, right: &str) -> Option<String> {
        let [left, right] = [left, right].map(|text| Template::parse(text).unwrap());
        left.overlap(&right, '#')
    }

    #[test]
    fn overlaps_are_found_with_an_example_text() {
        for (left, right, expected) in [
            ("user#{id}", "user#{email}", Some("user#x")),
            ("user#{id}", "company#{id}", None),
            ("user#{id}", "{kind}#{id}", Some("user#x")),
            ("user#{id}", "user#{id}#{no}", None),
            ("user#{id*}", "user#{id}#{no}", Some("user#x#x")),
            ("{a}-1", "2-{b}", Some("2-1")),
            ("{a}ab", "ab{b}", Some("abab")),
            ("a{a}b", "a{b}c", None),
            ("{id}", "user", Some("user")),
            ("{id}", "user#", None),
            ("{id*}", "user#", Some("user#")),
            ("{no:03}", "{id}", Some("111")),
            ("{no:03}", "{id:2}", None),
            ("{no:03}", "a{id}", None),
            ("{no:03}", "00{id}", Some("001")),
            ("{id:lower}", "{id:upper}", Some("1")),
            ("{id:lower}", "USER{id}", None),
            ("{id:org_*}", "{id:user_*}", None),
            ("{id:org_*}", "{id:org*}", Some("org_")),
            ("{a:2}{b}", "{c}-x", Some("x-x")),
        ] {
            assert_eq!(overlap(left, right).as_deref(), expected, "{left} {right}");
            assert_eq!(overlap(right, left).is_some(), expected.is_some(), "{right} {left}");
        }
    }
}
