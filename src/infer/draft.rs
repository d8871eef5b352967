//! The draft: a rule file with the evidence as comments.

use std::fmt::Write as _;

use super::design::{
    Entity, Find, Inference, Mirror, Notice, NoticeKind, Reference, Table, Verdict,
};

/// The maximum length of a comment line.
const WIDTH: usize = 100;

/// The text of the rule file.
#[must_use]
pub fn draft(inference: &Inference) -> String {
    let mut text = String::new();
    let _ = head(&mut text, inference);
    let _ = write!(text, "\nversion: 1\n\ntables:\n");
    for table in &inference.tables {
        let _ = of_table(&mut text, table);
    }
    let _ = write!(text, "\nentities:\n");
    for entity in &inference.entities {
        let _ = of_entity(&mut text, entity, inference.is_sample);
    }
    let (active, commented): (Vec<_>, Vec<_>) =
        inference.references.iter().partition(|reference| reference.is_active());
    if !inference.references.is_empty() {
        let key = if active.is_empty() { "\n# references:\n" } else { "\nreferences:\n" };
        text.push_str(key);
    }
    for reference in active {
        let _ = of_reference(&mut text, reference, "");
    }
    for reference in commented {
        let _ = of_reference(&mut text, reference, "# ");
    }
    let is_on = |mirror: &&Mirror| mirror.obstacle.is_none();
    if !inference.mirrors.is_empty() {
        let is_any = inference.mirrors.iter().any(|mirror| is_on(&mirror));
        text.push_str(if is_any { "\nmirrors:\n" } else { "\n# mirrors:\n" });
    }
    for mirror in inference.mirrors.iter().filter(is_on) {
        let _ = of_mirror(&mut text, mirror, "");
    }
    for mirror in inference.mirrors.iter().filter(|mirror| !is_on(mirror)) {
        let _ = of_mirror(&mut text, mirror, "# ");
    }
    if !inference.notices.is_empty() {
        text.push_str("\n# The items also show facts for which there are no rules:\n");
    }
    for notice in &inference.notices {
        comment(&mut text, "# -", &fact(notice));
    }
    text
}

/// A fact in words.
fn fact(notice: &Notice) -> String {
    let Notice { entity, attribute, of, .. } = notice;
    let (equal, checked) = (number(notice.equal as u64), number(notice.checked as u64));
    match notice.kind {
        NoticeKind::Copy => {
            let name = notice.of_attribute.as_deref().unwrap_or_default();
            format!(
                "`{attribute}` of {entity} is a copy of `{name}` of {of}: equal in {equal} of \
                 {checked} pairs."
            )
        }
        NoticeKind::Count => format!(
            "`{attribute}` of {entity} is the number of its {of} items: equal in {equal} of \
             {checked} items."
        ),
        NoticeKind::Unique => format!(
            "`{attribute}` of {entity} is unique, because each value has a {of} item: {equal} of \
             {checked}."
        ),
    }
}

fn head(text: &mut String, inference: &Inference) -> std::fmt::Result {
    let items: u64 = inference.tables.iter().map(|table| table.items).sum();
    let what = if inference.is_sample { "a sample of " } else { "" };
    writeln!(text, "# Drafted by `referee infer` from {what}{}.", counted(items, "item"))?;
    if inference.is_sample {
        text.push_str("# A sample confirms nothing: what seems broken may be outside of it.\n");
    }
    text.push_str(
        "# Review it, then run `referee check` and `referee audit`. Rules only report what is broken\n\
         # until you add actions such as `on_missing` and `on_delete`.\n",
    );
    for note in &inference.notes {
        comment(text, "#", note);
    }
    Ok(())
}

fn of_table(text: &mut String, table: &Table) -> std::fmt::Result {
    if table.is_key_inferred {
        text.push_str("  # The key is inferred from the items.\n");
    }
    if table.unknown > 0 {
        let items = counted(table.unknown, "item");
        writeln!(text, "  # {items} of {} belong to no entity below.", number(table.items))?;
    }
    writeln!(text, "  {}:", quoted(&table.name))?;
    if table.name != table.table {
        writeln!(text, "    name: {}", quoted(&table.table))?;
    }
    let key: Vec<String> = table.key.iter().map(|key| quoted(key)).collect();
    writeln!(text, "    key: [{}]", key.join(", "))?;
    if table.separator != '#' {
        writeln!(text, "    separator: {}", string(&table.separator.to_string()))?;
    }
    if let Some(ttl) = &table.ttl {
        writeln!(text, "    ttl: {}", quoted(ttl))?;
    }
    Ok(())
}

