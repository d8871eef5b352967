//! A page with diagrams, rules and the findings of an audit: one file of HTML that needs no network.
//!
//! # Layout
//!
//! [`Page`] is what the page shows. `page.html`, `page.css` and `script/` are its static parts, and
//! [`html`] puts them together. [`finding`] reads the findings.
//!
//! Everything that comes from rules or items is escaped. A content security policy in the page allows
//! only its own script and style sheets, by their hashes. The page loads nothing.
//!
//! Invariant: this module does no I/O, and the same input always gives the same page.

mod finding;
mod html;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use finding::Findings;

use crate::diagram::Picture;
use crate::diagram::er::{entity_id, mirror_id, reference_id};
use crate::rules::model::{EntityId, MirrorId, ReferenceId, Rules};

/// What a page shows.
#[derive(Debug, Default)]
pub struct Page {
    /// The title.
    pub title: String,
    /// The diagrams, each on a tab of its own.
    pub views: Vec<View>,
    /// The entities.
    pub entities: Vec<Entity>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// What the kinds of findings mean, by name.
    pub kinds: Vec<(String, String)>,
    /// The findings; `None` if there was no audit.
    pub findings: Option<Findings>,
    /// The file of the findings, for the commands that the page suggests.
    pub source: String,
}

/// A tab with a diagram.
#[derive(Debug)]
pub struct View {
    /// An identifier, of letters only.
    pub id: &'static str,
    /// The tab's title.
    pub title: &'static str,
    /// The diagram.
    pub picture: Picture,
    /// The same diagram with keys only, if there is one.
    pub keys_only: Option<Picture>,
}

/// An entity on a page.
#[derive(Debug, Serialize)]
pub struct Entity {
    id: String,
    name: String,
    table: String,
    /// The names of its attributes and the templates of its key, for the search.
    fields: Vec<String>,
    text: String,
}

/// A rule on a page.
#[derive(Debug, Serialize)]
pub struct Rule {
    id: String,
    name: String,
    kind: &'static str,
    from: String,
    to: String,
    text: String,
}

impl Entity {
    /// An entity with an explanation.
    #[must_use]
    pub fn new(rules: &Rules, id: EntityId, text: String) -> Self {
        let entity = &rules[id];
        let templates = entity.key.templates().map(|template| template.template().to_string());
        let attributes = entity.attributes.keys().map(ToString::to_string);
        Self {
            id: entity_id(rules, id),
            name: entity.name.clone(),
            table: rules.table_of(id).name.clone(),
            fields: templates.chain(attributes).collect(),
            text,
        }
    }
}

impl Rule {
    /// A reference with an explanation.
    #[must_use]
    pub fn reference(rules: &Rules, id: ReferenceId, text: String) -> Self {
        Self {
            id: reference_id(&rules[id].name),
            name: rules[id].name.clone(),
            kind: "reference",
            from: entity_id(rules, rules[id].from),
            to: entity_id(rules, rules[id].to),
            text,
        }
    }

    /// A mirror rule with an explanation.
    #[must_use]
    pub fn mirror(rules: &Rules, id: MirrorId, text: String) -> Self {
        Self {
            id: mirror_id(&rules[id].name),
            name: rules[id].name.clone(),
            kind: "mirror",
            from: entity_id(rules, rules[id].source),
            to: entity_id(rules, rules[id].mirror),
            text,
        }
    }
}

impl Page {
    /// The page as HTML.
    #[must_use]
    pub fn html(&self) -> String {
        html::page(self)
    }
}
