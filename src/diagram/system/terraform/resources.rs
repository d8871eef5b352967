//! The resources in Terraform's JSON, with what is not known yet and what their values come from.
//!
//! <https://developer.hashicorp.com/terraform/internals/json-format>

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// All resources of a plan or a state.
pub(super) struct Resources<'j> {
    all: Vec<Resource<'j>>,
    configuration: &'j Json,
}

/// A resource, or a data source that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resource<'j> {
    /// Its address.
    pub(super) address: &'j str,
    /// The address of its module; empty for the root module.
    pub(super) module: &'j str,
    /// Whether it is a data source.
    pub(super) is_data: bool,
    /// Its type.
    pub(super) kind: &'j str,
    /// Its name in the configuration.
    pub(super) name: &'j str,
    /// Its key, if it is one of several by `for_each`.
    pub(super) index: Option<&'j str>,
    values: &'j Json,
    unknown: &'j Json,
}

/// A plan or a state has no more nested modules than this.
const DEPTH_MAX: usize = 100;

impl<'j> Resources<'j> {
    /// The resources of a plan or a state.
    pub(super) fn of(document: &'j Json) -> Self {
        let changes = list(document, "/resource_changes");
        let unknown: BTreeMap<&str, &Json> = changes
            .filter_map(|change| {
                let unknown = change.pointer("/change/after_unknown")?;
                Some((change.get("address")?.as_str()?, unknown))
            })
            .collect();
        let mut all = Vec::new();
        // Data sources that were read for a plan are in its prior state.
        for (values, only_data) in
            [("/values", false), ("/planned_values", false), ("/prior_state/values", true)]
        {
            if let Some(root) = document.pointer(values).and_then(|it| it.get("root_module")) {
                let mut found = Vec::new();
                collect(root, "", &unknown, DEPTH_MAX, &mut found);
                all.extend(found.into_iter().filter(|resource| resource.is_data || !only_data));
            }
        }
        let configuration = document.pointer("/configuration/root_module").unwrap_or(&Json::Null);
        Self { all, configuration }
    }

    /// All resources of a type.
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = Resource<'j>> {
        self.all.iter().copied().filter(move |resource| resource.kind == kind)
    }

    /// The number of resources, without data sources.
    pub(super) fn managed(&self) -> usize {
        self.all.iter().filter(|resource| !resource.is_data).count()
    }

    /// The resources of a type whose attributes an attribute of this resource is computed from, as
    /// far as the configuration says. Only those of the same module are found.
    pub(super) fn sources_of(
        &self,
        resource: Resource<'j>,
        attribute: &str,
        kind: &str,
    ) -> Vec<Resource<'j>> {
        let expression = self.module(resource.module).and_then(|module| {
            let mut declared = list(module, "/resources");
            let declared = declared.find(|it| {
                it.get("type").and_then(Json::as_str) == Some(resource.kind)
                    && it.get("name").and_then(Json::as_str) == Some(resource.name)
            });
            declared?.get("expressions")?.get(attribute)
        });
        let names = expression.into_iter().flat_map(|expression| list(expression, "/references"));
        let names: Vec<&str> = names.filter_map(Json::as_str).collect();
        let is_named = |other: &Resource<'_>| {
            let name = format!("{}{kind}.{}", if other.is_data { "data." } else { "" }, other.name);
            names.iter().any(|found| {
                found.strip_prefix(name.as_str()).is_some_and(|rest| {
                    rest.is_empty() || rest.starts_with('.') || rest.starts_with('[')
                })
            })
        };
        let same = self.of_kind(kind).filter(|other| other.module == resource.module);
        same.filter(is_named).collect()
    }

    /// The configuration of a module.
    fn module(&self, address: &str) -> Option<&'j Json> {
        let mut module = self.configuration;
        for name in module_names(address) {
            module = module.get("module_calls")?.get(name)?.get("module")?;
        }
        Some(module)
    }
}

/// The names of nested modules in an address, without the keys of `for_each`:
/// `module.a["x.y"].module.b` has `a` and `b`.
fn module_names(address: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = address;
    while let Some(found) = rest.strip_prefix("module.") {
        let end = found.find(['.', '[']).unwrap_or(found.len());
        let (name, after) = found.split_at_checked(end).unwrap_or((found, ""));
        names.push(name);
        rest = match after.strip_prefix('[') {
            Some(key) => key.split_once("].").map_or("", |(_, rest)| rest),
            None => after.strip_prefix('.').unwrap_or(""),
        };
    }
    names
}

