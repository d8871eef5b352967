//! Suggestions for misspelled names: "did you mean …?".

/// The candidate that is closest to the word; `None` if the word is not a likely misspelling of any
/// candidate.
pub(crate) fn closest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let normalized = normalize(word);
    let distance_max = (normalized.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            (strsim::damerau_levenshtein(&normalized, &normalize(candidate)), candidate)
        })
        .filter(|(distance, candidate)| {
            *distance <= distance_max && *distance < normalize(candidate).chars().count()
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// The help line for a name that is not one of the candidates. It suggests the closest candidate.
/// If none is close, it lists all candidates, unless there are too many.
pub(crate) fn did_you_mean<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str> + Clone,
) -> Option<String> {
    const LISTED_MAX: usize = 16;
    if let Some(meant) = closest(word, candidates.clone()) {
        return Some(format!("did you mean `{meant}`?"));
    }
    let all: Vec<String> = candidates.into_iter().map(|name| format!("`{name}`")).collect();
    match all.as_slice() {
        [] => None,
        [only] => Some(format!("the only one is {only}")),
        few if few.len() <= LISTED_MAX => Some(format!("choose one of {}", few.join(", "))),
        _ => None,
    }
}

/// Converts a word to lower case and removes `_`, `-` and spaces, so that `onDelete` and
/// `on-delete` equal `on_delete`.
fn normalize(word: &str) -> String {
    // A longer word is not close to any name, and the comparison takes quadratic time.
    const CHARACTERS_MAX: usize = 100;
    word.chars()
        .take(CHARACTERS_MAX)
        .filter(|char| !matches!(char, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_names_are_found() {
        let names = ["company", "member", "member_of", "user"];
        for (word, expected) in [
            ("compnay", Some("company")),
            ("Company", Some("company")),
            ("memberOf", Some("member_of")),
            ("users", Some("user")),
            ("x", None),
            ("invoice", None),
            ("", None),
        ] {
            assert_eq!(closest(word, names), expected, "{word}");
        }
    }
}
