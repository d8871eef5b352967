//! Files of items: dumps, lines, lists, and what the AWS CLI prints.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::audit::{Archive, List, Problem, Row, Rows, Stop};
use crate::data::{JsonItem, plain_item};
use crate::rules::model::TableId;

/// How a file is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout {
    /// Lists of items by the names of these tables.
    Dump(Vec<String>),
    /// What `aws dynamodb scan` prints.
    Scan,
    /// A list of items.
    List,
    /// Items one after another.
    Lines,
    /// A model of NoSQL Workbench.
    Model,
}

fn open(path: &Path) -> std::io::Result<Box<dyn std::io::Read>> {
    let mut magic = [0; 2];
    let is_gz = File::open(path)?.read(&mut magic)? == 2 && magic == [0x1f, 0x8b];
    let file = BufReader::with_capacity(1 << 16, File::open(path)?);
    if is_gz {
        return Ok(Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(file))));
    }
    Ok(Box::new(file))
}

/// Finds out how a file is laid out.
pub(super) fn layout(path: &Path) -> Result<Layout, String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut first = [0; 1];
    let mut file = open(path).map_err(failed)?;
    loop {
        if file.read(&mut first).map_err(failed)? == 0 {
            return Err("it is empty".to_owned());
        }
        match first {
            [b'['] => return Ok(Layout::List),
            [b'{'] => break,
            [byte] if byte.is_ascii_whitespace() => {}
            _ => {
                return Err("it does not begin with `{` or `[`, as items in JSON do".to_owned());
            }
        }
    }
    let mut json = serde_json::Deserializer::from_reader(open(path).map_err(failed)?);
    let fields = Fields.deserialize(&mut json).map_err(|error| error.to_string())?;
    let has = |name: &str| fields.iter().any(|(field, _)| field == name);
    if has("DataModel") {
        return Ok(Layout::Model);
    }
    if fields.iter().any(|(field, is_list)| field == "Items" && *is_list) {
        return Ok(Layout::Scan);
    }
    if fields.iter().all(|(_, is_list)| *is_list) {
        return Ok(Layout::Dump(fields.into_iter().map(|(name, _)| name).collect()));
    }
    Ok(Layout::Lines)
}

/// Reads the names of an object's fields, and whether each is a list of objects.
struct Fields;

impl<'de> DeserializeSeed<'de> for Fields {
    type Value = Vec<(String, bool)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(String, bool)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = access.next_key::<String>()? {
            let IsList(is_list) = access.next_value()?;
            fields.push((name, is_list));
        }
        Ok(fields)
    }
}

/// Whether a value is a list of objects. It is skipped without being kept.
struct IsList(bool);

impl<'de> serde::Deserialize<'de> for IsList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Skip;
        impl<'de> Visitor<'de> for Skip {
            type Value = IsList;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<IsList, A::Error> {
                let mut are_objects = true;
                while let Some(IsObject(is_object)) = access.next_element()? {
                    are_objects &= is_object;
                }
                Ok(IsList(are_objects))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<IsList, A::Error> {
                while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(IsList(false))
            }

            fn visit_str<E>(self, _: &str) -> Result<IsList, E> {
                Ok(IsList(false))
            }

            fn visit_bool<E>(self, _: bool) -> Result<IsList, E> {
                Ok(IsList(false))
            }

            fn visit_u64<E>(self, _: u64) -> Result<IsList, E> {
                Ok(IsList(false))
            }

            fn visit_i64<E>(self, _: i64) -> Result<IsList, E> {
                Ok(IsList(false))
            }

            fn visit_f64<E>(self, _: f64) -> Result<IsList, E> {
                Ok(IsList(false))
            }

            fn visit_unit<E>(self) -> Result<IsList, E> {
                Ok(IsList(false))
            }
        }
        deserializer.deserialize_any(Skip)
    }
}

/// Whether a value is an object.
struct IsObject(bool);

impl<'de> serde::Deserialize<'de> for IsObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(text.get().starts_with('{')))
    }
}

/// A file of items. It is read item by item, whatever its length.
pub(super) struct ItemFile {
    path: PathBuf,
    layout: Layout,
    tables: Vec<(String, TableId)>,
    /// Whether items are in plain JSON.
    is_plain: bool,
}

