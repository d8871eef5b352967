//! The subject for an entity, with placeholders such as `{email}` as values.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::from_item::{copied, fixed_by, in_index};
use super::subject::{MirrorItem, Referrer, Subject, Target, json, listed, refuse_mirror};
use super::{Attributes, Operation, Refusal};
use crate::data::{KeyValue, Path, Step, Type};
use crate::rules::model::{
    Component, Entity, EntityId, Mirror, MirrorId, MirrorPart, Mode, Reference, ReferenceId, Rules,
    Test,
};
use crate::rules::template::{Capture, EntityKey, Part};
use crate::wording;

pub(super) fn subject(
    rules: &Rules,
    id: EntityId,
    operation: Operation,
) -> Result<Subject, Refusal> {
    refuse_mirror(rules, id)?;
    let entity = &rules[id];
    let captures = entity.key.captures();
    let content = content(entity);
    let mut subject = Subject {
        entity: id,
        key: key(rules, id, |_| None, |index| captures.get(index).cloned().unwrap_or_default()),
        targets: Vec::new(),
        mirrors: Vec::new(),
        referrers: Vec::new(),
        notes: vec![placeholders_note(entity, &content, operation)],
        content,
    };
    subject.notes.extend(format_notes(entity));
    if operation == Operation::Put {
        subject.notes.extend(condition_notes(entity));
    }
    let in_use = |mode: Mode| mode != Mode::Off;
    for (index, reference) in rules.references.iter().enumerate() {
        let rule = ReferenceId(index);
        let breaks = match operation {
            Operation::Put => true,
            Operation::Update => reference.paths().next().is_some(),
            Operation::Delete => false,
        };
        let is_covered = reference.alternative.is_union() && !reference.alternative.is_first;
        if reference.from == id && in_use(reference.mode) && breaks && !is_covered {
            if rules.view(reference.to).is_some() {
                subject.notes.push(in_index(rules, reference));
                continue;
            }
            let key = target_key(rules, reference);
            let others = reference.alternative.others.iter();
            let others = others.map(|other| (other.rule, target_key(rules, &rules[other.rule])));
            subject.targets.push(Target { rule, key, others: others.collect() });
            subject.notes.extend(notes(reference));
            subject.notes.extend(case_note(rules, reference));
        }
        if reference.to == id && in_use(reference.mode) {
            let only = only_referrer(rules, reference);
            subject.referrers.push(Referrer { rule, only });
        }
    }
    for (index, mirror) in rules.mirrors.iter().enumerate() {
        if mirror.source == id && in_use(mirror.mode) {
            subject.mirrors.push(mirror_item(
                rules,
                MirrorId(index),
                mirror,
                &subject.content,
                operation,
            ));
        }
    }
    Ok(subject)
}

/// A key whose captures are placeholders with these names.
fn key(
    rules: &Rules,
    entity: EntityId,
    constant: impl Fn(usize) -> Option<KeyValue<'static>>,
    name_of: impl Fn(usize) -> String,
) -> Attributes {
    let templates = &rules[entity].key;
    let index_of = |name: &str| templates.captures().iter().position(|known| known == name);
    let value = |template: &crate::rules::template::KeyTemplate| {
        let parts = template.template().parts().iter().map(|part| match part {
            Part::Literal(text) => text.clone(),
            Part::Capture(capture) => index_of(&capture.name).map_or_else(String::new, |index| {
                let written = constant(index).and_then(|value| capture.written(&value));
                written.unwrap_or_else(|| format!("{{{}{}}}", name_of(index), capture.format))
            }),
        });
        json!({ template.kind().as_type().tag(): parts.collect::<String>() })
    };
    let templates = std::iter::once(templates.partition()).chain(templates.sort());
    let names = rules.key_schema(entity).names().map(str::to_owned);
    names.zip(templates.map(value)).collect()
}

/// The declared attributes, and the values that the entity's `where` requires.
fn content(entity: &Entity) -> Attributes {
    let mut content = Attributes::new();
    for (path, kind) in &entity.attributes {
        let text = format!("{{{}}}", placeholder(path, *kind));
        let value = match kind {
            Type::S | Type::N | Type::B => {
                let template = entity.templates.get(path);
                let text = template.map_or(text, |it| placeholders(path, it));
                json!({ kind.tag(): text })
            }
            Type::Ss | Type::Ns | Type::Bs => json!({ kind.tag(): [text] }),
            Type::L => json!({ "L": [{ "S": text }] }),
            Type::M => json!({ "M": {} }),
            Type::Bool => json!({ "BOOL": true }),
            Type::Null => json!({ "NULL": true }),
        };
        insert(&mut content, path, value);
    }
    require(&mut content, &entity.conditions);
    content
}

