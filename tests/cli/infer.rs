//! Drafts of rule files: they pass `check`, and an audit reports what their evidence says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn referee(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
    command.args(arguments).env_clear().output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Drafts rules from a file, checks that `check` accepts them and that an audit finds exactly what
/// the evidence says, and returns the evidence.
fn draft(items: &Path, options: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("referee.yaml");
    let (items, rules) = (items.to_str().unwrap(), rules.to_str().unwrap());
    let mut arguments = vec!["infer", "--json", "--out", rules, items];
    arguments.extend(options);
    let inferred = referee(&arguments);
    assert!(inferred.status.success(), "{items}: {inferred:?}");
    let checked = referee(&["check", rules]);
    assert!(checked.status.success(), "{items}: {checked:?}");
    let evidence = lines(&inferred);
    let broken: u64 = evidence.iter().filter_map(|line| line["broken"].as_u64()).sum();
    let audited = referee(&["audit", "--json", "--rules", rules, items]);
    let is_reference = |line: &&Value| line["kind"] == "dangling_reference";
    let found = lines(&audited).iter().filter(is_reference).count() as u64;
    assert_eq!(found, broken, "{items}: {audited:?}");
    evidence
}

fn of<'e>(evidence: &'e [Value], kind: &str, name: &str) -> &'e Value {
    let is_it = |line: &&Value| line["type"] == kind && line["name"] == name;
    evidence.iter().find(is_it).unwrap_or_else(|| panic!("no {kind} `{name}`: {evidence:#?}"))
}

