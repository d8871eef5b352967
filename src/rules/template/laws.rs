//! Property tests of templates, texts and keys.

use std::borrow::Cow;

use proptest::prelude::*;

use super::attribute::text_of;
use super::{
    BuildError, Capture, Case, EntityKey, Format, KeyTemplate, Part, Separator, SortPrefix,
    Template,
};
use crate::data::{Key, KeyKind, KeyValue, Number};

/// Texts over a small alphabet, so that templates often overlap. The alphabet has characters of one
/// to four bytes, and the characters that have a meaning in templates.
const TEXT: &str = "[ax#é€𝄞%{}-]{0,8}";
const LITERAL: &str = "[ax#é€𝄞%{}-]{1,3}";
const VALUE: &str = "[aAx1éÉß€𝄞%{}-]{1,4}|0|[1-9][0-9]{0,2}";
/// A tiny alphabet, so that all short texts can be enumerated.
const TINY_LITERAL: &str = "[ab#]{1,2}";

/// Captures with formats. Each name has the same case everywhere.
const MIDDLE: &[&str] =
    &["a", "a", "a", "b", "b", "c", "c", "a:02", "a:03", "b:2", "b:a*", "l:lower", "u:upper"];
const ENDINGS: &[&str] =
    &["", "{e}", "{e*}", "{e}", "{e*}", "{e*:2}", "{e:02}", "{l*:lower}", "{e*:a#*}"];

/// Templates with up to four captures, some of which may have the same name.
fn template(literal: &'static str) -> impl Strategy<Value = Template> {
    let ending = prop::sample::select(ENDINGS);
    let literal_or_none = prop_oneof![6 => literal, 1 => Just(String::new())];
    let middle = prop::collection::vec((prop::sample::select(MIDDLE), literal_or_none), 0..3);
    (prop::option::of(literal), middle, ending).prop_filter_map(
        "empty",
        |(start, middle, ending)| {
            let escape = |text: &str| text.replace('{', "{{").replace('}', "}}");
            let middle: Vec<_> = middle
                .iter()
                .map(|(name, literal)| format!("{{{name}}}{}", escape(literal)))
                .collect();
            let middle = middle.concat();
            let start = start.map(|text| escape(&text)).unwrap_or_default();
            let template = Template::parse(&format!("{start}{middle}{ending}")).ok()?;
            template.unsound_format('#'.into()).is_none().then_some(template)
        },
    )
}

fn key_template() -> impl Strategy<Value = KeyTemplate> {
    let sole = prop::sample::select(vec!["{a}", "{b}", "{e*}"])
        .prop_map(|text| Template::parse(text).unwrap());
    prop_oneof![
        4 => template(LITERAL).prop_map(|template| (template, KeyKind::S)),
        1 => (sole, prop::sample::select(vec![KeyKind::N, KeyKind::B])),
    ]
    .prop_map(|(template, kind)| KeyTemplate::new(template, kind).unwrap())
}

fn entity_key() -> impl Strategy<Value = EntityKey> {
    (key_template(), prop::option::of(key_template()))
        .prop_map(|(partition, sort)| EntityKey::new(partition, sort, '#'))
}

fn key_value(kind: KeyKind, text: &'static str) -> BoxedStrategy<KeyValue<'static>> {
    match kind {
        KeyKind::S => text.prop_map(|text| KeyValue::S(Cow::Owned(text))).boxed(),
        KeyKind::N => "-?[0-9]{1,3}(\\.[0-9]{1,2})?"
            .prop_map(|text| KeyValue::N(Number::parse(text).unwrap()))
            .boxed(),
        KeyKind::B => prop::collection::vec(any::<u8>(), 1..4)
            .prop_map(|bytes| KeyValue::B(Cow::Owned(bytes)))
            .boxed(),
    }
}

/// A key's templates, and values for its captures.
fn captured() -> impl Strategy<Value = (EntityKey, Vec<KeyValue<'static>>)> {
    entity_key().prop_flat_map(|key| {
        let values: Vec<_> = (0..key.captures().len())
            .map(|capture| key_value(key.capture_kind(capture), VALUE))
            .collect();
        (Just(key), values)
    })
}

/// Either a value that looks like the template but may have invalid captures, or an arbitrary
/// value.
fn value_for(template: &KeyTemplate) -> BoxedStrategy<KeyValue<'static>> {
    let shaped = match template.kind() {
        KeyKind::N | KeyKind::B => key_value(template.kind(), VALUE),
        KeyKind::S => {
            let piece = |part: &Part| match part {
                Part::Literal(literal) => Just(literal.clone()).boxed(),
                Part::Capture(Capture { format, .. }) => written(format),
            };
            let pieces: Vec<_> = template.template().parts().iter().map(piece).collect();
            pieces.prop_map(|pieces| KeyValue::S(Cow::Owned(pieces.concat()))).boxed()
        }
    };
    let kind = prop::sample::select(vec![KeyKind::S, KeyKind::N, KeyKind::B]);
    prop_oneof![3 => shaped, 1 => kind.prop_flat_map(|kind| key_value(kind, TEXT))].boxed()
}

