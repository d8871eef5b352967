//! Explains rules in words: what they require, and what happens otherwise.

use std::time::Duration;

use super::declaration::{listed, source};
use super::placement;
use crate::data::Value;
use crate::rules::model::{
    Component, Copied, Find, Matching, Mirror, MirrorId, Mode, OnDelete, OnMirrorDelete,
    OnMirrorEdit, OnMissing, Reference, ReferenceId, Removal, Rules, Severity,
};
use crate::wording::names;

/// Explains a reference.
pub(in crate::cli) fn reference(rules: &Rules, id: ReferenceId) -> String {
    let rule = &rules[id];
    let from = &rules[rule.from].name;
    let mut each: Vec<String> =
        rules.alternatives(id).map(|(_, it)| rules[it.to].name.clone()).collect();
    // An entity in several tables is an alternative for each of them.
    each.dedup();
    let to = names(&each, "or");
    let mut lines =
        vec![format!("`{}` is a reference from `{from}` to {to}.", rule.name), String::new()];
    if rule.alternative.is_union() && each.len() > 1 {
        lines.push("One of these items is enough.".to_owned());
    }
    for (_, alternative) in rules.alternatives(id) {
        add_new(&mut lines, parts(rules, alternative, from));
    }
    lines.extend(placement::sentences_of_reference(rules, id));
    if rule.alternative.discriminator.is_some() {
        lines.push("Another value is reported as `malformed_reference`.".to_owned());
    }
    lines.extend(absence(rule, from));
    lines.push(String::new());
    lines.push(format!(
        "If an item of `{from}` is written whose {to} does not exist{}, `dangling_reference` is \
         reported{} (`on_missing: {}`).",
        after(rule.grace, "still does not exist"),
        on_missing(rule),
        rule.on_missing.name()
    ));
    for (_, rule) in rules.alternatives(id) {
        let text = deletes(rules, rule, "is deleted", rule.on_delete, "on_delete");
        add_new(&mut lines, vec![text]);
        if rule.on_ttl_delete != rule.on_delete {
            let key = "on_ttl_delete";
            let text = deletes(rules, rule, "is deleted by TTL", rule.on_ttl_delete, key);
            add_new(&mut lines, vec![text]);
        }
    }
    lines.extend(mode(rule.mode, rule.severity));
    lines.join("\n") + "\n"
}

/// Adds lines, unless they are there already.
fn add_new(lines: &mut Vec<String>, new: Vec<String>) {
    if !lines.windows(new.len().max(1)).any(|known| known == new) {
        lines.extend(new);
    }
}

/// Which item of one entity an item refers to.
fn parts(rules: &Rules, rule: &Reference, from: &str) -> Vec<String> {
    let to = &rules[rule.to].name;
    let when = rule.alternative.discriminator.as_ref().and_then(|discriminator| {
        let component = rule.components.get(discriminator.component)?;
        let source = source(rules, rule, (discriminator.component, component));
        Some(format!("If {source} is {}, ", literal(&discriminator.value.to_value())))
    });
    let (of_all, of_one) = match &when {
        Some(when) => (format!("{when}each"), format!("{when}an")),
        None => ("Each".to_owned(), "An".to_owned()),
    };
    let captures = rules[rule.to].key.captures();
    if captures.is_empty() {
        return vec![format!("{of_all} item of `{from}` refers to the only item of `{to}`.")];
    }
    let mut lines = vec![match rules.view(rule.to) {
        None => format!(
            "{of_one} item of `{from}` refers to the item of `{to}` whose key has these parts:"
        ),
        Some(view) => format!(
            "{of_one} item of `{from}` refers to any item of `{to}` whose key in the index `{}` has these parts:",
            view.index_name(rules)
        ),
    }];
    for (name, component) in captures.iter().zip(rule.components.iter().enumerate()) {
        lines.push(format!("  - `{{{name}}}` is {}", source(rules, rule, component)));
    }
    lines
}

/// What an item without the reference, or with a part of it, means.
fn absence(rule: &Reference, from: &str) -> Vec<String> {
    let paths: Vec<String> = rule.paths().map(|path| format!("`{path}`")).collect();
    if paths.is_empty() {
        return Vec::new();
    }
    let paths = listed(&paths);
    let mut lines = vec![if rule.required {
        format!("An item of `{from}` without {paths} is reported as `missing_reference`.")
    } else {
        format!("An item of `{from}` without {paths} refers to nothing.")
    }];
    if !rule.none.is_empty() {
        let values = rule.none.iter().map(literal);
        let values = listed(&values.collect::<Vec<_>>());
        lines.push(format!("The value {values} counts as absent."));
    }
    if rule.matching == Matching::Full {
        lines.push("If only some parts are present, `partial_reference` is reported.".to_owned());
    }
    lines
}

