//! The examples of the codes, made whole.

/// What the examples leave out: they are fragments of a rule file, and stand for the file that
/// has these sections besides (of the entities, those that the fragment names).
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

/// The whole rule file that an example stands for. The example comes first, so that its lines keep
/// their numbers.
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
    let mut wanted = false;
    for line in PRELUDE.lines() {
        let name = line.trim().trim_end_matches(':');
        if !line.starts_with(' ') {
            section = line.split_once(':').map_or("", |(section, _)| section);
            wanted = !present.iter().any(|name| name == section);
        } else if section == "entities" && line.starts_with("  ") && !line.starts_with("   ") {
            let absent = !present.iter().any(|name| name == section);
            wanted = absent && mentions(example, name);
        }
        if wanted {
            whole.push_str(line);
            whole.push('\n');
        }
    }
    whole
}

/// Whether the name stands in the text as a word.
fn mentions(text: &str, name: &str) -> bool {
    text.split(|char: char| !(char.is_alphanumeric() || char == '_')).any(|word| word == name)
}
