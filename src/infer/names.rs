//! Words in the names of attributes, tables and entities.

/// Endings of names that say "this is a key" and not of what.
const KEY_WORDS: [&str; 21] = [
    "id",
    "ids",
    "key",
    "no",
    "num",
    "number",
    "code",
    "ref",
    "reference",
    "uuid",
    "guid",
    "ulid",
    "pk",
    "sk",
    "slug",
    "nr",
    "identifier",
    "uid",
    "fk",
    "oid",
    "handle",
];

/// Words for the item that describes a partition as a whole, such as the sort key `METADATA`.
const ROOT_WORDS: [&str; 19] = [
    "metadata", "meta", "profile", "info", "details", "detail", "data", "root", "self", "main",
    "a", "head", "header", "item", "base", "core", "record", "entity", "summary",
];

/// Splits a name into lower-case words in the singular: `shippingAddressIds` is `shipping`,
/// `address`, `id`. A letter or two before other words, such as `l_` in `l_orderkey`, are dropped.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    let mut chars = name.chars().peekable();
    while let Some(char) = chars.next() {
        let is_next_lower = chars.peek().is_some_and(|next| next.is_lowercase());
        let begins = char.is_uppercase()
            && (before.is_lowercase()
                || before.is_ascii_digit()
                || (before.is_uppercase() && is_next_lower));
        if begins || !char.is_alphanumeric() {
            words.push(String::new());
        }
        if char.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(char.to_lowercase());
        }
        before = char;
    }
    words.retain(|word| !word.is_empty() && !word.chars().all(|char| char.is_ascii_digit()));
    let is_short = words.first().is_some_and(|word| word.len() <= 2 && !is_key_word(word));
    if is_short && words.iter().skip(1).any(|word| !is_key_word(word)) {
        words.remove(0);
    }
    words.iter().map(|word| singular(word)).collect()
}