fn of_entity(text: &mut String, entity: &Entity, is_sample: bool) -> std::fmt::Result {
    let what = if is_sample { " in the sample" } else { "" };
    let mut line = format!("{}{what}", counted(entity.items, "item"));
    if !entity.examples.is_empty() {
        let _ = write!(line, ", such as {}", entity.examples.join(", "));
    }
    comment(text, "  #", &line);
    writeln!(text, "  {}:\n    table: {}", quoted(&entity.name), quoted(&entity.table))?;
    let key: Vec<String> = entity
        .key
        .iter()
        .map(|(name, template)| format!("{}: {}", quoted(name), string(template)))
        .collect();
    let forms: Vec<String> = entity
        .captures
        .iter()
        .filter_map(|capture| Some(format!("{}: {}", capture.name, capture.form?)))
        .collect();
    let forms = if forms.is_empty() { String::new() } else { format!("   # {}", forms.join(", ")) };
    writeln!(text, "    key: {{ {} }}{forms}", key.join(", "))?;
    if !entity.attributes.is_empty() {
        writeln!(text, "    attributes:")?;
        for (path, declared) in &entity.attributes {
            writeln!(text, "      {}: {}", quoted(path), quoted(declared))?;
        }
    }
    if let Some((name, value)) = &entity.condition {
        writeln!(text, "    where: {{ {}: {} }}", quoted(name), string(value))?;
    }
    Ok(())
}

fn of_reference(text: &mut String, reference: &Reference, prefix: &str) -> std::fmt::Result {
    let mark = format!("  {prefix}#");
    comment(text, mark.trim_end(), &evidence(reference));
    for (intro, examples) in
        [("For example, ", &reference.examples), ("Broken: ", &reference.broken_examples)]
    {
        if !examples.is_empty() {
            comment(text, mark.trim_end(), &format!("{intro}{}.", examples.join("; ")));
        }
    }
    if let Some(obstacle) = &reference.obstacle {
        comment(text, mark.trim_end(), obstacle);
    }
    writeln!(text, "  {prefix}{}:", quoted(&reference.name))?;
    if !reference.is_active() {
        for (path, declared) in &reference.attributes {
            writeln!(
                text,
                "  {prefix}  # attributes of {}: {{ {}: {} }}",
                reference.from,
                quoted(path),
                quoted(declared)
            )?;
        }
    }
    writeln!(text, "  {prefix}  from: {}", quoted(&reference.from))?;
    writeln!(text, "  {prefix}  to: {}", target(reference))?;
    let is_default =
        reference.on.iter().all(|(capture, source)| *source == format!("{{{capture}}}"))
            && reference.attributes.is_empty();
    if !is_default {
        let on: Vec<String> = reference
            .on
            .iter()
            .map(|(capture, source)| format!("{}: {}", quoted(capture), string(source)))
            .collect();
        writeln!(text, "  {prefix}  on: {{ {} }}", on.join(", "))?;
    }
    if let Some(none) = &reference.none {
        writeln!(text, "  {prefix}  none: {}", string(none))?;
    }
    if reference.find != Find::Table {
        writeln!(text, "  {prefix}  find: {}", lookup(&reference.find))?;
    }
    Ok(())
}

/// The referenced entity, several of them, or a discriminator and what its values mean.
fn target(reference: &Reference) -> String {
    let Some(by) = &reference.by else {
        let others =
            reference.others.iter().fold(String::new(), |all, to| all + ", " + &quoted(to));
        let first = quoted(&reference.to);
        return if others.is_empty() { first } else { format!("[{first}{others}]") };
    };
    let entities =
        by.entities.iter().map(|(value, to)| format!("{}: {}", quoted(value), quoted(to)));
    let all: Vec<String> =
        std::iter::once(format!("by: {}", string(&by.source))).chain(entities).collect();
    format!("{{ {} }}", all.join(", "))
}

