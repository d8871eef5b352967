//! Writes rules as a rule file. A key with its default value may be omitted, and keys are in random
//! order if their order has no meaning.

use std::time::Duration;

use referee::data::{KeyAttribute, KeyKind, KeyValue, Path, Value};
use referee::rules::Rules;
use referee::rules::model::{
    Choice, Comparison, Component, Copied, Entity, Expired, Find, Matching, Mirror, Mode, OnDelete,
    OnMirrorDelete, OnMirrorEdit, OnMissing, Reference, Removal, Severity, Table, Test, TimeFormat,
    When,
};

use crate::rule_file_laws::contained::attributes_with_key;
use crate::rule_file_laws::drawn::{DEPTH_MAX, FANOUT_MAX, GRACE};
use crate::rule_file_laws::drawn_tables::{placement, tables_of};
use crate::rule_file_laws::tape::Tape;
use crate::rule_file_laws::tree::Tree;

/// A rule file with these rules.
pub(crate) fn tree(rules: &Rules, tape: &mut Tape) -> Tree {
    let mut file = Fields::new(tape);
    file.put("version", Tree::number(1));
    let each = rules.tables.iter().map(|it| (it.alias.clone(), table(it, file.tape))).collect();
    file.put("tables", Tree::Map(each));
    let mut each = Vec::new();
    for it in &rules.entities {
        // An entity in several tables is declared once.
        if each.iter().all(|(name, _)| *name != it.name) {
            each.push((it.name.clone(), entity(rules, it, file.tape)));
        }
    }
    file.put("entities", Tree::Map(each));
    let each = rules.reference_rules().map(|(_, it)| it);
    let each = each.map(|it| (it.name.clone(), reference(rules, it, file.tape))).collect();
    file.may_omit("references", Tree::Map(each), rules.references.is_empty());
    let each = rules.mirror_rules().map(|(_, it)| it);
    let each = each.map(|it| (it.name.clone(), mirror(rules, it, file.tape))).collect();
    file.may_omit("mirrors", Tree::Map(each), rules.mirrors.is_empty());
    file.shuffled()
}

/// The keys of a map that is being written.
struct Fields<'t> {
    tape: &'t mut Tape,
    fields: Vec<(String, Tree)>,
}

impl<'t> Fields<'t> {
    fn new(tape: &'t mut Tape) -> Self {
        Self { tape, fields: Vec::new() }
    }

    fn put(&mut self, name: &str, value: Tree) {
        self.fields.push((name.to_owned(), value));
    }

    /// Adds a key, or sometimes omits it if it has its default value.
    fn may_omit(&mut self, name: &str, value: Tree, is_default: bool) {
        if !is_default || self.tape.flag() {
            self.put(name, value);
        }
    }

    fn word<T: PartialEq>(&mut self, name: &str, value: &T, default: &T, word: &str) {
        self.may_omit(name, Tree::text(word), value == default);
    }

    fn shuffled(self) -> Tree {
        let mut shuffled: Vec<(String, Tree)> = Vec::new();
        for field in self.fields {
            // The simplest choice appends the field, so that simple cases keep their order.
            let index = shuffled.len() - self.tape.below(shuffled.len() + 1);
            shuffled.insert(index, field);
        }
        Tree::Map(shuffled)
    }
}

fn table(table: &Table, tape: &mut Tape) -> Tree {
    let mut fields = Fields::new(tape);
    fields.may_omit("name", Tree::text(&table.name), table.name == table.alias);
    let attributes = table.key.attributes().map(|it| Tree::Text(key_attribute(it, fields.tape)));
    let attributes = attributes.collect();
    fields.put("key", Tree::List(attributes));
    let separator = Tree::Text(table.separator.to_string());
    fields.may_omit("separator", separator, table.separator == '#'.into());
    let texts = [("ttl", &table.ttl), ("region", &table.region), ("account", &table.account)];
    for (name, value) in texts {
        if let Some(value) = value {
            fields.put(name, Tree::text(value));
        }
    }
    fields.shuffled()
}

