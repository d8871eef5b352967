//! The parts of a page, put together.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Entity, Findings, Page, Rule};
use crate::diagram::{escape, svg};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// The script, in the order in which its parts depend on each other.
const SCRIPT: [&str; 6] = [
    include_str!("script/data.js"),
    include_str!("script/stage.js"),
    include_str!("script/list.js"),
    include_str!("script/details.js"),
    include_str!("script/search.js"),
    include_str!("script/main.js"),
];

/// The data of the script.
#[derive(Serialize)]
struct Data<'p> {
    entities: &'p [Entity],
    rules: &'p [Rule],
    kinds: &'p [(String, String)],
    findings: &'p Option<Findings>,
    source: &'p str,
}

pub(super) fn page(page: &Page) -> String {
    let style = format!("{}{STYLE}", svg::STYLE);
    let script = SCRIPT.concat();
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'",
        hash(&script),
        hash(&style)
    );
    fill(
        TEMPLATE,
        &[
            ("{policy}", &policy),
            ("{title}", &escape(&page.title)),
            ("{style}", &style),
            ("{heading}", &escape(&page.title)),
            ("{tabs}", &tabs(page)),
            ("{views}", &views(page)),
            ("{data}", &data(page)),
            ("{script}", &script),
        ],
    )
}

/// The source expression that allows an inline script or style sheet.
///
/// <https://www.w3.org/TR/CSP3/#grammardef-hash-source>
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// Replaces the placeholders, which are in this order. Placeholders in the values stay.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = template;
    for (placeholder, value) in values {
        if let Some((before, after)) = rest.split_once(placeholder) {
            filled.push_str(before);
            filled.push_str(value);
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

fn tabs(page: &Page) -> String {
    let mut tabs = String::new();
    for (index, view) in page.views.iter().enumerate() {
        let (selected, focus) = if index == 0 { ("true", "0") } else { ("false", "-1") };
        let _ = writeln!(
            tabs,
            "<button type=\"button\" role=\"tab\" id=\"tab-{id}\" aria-controls=\"view-{id}\" \
             aria-selected=\"{selected}\" tabindex=\"{focus}\">{title}</button>",
            id = view.id,
            title = escape(view.title)
        );
    }
    tabs
}

fn views(page: &Page) -> String {
    let mut views = String::new();
    for (index, view) in page.views.iter().enumerate() {
        let hidden = if index == 0 { "" } else { " hidden" };
        let _ = writeln!(
            views,
            "<div class=\"view\" role=\"tabpanel\" id=\"view-{id}\" aria-labelledby=\"tab-{id}\"\
             {hidden}>\n<div class=\"drawing full\">{full}</div>",
            id = view.id,
            full = svg::draw(&view.picture)
        );
        if let Some(keys_only) = &view.keys_only {
            let drawn = svg::draw(keys_only);
            let _ = writeln!(views, "<div class=\"drawing keys\" hidden>{drawn}</div>");
        }
        views.push_str("</div>\n");
    }
    views
}

/// The data as JSON that cannot end the element it is in.
///
/// <https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements>
fn data(page: &Page) -> String {
    let Page { entities, rules, kinds, findings, source, .. } = page;
    let data = serde_json::to_string(&Data { entities, rules, kinds, findings, source });
    // Strings, numbers and maps with names always have a form in JSON.
    data.unwrap_or_else(|_| "{}".to_owned()).replace('<', "\\u003c")
}
