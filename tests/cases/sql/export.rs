//! Tables as the data files of an export.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;
use kit::oracle::Dump;
use referee::audit::sql::Options;
use referee::data::{Item, Number, Value};
use referee::rules::Rules;
use referee::rules::model::TableId;

/// Writes each table, and returns the locations.
///
/// The files differ from the dump in everything that has no meaning: the order of attributes and
/// of the elements of sets, and the form of numbers.
pub(super) fn write(rules: &Rules, dump: &Dump, folder: &Path, seed: u64) -> Options {
    let mut rng = Rng::with_seed(seed);
    write_lines(rules, folder, |table| {
        let items = dump.get(table).map(Vec::as_slice).unwrap_or_default();
        items.iter().map(|item| format!("{{\"Item\":{}}}", json_of(item, &mut rng))).collect()
    })
}

/// Writes the lines of each table in two files, one of which may be empty.
pub(super) fn write_lines(
    rules: &Rules,
    folder: &Path,
    mut lines_of: impl FnMut(&str) -> Vec<String>,
) -> Options {
    let mut options = Options::default();
    for (index, table) in rules.tables.iter().enumerate() {
        let data = folder.join(&table.name).join("data");
        std::fs::create_dir_all(&data).unwrap();
        let lines = lines_of(&table.name);
        let (first, second) = lines.split_at(lines.len() / 2);
        for (name, lines) in [("a.json.gz", first), ("b.json.gz", second)] {
            let file = File::create(data.join(name)).unwrap();
            let mut file = GzEncoder::new(file, Compression::fast());
            for line in lines {
                writeln!(file, "{line}").unwrap();
            }
            file.finish().unwrap();
        }
        options.locations.insert(TableId(index), data.join("*.json.gz").display().to_string());
    }
    options
}

fn json_of(item: &Item<'_>, rng: &mut Rng) -> String {
    let mut entries: Vec<_> = item
        .iter()
        .map(|(name, value)| format!("{}:{}", quoted(name), value_json(value, rng)))
        .collect();
    rng.shuffle(&mut entries);
    format!("{{{}}}", entries.join(","))
}

fn value_json(value: &Value<'_>, rng: &mut Rng) -> String {
    let set = |mut texts: Vec<String>, rng: &mut Rng| {
        rng.shuffle(&mut texts);
        format!("[{}]", texts.join(","))
    };
    let inner = match value {
        Value::Ss(texts) => set(texts.iter().map(|text| quoted(text)).collect(), rng),
        Value::Ns(numbers) => {
            let texts = numbers.iter().map(|it| number_json(it, rng)).collect();
            set(texts, rng)
        }
        Value::N(number) => number_json(number, rng),
        Value::L(list) => {
            let values: Vec<_> = list.iter().map(|value| value_json(value, rng)).collect();
            format!("[{}]", values.join(","))
        }
        Value::M(item) => json_of(item, rng),
        Value::S(_) | Value::B(_) | Value::Bool(_) | Value::Null | Value::Bs(_) => {
            return serde_json::to_string(value).unwrap();
        }
    };
    format!("{{\"{}\":{inner}}}", value.kind().tag())
}

/// A number in one of its forms.
fn number_json(number: &Number<'_>, rng: &mut Rng) -> String {
    let text = number.as_str();
    let mut form = text.to_owned();
    match rng.u8(..6) {
        0 if !text.contains('.') => form.push_str(".00"),
        1 => form.push_str("e0"),
        2 if !text.contains('.') => write!(form, "0E-1").unwrap(),
        3 if !text.starts_with('-') => form = format!("+00{text}"),
        _ => {}
    }
    quoted(&form)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