/// Changes the content so that it meets the conditions, as far as they say how: it gets the value
/// that a condition requires, or the first of several, and loses what must be absent.
fn require(content: &mut Attributes, conditions: &[(Path, Test)]) {
    for (path, test) in conditions {
        let Test::OneOf(choice) = test else { continue };
        match choice.values.first() {
            Some(value) => insert(content, path, json(value)),
            None => remove(content, path),
        }
    }
}

/// Removes the value at a path.
fn remove(content: &mut Attributes, path: &Path) {
    let names: Vec<&str> = path.names().collect();
    let [root, inner @ ..] = names.as_slice() else { return };
    let Some((last, parents)) = inner.split_last() else {
        content.remove(*root);
        return;
    };
    let mut value = content.get_mut(*root);
    for parent in parents {
        value = value.and_then(|value| value.get_mut("M")?.get_mut(*parent));
    }
    let map = value.and_then(|value| value.get_mut("M")?.as_object_mut());
    if let Some(map) = map {
        map.remove(*last);
    }
}

/// Returns the name of the placeholder for a path. For a list or set, the placeholder stands for
/// one element.
fn placeholder(path: &Path, kind: Type) -> String {
    match kind {
        Type::L | Type::Ss | Type::Ns | Type::Bs => format!("{path}[*]"),
        Type::S | Type::N | Type::B | Type::Bool | Type::Null | Type::M => path.to_string(),
    }
}

/// The text of an attribute with captures, each as a placeholder.
fn placeholders(path: &Path, text: &EntityKey) -> String {
    let parts = text.partition().template().parts().iter().map(|part| match part {
        Part::Literal(text) => text.clone(),
        Part::Capture(Capture { name, format, .. }) => format!("{{{path}.{name}{format}}}"),
    });
    parts.collect()
}

/// Inserts a value at a path, and creates missing maps and lists along the path. If the path leads through a
/// value that is declared with another type, nothing is inserted.
fn insert(content: &mut Attributes, path: &Path, value: Json) {
    let Some((Step::Name(root), steps)) = path.steps().split_first() else { return };
    let mut slot = content.entry(root.clone()).or_insert(Json::Null);
    for step in steps {
        let container = match step {
            Step::Name(_) => json!({ "M": {} }),
            Step::Each | Step::Index(_) => json!({ "L": [] }),
        };
        // A list that is declared as a whole has an element of another type as its example.
        let is_example = matches!(step, Step::Each) && slot.pointer("/L/0/S").is_some();
        if slot.is_null() || is_example {
            *slot = container;
        }
        let next = match step {
            Step::Name(name) => slot
                .get_mut("M")
                .and_then(Json::as_object_mut)
                .map(|map| map.entry(name.clone()).or_insert(Json::Null)),
            Step::Each | Step::Index(_) => {
                slot.get_mut("L").and_then(Json::as_array_mut).and_then(|list| {
                    if list.is_empty() {
                        list.push(Json::Null);
                    }
                    list.first_mut()
                })
            }
        };
        let Some(next) = next else { return };
        slot = next;
    }
    *slot = value;
}

fn target_key(rules: &Rules, reference: &Reference) -> Attributes {
    let captures = rules[reference.from].key.captures();
    let name_of = |index: usize| match reference.components.get(index) {
        Some(Component::Capture(own)) => captures.get(*own).cloned().unwrap_or_default(),
        Some(Component::Attribute(path, _) | Component::Field(path, _)) => path.to_string(),
        Some(Component::Elements(path, kind)) => placeholder(path, *kind),
        // The engine's own text of the key shows the value.
        Some(Component::Constant(_)) | None => String::new(),
    };
    let constant = |index: usize| match reference.components.get(index) {
        Some(Component::Constant(value)) => Some(value.clone()),
        _ => None,
    };
    key(rules, reference.to, constant, |index| match reference.contained(index) {
        Some(contained) => {
            let captures = contained.text.captures();
            let name = contained.capture.and_then(|capture| captures.get(capture));
            name.map_or_else(String::new, |name| format!("{}.{name}", name_of(index)))
        }
        None => name_of(index),
    })
}

fn only_referrer(rules: &Rules, reference: &Reference) -> Option<Attributes> {
    let indexes = fixed_by(rules, reference)?;
    let captures = rules[reference.to].key.captures();
    let name_of = |index: usize| captures.get(*indexes.get(index)?).cloned();
    Some(key(rules, reference.from, |_| None, |index| name_of(index).unwrap_or_default()))
}

