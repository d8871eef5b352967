//! Parts of a drawn reference that are contained in longer texts.

use referee::data::{KeyKind, Path, Type};
use referee::rules::Rules;
use referee::rules::model::{Component, Contained, EntityId, Reference};
use referee::rules::template::{EntityKey, KeyTemplate, Template};

use super::tape::Tape;

/// Components, how they are contained in their sources, and which must agree.
pub(super) type Sources = (Vec<Component>, Vec<Option<Contained>>, Vec<(usize, usize)>);

/// Declares templates for some of the attributes that are texts.
pub(super) fn parts(
    rules: &mut Rules,
    from: EntityId,
    components: &[Component],
    tape: &mut Tape,
) -> Vec<Option<Contained>> {
    let separator = rules.table_of(from).separator;
    let mut contained = |component: &Component| {
        let (Component::Attribute(path, Type::S) | Component::Field(path, Type::S)) = component
        else {
            return None;
        };
        if !tape.one_in(4) {
            return None;
        }
        let template = Template::parse(tape.pick(&["w{p}", "w-{q:lower}-{p*}"])).unwrap();
        let template = KeyTemplate::new(template, KeyKind::S).unwrap();
        let text = EntityKey::new(template, None, separator);
        rules.entities[from.0].templates.insert(path.clone(), text.clone());
        let capture = text.captures().iter().position(|name| name == "p");
        Some(Contained { text, capture })
    };
    components.iter().map(&mut contained).collect()
}

/// The components of a reference with `on_key`.
pub(super) fn whole_key(rules: &Rules, number: usize, to: EntityId) -> Sources {
    let key = &rules[to].key;
    let mut components = vec![None; key.captures().len()];
    let (mut checked, mut agreeing) = (Vec::new(), Vec::new());
    for (template, name) in std::iter::once(key.partition()).chain(key.sort()).zip(["pk", "sk"]) {
        let path = Path::parse(&format!("k{number}.{name}")).unwrap();
        let component = Component::Attribute(path, template.kind().as_type());
        let text = EntityKey::new(template.clone(), None, key.separator());
        let contained = |capture| {
            let is_text = template.kind() == KeyKind::S;
            is_text.then(|| Contained { text: text.clone(), capture })
        };
        for (capture, name) in text.captures().iter().enumerate() {
            let position = key.captures().iter().position(|known| known == name).unwrap();
            let source = (component.clone(), contained(Some(capture)));
            if components[position].is_none() {
                components[position] = Some(source);
            } else {
                agreeing.push((key.captures().len() + checked.len(), position));
                checked.push(source);
            }
        }
        if text.captures().is_empty() {
            checked.push((component, contained(None)));
        }
    }
    let (components, contained) = components.into_iter().flatten().chain(checked).unzip();
    (components, contained, agreeing)
}

/// The attributes that contain the referenced key, if a reference has `on_key`.
pub(super) fn attributes_with_key(rules: &Rules, reference: &Reference) -> Option<Vec<Path>> {
    let key = &rules[reference.to].key;
    let path_of = |template: &KeyTemplate| {
        let is_of = |index: &usize| {
            if let Some(contained) = reference.contained(*index) {
                return contained.text.partition() == template;
            }
            let capture = template.captures().next();
            template.kind() != KeyKind::S
                && key.captures().get(*index).map(String::as_str) == capture
        };
        let index = (0..reference.components.len()).find(is_of)?;
        match &reference.components[index] {
            Component::Attribute(path, _) => Some(path.clone()),
            Component::Capture(_)
            | Component::Elements(..)
            | Component::Field(..)
            | Component::Constant(_) => None,
        }
    };
    std::iter::once(key.partition()).chain(key.sort()).map(path_of).collect()
}