fn collect<'j>(
    module: &'j Json,
    address: &'j str,
    unknown: &BTreeMap<&str, &'j Json>,
    depth: usize,
    found: &mut Vec<Resource<'j>>,
) {
    for resource in list(module, "/resources") {
        let text = |name: &str| resource.get(name).and_then(Json::as_str);
        let (Some(own), Some(kind), Some(name)) = (text("address"), text("type"), text("name"))
        else {
            continue;
        };
        found.push(Resource {
            address: own,
            module: address,
            is_data: text("mode") == Some("data"),
            kind,
            name,
            index: text("index"),
            values: resource.get("values").unwrap_or(&Json::Null),
            unknown: unknown.get(own).copied().unwrap_or(&Json::Null),
        });
    }
    for child in list(module, "/child_modules").filter(|_| depth > 0) {
        let address = child.get("address").and_then(Json::as_str).unwrap_or_default();
        collect(child, address, unknown, depth.saturating_sub(1), found);
    }
}

impl<'j> Resource<'j> {
    /// A value, by its JSON pointer; `None` if it is absent or not known yet.
    pub(super) fn value(&self, pointer: &str) -> Option<&'j Json> {
        self.values.pointer(pointer).filter(|value| !value.is_null())
    }

    /// A text.
    pub(super) fn text(&self, pointer: &str) -> Option<String> {
        self.value(pointer)?.as_str().map(str::to_owned)
    }

    /// A number. Terraform writes some numbers as text.
    pub(super) fn number(&self, pointer: &str) -> Option<i64> {
        let value = self.value(pointer)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    /// A number with a default, which applies unless the number is not known yet.
    pub(super) fn number_or(&self, pointer: &str, default: i64) -> Option<i64> {
        if self.is_unknown(pointer) { None } else { self.number(pointer).or(Some(default)) }
    }

    /// A switch with a default, which applies unless the switch is not known yet.
    pub(super) fn switch(&self, pointer: &str, default: bool) -> Option<bool> {
        if self.is_unknown(pointer) {
            return None;
        }
        self.value(pointer).and_then(Json::as_bool).or(Some(default))
    }

    /// The elements of a list; `None` if they are not known yet.
    pub(super) fn items(&self, pointer: &str) -> Option<impl Iterator<Item = &'j Json> + use<'j>> {
        (!self.is_unknown(pointer)).then(|| list(self.values, pointer))
    }

    /// The texts of a list; `None` if the list is not known yet. An element that is not known yet has
    /// the text of `unknown`.
    pub(super) fn texts(&self, pointer: &str, unknown: &str) -> Option<Vec<String>> {
        let known = self.items(pointer)?.filter_map(Json::as_str).map(str::to_owned);
        let hidden = list(self.unknown, pointer).filter(|it| it.as_bool() == Some(true));
        Some(known.chain(hidden.map(|_| unknown.to_owned())).collect())
    }

    /// Whether a value is known only after the plan is applied.
    pub(super) fn is_unknown(&self, pointer: &str) -> bool {
        let mut prefix = pointer;
        loop {
            match self.unknown.pointer(prefix) {
                Some(Json::Bool(unknown)) => return *unknown,
                // A list with elements that are not known is known itself.
                Some(_) => return false,
                None => match prefix.rsplit_once('/') {
                    Some((shorter, _)) => prefix = shorter,
                    None => return false,
                },
            }
        }
    }

    /// The names in a map that are not known yet.
    pub(super) fn unknown_names(&self, pointer: &str) -> Vec<&'j str> {
        let map = self.unknown.pointer(pointer).and_then(Json::as_object);
        let names = map.into_iter().flatten().filter(|(_, it)| it.as_bool() == Some(true));
        names.map(|(name, _)| name.as_str()).collect()
    }
}

/// The elements of a list; none if there is no list.
pub(super) fn list<'j>(json: &'j Json, pointer: &str) -> impl Iterator<Item = &'j Json> + use<'j> {
    json.pointer(pointer).and_then(Json::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_modules_are_not_names() {
        for (address, expected) in [
            ("", Vec::new()),
            ("module.referee", vec!["referee"]),
            (r#"module.a["x.y"].module.b[0]"#, vec!["a", "b"]),
        ] {
            assert_eq!(module_names(address), expected, "{address}");
        }
    }
}
