//! The measured events, and the content of the table before each event.

use referee::data::{Item, JsonItem, KeyAttribute, KeyKind, KeySchema, into_owned};
use referee::store::Memory;
use referee::store::schema::TableSchema;
use serde_json::{Value, json};

use crate::batch::{self, RECORDS};

/// A table's content and an event.
pub(crate) struct Scene {
    /// The event's description in the table of results.
    pub(crate) name: &'static str,
    /// The event.
    pub(crate) event: String,
    items: Vec<Item<'static>>,
}

impl Scene {
    /// Creates the store as it is before the event.
    pub(crate) fn store(&self) -> Memory {
        let store = table();
        for item in &self.items {
            store.seed("app", item.clone()).expect("the item is valid");
        }
        store
    }

    /// One mirror changed. Verifying it takes one read.
    pub(crate) fn one_mirror() -> Self {
        let (mirrors, sources) = ([mirror(0)], [member(0, "admin")]);
        Self::of_mirrors("", &mirrors, &sources)
    }

    /// Memberships changed, but only in attributes that no rule uses. This causes no requests to
    /// the store.
    pub(crate) fn nothing_relevant() -> Self {
        let change = |index| {
            let before = member(index, "admin");
            let mut after = before.clone();
            after["attribute_0"] = json!({ "S": "changed" });
            batch::record(index, &before, &after)
        };
        Self {
            name: "nothing relevant changed",
            event: batch::event((0..RECORDS).map(change)),
            items: Vec::new(),
        }
    }

    /// The role of every membership changed. This causes one conditional write for each.
    pub(crate) fn every_role() -> Self {
        let change =
            |index| batch::record(index, &member(index, "member"), &member(index, "admin"));
        Self {
            name: "every role changed",
            event: batch::event((0..RECORDS).map(change)),
            items: (0..RECORDS).map(|index| item(&mirror(index))).collect(),
        }
    }

    /// Every mirror was written, as happens after [`Self::every_role`]. This causes reads of 100
    /// items each.
    pub(crate) fn every_mirror() -> Self {
        let (mirrors, sources): (Vec<_>, Vec<_>) =
            (0..RECORDS).map(|index| (mirror(index), member(index, "admin"))).unzip();
        Self::of_mirrors("every mirror written", &mirrors, &sources)
    }

    fn of_mirrors(name: &'static str, mirrors: &[Value], sources: &[Value]) -> Self {
        let items = mirrors.iter().chain(sources).map(item).collect();
        let change = |(index, after): (usize, &Value)| {
            let mut before = after.clone();
            before["role"] = json!({ "S": "member" });
            before["_referee"]["M"]["fence"] = json!({ "S": "0".repeat(40) });
            batch::record(index, &before, after)
        };
        let event = batch::event(mirrors.iter().enumerate().map(change));
        Self { name, event, items }
    }
}

/// Creates a store with one empty table.
pub(crate) fn table() -> Memory {
    let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
    Memory::new([TableSchema {
        name: "app".to_owned(),
        key: KeySchema { partition: attribute("pk"), sort: Some(attribute("sk")) },
        indexes: Vec::new(),
    }])
}

/// Reads an item from DynamoDB's JSON.
pub(crate) fn item(json: &Value) -> Item<'static> {
    let text = json.to_string();
    into_owned(serde_json::from_str::<JsonItem<'_>>(&text).expect("the item is valid").0)
}

fn member(index: usize, role: &str) -> Value {
    let [company, user] = halves(index);
    batch::image([&company, &user], &[("joinedAt", "2026-11-20"), ("role", role)])
}

/// Creates the mirror of a membership whose role is `admin`.
fn mirror(index: usize) -> Value {
    let [company, user] = halves(index);
    json!({
        "pk": { "S": user },
        "sk": { "S": company },
        "joinedAt": { "S": "2026-11-20" },
        "role": { "S": "admin" },
        "_referee": mark(&format!("{index:040}")),
    })
}

/// Returns the mark that Referee writes on a mirror.
pub(crate) fn mark(fence: &str) -> Value {
    json!({ "M": { "rule": { "S": "membership" }, "fence": { "S": fence } } })
}

/// Returns the keys of a company and of one of its 20 users.
fn halves(index: usize) -> [String; 2] {
    [format!("company#company-{:04}", index / 20), format!("user#user-{index:04}@example.com")]
}
