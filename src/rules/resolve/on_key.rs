//! Resolves `on_key`: the attributes that contain the key of the referenced item.

use super::sources::{Sides, Source, Sources, whole};
use crate::data::KeyKind;
use crate::rules::ast::Reference;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::Contained;
use crate::rules::span::Spanned;
use crate::rules::spelling::did_you_mean;
use crate::rules::template::{EntityKey, KeyTemplate, Separator};

/// The declarations of `on_key`: key attributes with their sources.
type OnKey = Spanned<Vec<(Spanned<String>, Spanned<String>)>>;

/// The source of each capture of the referenced key, and what else must match.
pub(super) fn resolve(
    reference: &Reference,
    on_key: &OnKey,
    names: &[&str],
    sides: Sides<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Sources> {
    let before = problems.len();
    check_names(reference, on_key, names, problems);
    let key = &sides.to_key.key;
    let mut sources: Vec<Option<Source>> = vec![None; key.captures().len()];
    let (mut checked, mut agreeing) = (Vec::new(), Vec::new());
    let templates = std::iter::once(key.partition()).chain(key.sort());
    for (name, template) in names.iter().zip(templates) {
        let written = on_key.value.iter().find(|(attribute, _)| attribute.value == *name);
        let Some((_, text)) = written else { continue };
        let kind = template.kind().as_type();
        let Some(component) = whole(text, kind, sides, problems) else { continue };
        let text = text_of(template, key.separator());
        let contained =
            |capture| text.as_ref().map(|text| Contained { text: text.clone(), capture });
        let mut captures: Vec<&str> = template.captures().collect();
        captures.dedup();
        for (capture, of_key) in captures.iter().enumerate() {
            let position = key.captures().iter().position(|known| known == of_key);
            let Some(position) = position else { continue };
            let source = (component.clone(), contained(Some(capture)));
            if let Some(slot @ None) = sources.get_mut(position) {
                *slot = Some(source);
            } else {
                agreeing.push((key.captures().len() + checked.len(), position));
                checked.push(source);
            }
        }
        if captures.is_empty() {
            checked.push((component, contained(None)));
        }
    }
    if problems.len() > before {
        return None;
    }
    let sources: Vec<Source> = sources.into_iter().collect::<Option<_>>()?;
    let (components, contained) = sources.into_iter().chain(checked).unzip();
    Some(Sources { components, contained, agreeing, discriminator: None })
}

/// A key attribute's template as that of a text; `None` for a number or a binary, which is its only
/// capture.
fn text_of(template: &KeyTemplate, separator: Separator) -> Option<EntityKey> {
    (template.kind() == KeyKind::S).then(|| EntityKey::new(template.clone(), None, separator))
}

/// Reports names that are no key attributes, key attributes without a source, and a second `on`.
fn check_names(
    reference: &Reference,
    on_key: &OnKey,
    names: &[&str],
    problems: &mut Vec<Diagnostic>,
) {
    let wrong = |message: String| Diagnostic::new(&codes::ON_KEY, message);
    if !reference.on.is_empty() {
        problems.push(
            wrong(format!("`{}` has `on` and `on_key`", reference.name.value))
                .at(on_key.span, "gives the whole key")
                .help("remove one of the two"),
        );
    }
    let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    for (name, _) in &on_key.value {
        if !names.contains(&name.value.as_str()) {
            problems.push(
                wrong(format!("`{}` is not a key attribute of the referenced table", name.value))
                    .at(name.span, format!("its key is {}", listed.join(", ")))
                    .maybe_help(did_you_mean(&name.value, names.iter().copied())),
            );
        }
    }
    for name in names {
        if on_key.value.iter().all(|(written, _)| written.value != *name) {
            problems.push(
                wrong(format!("`on_key` has no `{name}`"))
                    .at(on_key.span, format!("needs the source of `{name}`"))
                    .help(format!("write `{name}: \"{{ATTRIBUTE}}\"`")),
            );
        }
    }
}
