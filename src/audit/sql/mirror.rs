//! A mirror's query: sources and mirrors, each compared with the other.
//!
//! This is `integrity/mirror/compare.rs` in SQL: `sources` have the keys of their mirrors, and
//! `mirrors` the keys of their sources; a full join finds what is missing on either side.

use super::condition::admits;
use super::content::is_expected;
use super::expiry::has_expired;
use super::expression::{Expr, Function, SqlType, all, any, call, case, concat};
use super::finding::{Finding, is_there, item, json};
use super::keys::{Built, KeyColumns, Origin, PartKind, PartValue, build, is_same as is_same_key};
use super::query::{Join, Query, Select};
use super::tables::{key_columns, named, of_entity, of_key};
use super::value::{NORMALIZING, key_text, value_at};
use crate::data::Path;
use crate::integrity::finding::{Defect, Kind};
use crate::integrity::mark::MARK;
use crate::rules::model::{EntityId, Mirror, MirrorPart, OnMirrorEdit, Rules};
use crate::wording;

/// The query of a mirror rule, at this time in milliseconds since 1970.
pub(super) fn query(rules: &Rules, mirror: &Mirror, now_ms: i64) -> Query {
    let mut query = Query::default();
    let sources = of_entity(&mut query, rules, mirror.source);
    let can_be_rejected = add_side(&mut query, rules, &Side::source(mirror), sources);
    // Whatever is at a mirror's key is compared with its source.
    let mirrors = of_key(&mut query, rules, mirror.mirror);
    add_side(&mut query, rules, &Side::mirror(mirror), mirrors);
    add_compared(&mut query, rules, mirror, now_ms);

    let (source_table, mirror_table) =
        (rules.table_of(mirror.source), rules.table_of(mirror.mirror));
    let kind = Expr::column("compared.kind");
    let finding = Finding {
        rule: &mirror.name,
        severity: mirror.severity,
        kind: kind.clone(),
        referencing: (mirror_table, key_columns(mirror_table, "compared", "mirror_")),
        referenced: (source_table, key_columns(source_table, "compared", "source_")),
        has_referenced: Expr::Bool(true),
        path: None,
        detail: Expr::column("compared.detail"),
    };
    query.results.push(Select {
        columns: vec![("line".to_owned(), finding.line())],
        from: "compared".to_owned(),
        conditions: vec![kind.is_present()],
        ..Select::default()
    });
    if can_be_rejected {
        query.results.push(rejected(rules, mirror));
    }
    query
}

/// One side of a mirror rule.
struct Side {
    /// The step with its items.
    step: &'static str,
    entity: EntityId,
    /// The entity on the other side.
    other: EntityId,
    /// For each capture of the other key, where its value comes from.
    parts: Vec<MirrorPart>,
}

impl Side {
    fn source(mirror: &Mirror) -> Self {
        let (entity, other) = (mirror.source, mirror.mirror);
        Self { step: "sources", entity, other, parts: mirror.mirror_from_source.clone() }
    }

    fn mirror(mirror: &Mirror) -> Self {
        let (entity, other) = (mirror.mirror, mirror.source);
        let parts = mirror.source_from_mirror.iter().map(|index| MirrorPart::Capture(*index));
        Self { step: "mirrors", entity, other, parts: parts.collect() }
    }
}

/// Adds the items of one side, with the keys of the other: `other_partition_key` and so on. Returns
/// whether there may be items without such a key.
fn add_side(
    query: &mut Query,
    rules: &Rules,
    side: &Side,
    (mut select, captures): (Select, Vec<PartValue>),
) -> bool {
    let item = Expr::column(format!("{}.item", select.from));
    let mut values: Vec<PartValue> = Vec::new();
    for part in &side.parts {
        match part {
            MirrorPart::Capture(index) => values.extend(captures.get(*index).cloned()),
            MirrorPart::Attribute(name, kind) => {
                let text = key_text(&value_at(&item, &Path::attribute(name)), *kind);
                // Without the attribute, there is no mirror.
                select.conditions.push(text.clone().is_present());
                let kind = PartKind::Fixed(*kind);
                values.push(PartValue { text, kind, origin: Origin::Attribute });
            }
        }
    }
    let Built { key, error } = build(&rules[side.other].key, &values);
    let can_fail = error != nothing();
    let mut columns = named(&key_columns(rules.table_of(side.entity), &select.from, ""), "");
    columns.extend(named(&key, "other_").into_iter().map(|(name, value)| {
        let value =
            if can_fail { case([(error.clone().is_null(), value)], nothing()) } else { value };
        (name, value)
    }));
    columns.push(("other_error".to_owned(), error));
    columns.push(("item".to_owned(), item));
    select.columns = columns;
    query.add(side.step, select);
    can_fail
}