impl ItemFile {
    /// Opens a file, and looks at its first item.
    pub(super) fn new(
        path: PathBuf,
        layout: Layout,
        tables: Vec<(String, TableId)>,
    ) -> Result<Self, String> {
        let mut file = Self { path, layout, tables, is_plain: false };
        let mut problem = None;
        let mut first = None;
        let _ = file.read(
            0,
            &mut |row| {
                first = Some(String::from_utf8_lossy(row.text).into_owned());
                Err(Stop(String::new()))
            },
            &mut |found| problem = Some(found.error),
        );
        if let (Some(problem), None) = (problem, &first) {
            return Err(problem);
        }
        if let Some(first) = first
            && serde_json::from_str::<JsonItem<'_>>(&first).is_err()
        {
            plain_item(&first).map_err(|error| format!("its first item is not one: {error}"))?;
            file.is_plain = true;
        }
        Ok(file)
    }
}

impl Archive for ItemFile {
    fn chunks(&self) -> u32 {
        1
    }

    fn items(&self) -> Option<u64> {
        None
    }

    fn name(&self, _: u32) -> String {
        self.path.display().to_string()
    }

    fn read(
        &self,
        _: u32,
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
        problem: &mut dyn FnMut(Problem),
    ) -> Result<(), Stop> {
        let mut of_item = |row: Row<'_>| match self.item(row.text) {
            Some(text) => each(Row { text: text.as_bytes(), ..row }),
            None => Ok(()),
        };
        let mut rows = Rows::new(&mut of_item);
        let done = open(&self.path).map_err(serde_json::Error::io).and_then(|file| {
            let mut json = serde_json::Deserializer::from_reader(file);
            let only = self.tables.first().map_or(TableId(0), |(_, table)| *table);
            match &self.layout {
                Layout::Dump(_) => {
                    Tables { known: &self.tables, rows: &mut rows }.deserialize(&mut json)
                }
                Layout::Scan => ScanOutput(&mut rows, only).deserialize(&mut json),
                Layout::List | Layout::Model => List(&mut rows, only).deserialize(&mut json),
                Layout::Lines => {
                    for text in json.into_iter::<Box<RawValue>>() {
                        rows.take::<serde_json::Error>(only, text?.get())?;
                    }
                    Ok(())
                }
            }
        });
        rows.end(&self.path, done, problem)
    }
}

/// An item within an object, as exports and the AWS CLI write it.
#[derive(serde::Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow, rename = "Item")]
    item: &'a RawValue,
}

impl ItemFile {
    /// The item in a text, in DynamoDB's JSON; `None` if it is not one.
    fn item<'t>(&self, text: &'t [u8]) -> Option<Cow<'t, str>> {
        let text = std::str::from_utf8(text).ok()?;
        let is_wrapped = text.len() > 8
            && text.get(1..).is_some_and(|rest| rest.trim_start().starts_with("\"Item\""));
        let inner = if is_wrapped { serde_json::from_str::<Wrapped<'_>>(text).ok() } else { None };
        let text =
            inner.filter(|it| it.item.get().starts_with('{')).map_or(text, |it| it.item.get());
        if !self.is_plain {
            return Some(Cow::Borrowed(text));
        }
        let item = plain_item(text).ok()?;
        Some(Cow::Owned(serde_json::to_string(&item).unwrap_or_default()))
    }
}

/// Reads the items of the tables that are known.
struct Tables<'t, 'r> {
    known: &'t [(String, TableId)],
    rows: &'t mut Rows<'r>,
}

impl<'de> DeserializeSeed<'de> for Tables<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Tables<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("lists of items by their tables")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(name) = access.next_key::<String>()? {
            let table = self.known.iter().find(|(known, _)| *known == name);
            match table.map(|(_, table)| *table) {
                Some(table) => access.next_value_seed(List(self.rows, table))?,
                None => {
                    access.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// What the AWS CLI prints: the items are in a field.
struct ScanOutput<'l, 'r>(&'l mut Rows<'r>, TableId);

impl<'de> DeserializeSeed<'de> for ScanOutput<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ScanOutput<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with `Items`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(name) = access.next_key::<String>()? {
            if name == "Items" {
                access.next_value_seed(List(self.0, self.1))?;
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