/// How referencing items are found.
fn lookup(find: &Find) -> String {
    match find {
        Find::Table => "table".to_owned(),
        Find::Index(name, key) => {
            let key: Vec<String> = key
                .iter()
                .map(|(name, template)| format!("{}: {}", quoted(name), string(template)))
                .collect();
            format!("{{ index: {}, key: {{ {} }} }}", quoted(name), key.join(", "))
        }
        Find::Mirror(name) => format!("{{ mirror: {} }}", quoted(name)),
        Find::Each(each) => {
            // Without an entry, items are found by a query of the table.
            let others = each.iter().filter(|(_, find)| *find != Find::Table);
            let each: Vec<String> =
                others.map(|(to, find)| format!("{}: {}", quoted(to), lookup(find))).collect();
            format!("{{ each: {{ {} }} }}", each.join(", "))
        }
        Find::None => "none".to_owned(),
    }
}

/// The verdict and the numbers behind it.
fn evidence(reference: &Reference) -> String {
    let good = number(reference.checked.saturating_sub(reference.broken));
    let all = number(reference.checked);
    let verdict = reference.verdict.name();
    match reference.verdict {
        Verdict::Confirmed => format!("{verdict}: {good} of {all} references exist."),
        Verdict::Broken => {
            format!(
                "{verdict}: {good} of {all} references exist, {} do not.",
                number(reference.broken)
            )
        }
        Verdict::Sample => {
            format!("{verdict}: {good} of {all} references exist in the sample.")
        }
        Verdict::Weak if reference.checked == 0 => {
            let percent = (reference.share * 100.0).round();
            format!("{verdict}: {percent} % of the values exist, but little else speaks for it.")
        }
        Verdict::Weak => {
            format!("{verdict}: {good} of {all} references exist, but little else speaks for it.")
        }
    }
}

fn of_mirror(text: &mut String, mirror: &Mirror, prefix: &str) -> std::fmt::Result {
    let good = mirror.checked.saturating_sub(mirror.missing);
    let mut line = format!(
        "{}: {} of {} mirrors exist",
        mirror.verdict.name(),
        number(good),
        number(mirror.checked)
    );
    if mirror.stale > 0 {
        let _ = write!(line, ", {} differ from their source", number(mirror.stale));
    }
    if mirror.extra > 0 {
        let _ = write!(line, ", {} have no source", number(mirror.extra));
    }
    line.push('.');
    let mark = format!("  {prefix}#");
    comment(text, &mark, &line);
    if let Some(obstacle) = &mirror.obstacle {
        comment(text, &mark, obstacle);
    }
    writeln!(text, "  {prefix}{}:", quoted(&mirror.name))?;
    writeln!(text, "  {prefix}  source: {}", quoted(&mirror.source))?;
    writeln!(text, "  {prefix}  mirror: {}", quoted(&mirror.mirror))?;
    if mirror.copy.is_empty() {
        writeln!(text, "  {prefix}  copy: none")?;
    } else if mirror.copy == ["all"] {
        writeln!(text, "  {prefix}  copy: all")?;
    } else {
        let copy: Vec<String> = mirror.copy.iter().map(|name| quoted(name)).collect();
        writeln!(text, "  {prefix}  copy: [{}]", copy.join(", "))?;
    }
    writeln!(text, "  {prefix}  mode: observe   # `enforce` lets Referee write the mirrors")
}

/// Writes a comment, in lines of limited length.
fn comment(text: &mut String, mark: &str, words: &str) {
    let mut line = mark.to_owned();
    for word in words.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH && line.len() > mark.len() {
            text.push_str(&line);
            text.push('\n');
            mark.clone_into(&mut line);
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

/// A number with its noun, such as `1 item`.
fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(count))
}

/// A number with commas.
fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A name, in quotes where YAML needs them.
fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_' || char == '-')
            && name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
            // YAML reads `_1` as a number.
            && name.contains(|char: char| char.is_ascii_alphabetic())
            && !matches!(
                name.to_lowercase().as_str(),
                "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null" | "none"
            );
    let is_none = name == "none";
    if is_plain || is_none { name.to_owned() } else { string(name) }
}

/// A text in quotes.
fn string(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
