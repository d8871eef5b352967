//! Checks whether two templates can match the same text.

use std::collections::{BTreeMap, VecDeque};

use super::format::{Capture, Case, Format};
use super::separator::Separator;
use super::text::{Part, Template};

impl Template {
    /// A shortest text that matches both templates; `None` if there is none.
    ///
    /// The result is exact if the separator is one character, because the search covers every
    /// combination of a position in one template and a position in the other. Positions include the
    /// part of the separator with which a capture ends so far. A text with a separator such as `::`
    /// that only a split at a later position would match counts as matching.
    #[must_use]
    pub fn overlap(&self, other: &Self, separator: Separator) -> Option<String> {
        common_text(&steps(self), &steps(other), separator)
    }
}

/// The characters that are allowed at one position of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Only(char),
    /// The characters of a capture.
    Of(Kind),
}

/// The characters that a capture's format allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    Digit,
    InCase(Case),
}

impl Class {
    pub(super) fn contains(self, char: char) -> bool {
        match self {
            Self::Only(only) => only == char,
            Self::Of(Kind::Any) => true,
            Self::Of(Kind::Digit) => char.is_ascii_digit(),
            Self::Of(Kind::InCase(case)) => case.is_case_of_char(char),
        }
    }
}

/// A step of the automaton that accepts the texts of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) class: Class,
    /// Whether the step accepts any number of these characters, including none, instead of exactly
    /// one.
    pub(super) repeats: bool,
    /// The place in a capture that cannot contain the separator.
    pub(super) place: Place,
}

/// Where a step is in a capture that cannot contain the separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Not in such a capture.
    Outside,
    /// In such a capture, which goes on after the step.
    Inside,
    /// At the end of such a capture.
    Last,
}

/// The steps of a template.
fn steps(template: &Template) -> Vec<Step> {
    steps_with(template, ToOwned::to_owned)
}

/// The steps of a template, whose literals are converted first.
pub(super) fn steps_with(template: &Template, convert: impl Fn(&str) -> String) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in template.parts() {
        match part {
            Part::Literal(literal) => steps.extend(literally(&convert(literal), Place::Outside)),
            Part::Capture(capture) => add_capture(capture, &mut steps),
        }
    }
    steps
}

fn literally(text: &str, place: Place) -> impl Iterator<Item = Step> {
    text.chars().map(move |char| Step { class: Class::Only(char), repeats: false, place })
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
    let class = Class::Of(kind);
    let place = if capture.is_rest { Place::Outside } else { Place::Inside };
    match &capture.format {
        Format::Zeros(width) | Format::Width(width) => {
            steps.extend(std::iter::repeat_n(Step { class, repeats: false, place }, *width));
        }
        Format::Prefix(prefix) => {
            steps.extend(literally(prefix, place));
            steps.push(Step { class, repeats: true, place });
        }
        Format::Plain | Format::Lower | Format::Upper => {
            steps.extend([false, true].map(|repeats| Step { class, repeats, place }));
        }
    }
    if let Some(last) = steps.last_mut().filter(|_| !capture.is_rest) {
        last.place = Place::Last;
    }
}

/// A position in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Position {
    /// The number of completed steps.
    step: usize,
    /// The number of characters of the separator with which the capture ends so far.
    begun: usize,
}

/// A position in each of the two templates.
type State = (Position, Position);

/// A template's steps, and the separator that its captures cannot contain.
struct Automaton<'t> {
    steps: &'t [Step],
    separator: &'t [char],
}

impl Automaton<'_> {
    fn step(&self, at: Position) -> Option<Step> {
        self.steps.get(at.step).copied()
    }

    /// The position after a repeated step; `None` if there is no such step.
    fn passed(&self, at: Position) -> Option<Position> {
        self.step(at).filter(|step| step.repeats).map(|step| left(at, step))
    }

    /// The position after one more character; `None` if the capture cannot contain it.
    fn after(&self, at: Position, char: char) -> Option<Position> {
        let step = self.step(at)?;
        let begun = match step.place {
            Place::Outside => 0,
            Place::Inside | Place::Last => self.begun(at.begun, char)?,
        };
        let at = Position { begun, ..at };
        Some(if step.repeats { at } else { left(at, step) })
    }

    /// How much of the separator a text ends with after one more character; `None` if all of it.
    fn begun(&self, before: usize, char: char) -> Option<usize> {
        if let [only] = self.separator {
            return (*only != char).then_some(0);
        }
        let mut text: Vec<char> = self.separator.iter().take(before).copied().collect();
        text.push(char);
        let lengths = (0..=text.len()).rev();
        let begun = lengths.into_iter().find(|length| {
            let end = text.get(text.len() - length..).unwrap_or_default();
            self.separator.starts_with(end)
        });
        begun.filter(|begun| *begun < self.separator.len())
    }
}

