//! Checks that a lookup by index can find items: that its values can equal the attributes of the
//! referencing items.

use super::fixes::{DO_WITHOUT, in_captures_of, suggest};
use super::scope::Scope;
use super::sources::Sides;
use crate::data::{KeyAttribute, KeyKind, Path, Value};
use crate::rules::ast::Reference;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::Component;
use crate::rules::span::{Span, Spanned};
use crate::rules::template::{Format, KeyTemplate, Part, Separator, Template};

/// What is known about an attribute of the referencing items.
enum Known<'e> {
    /// It is a key attribute with this template.
    Key(&'e KeyTemplate),
    /// It is the source of this capture of the referenced key.
    Source(&'e str, Span),
    /// It is a map, and the source of this capture is inside it.
    Map(&'e str, Span),
    /// `where` requires this text.
    Fixed(&'e str, Span),
}

/// Reports a key attribute of an index whose value no referencing item can have.
pub(super) fn check(
    reference: &Reference,
    (attribute, text): (&KeyAttribute, &Spanned<String>),
    template: &KeyTemplate,
    sides: Sides<'_, '_>,
    components: &[Component],
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    let separator = sides.from_key.key.separator();
    let known = known(reference, attribute, sides, components, scope);
    let Some(never) = known.into_iter().find(|known| !can_equal(known, template, sides, separator))
    else {
        return;
    };
    let name = &attribute.name;
    let never_equal = Diagnostic::new(
        &codes::NEVER_EQUAL,
        format!("the index lookup of `{}` never finds an item", reference.name.value),
    )
    .at(text.span, format!("no item of `{}` has this value", sides.from.name()));
    let alone = |capture: &str| format!("write `{name}: \"{{{capture}}}\"`");
    let otherwise = || suggest(sides, components, scope).or(DO_WITHOUT);
    problems.push(match never {
        Known::Key(own) => {
            let help = in_captures_of(own.template(), sides, components);
            never_equal
                .at(sides.from.key_span(), format!("their `{name}` is `{}`", own.template()))
                .maybe_note(is_beginning(template.template(), own.template()).then_some(PREFIX))
                .help(help.map_or_else(otherwise, |it| format!("write `{name}: \"{it}\"`")))
        }
        Known::Source(capture, span) => never_equal
            .at(span, format!("their `{name}` is the value of `{{{capture}}}` alone"))
            .help(alone(capture)),
        Known::Map(capture, span) => never_equal
            .at(span, format!("their `{name}` is a map, and `{{{capture}}}` comes from inside it"))
            .help(otherwise()),
        Known::Fixed(value, span) => never_equal
            .at(span, format!("their `{name}` is always `{value}`"))
            .help(format!("write `{name}: \"{}\"`", escaped(value))),
    });
}

const PREFIX: &str = "the whole value is compared, not its beginning";

/// What the rule file says about an attribute of the referencing items.
fn known<'e>(
    reference: &Reference,
    attribute: &KeyAttribute,
    sides: Sides<'e, '_>,
    components: &[Component],
    scope: &Scope<'_>,
) -> Vec<Known<'e>> {
    let mut all = Vec::new();
    let (from, key) = (sides.from, &sides.from_key.key);
    let schema = scope.table_of(from).and_then(|table| table.key.as_ref());
    if schema.is_some_and(|schema| schema.partition == *attribute) {
        all.push(Known::Key(key.partition()));
    }
    if schema.is_some_and(|schema| schema.sort.as_ref() == Some(attribute)) {
        all.extend(key.sort().map(Known::Key));
    }
    for (component, capture) in components.iter().zip(&sides.to_key.captures) {
        let Component::Attribute(path, _) = component else { continue };
        if from.templates.contains_key(path) {
            continue;
        }
        let written = reference.on.iter().find(|(name, _)| name.value == capture.name);
        let Some((_, source)) = written.filter(|_| path.root() == attribute.name) else { continue };
        all.push(match path.only_name() {
            Some(_) => Known::Source(&capture.name, source.span),
            None => Known::Map(&capture.name, source.span),
        });
    }
    let path = Path::attribute(&attribute.name);
    for (written, test) in &from.conditions {
        if let (true, Some(Value::S(text))) = (*written == path, test.literal()) {
            let mut declared = from.ast.conditions.iter().filter(|(it, _)| it.value == path);
            let span = declared.find_map(|(_, tests)| tests.first()).map(|test| test.span);
            all.push(Known::Fixed(text, span.unwrap_or(from.ast.name.span)));
        }
    }
    all
}

/// Whether the value that a template builds from the referenced key can be that of a referencing
/// item. True in doubt.
fn can_equal(
    known: &Known<'_>,
    template: &KeyTemplate,
    sides: Sides<'_, '_>,
    separator: Separator,
) -> bool {
    if template.kind() != KeyKind::S {
        return !matches!(known, Known::Map(..));
    }
    match known {
        Known::Map(..) => false,
        Known::Key(own) => own.overlap(template, separator).is_some(),
        Known::Fixed(text, _) => overlaps(template, &escaped(text), separator),
        Known::Source(capture, _) => {
            let parts = sides.to_key.key.templates().flat_map(|it| it.template().parts());
            let written: Vec<_> = parts
                .filter_map(|part| match part {
                    Part::Capture(written) if written.name == **capture => Some(written),
                    Part::Capture(_) | Part::Literal(_) => None,
                })
                .collect();
            // The attribute holds the value, and the key another text for it.
            if written.iter().any(|written| written.format != Format::Plain) {
                return true;
            }
            let alone = if written.iter().all(|written| written.is_rest) { "{x*}" } else { "{x}" };
            // With a text around it, the value would be longer than itself.
            let has_more = !template.template().is_sole_capture();
            let contains_itself = has_more && template.captures().any(|it| it == *capture);
            !contains_itself && overlaps(template, alone, separator)
        }
    }
}

fn overlaps(template: &KeyTemplate, other: &str, separator: Separator) -> bool {
    // A text that is no template is compared with nothing.
    let other = Template::parse(other).ok();
    other.is_none_or(|other| template.template().overlap(&other, separator).is_some())
}

/// Whether a template looks like the beginning of another one.
fn is_beginning(template: &Template, whole: &Template) -> bool {
    whole.to_string().starts_with(&template.to_string())
}

/// A text as a template that matches only this text.
fn escaped(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}
