//! Any texts as key templates, and any key: a parsed key can be built again from its captures, and
//! a built key can be parsed again.
//!
//! The input consists of texts separated by the byte FF, which no UTF-8 text contains. The first
//! text holds the separator and the types of the table's key. The templates of two entities follow,
//! and then values.

#![no_main]

use libfuzzer_sys::fuzz_target;
use referee::data::{
    Key, KeyAttribute, KeyKind, KeySchema, KeyValue, Number, PARTITION_KEY_BYTES_MAX,
    SORT_KEY_BYTES_MAX,
};
use referee::rules::matcher::Matcher;
use referee::rules::model::EntityId;
use referee::rules::template::{
    BuildError, EntityKey, KeyTemplate, Separator, SortPrefix, Template,
};

fuzz_target!(|bytes: &[u8]| {
    let Some(input) = Input::read(bytes) else { return };
    let one = input.entity(input.templates[0], input.templates[1]);
    let other = input.entity(input.templates[2], input.templates[3]);
    for entity in [&one, &other].into_iter().flatten() {
        input.check_parsing(entity);
        for kinds_agree in [true, false] {
            input.check_building(entity, kinds_agree);
        }
    }
    if let (Some(one), Some(other)) = (&one, &other) {
        input.check_overlap(one, other);
    }
});

/// The input of one run.
struct Input<'i> {
    separator: Separator,
    partition: KeyKind,
    sort: KeyKind,
    /// The templates of two entities: partition key and sort key of each.
    templates: [&'i str; 4],
    values: Vec<&'i str>,
}

impl<'i> Input<'i> {
    fn read(bytes: &'i [u8]) -> Option<Self> {
        let texts: Option<Vec<&str>> =
            bytes.split(|byte| *byte == 0xff).map(|text| std::str::from_utf8(text).ok()).collect();
        let texts = texts?;
        let (setting, rest) = texts.split_first()?;
        let (templates, values) = rest.split_first_chunk::<4>()?;
        let mut setting = setting.chars();
        Some(Self {
            separator: setting.next()?.into(),
            partition: kind(setting.next()),
            sort: kind(setting.next()),
            templates: *templates,
            values: values.to_vec(),
        })
    }

    /// Parses the key templates of an entity. If the text for the sort key is missing, the entity
    /// has no sort key.
    fn entity(&self, partition: &str, sort: &str) -> Option<EntityKey> {
        let sound = |text| {
            let template = template(text)?;
            template.unsound_format(self.separator).is_none().then_some(template)
        };
        let partition = KeyTemplate::new(sound(partition)?, self.partition)?;
        let sort = match sort {
            "" => None,
            text => Some(KeyTemplate::new(sound(text)?, self.sort)?),
        };
        let key = EntityKey::new(partition, sort, self.separator);
        // A rule file is refused if a capture has two cases.
        let templates = std::iter::once(key.partition()).chain(key.sort());
        let captures: Vec<_> =
            templates.flat_map(|template| template.template().formatted()).cloned().collect();
        let has_one_case = captures.iter().all(|capture| {
            let index = key.captures().iter().position(|name| *name == capture.name);
            index.is_some_and(|index| key.case(index) == capture.format.case())
        });
        has_one_case.then_some(key)
    }

