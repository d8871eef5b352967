//! How far a text is from a template that it does not match.

use super::overlap::{Class, Place, Step, steps_with};
use super::separator::Separator;
use super::text::Template;

/// The number of characters and steps that are compared. The rest of longer texts and templates is
/// ignored, because the comparison takes quadratic time.
const COMPARED_MAX: usize = 256;

/// Stands for a whole separator, which counts as one character. It is no character of any text.
const SEPARATOR: char = '\u{10ffff}';

/// The cost of a character that is missing, superfluous or another one.
const OTHER: u32 = 2;
/// The cost of a letter in the wrong case.
const OTHER_CASE: u32 = 1;

impl Template {
    /// The least cost of the changes after which a text matches the template; 0 if it matches, as
    /// far as it is compared.
    #[must_use]
    pub fn distance(&self, text: &str, separator: Separator) -> u32 {
        let mut steps = steps_with(self, |literal| marked(literal, separator));
        steps.truncate(COMPARED_MAX);
        // The costs of matching the text so far with the first steps, for each number of steps.
        let mut costs = vec![0];
        for step in &steps {
            let before = costs.last().copied().unwrap_or_default();
            costs.push(before + if step.repeats { 0 } else { OTHER });
        }
        for char in marked(text, separator).chars().take(COMPARED_MAX) {
            costs = next_costs(&steps, &costs, char);
        }
        costs.last().copied().unwrap_or_default()
    }

    /// The length in bytes of the longest beginning of a text with which a matching text can begin.
    #[must_use]
    pub fn common_prefix(&self, text: &str, separator: Separator) -> usize {
        let steps = steps_with(self, |literal| marked(literal, separator));
        let mut reached = vec![false; steps.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        pass_repeats(&steps, &mut reached);
        let mut offset = 0;
        for char in marked(text, separator).chars() {
            let mut next = vec![false; reached.len()];
            for (index, step) in steps.iter().enumerate() {
                let is_here = reached.get(index) == Some(&true);
                if is_here && cost(*step, char) == 0 {
                    let to = if step.repeats { index } else { index + 1 };
                    next.get_mut(to).into_iter().for_each(|it| *it = true);
                }
            }
            pass_repeats(&steps, &mut next);
            if !next.contains(&true) {
                return offset;
            }
            reached = next;
            offset += if char == SEPARATOR { separator.as_str().len() } else { char.len_utf8() };
        }
        text.len()
    }
}

/// The costs after one more character of the text.
fn next_costs(steps: &[Step], costs: &[u32], char: char) -> Vec<u32> {
    let first = costs.first().copied().unwrap_or_default();
    let mut next = vec![first + OTHER];
    for (step, pair) in steps.iter().zip(costs.windows(2)) {
        let [before, here] = pair else { break };
        let left = next.last().copied().unwrap_or_default();
        let cost = cost(*step, char);
        next.push(if step.repeats {
            // The step accepts this character too, or it is left out, or the step is passed.
            (here + cost).min(left)
        } else {
            (before + cost).min(here + OTHER).min(left + OTHER)
        });
    }
    next
}

/// Marks the steps that are reached without a character.
fn pass_repeats(steps: &[Step], reached: &mut [bool]) {
    for (index, step) in steps.iter().enumerate() {
        if step.repeats && reached.get(index) == Some(&true) {
            reached.get_mut(index + 1).into_iter().for_each(|it| *it = true);
        }
    }
}

fn cost(Step { class, place, .. }: Step, char: char) -> u32 {
    let ends_capture = char == SEPARATOR && place != Place::Outside;
    match class {
        _ if class.contains(char) && !ends_capture => 0,
        Class::Only(only) if only.to_lowercase().eq(char.to_lowercase()) => OTHER_CASE,
        Class::Only(_) | Class::Of(_) => OTHER,
    }
}

/// A text with its separators replaced by [`SEPARATOR`].
fn marked(text: &str, separator: Separator) -> String {
    text.replace(separator.as_str(), SEPARATOR.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    #[test]
    fn the_distance_counts_the_changes() {
        for (pattern, text, distance, common) in [
            ("company#{company}", "company#acme", 0, "company#acme"),
            ("company#{company}", "compny#acme", 2, "comp"),
            ("company#{company}", "COMPANY#acme", 7, ""),
            ("company#{company}", "company#", 2, "company#"),
            ("company#{company}", "company#${acme}#1", 2, "company#${acme}"),
            ("user#{id}#{no}", "user#1", 4, "user#1"),
            ("{id}-{no*}", "1#2-3#4", 2, "1"),
            ("profile", "profil\u{e9}", 2, "profil"),
        ] {
            let template = template(pattern);
            assert_eq!(template.distance(text, '#'.into()), distance, "{pattern} {text}");
            let length = template.common_prefix(text, '#'.into());
            assert_eq!(text.get(..length), Some(common), "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn exactly_the_texts_that_match_have_the_distance_zero(
            pattern in "(a|b|#|A){0,3}(\\{c\\})?(#|ab){1,2}(\\{d\\*?\\})?",
            text in "[abA#]{0,6}",
        ) {
            let template = template(&pattern);
            let matches = template.split(&text, '#'.into(), |_| true);
            prop_assert_eq!(template.distance(&text, '#'.into()) == 0, matches);
            prop_assert!(!matches || template.common_prefix(&text, '#'.into()) == text.len());
        }

        #[test]
        fn one_superfluous_or_missing_character_costs_at_most_two(
            text in "[abA#]{1,6}",
            at in 0..6_usize,
            added in "[ab#]",
        ) {
            let template = template("ab#{c}#A{d*}");
            let before = template.distance(&text, '#'.into());
            let mut changed = text.clone();
            changed.insert_str(at.min(text.len()), &added);
            prop_assert!(template.distance(&changed, '#'.into()).abs_diff(before) <= 2);
        }
    }
}