/// The singular of an English word, as far as a program can guess it.
pub(super) fn singular(word: &str) -> String {
    for (ending, replacement) in
        [("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("uses", "us")]
    {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.len() > 1
        {
            return format!("{stem}{replacement}");
        }
    }
    match word {
        "people" => return "person".to_owned(),
        "children" => return "child".to_owned(),
        "ids" => return "id".to_owned(),
        "news" | "series" | "species" | "status" | "address" => return word.to_owned(),
        _ => {}
    }
    let keeps = ["ss", "us", "is", "os"].iter().any(|ending| word.ends_with(ending));
    match word.strip_suffix('s') {
        Some(stem) if !keeps && stem.len() > 2 => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// The words without those that only say "key". All words if nothing is left.
pub(super) fn stem(words: &[String]) -> Vec<String> {
    let mut stem: Vec<String> = words.to_vec();
    while stem.len() > 1 && stem.last().is_some_and(|word| is_key_word(word)) {
        stem.pop();
    }
    if let [only] = stem.as_mut_slice() {
        for ending in ["key", "id", "code", "num", "uuid", "guid", "no", "ref"] {
            if let Some(short) = only.strip_suffix(ending)
                && short.len() >= 4
            {
                *only = short.to_owned();
                break;
            }
        }
    }
    stem
}

pub(super) fn is_key_word(word: &str) -> bool {
    KEY_WORDS.contains(&word)
}

/// Whether a name says that its value identifies something: `order_id`, `l_orderkey`, `invitedBy`.
pub(super) fn is_key_like(words: &[String]) -> bool {
    let Some(last) = words.last() else { return false };
    let ends = ["key", "uuid", "guid", "ref"].iter().any(|ending| last.ends_with(ending));
    ends || (is_key_word(last) && last != "number" && last != "code")
        || (words.len() > 1 && (last == "by" || last == "to"))
}

/// Whether a name only says which part of a key an attribute is.
pub(super) fn is_generic_key(name: &str) -> bool {
    let plain: String =
        name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let parts = ["pk", "sk", "hk", "rk", "partitionkey", "sortkey", "hashkey", "rangekey"];
    parts.contains(&plain.as_str())
}

/// Whether a key token says that an item describes its partition as a whole.
pub(super) fn is_root_word(word: &str) -> bool {
    let word: String = word.chars().filter(|char| char.is_alphanumeric()).collect();
    word.is_empty() || ROOT_WORDS.contains(&word.to_lowercase().as_str())
}

/// A name as the rule file writes names: lower case, with underscores.
pub(super) fn snake(name: &str) -> String {
    let mut text = String::new();
    let mut before = '_';
    for char in name.chars() {
        if char.is_ascii_alphanumeric() {
            if char.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit())
            {
                text.push('_');
            }
            text.push(char.to_ascii_lowercase());
        } else if !text.ends_with('_') && !text.is_empty() {
            text.push('_');
        }
        before = char;
    }
    let text = text.trim_end_matches('_').to_owned();
    if text.starts_with(|char: char| char.is_ascii_digit()) { format!("_{text}") } else { text }
}

/// [`snake`], with its last word in the singular.
pub(super) fn entity_name(name: &str) -> String {
    let name = snake(name);
    match name.rsplit_once('_') {
        Some((first, last)) => format!("{first}_{}", singular(last)),
        None => singular(&name),
    }
}

/// Words around the names of tables that say where a table is used, and not what it holds.
const TABLE_WORDS: [&str; 14] = [
    "table",
    "tbl",
    "dev",
    "prod",
    "test",
    "staging",
    "stage",
    "live",
    "qa",
    "uat",
    "int",
    "local",
    "production",
    "development",
];

/// What the names of tables say about their items: `Order-x7k2-dev` and `User-x7k2-dev` hold orders
/// and users.
pub(super) fn of_tables(names: &[&str]) -> Vec<String> {
    let split: Vec<Vec<String>> = names
        .iter()
        .map(|name| snake(name).split('_').map(str::to_owned).collect::<Vec<String>>())
        .collect();
    let is_shared = |word: &str, at: &dyn Fn(&[String]) -> Option<String>| {
        TABLE_WORDS.contains(&word)
            || (split.len() >= 3 && split.iter().all(|of| at(of).as_deref() == Some(word)))
    };
    let stem = |words: &Vec<String>| {
        let mut words = words.clone();
        let mut removed = 0;
        let mut last = |words: &[String]| {
            let is_last = |of: &[String]| {
                let at = of.len().checked_sub(1 + removed).filter(|at| *at > 0);
                at.and_then(|at| of.get(at)).cloned()
            };
            let is_shared = words.last().is_some_and(|word| is_shared(word, &is_last));
            removed += 1;
            words.len() > 1 && is_shared
        };
        while last(&words) {
            words.pop();
        }
        let mut removed = 0;
        let mut first = |words: &[String]| {
            let is_first =
                |of: &[String]| of.get(removed).filter(|_| of.len() > removed + 1).cloned();
            let is_shared = words.first().is_some_and(|word| is_shared(word, &is_first));
            removed += 1;
            words.len() > 1 && is_shared
        };
        while first(&words) {
            words.remove(0);
        }
        words.join("_")
    };
    split.iter().map(stem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        for (name, expected) in [
            ("shippingAddressIds", "shipping address id"),
            ("l_orderkey", "orderkey"),
            ("byId", "by id"),
            ("GSI1-PK", "gsi1 pk"),
            ("HTTPServer", "http server"),
            ("id", "id"),
            ("categories", "category"),
            ("status", "status"),
        ] {
            assert_eq!(words(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn the_stem_of_a_name_has_no_words_for_keys() {
        for (name, expected) in [
            ("customer_id", "customer"),
            ("l_orderkey", "order"),
            ("id", "id"),
            ("PostUUID", "post"),
        ] {
            assert_eq!(stem(&words(name)).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn entities_have_names_in_the_singular() {
        for (name, expected) in [
            ("OrderItems", "order_item"),
            ("$users", "user"),
            ("2fa", "_2fa"),
            ("Company", "company"),
        ] {
            assert_eq!(entity_name(name), expected, "{name}");
        }
    }

    #[test]
    fn the_names_of_tables_lose_what_all_of_them_share() {
        for (names, expected) in [
            (
                vec!["shop-orders-x7", "shop-users-x7", "shop-order-items-x7"],
                "orders users order_items",
            ),
            (vec!["prod-user", "prod-order"], "user order"),
            (vec!["employee_table"], "employee"),
            (vec!["table"], "table"),
            (vec!["order", "order_item", "order_event"], "order order_item order_event"),
        ] {
            assert_eq!(of_tables(&names).join(" "), expected, "{names:?}");
        }
    }
}