    fn value(&self, place: usize, kind: KeyKind) -> Option<KeyValue<'i>> {
        let text = *self.values.get(place % self.values.len().max(1))?;
        match kind {
            KeyKind::S => Some(KeyValue::S(text.into())),
            KeyKind::N => Number::parse(text).ok().map(KeyValue::N),
            KeyKind::B => Some(KeyValue::B(text.as_bytes().into())),
        }
    }

    /// Returns the first values as a key of the entity's table, if they are a valid key.
    fn key(&self, entity: &EntityKey) -> Option<Key<'i>> {
        let sort = match entity.sort() {
            Some(_) => Some(self.value(1, self.sort)?),
            None => None,
        };
        let key = Key { partition: self.value(0, self.partition)?, sort };
        self.schema(entity).check(&key).is_ok().then_some(key)
    }

    fn schema(&self, entity: &EntityKey) -> KeySchema {
        let attribute = |name: &str, kind| KeyAttribute { name: name.to_owned(), kind };
        KeySchema {
            partition: attribute("pk", self.partition),
            sort: entity.sort().map(|_| attribute("sk", self.sort)),
        }
    }

    /// Checks that a parsed key can be built again from its captures.
    fn check_parsing(&self, entity: &EntityKey) {
        let Some(key) = self.key(entity) else { return };
        let Some(captures) = entity.parse(&key) else { return };
        let kinds: Vec<_> = captures.iter().map(KeyValue::kind).collect();
        let expected: Vec<_> =
            (0..entity.captures().len()).map(|capture| entity.capture_kind(capture)).collect();
        assert_eq!(kinds, expected);
        assert_eq!(entity.build(&captures), Ok(key.clone().into_owned()));
        check_prefixes(entity, &captures, &key);
    }

    /// Checks that a built key can be parsed into its captures, unless building it fails for a
    /// valid reason. Captures of another type than the template's may come back as text.
    fn check_building(&self, entity: &EntityKey, kinds_agree: bool) {
        let captures: Option<Vec<_>> = (0..entity.captures().len())
            .map(|capture| {
                let kind = match (kinds_agree, capture % 2) {
                    (true, _) => entity.capture_kind(capture),
                    (false, 0) => KeyKind::N,
                    (false, _) => KeyKind::S,
                };
                self.value(capture, kind)
            })
            .collect();
        let Some(captures) = captures else { return };
        match entity.build(&captures) {
            Ok(key) => {
                assert_eq!(self.schema(entity).check(&key), Ok(()), "DynamoDB takes it");
                let parsed = entity.parse(&key).expect("it is of the entity's shape");
                assert_eq!(entity.build(&parsed).as_ref(), Ok(&key));
                let has_case = |index: usize| entity.case(index).is_some();
                let mut pairs = parsed.iter().zip(&captures).enumerate();
                assert!(
                    !kinds_agree
                        || pairs.all(|(index, (read, value))| has_case(index) || read == value),
                    "{parsed:?} {captures:?}"
                );
                check_prefixes(entity, &captures, &key);
            }
            Err(BuildError::Missing(capture)) => panic!("{capture} is there"),
            Err(BuildError::Length { attribute, bytes, bytes_max }) => {
                let limit = match attribute {
                    "partition" => PARTITION_KEY_BYTES_MAX,
                    _ => SORT_KEY_BYTES_MAX,
                };
                assert!(bytes > bytes_max && bytes_max == limit);
            }
            Err(BuildError::Value { .. } | BuildError::Type { .. }) => {}
        }
    }

    /// Checks that two entities overlap exactly if some key matches both, unless one repeats a
    /// capture.
    fn check_overlap(&self, one: &EntityKey, other: &EntityKey) {
        let matcher = Matcher::new(&[(EntityId(0), one), (EntityId(1), other)]);
        let example = one.overlap(other);
        assert_eq!(example.is_some(), other.overlap(one).is_some());
        for key in [one, other].into_iter().filter_map(|entity| self.key(entity)) {
            let is_of = [one, other].map(|entity| entity.parse(&key).is_some());
            assert!(example.is_some() || is_of != [true, true], "{key:?} is of both");
            for (id, _) in is_of.iter().enumerate().filter(|(_, is_of)| **is_of) {
                assert!(matcher.candidates(&key).contains(&EntityId(id)), "{key:?} finds its own");
            }
        }
        if let Some(key) = example {
            for entity in [one, other] {
                assert!(repeats(entity) || entity.parse(&key).is_some(), "{key:?}");
            }
        }
    }
}

/// Checks that a prefix built from some of a key's captures is a prefix of the key.
fn check_prefixes(entity: &EntityKey, captures: &[KeyValue<'_>], key: &Key<'_>) {
    for missing in 0..=captures.len() {
        let known: Vec<_> = captures
            .iter()
            .enumerate()
            .map(|(place, value)| (place != missing).then(|| value.clone()))
            .collect();
        let prefix = entity.build_prefix(&known).expect("there is a key with these captures");
        let Some((partition, sort)) = prefix else { continue };
        assert_eq!(partition, key.partition);
        match (sort, &key.sort) {
            (SortPrefix::Any, _) => {}
            (SortPrefix::Whole(whole), sort) => assert_eq!(Some(&whole), sort.as_ref()),
            (SortPrefix::BeginsWith(KeyValue::S(prefix)), Some(KeyValue::S(sort))) => {
                assert!(!prefix.is_empty() && sort.starts_with(&*prefix));
            }
            (SortPrefix::BeginsWith(prefix), sort) => panic!("{prefix:?} of {sort:?}"),
        }
    }
}

fn kind(letter: Option<char>) -> KeyKind {
    match letter {
        Some('N') => KeyKind::N,
        Some('B') => KeyKind::B,
        Some(_) | None => KeyKind::S,
    }
}

/// Parses a template. It must print as its text; the spans of errors must be within the text.
fn template(text: &str) -> Option<Template> {
    match Template::parse(text) {
        Ok(template) => {
            assert_eq!(template.to_string(), text);
            Some(template)
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            assert!(errors.iter().all(|error| text.get(error.range.clone()).is_some()));
            None
        }
    }
}

fn repeats(entity: &EntityKey) -> bool {
    let sort = entity.sort().map_or(0, |sort| sort.captures().count());
    entity.partition().captures().count() + sort > entity.captures().len()
}