fn mirror_item(
    rules: &Rules,
    rule: MirrorId,
    mirror: &Mirror,
    content: &Attributes,
    operation: Operation,
) -> MirrorItem {
    let captures = rules[mirror.source].key.captures();
    let key = key(
        rules,
        mirror.mirror,
        |_| None,
        |index| {
            let name = match mirror.mirror_from_source.get(index) {
                Some(MirrorPart::Capture(index)) => captures.get(*index).cloned(),
                Some(MirrorPart::Attribute(name, _)) => Some(name.clone()),
                None => None,
            };
            name.unwrap_or_default()
        },
    );
    let mut content = copied(rules, mirror, content);
    if operation == Operation::Put {
        require(&mut content, &rules[mirror.mirror].conditions);
    }
    MirrorItem { rule, key, content }
}

/// The note that lists the placeholders.
fn placeholders_note(entity: &Entity, content: &Attributes, operation: Operation) -> String {
    let captures = entity.key.captures().iter().cloned();
    let fixed = entity.conditions.iter().filter(|(_, test)| matches!(test, Test::OneOf(_)));
    let fixed: BTreeSet<&Path> = fixed.map(|(path, _)| path).collect();
    let has_text = |kind: Type| !matches!(kind, Type::M | Type::Bool | Type::Null);
    let attributes = entity.attributes.iter().filter(|(path, kind)| {
        operation != Operation::Delete
            && content.contains_key(path.root())
            && !fixed.contains(path)
            && has_text(**kind)
    });
    let attributes = attributes.map(|(path, kind)| placeholder(path, *kind));
    let all: Vec<String> = captures.chain(attributes).map(|name| format!("{{{name}}}")).collect();
    if all.is_empty() {
        return format!("every item of `{}` has this key", entity.name);
    }
    format!("replace {} with values", listed(all))
}

/// The notes on the formats of the key's placeholders.
fn format_notes(entity: &Entity) -> BTreeSet<String> {
    let templates = std::iter::once(entity.key.partition()).chain(entity.key.sort());
    let captures = templates.flat_map(|template| template.template().formatted());
    let note = |it: &Capture| Some(format!("`{it}` is {}", it.format.describe()?));
    captures.filter_map(note).collect()
}

/// The notes on conditions that do not name the value of an attribute.
fn condition_notes(entity: &Entity) -> Vec<String> {
    let open =
        entity.conditions.iter().filter(|(_, test)| test.literal().is_none() && !test.is_absence());
    let note = |(path, test): &(Path, Test)| {
        format!("in an item of `{}`, `{path}` is {}", entity.name, wording::test(test))
    };
    open.map(note).collect()
}

/// The note that only some items refer to an entity.
fn case_note(rules: &Rules, reference: &Reference) -> Option<String> {
    let discriminator = reference.alternative.discriminator.as_ref()?;
    let source = match reference.components.get(discriminator.component)? {
        Component::Capture(index) => {
            format!("`{{{}}}`", rules[reference.from].key.captures().get(*index)?)
        }
        Component::Attribute(path, _)
        | Component::Elements(path, _)
        | Component::Field(path, _) => format!("`{path}`"),
        Component::Constant(_) => return None,
    };
    let value = json(&discriminator.value.to_value());
    let value = value.as_object().and_then(|value| value.values().next()).cloned()?;
    Some(format!(
        "`{}`: check the `{}` only for an item in which {source} is {value}",
        reference.name, rules[reference.to].name
    ))
}

/// Notes on how the checks of a reference depend on the item.
fn notes(reference: &Reference) -> Vec<String> {
    let mut notes = Vec::new();
    let name = &reference.name;
    let all: Vec<&Path> = reference.paths().collect();
    if let Some(elements) = reference.components.iter().find_map(|source| match source {
        Component::Elements(path, _) => Some(path.clone()),
        Component::Field(path, _) => path.innermost_list(),
        Component::Capture(_) | Component::Constant(_) | Component::Attribute(..) => None,
    }) {
        notes.push(format!("`{name}`: repeat the check for each element of `{elements}`"));
    }
    if !all.is_empty() && !reference.required {
        notes.push(format!("`{name}`: omit the check for an item without {}", listed(&all)));
    }
    if reference.from == reference.to {
        notes.push(format!("`{name}`: omit the check for an item that refers to itself"));
    }
    notes
}