/// A text that usually is in the format.
fn written(format: &Format) -> BoxedStrategy<String> {
    let usual = match format {
        Format::Zeros(width) => format!("[0-9]{{{width}}}"),
        Format::Width(width) => format!("[aA1é]{{{width}}}"),
        Format::Lower => "[aé1ß]{1,3}".to_owned(),
        Format::Upper => "[AÉ1]{1,3}".to_owned(),
        Format::Prefix(prefix) => format!("{prefix}[a1]{{0,2}}"),
        Format::Plain => return VALUE.boxed(),
    };
    let usual = prop::string::string_regex(&usual).unwrap();
    prop_oneof![4 => usual, 1 => VALUE].boxed()
}

/// Key templates, and a key that usually looks like them.
fn keyed() -> impl Strategy<Value = (EntityKey, Key<'static>)> {
    entity_key().prop_flat_map(|templates| {
        let partition = value_for(templates.partition());
        let sort = match templates.sort() {
            Some(sort) => value_for(sort).prop_map(Some).boxed(),
            None => Just(None).boxed(),
        };
        (Just(templates), partition, sort)
            .prop_map(|(templates, partition, sort)| (templates, Key { partition, sort }))
    })
}

/// Separators over the alphabet of [`TINY_LITERAL`].
fn separator() -> impl Strategy<Value = Separator> {
    let texts = vec!["#", "#", "#", "##", "ab", "aba"];
    prop::sample::select(texts).prop_map(|text| Separator::parse(text).unwrap())
}

/// Splits a text by trying every length of every capture: the reference implementation.
fn split_by_brute_force(parts: &[Part], text: &str, separator: Separator) -> Option<Vec<String>> {
    let (part, following) = match parts {
        [] => return text.is_empty().then(Vec::new),
        [part, following @ ..] => (part, following),
    };
    if let Part::Literal(literal) = part {
        return split_by_brute_force(following, text.strip_prefix(literal.as_str())?, separator);
    }
    let Part::Capture(capture) = part else { unreachable!() };
    let ends = text.char_indices().map(|(at, char)| at + char.len_utf8());
    // With a longer separator, a capture ends where the next literal begins first.
    let only_first = match following {
        [Part::Literal(literal), _, ..] if capture.format.width().is_none() => {
            Some(literal).filter(|_| separator.as_str().len() > 1)
        }
        _ => None,
    };
    let is_end = |end: &usize| only_first.is_none_or(|it| text[*end..].starts_with(it));
    let ends = ends.filter(is_end).take(only_first.map_or(usize::MAX, |_| 1));
    let is_free = |end: &usize| !text[..*end].contains(separator.as_str());
    ends.filter(|end| capture.is_rest || is_free(end)).find_map(|end| {
        let mut values = vec![read_plainly(&capture.format, &text[..end])?];
        values.extend(split_by_brute_force(following, &text[end..], separator)?);
        Some(values)
    })
}

/// The value of a capture's text: the reference implementation.
fn read_plainly(format: &Format, text: &str) -> Option<String> {
    let is_written = match format {
        Format::Plain => true,
        Format::Zeros(width) => {
            text.len() == *width && text.chars().all(|char| char.is_ascii_digit())
        }
        Format::Width(width) => text.chars().count() == *width,
        Format::Lower => text == text.to_lowercase(),
        Format::Upper => text == text.to_uppercase(),
        Format::Prefix(prefix) => text.starts_with(prefix),
    };
    let value = match format {
        Format::Zeros(_) => text.parse::<u64>().ok()?.to_string(),
        Format::Plain | Format::Width(_) | Format::Lower | Format::Upper | Format::Prefix(_) => {
            text.to_owned()
        }
    };
    is_written.then_some(value)
}