/// No text.
fn nothing() -> Expr {
    Expr::Null(SqlType::Text)
}

/// Adds each source with what is at the key of its mirror, and each mirror without a source; then
/// what is wrong with them.
fn add_compared(query: &mut Query, rules: &Rules, mirror: &Mirror, now_ms: i64) {
    let (source_table, mirror_table) =
        (rules.table_of(mirror.source), rules.table_of(mirror.mirror));
    let source = key_columns(source_table, "sources", "");
    let found = key_columns(mirror_table, "mirrors", "");
    let mirror_of_source = key_columns(mirror_table, "sources", "other_");
    let source_of_mirror = key_columns(source_table, "mirrors", "other_");
    let keys = [
        either(&found, &mirror_of_source, "mirror_"),
        either(&source, &source_of_mirror, "source_"),
    ]
    .concat();

    let (has_source, is_found) = (is_there(&source), is_there(&found));
    // The mirror of a source that has expired may be absent.
    let ttl = source_table.ttl.as_deref();
    let needs_mirror = ttl.map(|ttl| has_expired(&Expr::column("sources.item"), ttl, now_ms).not());
    let facts = [
        (
            "has_error",
            any([error_of("sources"), all([has_source.clone().not(), error_of("mirrors")])]),
        ),
        ("has_source", has_source),
        ("is_found", is_found),
        ("source_item", Expr::column("sources.item")),
        ("mirror_item", Expr::column("mirrors.item")),
    ];
    let facts = facts.into_iter().chain(needs_mirror.map(|needs| ("needs_mirror", needs)));
    let columns = keys.iter().cloned().chain(facts.map(|(name, value)| (name.to_owned(), value)));
    query.add(
        "pairs",
        Select {
            columns: columns.collect(),
            from: "sources".to_owned(),
            join: Some(Join::Full("mirrors".to_owned(), is_same_key(&mirror_of_source, &found))),
            ..Select::default()
        },
    );
    let keys: Vec<String> = keys.into_iter().map(|(name, _)| name).collect();
    let facts = ["has_error", "has_source", "is_found"].into_iter();
    let facts = facts.chain(ttl.map(|_| "needs_mirror")).map(str::to_owned);
    let kept: Vec<String> = keys.iter().cloned().chain(facts).collect();
    let mut last = "pairs";
    let keep = |last: &str, kept: &[String]| -> Vec<(String, Expr)> {
        kept.iter().map(|name| (name.clone(), Expr::column(format!("{last}.{name}")))).collect()
    };
    for (step, normalize) in NORMALIZING {
        let item =
            |name: &str| (name.to_owned(), normalize(Expr::column(format!("{last}.{name}"))));
        let mut columns = keep(last, &kept);
        columns.extend(["source_item", "mirror_item"].map(item));
        query.add(step, Select { columns, from: last.to_owned(), ..Select::default() });
        last = step;
    }
    let item = |name: &str| call(Function::Parsed, [Expr::column(format!("{last}.{name}"))]);
    let (item, found) = (item("source_item"), item("mirror_item"));
    let facts = [
        ("is_marked", is_marked(&found, mirror)),
        ("has_mark", found.clone().json_at(&[MARK]).is_present()),
        ("is_admitted", admits(&found, &rules[mirror.mirror])),
        ("is_same", is_expected(rules, mirror, &found, &item)),
    ];
    let columns = keep(last, &kept);
    let columns = columns.into_iter().chain(facts.map(|(name, value)| (name.to_owned(), value)));
    query.add(
        "judged",
        Select { columns: columns.collect(), from: last.to_owned(), ..Select::default() },
    );
    let (kind, detail) = verdict(mirror, ttl.is_some());
    let verdict = [("kind".to_owned(), kind), ("detail".to_owned(), detail)];
    let mut columns = keep("judged", &keys);
    columns.extend(verdict);
    query.add("compared", Select { columns, from: "judged".to_owned(), ..Select::default() });
}

