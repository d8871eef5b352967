//! Random writes by the application and by people.

use fastrand::Rng;

use crate::form::{Form, written};
use crate::format::{Alphabet, NONE};
use crate::model::{
    ALIAS, Act, Content, FUTURE_S, IGNORED_S, Name, PAST_S, Role, TTL, Val, index_value, mirror_of,
    mirrored, name, possible_mirrors, role_of, targets,
};
use crate::schema::{CHOICES, IDS, LETTERS, Place, Reference, Schema};

/// Mirrors that the application writes itself.
pub(super) fn own_mirrors(
    schema: &Schema,
    of: &Name,
    content: &Content,
    rng: &mut Rng,
) -> Vec<Act> {
    let mut acts = Vec::new();
    for mirror in &schema.mirrors {
        let is_source = role_of(of) == Role::Own(mirror.source);
        let at = || mirror_of(schema, mirror, of, content);
        let Some(at) = is_source.then(at).flatten() else { continue };
        let Some(content) = mirrored(schema, mirror, of, Some(content)) else { continue };
        if rng.bool() {
            acts.push(Act::Put(at, content));
        }
    }
    acts
}

pub(super) fn draw_many(schema: &Schema, count: usize, rng: &mut Rng) -> Vec<Act> {
    (0..count).map(|_| draw(schema, rng)).collect()
}

/// Draws a random write by the application or by people.
pub(crate) fn draw(schema: &Schema, rng: &mut Rng) -> Act {
    if rng.u8(..10) == 0 {
        let parts = (0..rng.usize(2..4)).map(|_| draw_one(schema, rng)).collect();
        return Act::Transaction(parts);
    }
    draw_one(schema, rng)
}

fn draw_one(schema: &Schema, rng: &mut Rng) -> Act {
    if !schema.mirrors.is_empty() && rng.u8(..10) < 4 {
        let mirror = rng.choice(&schema.mirrors).unwrap();
        let source = name(schema, mirror.source, rng.usize(..IDS), rng.usize(..IDS));
        let possible = possible_mirrors(schema, mirror, &source);
        let of = match possible.as_slice() {
            [only] => only.clone(),
            _ => rng.choice(possible).unwrap(),
        };
        return match rng.u8(..16) {
            0..2 => Act::Delete(of),
            2 => Act::Expire(of),
            9 => Act::Expire(source),
            3 | 4 => Act::Edit(of, letter(rng)),
            5 => Act::Put(of, Content::from([("v".to_owned(), Val::Text(letter(rng)))])),
            6 => Act::Edit(source, letter(rng)),
            7 | 8 => Act::Delete(source),
            _ => put(schema, rng, source),
        };
    }
    draw_plain(schema, rng)
}

/// Draws a random write that the model covers.
pub(crate) fn draw_plain(schema: &Schema, rng: &mut Rng) -> Act {
    let kind = rng.usize(..schema.entities.len());
    let of = name(schema, kind, rng.usize(..IDS), rng.usize(..IDS));
    match rng.u8(..10) {
        0..2 => Act::Delete(of),
        2 => Act::Expire(of),
        _ => put(schema, rng, of),
    }
}

pub(super) fn put(schema: &Schema, rng: &mut Rng, of: Name) -> Act {
    let Role::Own(kind) = role_of(&of) else { panic!("{of:?} is not a source") };
    let mut content = Content::new();
    schema.entities[kind].required.draw(kind, &mut content, rng);
    if schema.has_alias(kind) && rng.u8(..5) > 0 {
        let alias = name(schema, kind, 0, rng.usize(..IDS)).0;
        let alias = Schema::alias(kind, alias.split('#').nth(1).unwrap());
        content.insert(ALIAS.to_owned(), Val::Text(alias));
    }
    if let Some(until) = schema.entities[kind].until {
        until.draw(&mut content, rng);
    }
    if rng.bool() {
        content.insert("v".to_owned(), Val::Text(letter(rng)));
    }
    if schema.ttl[schema.entities[kind].table]
        && let Some(seconds) = [PAST_S, PAST_S, FUTURE_S, IGNORED_S].get(rng.usize(..7))
    {
        content.insert(TTL.to_owned(), Val::Number(*seconds));
    }
    for reference in schema.references.iter().filter(|it| it.from == kind) {
        if rng.u8(..4) == 0 {
            continue;
        }
        if let Some(choice) = reference.choice()
            && let Some(said) = rng.choice([0, 0, 0, 1, 1, 1, 2, 3]).and_then(|it| CHOICES.get(it))
        {
            content.insert(choice, Val::Text((*said).to_owned()));
        }
        let id = |rng: &mut Rng| value(schema, reference, true, rng);
        let many = |rng: &mut Rng| (0..rng.usize(1..4)).map(|_| id(rng)).collect::<Vec<_>>();
        let (attribute, val) = match &reference.place {
            Place::Key | Place::Own => continue,
            Place::Pair(one, other) => {
                content.insert(one.clone(), Val::Text(id(rng)));
                if rng.u8(..4) == 0 {
                    continue;
                }
                (other, Val::Text(value(schema, reference, false, rng)))
            }
            Place::Text(name) => (name, Val::Text(id(rng))),
            Place::Nested(name) => (name, Val::Nested(id(rng))),
            Place::Set(name) => (name, Val::Set(many(rng).into_iter().collect())),
            Place::List(name) => (name, Val::List(many(rng))),
            Place::Lines(name, _) => (name, Val::Lines(many(rng).into_iter().map(Some).collect())),
        };
        content.insert(attribute.clone(), val);
    }
    add_index_keys(schema, rng, &of, &mut content);
    Act::Put(of, content)
}

/// Draws a value of a reference.
fn value(schema: &Schema, reference: &Reference, is_first: bool, rng: &mut Rng) -> String {
    let id = rng.usize(..IDS);
    if schema.alphabet == Alphabet::Ids {
        return schema.alphabet.value(id);
    }
    let value = match rng.u8(..10) {
        0 if reference.has_none => return NONE.to_owned(),
        1 => schema.alphabet.other_value(id),
        2 if reference.form != Form::Value => return schema.alphabet.value(id),
        _ => schema.alphabet.value(id),
    };
    written(schema, reference, is_first, &value).unwrap_or(value)
}

/// Adds the keys of indexes as an application does, apart from mistakes.
fn add_index_keys(schema: &Schema, rng: &mut Rng, of: &Name, content: &mut Content) {
    for reference in &schema.references {
        let Some(key) = reference.index_key() else { continue };
        let targets = targets(schema, reference, of, content);
        let value = targets.first().map(index_value);
        let other = || Val::Text("other".to_owned());
        let is_own = role_of(of) == Role::Own(reference.from);
        let value = match rng.u8(..12) {
            0 if is_own => Some(other()),
            1 => None,
            _ => value,
        };
        content.extend(value.map(|value| (key, value)));
        let Some(sort) = reference.index_sort() else { continue };
        let value = match rng.u8(..12) {
            0 => Some("x#a"),
            1 => None,
            _ => Some("j#a"),
        };
        content.extend(value.map(|value| (sort, Val::Text(value.to_owned()))));
    }
}

fn letter(rng: &mut Rng) -> String {
    (*rng.choice(&LETTERS).unwrap()).to_owned()
}