/// The values with which a key is parsed after it was built from these.
fn in_case(templates: &EntityKey, values: &[KeyValue<'static>]) -> Vec<KeyValue<'static>> {
    let convert = |(index, value): (usize, &KeyValue<'static>)| match (templates.case(index), value)
    {
        (Some(Case::Lower), KeyValue::S(text)) => KeyValue::S(text.to_lowercase().into()),
        (Some(Case::Upper), KeyValue::S(text)) => KeyValue::S(text.to_uppercase().into()),
        _ => value.clone(),
    };
    values.iter().enumerate().map(convert).collect()
}

fn split(template: &Template, text: &str, separator: Separator) -> Option<Vec<String>> {
    let mut values = Vec::new();
    let accept = |value: &str| {
        values.push(value.to_owned());
        true
    };
    template.split(text, separator, accept).then_some(values)
}

/// All texts of up to five characters of [`TINY_LITERAL`].
fn tiny_texts() -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut from = 0;
    for _ in 0..5 {
        let longer: Vec<_> = texts[from..]
            .iter()
            .flat_map(|text| ["a", "b", "#"].map(|char| format!("{text}{char}")))
            .collect();
        from = texts.len();
        texts.extend(longer);
    }
    texts
}

proptest! {
    #[test]
    fn printing_and_parsing_are_inverse(template in template(LITERAL)) {
        prop_assert_eq!(Template::parse(&template.to_string()), Ok(template));
    }

    #[test]
    fn a_value_in_a_format_is_read_as_it_was_written(
        template in template(LITERAL),
        value in "\\PC{1,4}|[0-9]{1,4}",
    ) {
        for capture in template.formatted() {
            let mut text = String::new();
            if capture.write(&value, '#'.into(), &mut text).is_ok() {
                let read = capture.read(&text, '#'.into()).map(str::to_owned);
                let value = capture.format.normalize(&value).into_owned();
                prop_assert_eq!(&read, &Some(value.clone()));
                let mut again = String::new();
                prop_assert_eq!(capture.write(&value, '#'.into(), &mut again), Ok(()));
                prop_assert_eq!(again, text);
            }
        }
    }

    #[test]
    fn errors_are_located_within_the_text(text in "[a{}*:08é_ -]{0,12}") {
        match Template::parse(&text) {
            Ok(template) => prop_assert_eq!(template.to_string(), text),
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                prop_assert!(errors.iter().all(|error| text.get(error.range.clone()).is_some()));
            }
        }
    }

    #[test]
    fn splitting_agrees_with_brute_force(
        template in template(TINY_LITERAL),
        texts in prop::collection::vec("[ab#]{0,9}", 20),
        separator in separator(),
    ) {
        prop_assume!(template.unsound_format(separator).is_none());
        for text in tiny_texts().iter().chain(&texts) {
            prop_assert_eq!(
                split(&template, text, separator),
                split_by_brute_force(template.parts(), text, separator),
                "{} {}", template, text,
            );
        }
    }

    #[test]
    fn overlaps_are_exact(
        left in template(TINY_LITERAL),
        right in template(TINY_LITERAL),
        separator in separator(),
    ) {
        let sound = [&left, &right].map(|it| it.unsound_format(separator).is_none());
        prop_assume!(sound == [true, true]);
        let example = left.overlap(&right, separator);
        // With a longer separator, the example may need a split that is not tried.
        if let Some(example) = &example {
            prop_assume!(separator.as_str().len() == 1);
            prop_assert!(split(&left, example, separator).is_some(), "{example}");
            prop_assert!(split(&right, example, separator).is_some(), "{example}");
        } else {
            let both = |text: &String| {
                split(&left, text, separator).is_some() && split(&right, text, separator).is_some()
            };
            prop_assert_eq!(tiny_texts().into_iter().find(both), None);
        }
    }

    #[test]
    fn built_keys_are_parsed_into_the_same_captures((templates, values) in captured()) {
        match templates.build(&values) {
            Ok(key) => {
                prop_assert_eq!(templates.parse(&key), Some(in_case(&templates, &values)));
            }
            // Some values are not in a format, some cannot be split again after they are
            // joined, and a binary is not text.
            Err(BuildError::Value { .. } | BuildError::Type { .. }) => {}
            Err(error) => prop_assert!(false, "{error}"),
        }
    }

    #[test]
    fn texts_are_split_and_joined_as_keys_are_parsed_and_built((templates, key) in keyed()) {
        let text = |value: &KeyValue<'_>| text_of(value).unwrap_or_default().to_owned();
        let (partition, sort) = (text(&key.partition), key.sort.as_ref().map(text));
        let is_text = |value: &KeyValue<'_>| value.kind() == KeyKind::S;
        if !templates.is_text() || !is_text(&key.partition) || !key.sort.iter().all(is_text) {
            return Ok(());
        }
        let mut captures = vec![""; templates.captures().len()];
        let is_split = templates.split(&partition, sort.as_deref(), &mut captures);
        let parsed = templates.parse(&key);
        prop_assert_eq!(is_split, parsed.is_some());
        if let Some(parsed) = &parsed {
            prop_assert_eq!(parsed.iter().map(text).collect::<Vec<_>>(), captures);
        }
    }

    #[test]
    fn captures_are_joined_as_keys_are_built(
        templates in entity_key(),
        values in prop::collection::vec("[aAx1é#-]{0,4}|[0-9]{0,3}", 7),
        long in prop::option::weighted(0.1, 1_015..2_050_usize),
    ) {
        let mut values = values;
        if let (Some(length), Some(first)) = (long, values.first_mut()) {
            *first = "x".repeat(length);
        }
        if !templates.is_text() {
            return Ok(());
        }
        let texts: Vec<&str> = values.iter().map(String::as_str).collect();
        let captures: Vec<_> =
            texts.iter().map(|text| KeyValue::S(Cow::Borrowed(*text))).collect();
        let (mut partition, mut sort) = (String::new(), String::new());
        let joined = templates.join(&texts, &mut partition, &mut sort);
        let joined = joined.map(|sort| {
            let value = |text: &str| KeyValue::S(Cow::Owned(text.to_owned()));
            sort.map(value)
        });
        let joined = joined.map(|sort| Key { partition: KeyValue::S(partition.into()), sort });
        prop_assert_eq!(templates.build(&captures).ok(), joined);
    }

    #[test]
    fn parsed_keys_are_built_again_from_their_captures((templates, key) in keyed()) {
        if let Some(captures) = templates.parse(&key) {
            prop_assert_eq!(templates.build(&captures), Ok(key.clone()));
        }
    }

    #[test]
    fn keys_begin_with_the_prefix_of_their_captures(
        (templates, values) in captured(),
        known in any::<u8>(),
    ) {
        let Ok(key) = templates.build(&values) else { return Ok(()) };
        let some: Vec<_> = (0..values.len())
            .map(|capture| (known >> capture & 1 == 1).then(|| values[capture].clone()))
            .collect();
        let Some((partition, sort)) = templates.build_prefix(&some).unwrap() else {
            prop_assert!(some.contains(&None));
            return Ok(());
        };
        prop_assert_eq!(partition, key.partition);
        match (sort, key.sort) {
            (SortPrefix::Any, _) => {}
            (SortPrefix::Whole(whole), sort) => prop_assert_eq!(Some(whole), sort),
            (SortPrefix::BeginsWith(KeyValue::S(prefix)), Some(KeyValue::S(sort))) => {
                prop_assert!(!prefix.is_empty() && sort.starts_with(prefix.as_ref()));
            }
            (SortPrefix::BeginsWith(prefix), sort) => prop_assert!(false, "{prefix:?} {sort:?}"),
        }
    }

    #[test]
    fn templates_that_match_one_key_overlap(
        (templates, key) in keyed(),
        other in entity_key(),
    ) {
        if templates.parse(&key).is_some() && other.parse(&key).is_some() {
            prop_assert!(templates.overlap(&other).is_some());
        }
    }
}