/// A key that one side has, and that the other builds.
fn either(own: &KeyColumns, built: &KeyColumns, prefix: &str) -> Vec<(String, Expr)> {
    let coalesce = |own: Expr, built: Expr| call(Function::Coalesce, [own, built]);
    let sort = own.sort.clone().zip(built.sort.clone());
    let key = KeyColumns {
        partition: coalesce(own.partition.clone(), built.partition.clone()),
        sort: sort.map(|(own, built)| coalesce(own, built)),
    };
    named(&key, prefix)
}

/// The kind of a finding and the finding in words; `NULL` if nothing is wrong.
fn verdict(mirror: &Mirror, may_expire: bool) -> (Expr, Expr) {
    let fact = |name: &str| Expr::column(format!("judged.{name}"));
    let adopts = mirror.adopt && mirror.on_mirror_edit == OnMirrorEdit::Overwrite;
    let no_source = fact("has_source").not();
    let of = |defect: Defect| Some((defect.kind().name(), wording::defect(&defect)));
    let has_no_mark = fact("has_mark").not();
    let is_expired = all([fact("is_found").not(), fact("needs_mirror").not()]);
    let cases = [
        // A source without a mirror's key is rejected. The rule ignores keys that no source can
        // produce.
        (fact("has_error"), None),
        (if may_expire { is_expired } else { Expr::Bool(false) }, None),
        (fact("is_found").not(), of(Defect::MirrorMissing)),
        (all([no_source.clone(), fact("is_marked")]), of(Defect::SourceMissing)),
        (all([no_source.clone(), fact("is_admitted")]), of(Defect::UnmarkedWithoutSource)),
        (no_source, None),
        (all([fact("is_marked"), fact("is_same")]), None),
        (fact("is_marked"), of(Defect::MirrorDiffers)),
        (all([has_no_mark.clone(), fact("is_same")]), of(Defect::MirrorUnmarked)),
        (if adopts { has_no_mark } else { Expr::Bool(false) }, of(Defect::UnmarkedAdoptable)),
    ];
    let cases: Vec<_> =
        cases.into_iter().filter(|(condition, _)| *condition != Expr::Bool(false)).collect();
    let kinds = cases.iter().map(|(condition, verdict)| {
        (condition.clone(), verdict.as_ref().map_or_else(nothing, |(kind, _)| Expr::text(*kind)))
    });
    let details = cases.iter().map(|(condition, verdict)| {
        let words = verdict.as_ref().map(|(_, words)| Expr::text(words.as_ref()));
        (condition.clone(), words.unwrap_or_else(nothing))
    });
    let blocked = wording::defect(&Defect::MirrorBlocked);
    (case(kinds, Expr::text(Kind::MirrorBlocked.name())), case(details, Expr::text(blocked)))
}

fn error_of(step: &str) -> Expr {
    Expr::column(format!("{step}.other_error")).is_present()
}

/// Whether an item has the rule's mark, as `integrity/mirror/mark.rs` reads it.
fn is_marked(item: &Expr, rule: &Mirror) -> Expr {
    let text = |name: &str| item.clone().text_at(&[MARK, "M", name, "S"]);
    let is_name = |name: &str| text("rule").equals(Expr::text(name));
    let is_named = match &rule.was {
        None => is_name(&rule.name),
        Some(was) => any([is_name(&rule.name), is_name(was)]),
    };
    all([is_named, text("fence").is_present()])
}

/// The sources that cannot be mirrored, because no key can be built for the mirror.
fn rejected(rules: &Rules, mirror: &Mirror) -> Select {
    let table = rules.table_of(mirror.source);
    let error = Expr::column("sources.other_error");
    let words = concat([
        Expr::text(format!("mirror `{}` cannot be written: ", mirror.name)),
        error.clone(),
    ]);
    let line = concat([
        Expr::text(r#"{"type":"rejected","rule":"#),
        json(&mirror.name),
        Expr::text(r#","item":"#),
        item(table, &key_columns(table, "sources", "")),
        Expr::text(r#","error":"#),
        words.quoted(),
        Expr::text("}"),
    ]);
    Select {
        columns: vec![("line".to_owned(), line)],
        from: "sources".to_owned(),
        conditions: vec![error.is_present()],
        ..Select::default()
    }
}