/// The position after a step.
fn left(at: Position, step: Step) -> Position {
    let begun = if step.place == Place::Inside { at.begun } else { 0 };
    Position { step: at.step + 1, begun }
}

/// A shortest text that both sequences of steps accept.
///
/// This is a breadth-first search through the states. Leaving a repeated step consumes no
/// character, so the resulting state is added to the front of the queue.
fn common_text(left: &[Step], right: &[Step], separator: Separator) -> Option<String> {
    let separator: Vec<char> = separator.as_str().chars().collect();
    let [left, right] = [left, right].map(|steps| Automaton { steps, separator: &separator });
    let mut reached: BTreeMap<State, (State, Option<char>)> = BTreeMap::new();
    let mut queue = VecDeque::from([(State::default(), (State::default(), None))]);
    while let Some((state, origin)) = queue.pop_front() {
        if reached.contains_key(&state) {
            continue;
        }
        reached.insert(state, origin);
        let (in_left, in_right) = state;
        let steps = (left.step(in_left), right.step(in_right));
        if steps == (None, None) {
            return Some(retrace(&reached, state));
        }
        if let Some(passed) = left.passed(in_left) {
            queue.push_front(((passed, in_right), (state, None)));
        }
        if let Some(passed) = right.passed(in_right) {
            queue.push_front(((in_left, passed), (state, None)));
        }
        let (Some(left_step), Some(right_step)) = steps else { continue };
        let after = |char| Some((left.after(in_left, char)?, right.after(in_right, char)?));
        if let Some((char, next)) = common_char(left_step.class, right_step.class, after) {
            queue.push_back((next, (state, Some(char))));
        }
    }
    None
}

/// The text that leads to a state.
fn retrace(reached: &BTreeMap<State, (State, Option<char>)>, end: State) -> String {
    let mut chars: Vec<char> = Vec::new();
    let mut state = end;
    while let Some((origin, char)) = reached.get(&state).filter(|_| state != State::default()) {
        chars.extend(char);
        state = *origin;
    }
    chars.into_iter().rev().collect()
}

/// A character that belongs to both classes, and the state after it.
///
/// Classes of captures differ only in letters, digits and the separator, so the characters of each
/// kind represent all: those that are not in the separator lead to the state from which most texts
/// are accepted.
fn common_char(
    left: Class,
    right: Class,
    after: impl Fn(char) -> Option<State> + Copy,
) -> Option<(char, State)> {
    let is_common = |char: &char| left.contains(*char) && right.contains(*char);
    match (left, right) {
        (Class::Only(char), _) | (_, Class::Only(char)) => {
            Some(char).filter(is_common).and_then(|char| Some((char, after(char)?)))
        }
        (Class::Of(_), Class::Of(_)) => {
            let common = ('x'..='z').chain('X'..='Z').chain('1'..='9').chain('a'..='w');
            let mut reached =
                common.filter(is_common).filter_map(|char| Some((char, after(char)?)));
            let is_free = |(_, (left, right)): &(char, State)| left.begun + right.begun == 0;
            let first = reached.clone().next();
            reached.find(is_free).or(first)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(left: &str, right: &str) -> Option<String> {
        let [left, right] = [left, right].map(|text| Template::parse(text).unwrap());
        left.overlap(&right, '#'.into())
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

    #[test]
    fn a_separator_of_several_characters_ends_captures() {
        for (left, right, expected) in [
            ("user::{id}", "user::{id}::{no}", None),
            ("user::{id}", "user:{id}", Some("user::x")),
            ("user:{id}", "user:{id*}", Some("user:x")),
            ("{a}::{b}", "{c}:x::{d}", Some("x:x::x")),
            ("{a}::{b}", "x:::y", Some("x:::y")),
            ("{a}::x", "x:::x", Some("x:::x")),
            ("{a}x", "x:x", Some("x:x")),
            ("{a}", "x:", Some("x:")),
            ("{a:2}::{b*}", "{c}:::{d*}", Some("x:::x")),
        ] {
            let templates = [left, right].map(|text| Template::parse(text).unwrap());
            let separator = Separator::parse("::").unwrap();
            let [one, other] = &templates;
            assert_eq!(one.overlap(other, separator).as_deref(), expected, "{left} {right}");
            if let Some(text) = expected {
                assert!(one.split(text, separator, |_| true), "{left} {text}");
                assert!(other.split(text, separator, |_| true), "{right} {text}");
            }
        }
    }
}