fn on_missing(rule: &Reference) -> String {
    match rule.on_missing {
        OnMissing::Report => ", and nothing is changed".to_owned(),
        OnMissing::Delete => ", and the item is deleted".to_owned(),
        OnMissing::Unset => format!(", and {}", unset(rule)),
        OnMissing::SetDefault => format!(", and {}", set_default(rule)),
        OnMissing::Revert => ", and its write is undone".to_owned(),
    }
}

/// What happens when a referenced item is deleted.
fn deletes(rules: &Rules, rule: &Reference, deleted: &str, action: OnDelete, key: &str) -> String {
    let (from, to) = (&rules[rule.from].name, &rules[rule.to].name);
    if action == OnDelete::Ignore {
        return format!("If an item of `{to}` {deleted}, nothing happens (`{key}: ignore`).");
    }
    let found = match &rule.find {
        Find::Derived => "by a query of the table".to_owned(),
        Find::Index { index, .. } => {
            let index = rules.table_of(rule.from).indexes.get(*index);
            let name = index.map_or("", |index| index.name.as_str());
            format!("by a query of the index `{name}`")
        }
        Find::Mirror(mirror) => format!("by the mirrors of `{}`", rules[*mirror].name),
        Find::None => {
            return format!(
                "If an item of `{to}` {deleted}, the items of `{from}` that refer to it are not found \
                 (`find: none`). Only `referee audit` reports them."
            );
        }
    };
    let done = match action {
        OnDelete::Report | OnDelete::Ignore => ", and nothing is changed".to_owned(),
        OnDelete::Cascade => ", and they are deleted".to_owned(),
        OnDelete::Unset => format!(", and {}", unset(rule)),
        OnDelete::SetDefault => format!(", and {}", set_default(rule)),
        OnDelete::Restore => ", and the deleted item is written again".to_owned(),
    };
    let limit = match action {
        OnDelete::Cascade | OnDelete::Unset | OnDelete::SetDefault => {
            format!(" At most {} items are changed (`max_fanout`).", rule.fanout_max)
        }
        OnDelete::Report | OnDelete::Restore | OnDelete::Ignore => String::new(),
    };
    format!(
        "If an item of `{to}` {deleted}{}, the items of `{from}` that refer to it are found {found}. They \
         are reported as `orphaned`{done} (`{key}: {}`).{limit}",
        after(rule.grace, "is still missing"),
        action.name()
    )
}

/// What `unset` does.
fn unset(rule: &Reference) -> String {
    let is_field = |component: &Component| matches!(component, Component::Field(..));
    if let Some(elements) = elements(rule)
        && (rule.removal == Removal::Element || !rule.components.iter().any(is_field))
    {
        return format!("the element is removed from {elements}");
    }
    let derived = rule.derived.iter().map(|derived| derived.attribute.clone());
    let changed = rule.components.iter().filter(|component| rule.is_changed(component));
    let names = changed.filter_map(Component::path).map(ToString::to_string).chain(derived);
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb} removed", listed(&names))
}

/// What `set_default` does.
fn set_default(rule: &Reference) -> String {
    let is_element = rule.components.iter().any(|it| matches!(it, Component::Elements(..)));
    let what = if is_element { "the element of " } else { "" };
    let set = rule.components.iter().zip(&rule.defaults).filter_map(|(component, default)| {
        Some(format!("{what}`{}` is set to {}", component.path()?, literal(default.as_ref()?)))
    });
    let derived = rule.derived.iter().filter(|derived| derived.template.is_some());
    let derived = derived.map(|derived| format!("`{}` is set to match", derived.attribute));
    let set = listed(&set.chain(derived).collect::<Vec<_>>());
    format!("{set}, if the item with this key exists")
}

