//! The audit of a table: is every mirror what its membership says, and is every reference that
//! leads nowhere reported?

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::stage::Row;

/// What kind of item a key is of.
fn is_member((pk, sk): &(String, String)) -> bool {
    pk.starts_with("company#") && sk.starts_with("user#")
}

fn is_mirror((pk, sk): &(String, String)) -> bool {
    pk.starts_with("user#") && sk.starts_with("company#")
}

/// Where mirrors and memberships differ, if anywhere.
pub(crate) fn divergences(rows: &[Row]) -> Vec<String> {
    let by_key: BTreeMap<_, _> = rows.iter().map(|row| (&row.key, row)).collect();
    let mut found = Vec::new();
    for row in rows {
        let (pk, sk) = &row.key;
        let turned = (sk.clone(), pk.clone());
        let other = by_key.get(&turned);
        if is_member(&row.key) {
            match other {
                None => found.push(format!("{pk} / {sk} has no mirror")),
                Some(mirror) if !mirror.is_marked || mirror.attributes != row.attributes => {
                    found.push(format!("{pk} / {sk} differs from its mirror"));
                }
                Some(_) => {}
            }
        } else if is_mirror(&row.key) && other.is_none() {
            found.push(format!("{pk} / {sk} mirrors nothing"));
        }
    }
    found
}

/// The memberships of a company or a user that does not exist.
pub(crate) fn dangling(rows: &[Row]) -> BTreeSet<(String, String)> {
    let keys: BTreeSet<_> = rows.iter().map(|row| (row.key.0.as_str(), row.key.1.as_str())).collect();
    let members = rows.iter().filter(|row| is_member(&row.key));
    let dangling = members.filter(|row| {
        let (company, user) = (row.key.0.as_str(), row.key.1.as_str());
        !keys.contains(&(company, "company#")) || !keys.contains(&(user, "user#"))
    });
    dangling.map(|row| row.key.clone()).collect()
}

/// The referencing items that violations named.
pub(crate) fn reported(violations: &[Json]) -> BTreeSet<(String, String)> {
    let key = |violation: &Json| {
        let item: Json = serde_json::from_str(violation["referencing"].as_str()?).ok()?;
        let text = |name: &str| Some(item["key"][name]["S"].as_str()?.to_owned());
        Some((text("pk")?, text("sk")?))
    };
    violations.iter().filter_map(key).collect()
}