fn key_attribute(attribute: &KeyAttribute, tape: &mut Tape) -> String {
    let kind = match attribute.kind {
        KeyKind::S if tape.flag() => ":S",
        KeyKind::S => "",
        KeyKind::N => ":N",
        KeyKind::B => ":B",
    };
    format!("{}{kind}", attribute.name)
}

fn entity(rules: &Rules, entity: &Entity, tape: &mut Tape) -> Tree {
    let table = &rules[entity.table];
    let mut fields = Fields::new(tape);
    let aliases = tables_of(rules, &entity.name);
    let all = Tree::List(aliases.iter().map(|alias| Tree::text(alias)).collect());
    let is_list = aliases.len() > 1 || fields.tape.one_in(4);
    fields.put("table", if is_list { all } else { Tree::text(&table.alias) });
    let mut key = Fields::new(fields.tape);
    let templates = std::iter::once(entity.key.partition()).chain(entity.key.sort());
    for (name, template) in table.key.names().zip(templates) {
        key.put(name, Tree::Text(template.template().to_string()));
    }
    let key = key.shuffled();
    fields.put("key", key);
    let mut attributes = Fields::new(fields.tape);
    for (path, kind) in &entity.attributes {
        let declared = match entity.templates.get(path) {
            Some(text) => Tree::Text(text.partition().template().to_string()),
            None => Tree::text(kind.tag()),
        };
        attributes.put(&path.to_string(), declared);
    }
    let attributes = attributes.shuffled();
    fields.may_omit("attributes", attributes, entity.attributes.is_empty());
    let conditions = entity.conditions.iter();
    let conditions = conditions
        .map(|(path, test)| (path.to_string(), condition(test, &mut *fields.tape)))
        .collect();
    fields.may_omit("where", Tree::Map(conditions), entity.conditions.is_empty());
    fields.shuffled()
}

fn condition(test: &Test, tape: &mut Tape) -> Tree {
    let choice = |choice: &Choice| match (choice.values.as_slice(), choice.absent) {
        ([], _) => Tree::text("absent"),
        ([only], false) => literal(only),
        (values, absent) => {
            let absent = absent.then(|| Tree::text("absent"));
            Tree::List(values.iter().map(literal).chain(absent).collect())
        }
    };
    let (key, value) = match test {
        Test::OneOf(values) if test.literal().is_some() && tape.one_in(4) => ("eq", choice(values)),
        Test::OneOf(values) => return choice(values),
        Test::NoneOf(values) if values.values.is_empty() => return Tree::text("present"),
        Test::NoneOf(values) => ("not", choice(values)),
        Test::Compare(comparison, value) => {
            let key = match comparison {
                Comparison::Less => "lt",
                Comparison::LessOrEqual => "lte",
                Comparison::Greater => "gt",
                Comparison::GreaterOrEqual => "gte",
            };
            (key, literal(value))
        }
        Test::Time(when, format) => {
            let key = if *when == When::After { "after" } else { "before" };
            let is_ms = *format == TimeFormat::Milliseconds;
            (key, Tree::text(if is_ms { "now_ms" } else { "now" }))
        }
    };
    Tree::Map(vec![(key.to_owned(), value)])
}

fn literal(value: &Value<'_>) -> Tree {
    match value {
        Value::S(text) => Tree::text(text),
        Value::N(number) => Tree::Plain(number.to_string()),
        Value::Bool(flag) => Tree::Plain(flag.to_string()),
        Value::B(_)
        | Value::Null
        | Value::Ss(_)
        | Value::Ns(_)
        | Value::Bs(_)
        | Value::L(_)
        | Value::M(_) => panic!("{value:?} is not a literal"),
    }
}

