//! Did you mean?

/// The candidate that someone most likely meant, if one is close.
pub(crate) fn closest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let folded = fold(word);
    let distance_max = (folded.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| {
            *distance <= distance_max && *distance < fold(candidate).chars().count()
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// The help line for a name that is not one of the candidates: the closest, or all if they are few.
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
        [only] => Some(format!("there is only {only}")),
        few if few.len() <= LISTED_MAX => Some(format!("there are {}", few.join(", "))),
        _ => None,
    }
}

/// The word without what spellings differ in: `onDelete` and `on-delete` are `on_delete`.
fn fold(word: &str) -> String {
    // Long words are never near a name, and comparing them takes the square of their length.
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
