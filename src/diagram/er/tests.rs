//! What the pictures of rules show.

use expect_test::{Expect, expect};

use super::{Health, Near, Selection, picture};
use crate::diagram::{Mark, Picture, Status, dot, mermaid, svg};
use crate::rules::model::EntityId;
use crate::rules::{RuleSource, Rules, load};

const RULES: &str = r#"
version: 1
tables:
  app: { key: [pk, sk] }
  audit: { name: audit-log, key: ["id:N"] }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "user" } }
  profile: { table: app, key: { pk: "user#{user}", sk: "profile" } }
  order:
    table: app
    key: { pk: "order#{order}", sk: "order" }
    attributes: { userId: S, tags: SS, total: N }
    where: { state: open }
  tag: { table: app, key: { pk: "tag#{tag}", sk: "tag" } }
  entry: { table: audit, key: { id: "{id}" } }
references:
  profile_user: { from: profile, to: user, on_delete: cascade }
  order_user:
    from: order
    to: user
    on: { user: "{userId}" }
    find: { index: by_user, key: { userId: "{user}" } }
  order_tags: { from: order, to: tag, on: { tag: "{tags[*]}" }, find: none }
"#;

fn rules() -> Rules {
    let source = RuleSource { name: "rules".to_owned(), text: RULES.to_owned() };
    let loaded = load(&source, &|_| None);
    assert!(loaded.rules.is_some(), "{:?}", loaded.diagnostics);
    loaded.rules.unwrap()
}

fn id(rules: &Rules, name: &str) -> EntityId {
    EntityId(rules.entities.iter().position(|entity| entity.name == name).unwrap())
}

fn names(picture: &Picture) -> Vec<&str> {
    picture.nodes.iter().map(|node| node.title.as_str()).collect()
}

fn check(text: &str, expected: &Expect) {
    expected.assert_eq(text);
}

#[test]
fn mermaid_shows_keys_types_and_cardinality() {
    check(
        &mermaid::er(&picture(&rules(), &Selection::default(), None)),
        &expect![[r#"
        erDiagram
            user {
                S *pk "user#{user}"
                S *sk "user"
            }
            profile {
                S *pk "user#{user}"
                S *sk "profile"
            }
            order {
                S *pk "order#{order}"
                S *sk "order"
                SS tags FK "tags[*]"
                N total
                S userId FK
                any state "= 'open'"
                index by_user "userId {user}"
            }
            tag {
                S *pk "tag#{tag}"
                S *sk "tag"
            }
            entry {
                N *id "{id}"
            }
            profile |o--|| user : "profile_user, on delete: cascade"
            order }o--o| user : "order_user, on delete: report"
            order }o--o{ tag : "order_tags, on delete: report"
    "#]],
    );
}

#[test]
fn cardinality_follows_the_key_and_the_elements() {
    let picture = picture(&rules(), &Selection::default(), None);
    let marks: Vec<_> = picture
        .edges
        .iter()
        .map(|edge| (edge.label[0].as_str(), edge.from.mark, edge.to.mark))
        .collect();
    assert_eq!(
        marks,
        [
            ("profile_user", Mark::ZeroOrOne, Mark::One),
            ("order_user", Mark::Many, Mark::ZeroOrOne),
            ("order_tags", Mark::Many, Mark::Many),
        ]
    );
}

#[test]
fn edges_begin_at_the_rows_of_their_attributes() {
    let picture = picture(&rules(), &Selection::default(), None);
    let rows = picture.edges.iter().map(|edge| {
        let row = edge.from.row.unwrap();
        picture.nodes[edge.from.node].rows[row].name.as_str()
    });
    assert_eq!(rows.collect::<Vec<_>>(), ["pk", "userId", "tags[*]"]);
}

#[test]
fn a_table_with_several_entities_is_a_frame() {
    let picture = picture(&rules(), &Selection::default(), None);
    assert_eq!(
        picture.groups.iter().map(|it| it.title.as_str()).collect::<Vec<_>>(),
        ["table app"]
    );
    assert_eq!(picture.nodes[4].kind, "entity in table audit (audit-log)");
}

#[test]
fn the_distance_limits_what_is_shown() {
    let rules = rules();
    let near = |distance| {
        let entities = [id(&rules, "order")].into();
        let near = Some(Near { entities, distance });
        Selection { near, ..Selection::default() }
    };
    assert_eq!(names(&picture(&rules, &near(0), None)), ["order"]);
    assert_eq!(names(&picture(&rules, &near(1), None)), ["user", "order", "tag"]);
    assert_eq!(names(&picture(&rules, &near(9), None)), ["user", "profile", "order", "tag"]);
    let without = Selection { exclude: [id(&rules, "user")].into(), ..near(9) };
    assert_eq!(names(&picture(&rules, &without, None)), ["order", "tag"]);
}

#[test]
fn keys_only_leaves_attributes_out() {
    let selection = Selection { keys_only: true, ..Selection::default() };
    let picture = picture(&rules(), &selection, None);
    assert!(picture.nodes.iter().flat_map(|node| &node.rows).all(|row| row.marker.ends_with('K')));
}

#[test]
fn findings_give_rules_and_entities_their_status() {
    let mut health = Health::default();
    health.add("order_user", false);
    health.add("order_tags", true);
    let picture = picture(&rules(), &Selection::default(), Some(&health));
    let edges: Vec<_> = picture.edges.iter().map(|edge| edge.status).collect();
    assert_eq!(edges, [Status::Ok, Status::Broken, Status::Warning]);
    let order = &picture.nodes[2];
    assert_eq!((order.status, order.badge.as_str()), (Status::Broken, "2 findings"));
}

#[test]
fn names_from_the_rule_file_are_escaped() {
    let mut rules = rules();
    rules.entities[0].name = "<script>alert(1)</script>\"'\\".to_owned();
    let picture = picture(&rules, &Selection::default(), None);
    let svg = svg::file(&picture);
    assert!(!svg.contains("<script") && svg.contains("&lt;script"));
    let dot = dot::dot(&picture);
    assert!(dot.contains("<b>&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;\\</b>"), "{dot}");
    assert!(mermaid::flowchart(&picture).contains("#60;script#62;"));
}