fn reference(rules: &Rules, reference: &Reference, tape: &mut Tape) -> Tree {
    let Reference { on_missing, on_delete, on_ttl_delete, .. } = reference;
    let mut fields = Fields::new(tape);
    fields.put("from", Tree::text(&rules[reference.from].name));
    let to = match rules.view(reference.to) {
        None => to(rules, reference, fields.tape),
        Some(view) => {
            let names = view.table.key.names().map(str::to_owned);
            let templates = view.entity.key.templates().map(|it| it.template().to_string());
            Tree::Map(vec![
                ("entity".to_owned(), Tree::text(&view.entity.name)),
                ("index".to_owned(), Tree::text(view.index_name(rules))),
                ("key".to_owned(), Tree::Map(names.zip(templates.map(Tree::Text)).collect())),
            ])
        }
    };
    fields.put("to", to);
    let ends = [reference.from, reference.to];
    let placed = placement(rules, ends, reference.alternative.is_union(), fields.tape);
    if let Some((word, is_default)) = placed {
        fields.may_omit("tables", Tree::text(word), is_default);
    }
    if let Some(paths) = attributes_with_key(rules, reference) {
        let names = rules.key_schema(reference.to).names().map(str::to_owned);
        let source = |path: &Path| Tree::Text(format!("{{{path}}}"));
        fields.put("on_key", Tree::Map(names.zip(paths.iter().map(source)).collect()));
    } else {
        let on = sources(rules, reference, fields.tape);
        let is_empty = matches!(&on, Tree::Map(entries) if entries.is_empty());
        let name = if fields.tape.one_in(4) { "parts" } else { "on" };
        fields.may_omit(name, on, is_empty);
    }
    let matching = if reference.matching == Matching::Full { "full" } else { "simple" };
    fields.word("match", &reference.matching, &Matching::Simple, matching);
    let required = Tree::Plain(reference.required.to_string());
    fields.may_omit("required", required, !reference.required);
    let expired = if reference.expired == Expired::Absent { "absent" } else { "present" };
    fields.word("expired", &reference.expired, &Expired::Present, expired);
    fields.word("on_missing", on_missing, &OnMissing::Report, word_of_missing(*on_missing));
    fields.word("on_delete", on_delete, &OnDelete::Report, word_of_delete(*on_delete));
    let same = on_ttl_delete == on_delete;
    fields.may_omit("on_ttl_delete", Tree::text(word_of_delete(*on_ttl_delete)), same);
    default(rules, reference, &mut fields);
    unset_and_none(reference, &mut fields);
    find(rules, reference, &mut fields);
    let grace = duration(reference.grace, fields.tape);
    fields.may_omit("grace", Tree::Text(grace), reference.grace == GRACE);
    mode_and_severity(reference.mode, reference.severity, &mut fields);
    let (fanout_max, depth_max) = (reference.fanout_max, reference.depth_max);
    fields.may_omit("max_fanout", Tree::number(fanout_max), fanout_max == FANOUT_MAX);
    fields.may_omit("max_depth", Tree::number(depth_max), depth_max == DEPTH_MAX);
    fields.shuffled()
}

fn sources(rules: &Rules, reference: &Reference, tape: &mut Tape) -> Tree {
    let mut on = Fields::new(tape);
    let captures = rules[reference.to].key.captures();
    for (index, (capture, source)) in captures.iter().zip(&reference.components).enumerate() {
        if let (Some(_), Some(path)) = (reference.contained(index), source.path()) {
            on.put(capture, Tree::Text(format!("{{{path}.p}}")));
            continue;
        }
        match source {
            Component::Constant(KeyValue::S(text)) => on.put(capture, Tree::text(text)),
            Component::Constant(KeyValue::N(number)) => {
                on.put(capture, Tree::text(number.as_str()));
            }
            Component::Constant(KeyValue::B(_)) => panic!("{source:?} is not drawn"),
            Component::Capture(index) => {
                let own = &rules[reference.from].key.captures()[*index];
                on.may_omit(capture, Tree::Text(format!("{{{own}}}")), own == capture);
            }
            Component::Attribute(path, _) | Component::Field(path, _) => {
                on.put(capture, Tree::Text(format!("{{{path}}}")));
            }
            Component::Elements(path, _) => on.put(capture, Tree::Text(format!("{{{path}[*]}}"))),
        }
    }
    on.shuffled()
}

