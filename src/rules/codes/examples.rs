//! Completes the examples of the codes to rule files that can be loaded.

/// The sections that the examples omit.
///
/// An example is a fragment of a rule file. [`complete`] adds the sections that the example does
/// not have. Of `entities`, it adds only the entities that the example mentions.
pub const PRELUDE: &str = r#"version: 1
tables:
  app: { key: [pk, sk] }
entities:
  company:
    table: app
    key: { pk: "company#{company}", sk: "company#" }
  user:
    table: app
    key: { pk: "user#{email}", sk: "user#" }
  member:
    table: app
    key: { pk: "company#{company}", sk: "user#{email}" }
    attributes: { role: S, sponsor: S, tags: SS, note: M }
  member_of:
    table: app
    key: { pk: "user#{email}", sk: "company#{company}" }
"#;

/// The complete rule file for an example. The example comes first, so that its line numbers do not
/// change.
#[must_use]
pub fn complete(example: &str) -> String {
    let sections = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !line.starts_with([' ', '#']))
            .filter_map(|line| Some(line.split_once(':')?.0.to_owned()))
            .collect()
    };
    let present = sections(example);
    if present.is_empty() {
        return example.to_owned();
    }
    let mut whole = example.to_owned();
    let mut section = "";
    let mut is_included = false;
    for line in PRELUDE.lines() {
        let name = line.trim().trim_end_matches(':');
        if !line.starts_with(' ') {
            section = line.split_once(':').map_or("", |(section, _)| section);
            is_included = !present.iter().any(|name| name == section);
        } else if section == "entities" && line.starts_with("  ") && !line.starts_with("   ") {
            let is_absent = !present.iter().any(|name| name == section);
            is_included = is_absent && mentions(example, name);
        }
        if is_included {
            whole.push_str(line);
            whole.push('\n');
        }
    }
    whole
}

/// Whether the name occurs in the text as a whole word.
fn mentions(text: &str, name: &str) -> bool {
    text.split(|char: char| !(char.is_alphanumeric() || char == '_')).any(|word| word == name)
}