fn shop() -> String {
    let mut items = Vec::new();
    for customer in 0..12 {
        if customer != 3 {
            items.push(format!(
                r#"{{"pk":{{"S":"CUSTOMER#c{customer}"}},"sk":{{"S":"PROFILE"}},"name":{{"S":"N{customer}"}}}}"#
            ));
        }
        for order in 0..3 {
            items.push(format!(
                r#"{{"pk":{{"S":"ORDER#{:05}"}},"sk":{{"S":"ORDER"}},"customerId":{{"S":"c{customer}"}},"total":{{"N":"{order}"}}}}"#,
                customer * 3 + order
            ));
        }
    }
    for (team, customer) in (0..4).flat_map(|team| (4..10).map(move |customer| (team, customer))) {
        let (one, two) = (format!("TEAM#t{team}"), format!("CUSTOMER#c{customer}"));
        items.push(format!(
            r#"{{"pk":{{"S":"{one}"}},"sk":{{"S":"{two}"}},"role":{{"S":"r"}},"since":{{"N":"{team}"}}}}"#
        ));
        items.push(format!(r#"{{"pk":{{"S":"{two}"}},"sk":{{"S":"{one}"}},"role":{{"S":"r"}}}}"#));
    }
    format!(r#"{{"shop":[{}]}}"#, items.join(","))
}

#[test]
fn broken_references_do_not_hide_a_rule_and_mirrors_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let items = folder.path().join("tables.json");
    std::fs::write(&items, shop()).unwrap();
    let evidence = draft(&items, &[]);
    let reference = of(&evidence, "reference", "order_customer");
    assert_eq!(reference["to"], "customer");
    assert_eq!(reference["verdict"], "BROKEN");
    assert_eq!((&reference["checked"], &reference["broken"]), (&36.into(), &3.into()));
    let mirrors: Vec<_> = evidence.iter().filter(|line| line["type"] == "mirror").collect();
    assert_eq!(mirrors.len(), 1, "{evidence:#?}");
    assert_eq!(mirrors[0]["copy"], serde_json::json!(["role"]));
    assert_eq!(mirrors[0]["missing"], 0);
}

/// Members of groups, with a mirror of each that has the same attributes, and items that refer to
/// the members. Items whose key is `lost` are not there. The type of members and their mirrors is
/// `kind`; without it, no item has a type.
fn groups(kind: Option<&str>, lost: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut items = Vec::new();
    let mut add = |pk: &str, sk: &str, attributes: &str| {
        let own = kind.filter(|_| sk.contains('#')).unwrap_or(sk);
        let of_type =
            kind.map(|_| format!(r#","_et":{{"S":"{own}"}}"#)).unwrap_or_default() + attributes;
        if !lost(&format!("{pk} {sk}")) {
            items.push(format!(r#"{{"pk":{{"S":"{pk}"}},"sk":{{"S":"{sk}"}}{of_type}}}"#));
        }
    };
    for user in 0..40 {
        add(&format!("USER#u{user}"), "USER", r#","name":{"S":"n"}"#);
        add(&format!("POST#p{user}"), "POST", &format!(r#","userId":{{"S":"u{user}"}}"#));
    }
    for (group, user) in (0..8).flat_map(|group| (0..10).map(move |at| (group, group * 4 + at))) {
        let (one, two) = (format!("GROUP#g{group}"), format!("USER#u{}", user % 40));
        let since = format!(r#","since":{{"N":"{user}"}}"#);
        add(&one, &two, &since);
        add(&two, &one, &since);
        add(
            &format!("VISIT#v{group}x{user}"),
            "VISIT",
            &format!(r#","groupId":{{"S":"g{group}"}},"userId":{{"S":"u{}"}}"#, user % 40),
        );
    }
    items
}

/// The partition key of the source of the only mirror.
fn source_of_mirror(items: &[String]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tables.json");
    std::fs::write(&file, format!(r#"{{"club":[{}]}}"#, items.join(","))).unwrap();
    let evidence = draft(&file, &[]);
    let mirrors: Vec<_> = evidence.iter().filter(|line| line["type"] == "mirror").collect();
    let [mirror] = mirrors.as_slice() else { panic!("{evidence:#?}") };
    let source = of(&evidence, "entity", mirror["source"].as_str().unwrap());
    source.pointer("/key/0/1").unwrap().clone()
}

#[test]
fn if_mirrors_are_missing_the_source_has_more_items() {
    let is_lost = |key: &str| key.starts_with("GROUP#") && key.ends_with('5');
    assert_eq!(source_of_mirror(&groups(None, &is_lost)), "USER#{user}");
    let is_lost = |key: &str| key.starts_with("USER#") && key.contains("5 GROUP");
    assert_eq!(source_of_mirror(&groups(None, &is_lost)), "GROUP#{group}");
}

#[test]
fn if_other_references_are_broken_too_the_source_has_fewer_items() {
    let is_user = |key: &str| key.ends_with("5 USER");
    let is_lost = |key: &str| is_user(key) || (key.starts_with("GROUP#") && key.ends_with('5'));
    assert_eq!(source_of_mirror(&groups(None, &is_lost)), "GROUP#{group}");
    let is_lost = |key: &str| is_user(key) || (key.starts_with("USER#") && key.contains("5 GROUP"));
    assert_eq!(source_of_mirror(&groups(None, &is_lost)), "USER#{user}");
}

#[test]
fn the_source_is_named_after_its_partition_key_first() {
    let all = |_: &str| false;
    assert_eq!(source_of_mirror(&groups(Some("GroupUser"), &all)), "GROUP#{group}");
    assert_eq!(source_of_mirror(&groups(Some("UserGroup"), &all)), "USER#{user}");
}

#[test]
fn items_whose_keys_begin_with_that_of_another_are_parts_of_a_source() {
    for (one, two, source) in [("GROUP", "USER", "GROUP#{group}"), ("USER", "GROUP", "USER#{user}")]
    {
        let id = |kind: &str, at: usize| format!("{kind}#{}{at}", &kind[..1].to_lowercase());
        let part = |at: usize| {
            let (one, two) = (id(one, at), id(two, at));
            format!(
                r#"{{"pk":{{"S":"{one}"}},"sk":{{"S":"{two}#NOTE#x{at}"}},"text":{{"S":"t"}}}}"#
            )
        };
        let mut items = groups(None, &|_| false);
        items.extend((0..8).map(part));
        assert_eq!(source_of_mirror(&items), source);
    }
}

/// Comments on posts and photos, which have numbers from 1 on, and orders or invoices of customers.
fn comments() -> String {
    let mut items = Vec::new();
    let mut add = |kind: &str, id: usize, attributes: &str| {
        items.push(format!(
            r#"{{"pk":{{"S":"{kind}#{id}"}},"sk":{{"S":"{kind}"}},"x{kind}":{{"N":"1"}}{attributes}}}"#
        ));
    };
    for id in 1..=20 {
        add("CUSTOMER", id, "");
        add("ORDER", id, "");
        add("INVOICE", id, "");
        let of = if id % 2 == 0 { "order" } else { "invoice" };
        add("MESSAGE", id, &format!(r#","about":{{"S":"{of}"}},"customerId":{{"S":"{id}"}}"#));
    }
    for id in 1..=12 {
        add("POST", id, "");
        add("PHOTO", id, "");
    }
    for id in 1..=30 {
        let (of, parent) = if id % 3 == 0 { ("PHOTO", id / 2) } else { ("POST", id % 12 + 1) };
        add(
            "COMMENT",
            id,
            &format!(r#","parentType":{{"S":"{of}"}},"parentId":{{"S":"{parent}"}}"#),
        );
    }
    format!(r#"{{"app":[{}]}}"#, items.join(","))
}

#[test]
fn a_discriminator_says_which_of_several_entities_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let items = folder.path().join("tables.json");
    std::fs::write(&items, comments()).unwrap();
    let evidence = draft(&items, &[]);
    let parent = of(&evidence, "reference", "comment_parent");
    let by = serde_json::json!({
        "source": "{parentType}", "entities": [["PHOTO", "photo"], ["POST", "post"]],
    });
    assert_eq!(parent["by"], by);
    // The photos 13 and 15 do not exist.
    assert_eq!((&parent["verdict"], &parent["broken"]), (&"BROKEN".into(), &2.into()));
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/polymorphic-comments/seed.json");
    assert_eq!(of(&draft(&case, &[]), "reference", "comment_parent")["by"], by);
    let customer = of(&evidence, "reference", "message_customer");
    assert_eq!((&customer["to"], &customer["by"]), (&"customer".into(), &Value::Null));
}

#[test]
fn a_reference_may_lead_to_an_item_of_one_of_two_entities() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tables.json");
    let item = |kind: &str, id: &str, attributes: &str| {
        format!(r#"{{"pk":{{"S":"{kind}#{id}"}},"sk":{{"S":"{kind}"}}{attributes}}}"#)
    };
    let mut items = Vec::new();
    for at in 0..20 {
        items.push(item("USER", &format!("usr_{at}k"), r#","mail":{"S":"m"}"#));
        items.push(item("ORG", &format!("org-{at}k"), r#","plan":{"S":"p"},"seats":{"N":"2"}"#));
    }
    for at in 0..60 {
        let owner =
            if at % 3 == 0 { format!("org-{}k", at / 3) } else { format!("usr_{}k", at % 21) };
        items.push(item("REPO", &format!("r{at}x"), &format!(r#","owner":{{"S":"{owner}"}}"#)));
    }
    std::fs::write(&file, format!(r#"{{"app":[{}]}}"#, items.join(","))).unwrap();
    let evidence = draft(&file, &[]);
    let owner = of(&evidence, "reference", "repo_owner");
    assert_eq!((&owner["to"], &owner["others"]), (&"org".into(), &serde_json::json!(["user"])));
    // There is no user 20, to which two repositories refer.
    assert_eq!((&owner["checked"], &owner["broken"]), (&60.into(), &2.into()));
}

#[test]
fn a_sample_confirms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let items = folder.path().join("tables.json");
    std::fs::write(&items, shop()).unwrap();
    let evidence = draft(&items, &["--sample"]);
    let verdicts = evidence.iter().filter_map(|line| line["verdict"].as_str());
    assert!(verdicts.clone().count() > 0);
    assert!(verdicts.clone().all(|verdict| verdict == "SAMPLE" || verdict == "WEAK"));
}

#[test]
fn every_recorded_seed_gives_a_draft_that_passes_the_check() {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut count = 0;
    for case in std::fs::read_dir(events).unwrap() {
        let seed = case.unwrap().path().join("seed.json");
        if seed.exists() && std::fs::metadata(&seed).unwrap().len() > 10 {
            draft(&seed, &[]);
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

#[test]
fn files_without_items_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.json");
    std::fs::write(&file, "{}").unwrap();
    let inferred = referee(&["infer", file.to_str().unwrap()]);
    assert_eq!(inferred.status.code(), Some(2));
    let message = String::from_utf8(inferred.stderr).unwrap();
    assert_eq!(message, "error: there are no items to infer from\n");
}

/// Customers whose e-mail addresses are unique, and their orders, which copy the name.
fn customers() -> String {
    let mut items = Vec::new();
    let mut add = |key: [String; 2], attributes: &[(&str, String)]| {
        let [pk, sk] = key;
        let mut item = serde_json::json!({"pk": {"S": pk}, "sk": {"S": sk}});
        let of_item = item.as_object_mut().unwrap();
        for (name, value) in attributes {
            let kind = if *name == "orders" { "N" } else { "S" };
            of_item.insert((*name).to_owned(), serde_json::json!({kind: value}));
        }
        items.push(item);
    };
    for number in 0..12 {
        let (id, email) = (format!("c{number}x"), format!("m{number}@example.com"));
        let (name, orders) = (format!("Name {number}"), number % 4);
        let of_customer = [
            ("email", email.clone()),
            ("name", name.clone()),
            ("orders", orders.to_string()),
            ("city", "Rome".to_owned()),
        ];
        add([format!("CUSTOMER#{id}"), "PROFILE".to_owned()], &of_customer);
        let of_email = [("customerId", id.clone())];
        add([format!("EMAIL#{email}"), "UNIQUE".to_owned()], &of_email);
        for order in 0..orders {
            let key = [format!("CUSTOMER#{id}"), format!("ORDER#{:04}", number * 10 + order)];
            add(key, &[("customerName", name.clone())]);
        }
    }
    let lines: Vec<String> = items.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn copies_counts_and_unique_values_are_comments() {
    let folder = tempfile::tempdir().unwrap();
    let items = folder.path().join("shop.jsonl");
    std::fs::write(&items, customers()).unwrap();
    let arguments = ["infer", "--json", items.to_str().unwrap()];
    let evidence = lines(&referee(&arguments));
    let noticed: Vec<_> = evidence
        .iter()
        .filter(|line| line["type"] == "notice")
        .map(|line| {
            [&line["kind"], &line["entity"], &line["attribute"]].map(|it| it.as_str().unwrap())
        })
        .collect();
    let expected = [
        ["unique", "customer", "email"],
        ["copy", "order", "customerName"],
        ["count", "customer", "orders"],
    ];
    assert_eq!(noticed, expected);
    let targets: Vec<_> = evidence
        .iter()
        .filter(|line| line["type"] == "reference")
        .map(|line| line["to"].as_str().unwrap())
        .collect();
    assert_eq!(targets, ["customer", "customer"]);
    let draft = referee(&arguments[..1].iter().chain(&arguments[2..]).copied().collect::<Vec<_>>());
    let draft = String::from_utf8(draft.stdout).unwrap();
    let fact =
        "# - `customerName` of order is a copy of `name` of customer: equal in 18 of 18 pairs.";
    assert!(draft.contains(fact), "{draft}");
}

#[test]
fn a_small_sample_is_drafted_by_names_where_what_is_referred_to_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let items = folder.path().join("tables.json");
    let mut tables = serde_json::json!({"users": [], "posts": [], "comments": []});
    // Ids that look random.
    let id = |table: &str, number: u32| {
        format!("{table}-{:08x}", (number + 1).wrapping_mul(0x9E37_79B1))
    };
    for at in 0..20 {
        let mut add = |table: &str, item: Value| tables[table].as_array_mut().unwrap().push(item);
        let text = |value: String| serde_json::json!({"S": value});
        add("users", serde_json::json!({"id": text(id("u", at)), "name": text("Ada".to_owned())}));
        let user = text(id("u", at + 15));
        add("posts", serde_json::json!({"id": text(id("p", at)), "userId": user}));
        let post = text(id("p", at + 18));
        add("comments", serde_json::json!({"id": text(id("c", at)), "postId": post}));
    }
    std::fs::write(&items, tables.to_string()).unwrap();
    let evidence = draft(&items, &["--sample", "--key", "id"]);
    let targets: Vec<_> = evidence
        .iter()
        .filter(|line| line["type"] == "reference" && line["verdict"] == "SAMPLE")
        .map(|line| [&line["from"], &line["to"]].map(|it| it.as_str().unwrap()))
        .collect();
    assert_eq!(targets, [["comment", "post"], ["post", "user"]]);
}

#[test]
fn the_key_of_a_table_is_that_of_the_rule_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (items, rules, draft) = (path("ab.jsonl"), path("rules.yaml"), path("draft.yaml"));
    let lines: String = (0..9)
        .map(|at| format!(r#"{{"city":"c{}","no":"{at}","id":"x{at}"}}"#, at % 3) + "\n")
        .collect();
    std::fs::write(&items, lines).unwrap();
    let text = "version: 1\ntables: { ab_items: { key: [city, no] } }\n\
                entities: { thing: { table: ab_items, key: { city: '{city}', no: '{no}' } } }\n";
    std::fs::write(&rules, text).unwrap();
    let inferred = referee(&["infer", "--rules", &rules, "--out", &draft, &items]);
    assert!(inferred.status.success(), "{inferred:?}");
    let text = std::fs::read_to_string(&draft).unwrap();
    assert!(text.contains("  ab_items:\n    key: [city, \"no\"]\n"), "{text}");
    assert!(referee(&["check", &draft]).status.success(), "{text}");
}