fn default(rules: &Rules, reference: &Reference, fields: &mut Fields<'_>) {
    let captures = rules[reference.to].key.captures().iter();
    let mut each = Fields::new(fields.tape);
    for (capture, value) in captures.zip(&reference.defaults) {
        if let Some(value) = value {
            each.put(capture, literal(value));
        }
    }
    let count = each.fields.len();
    let one = each.fields.first().map(|(_, value)| value.clone());
    let each = each.shuffled();
    match one {
        None => {}
        Some(one) if count == 1 && fields.tape.flag() => fields.put("default", one),
        Some(_) => fields.put("default", each),
    }
}

fn unset_and_none(reference: &Reference, fields: &mut Fields<'_>) {
    if reference.derived.iter().any(|derived| derived.is_listed) {
        let own = reference.components.iter().filter_map(Component::path);
        let own = own.filter_map(Path::only_name);
        let derived = reference.derived.iter().map(|derived| derived.attribute.as_str());
        let names = own.chain(derived).map(Tree::text).collect();
        fields.put("unset", Tree::List(names));
    }
    let unsets = reference.on_missing == OnMissing::Unset
        || reference.on_deletes().contains(&OnDelete::Unset);
    if unsets && reference.components.iter().any(|it| matches!(it, Component::Field(..))) {
        let word = if reference.removal == Removal::Element { "element" } else { "field" };
        fields.word("unset", &reference.removal, &Removal::Field, word);
    }
    let values: Vec<Tree> = reference.none.iter().map(literal).collect();
    match values.as_slice() {
        [] => {}
        [value] if fields.tape.flag() => fields.put("none", value.clone()),
        _ => fields.put("none", Tree::List(values)),
    }
}

/// The lookup, or the lookup of each entity.
fn put_find(rules: &Rules, reference: &Reference, find: Tree, fields: &mut Fields<'_>) {
    let is_for_each = reference.alternative.discriminator.is_some() && fields.tape.flag();
    let find = if is_for_each {
        let of_entity = Tree::Map(vec![(rules[reference.to].name.clone(), find)]);
        Tree::Map(vec![("each".to_owned(), of_entity)])
    } else {
        find
    };
    fields.put("find", find);
}

/// The referenced entity, in one of the forms that mean the same.
fn to(rules: &Rules, reference: &Reference, tape: &mut Tape) -> Tree {
    let name = || Tree::text(&rules[reference.to].name);
    let Some(discriminator) = &reference.alternative.discriminator else {
        return if tape.one_in(4) { Tree::List(vec![name()]) } else { name() };
    };
    let path = reference.components[discriminator.component].path().unwrap();
    let values = std::iter::once(&discriminator.value).chain(&discriminator.others);
    let cases = values.map(|value| match value {
        KeyValue::S(text) => (text.to_string(), name()),
        KeyValue::N(_) | KeyValue::B(_) => panic!("{value:?}"),
    });
    let by = ("by".to_owned(), Tree::Text(format!("{{{path}}}")));
    Tree::Map(std::iter::once(by).chain(cases).collect())
}