/// A value as rule files write it.
pub(super) fn literal(value: &Value<'static>) -> String {
    match value {
        Value::S(text) => serde_json::to_string(text).unwrap_or_default(),
        Value::N(number) => number.to_string(),
        Value::B(_)
        | Value::Bool(_)
        | Value::Null
        | Value::Ss(_)
        | Value::Ns(_)
        | Value::Bs(_)
        | Value::L(_)
        | Value::M(_) => serde_json::to_string(value).unwrap_or_default(),
    }
}

/// The list or set whose elements refer.
fn elements(rule: &Reference) -> Option<String> {
    rule.components.iter().find_map(|component| match component {
        Component::Elements(path, _) => Some(format!("`{path}`")),
        Component::Field(path, _) => Some(format!("`{}`", path.innermost_list()?)),
        Component::Capture(_) | Component::Constant(_) | Component::Attribute(..) => None,
    })
}

/// Explains a mirror rule.
pub(in crate::cli) fn mirror(rules: &Rules, id: MirrorId) -> String {
    let rule = &rules[id];
    let (source, mirror) = (&rules[rule.source].name, &rules[rule.mirror].name);
    let key = &rules[rule.mirror].key;
    let templates = std::iter::once(key.partition()).chain(key.sort());
    let keys = rules.key_schema(rule.mirror).names().zip(templates);
    let keys: Vec<_> =
        keys.map(|(name, template)| format!("`{name}` = \"{}\"", template.template())).collect();
    let mut lines = vec![
        format!("`{}` is a mirror rule.", rule.name),
        String::new(),
        format!(
            "For each item of `{source}`, Referee maintains an item of `{mirror}` with {} and {}.",
            listed(&keys),
            copied(rule)
        ),
    ];
    lines.extend(placement::sentences_of_mirror(rules, id));
    lines.push(
        format!(
            "If an item of `{source}` changes, its mirror is written again; if it is deleted, its mirror is \
             deleted."
        ),
    );
    lines.push(
        match rule.on_mirror_edit {
            OnMirrorEdit::Overwrite => "If someone else edits a mirror, it is written again.",
            OnMirrorEdit::Report => "If someone else edits a mirror, that is reported.",
        }
        .to_owned(),
    );
    lines.push(match rule.on_mirror_delete {
        OnMirrorDelete::Restore => {
            "If someone else deletes a mirror, it is written again.".to_owned()
        }
        OnMirrorDelete::DeleteSource => {
            "If someone else deletes a mirror, its source is deleted, too.".to_owned()
        }
        OnMirrorDelete::Report => "If someone else deletes a mirror, that is reported.".to_owned(),
    });
    lines.push(
        if rule.adopt {
            "An item at a mirror's key that Referee did not write is overwritten."
        } else {
            "An item at a mirror's key that Referee did not write is reported and left alone."
        }
        .to_owned(),
    );
    lines.extend(mode(rule.mode, rule.severity));
    lines.join("\n") + "\n"
}

fn copied(rule: &Mirror) -> String {
    let names = |names: &[String]| {
        listed(&names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>())
    };
    match &rule.copy {
        Copied::All => "all attributes".to_owned(),
        Copied::Except(except) => format!("all attributes except {}", names(except)),
        Copied::None => "no attributes".to_owned(),
        Copied::List(list) => format!("the attributes {}", names(list)),
        Copied::Renamed(renamed) => {
            let as_new = renamed.iter().map(|(name, new)| format!("`{name}` as `{new}`"));
            format!("the attributes {}", listed(&as_new.collect::<Vec<_>>()))
        }
    }
}

/// What the mode and the severity of a rule change.
fn mode(mode: Mode, severity: Severity) -> Vec<String> {
    let mut lines = Vec::new();
    match mode {
        Mode::Off => lines.push("The rule is off: none of this happens (`mode: off`).".to_owned()),
        Mode::Observe => lines.push(
            "The rule only observes: it reports what it would do, and writes nothing \
             (`mode: observe`)."
                .to_owned(),
        ),
        Mode::Enforce => {}
    }
    if severity == Severity::Warn {
        lines.push("Its violations count as warnings (`severity: warn`).".to_owned());
    }
    if !lines.is_empty() {
        lines.insert(0, String::new());
    }
    lines
}

/// The condition after a grace period, with its duration as rule files write it.
fn after(grace: Duration, condition: &str) -> String {
    let ms = grace.as_millis();
    let duration = match ms {
        0 => return String::new(),
        _ if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        _ => format!("{ms}ms"),
    };
    format!(", and after {duration} it {condition} (`grace`)")
}
