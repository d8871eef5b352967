//! Whether two templates share a text.

use std::collections::{BTreeMap, VecDeque};

use super::text::{Part, Template};

impl Template {
    /// A text that both templates match, one of the shortest; nothing if there is none.
    ///
    /// Both templates are walked in step through their pieces, so the answer is exact.
    #[must_use]
    pub fn overlap(&self, other: &Self, separator: char) -> Option<String> {
        common_text(&steps(self), &steps(other), separator)
    }
}

/// What one character of a text has to be.
#[derive(Debug, Clone, Copy)]
enum Class {
    Only(char),
    NotSeparator,
    Any,
}

/// A step of the automaton that accepts a template's texts.
#[derive(Debug, Clone, Copy)]
struct Step {
    class: Class,
    /// Whether there may be any number of such characters, instead of exactly one.
    repeats: bool,
}

/// The steps that accept a template's texts. A capture is two: its first character, and the
/// others.
fn steps(template: &Template) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in template.parts() {
        let class = match part {
            Part::Literal(literal) => {
                let once = |char| Step { class: Class::Only(char), repeats: false };
                steps.extend(literal.chars().map(once));
                continue;
            }
            Part::Capture(_) => Class::NotSeparator,
            Part::Rest(_) => Class::Any,
        };
        steps.extend([false, true].map(|repeats| Step { class, repeats }));
    }
    steps
}

/// How many steps of each template are done.
type State = (usize, usize);

/// A shortest text that both sequences of steps accept.
///
/// A breadth-first search through the pairs of states. Leaving a repeated step takes no character,
/// so it goes to the front of the queue.
fn common_text(left: &[Step], right: &[Step], separator: char) -> Option<String> {
    let mut reached: BTreeMap<State, (State, Option<char>)> = BTreeMap::new();
    let mut queue = VecDeque::from([((0, 0), ((0, 0), None))]);
    while let Some((state, origin)) = queue.pop_front() {
        if reached.contains_key(&state) {
            continue;
        }
        reached.insert(state, origin);
        let (at_left, at_right) = state;
        let (left, right) = (left.get(at_left), right.get(at_right));
        if left.is_none() && right.is_none() {
            return Some(retrace(&reached, state));
        }
        if left.is_some_and(|step| step.repeats) {
            queue.push_front(((at_left + 1, at_right), (state, None)));
        }
        if right.is_some_and(|step| step.repeats) {
            queue.push_front(((at_left, at_right + 1), (state, None)));
        }
        let (Some(left), Some(right)) = (left, right) else { continue };
        if let Some(char) = common_char(left.class, right.class, separator) {
            let next =
                (at_left + usize::from(!left.repeats), at_right + usize::from(!right.repeats));
            queue.push_back((next, (state, Some(char))));
        }
    }
    None
}

/// The characters taken on the way to a state.
fn retrace(reached: &BTreeMap<State, (State, Option<char>)>, end: State) -> String {
    let mut chars: Vec<char> = Vec::new();
    let mut state = end;
    while let Some((origin, char)) = reached.get(&state).filter(|_| state != (0, 0)) {
        chars.extend(char);
        state = *origin;
    }
    chars.into_iter().rev().collect()
}

/// A character of both classes. All but the separator and those in literals are alike, so one
/// stands for them.
fn common_char(left: Class, right: Class, separator: char) -> Option<char> {
    let ordinary = if separator == 'x' { 'y' } else { 'x' };
    match (left, right) {
        (Class::Only(left), Class::Only(right)) => (left == right).then_some(left),
        (Class::Only(char), Class::NotSeparator) | (Class::NotSeparator, Class::Only(char)) => {
            (char != separator).then_some(char)
        }
        (Class::Only(char), Class::Any) | (Class::Any, Class::Only(char)) => Some(char),
        (Class::NotSeparator | Class::Any, Class::NotSeparator | Class::Any) => Some(ordinary),
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
    fn overlaps_are_found_with_an_example() {
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
        ] {
            assert_eq!(overlap(left, right).as_deref(), expected, "{left} {right}");
            assert_eq!(overlap(right, left).is_some(), expected.is_some(), "{right} {left}");
        }
    }
}