fn find(rules: &Rules, reference: &Reference, fields: &mut Fields<'_>) {
    match &reference.find {
        Find::Derived => {}
        Find::None => put_find(rules, reference, Tree::text("none"), fields),
        Find::Mirror(id) => {
            let mirror = ("mirror".to_owned(), Tree::text(&rules[*id].name));
            put_find(rules, reference, Tree::Map(vec![mirror]), fields);
        }
        Find::Index { index, partition, sort } => {
            let index = &rules.table_of(reference.from).indexes[*index];
            let templates = std::iter::once(partition).chain(sort);
            let key = index.key.attributes().zip(templates);
            let key = key.map(|(attribute, template)| {
                let template = Tree::Text(template.template().to_string());
                (key_attribute(attribute, fields.tape), template)
            });
            // The partition key comes first, so these keys are not shuffled.
            let key = Tree::Map(key.collect());
            let mut find = Fields::new(fields.tape);
            find.put("index", Tree::text(&index.name));
            find.put("key", key);
            let find = find.shuffled();
            put_find(rules, reference, find, fields);
        }
    }
}

fn duration(duration: Duration, tape: &mut Tape) -> String {
    let ms = duration.as_millis();
    match tape.below(3) {
        0 if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        0 | 1 if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        _ => format!("{ms}ms"),
    }
}

fn mode_and_severity(mode: Mode, severity: Severity, fields: &mut Fields<'_>) {
    let word = match mode {
        Mode::Off => "off",
        Mode::Observe => "observe",
        Mode::Enforce => "enforce",
    };
    fields.word("mode", &mode, &Mode::Enforce, word);
    let word = if severity == Severity::Warn { "warn" } else { "error" };
    fields.word("severity", &severity, &Severity::Error, word);
}

fn word_of_missing(action: OnMissing) -> &'static str {
    match action {
        OnMissing::Report => "report",
        OnMissing::Delete => "delete",
        OnMissing::Unset => "unset",
        OnMissing::SetDefault => "set_default",
        OnMissing::Revert => "revert",
    }
}

fn word_of_delete(action: OnDelete) -> &'static str {
    match action {
        OnDelete::Report => "report",
        OnDelete::Cascade => "cascade",
        OnDelete::Unset => "unset",
        OnDelete::SetDefault => "set_default",
        OnDelete::Restore => "restore",
        OnDelete::Ignore => "ignore",
    }
}

fn mirror(rules: &Rules, mirror: &Mirror, tape: &mut Tape) -> Tree {
    let mut fields = Fields::new(tape);
    fields.put("source", Tree::text(&rules[mirror.source].name));
    fields.put("mirror", Tree::text(&rules[mirror.mirror].name));
    let placed = placement(rules, [mirror.source, mirror.mirror], false, fields.tape);
    if let Some((word, is_default)) = placed {
        fields.may_omit("tables", Tree::text(word), is_default);
    }
    let texts = |names: &[String]| Tree::List(names.iter().map(|name| Tree::text(name)).collect());
    let copy = match &mirror.copy {
        Copied::All => Tree::text("all"),
        Copied::None => Tree::text("none"),
        Copied::Except(names) => Tree::Map(vec![("except".to_owned(), texts(names))]),
        Copied::List(names) => texts(names),
        Copied::Renamed(names) => {
            Tree::Map(names.iter().map(|(name, new)| (name.clone(), Tree::text(new))).collect())
        }
    };
    fields.may_omit("copy", copy, mirror.copy == Copied::All);
    let word = match mirror.on_mirror_delete {
        OnMirrorDelete::Restore => "restore",
        OnMirrorDelete::DeleteSource => "delete_source",
        OnMirrorDelete::Report => "report",
    };
    fields.word("on_mirror_delete", &mirror.on_mirror_delete, &OnMirrorDelete::Restore, word);
    let word = match mirror.on_mirror_edit {
        OnMirrorEdit::Overwrite => "overwrite",
        OnMirrorEdit::Report => "report",
    };
    fields.word("on_mirror_edit", &mirror.on_mirror_edit, &OnMirrorEdit::Overwrite, word);
    if let Some(was) = &mirror.was {
        fields.put("was", Tree::text(was));
    }
    fields.may_omit("adopt", Tree::Plain(mirror.adopt.to_string()), !mirror.adopt);
    mode_and_severity(mirror.mode, mirror.severity, &mut fields);
    fields.shuffled()
}
