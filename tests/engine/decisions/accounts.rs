//! A person closes an account: the user is deleted together with everything in the user's
//! partition, which includes the mirrors by which the user's memberships are found.

use futures_util::FutureExt as _;
use kit::clocks::Late;
use kit::history::{History, item, lines, load};
use referee::engine::{Engine, Violation};
use referee::integrity::finding::Kind;
use referee::integrity::mark::MARK;
use referee::integrity::repair::Operation;
use referee::replay;
use referee::store::memory::StreamRecord;
use referee::store::{Action, Memory, Store as _, Write};
use serde_json::value::{RawValue, to_raw_value};

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: "profile" } }
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" }, attributes: { role: S } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
references:
  member_user: { from: member, to: user, find: { mirror: membership }, on_delete: DELETE }
mirrors:
  membership: { source: member, mirror: member_of, copy: [role], on_mirror_delete: LEAVE }
"#;

/// A reference of which one part is an attribute, so that it can be unset.
const PROJECTS: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: "team#{team}", sk: "user#{user}" } }
  project:
    table: app
    key: { pk: "project#{project}", sk: "team#{team}" }
    attributes: { owner: S }
  project_of: { table: app, key: { pk: "team#{team}", sk: "project#{project}" } }
references:
  project_owner:
    { from: project, to: user, on: { user: "{owner}" }, find: { mirror: projects },
      on_delete: DELETE, default: bob }
mirrors:
  projects: { source: project, mirror: project_of, copy: [owner] }
"#;

const MIRROR: &str = "_referee: membership@50";
const CLOSED: [&str; 3] = ["profile", "company#acme", "company#globex"];

fn rules(on_delete: &str, on_mirror_delete: &str) -> String {
    RULES.replace("DELETE", on_delete).replace("LEAVE", on_mirror_delete)
}

/// Ann and Bob, both members of one company, and Ann of another one.
fn members() -> History {
    let of = |user: &str, company: &str| {
        let member = format!("pk: company#{company}, sk: user#{user}, role: admin");
        [member, format!("pk: user#{user}, sk: company#{company}, role: admin, {MIRROR}")]
    };
    History::new()
        .has("pk: user#ann, sk: profile, name: Ann")
        .has("pk: user#bob, sk: profile, name: Bob")
        .has_all([of("ann", "acme"), of("ann", "globex"), of("bob", "acme")].concat())
}

/// A table after these items were deleted at once, and an engine that has seen no record yet.
struct Scene {
    engine: Engine,
    store: Memory,
    records: Vec<StreamRecord>,
    violations: Vec<Violation>,
    /// The keys of the items that the engine has put.
    puts: Vec<String>,
}

impl Scene {
    fn new(rules: &str, seed: &History, deleted: &[String]) -> Self {
        let rules = load(rules);
        let store = seed.store(&rules);
        for key in deleted {
            let action = Action::Delete(item(key));
            let write = Write { table: "app".to_owned(), action, condition: None };
            store.write(write).now_or_never().unwrap().unwrap();
        }
        let records = store.take_stream();
        let engine = Engine::new(rules);
        Self { engine, store, records, violations: Vec::new(), puts: Vec::new() }
    }

    /// Ann's account was closed.
    fn closed(rules: &str) -> Self {
        Self::new(rules, &members(), &CLOSED.map(|sk| format!("pk: user#ann, sk: {sk}")))
    }

    fn deliver(&mut self, records: &[StreamRecord]) {
        let records: Vec<Box<RawValue>> =
            records.iter().map(|record| to_raw_value(record).unwrap()).collect();
        let records: Vec<&RawValue> = records.iter().map(|record| &**record).collect();
        let processing = self.engine.process(&records, &self.store, &Late);
        let outcome = processing.now_or_never().unwrap().unwrap();
        assert!(outcome.rejected.is_empty() && outcome.handed_back.is_empty(), "{outcome:?}");
        let puts = outcome.writes.iter().filter(|write| write.operation == Operation::Put);
        self.puts.extend(puts.map(|write| format!("{:?}", write.item.key)));
        self.violations.extend(outcome.violations);
    }

    /// Delivers the records of the engine's own writes until there are none.
    fn drain(&mut self) {
        for _ in 0..20 {
            let own = self.store.take_stream();
            if own.is_empty() {
                return;
            }
            for record in &own {
                self.deliver(std::slice::from_ref(record));
            }
        }
        panic!("it never comes to rest");
    }

    /// The items, without the marks of mirrors.
    fn items(&self) -> Vec<String> {
        let unmarked = replay::store(self.engine.rules());
        for mut item in self.store.dump().into_values().flatten() {
            item.remove(MARK);
            unmarked.seed("app", item).unwrap();
        }
        lines(&unmarked)
    }

    fn kinds(&self) -> Vec<Kind> {
        self.violations.iter().map(Violation::kind).collect()
    }
}

/// Every order of the three records.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
/// Every division of three records into batches.
const CUTS: [&[usize]; 4] = [&[3], &[1, 2], &[2, 1], &[1, 1, 1]];

/// Delivers the records in every order, in every division into batches, and with each batch
/// delivered once, twice at once, and again at the end.
fn in_every_delivery(scene: impl Fn() -> Scene, check: impl Fn(&Scene, &str)) {
    for order in ORDERS {
        for cut in CUTS {
            for again in ["", "twice", "at the end"] {
                let mut scene = scene();
                let records = order.map(|place| scene.records.get(place).unwrap().clone());
                let mut rest = records.as_slice();
                for length in cut {
                    let (batch, later) = rest.split_at(*length);
                    rest = later;
                    scene.deliver(batch);
                    if again == "twice" {
                        scene.deliver(batch);
                    }
                }
                scene.drain();
                if again == "at the end" {
                    scene.deliver(&records);
                    scene.drain();
                }
                check(&scene, &format!("order {order:?}, batches of {cut:?}, again {again:?}"));
            }
        }
    }
}

const WITHOUT_ANN: [&str; 3] = [
    "company#acme/user#bob role: admin",
    "user#bob/company#acme role: admin",
    "user#bob/profile name: Bob",
];

#[test]
fn a_closed_account_takes_its_memberships_with_it_in_every_delivery() {
    for leave in ["restore", "delete_source", "report"] {
        let closed = || Scene::closed(&rules("cascade", leave));
        in_every_delivery(closed, |scene, delivery| {
            assert_eq!(scene.items(), WITHOUT_ANN, "{delivery}, {leave}");
            assert_eq!(scene.puts, [""; 0], "{delivery}, {leave}");
            let kinds = scene.kinds();
            assert!(kinds.iter().all(|kind| *kind == Kind::Orphaned), "{delivery}: {kinds:?}");
        });
    }
}

#[test]
fn the_memberships_of_a_closed_account_are_reported_as_orphans_in_every_delivery() {
    for leave in ["restore", "delete_source"] {
        let closed = || Scene::closed(&rules("report", leave));
        in_every_delivery(closed, |scene, delivery| {
            let items = scene.items();
            for company in ["acme", "globex"] {
                for key in
                    [format!("company#{company}/user#ann"), format!("user#ann/company#{company}")]
                {
                    let there = items.iter().any(|item| item.starts_with(&key));
                    assert!(there, "{key}, {delivery}, {leave}");
                }
            }
            let kinds = scene.kinds();
            assert!(kinds.contains(&Kind::Orphaned), "{delivery}: {kinds:?}");
            assert!(!kinds.contains(&Kind::DanglingReference), "{delivery}: {kinds:?}");
        });
    }
}

#[test]
fn nothing_is_done_to_the_memberships_of_an_account_that_is_opened_again() {
    let opened = || {
        let scene = Scene::closed(&rules("cascade", "restore"));
        scene.store.seed("app", item("pk: user#ann, sk: profile, name: Anna")).unwrap();
        scene
    };
    in_every_delivery(opened, |scene, delivery| {
        let mut expected: Vec<String> = WITHOUT_ANN.map(str::to_owned).into();
        expected.extend(["acme", "globex"].map(|it| format!("company#{it}/user#ann role: admin")));
        expected.extend(["acme", "globex"].map(|it| format!("user#ann/company#{it} role: admin")));
        expected.push("user#ann/profile name: Anna".to_owned());
        expected.sort();
        assert_eq!(scene.items(), expected, "{delivery}");
    });
}

/// A record of a mirror's delete does not contain the user, so the user can be restored only if the
/// record of its own delete is in the same batch.
#[test]
fn a_closed_account_is_restored_or_its_memberships_are_reported() {
    let closed = || Scene::closed(&rules("restore", "restore"));
    in_every_delivery(closed, |scene, delivery| {
        let is_restored = scene.items().contains(&"user#ann/profile name: Ann".to_owned());
        let kinds = scene.kinds();
        assert!(is_restored || kinds.contains(&Kind::Orphaned), "{delivery}: {kinds:?}");
        assert!(is_restored || !delivery.contains("[3]"), "{delivery}");
        let mirrors = scene.items().iter().filter(|it| it.starts_with("user#ann/company")).count();
        assert_eq!(mirrors, 2, "{delivery}");
    });
}

#[test]
fn a_reference_to_a_user_deleted_with_the_mirror_is_changed_in_every_delivery() {
    for (action, left) in [("unset", ""), ("set_default", " owner: bob")] {
        let seed = || {
            let mirror = "pk: team#red, sk: project#one, owner: ann, _referee: projects@50";
            let of_other = "pk: team#red, sk: project#two, owner: bob, _referee: projects@50";
            History::new()
                .has("pk: team#red, sk: user#ann")
                .has("pk: team#red, sk: user#bob")
                .has("pk: project#one, sk: team#red, owner: ann")
                .has("pk: project#two, sk: team#red, owner: bob")
                .has(mirror)
                .has(of_other)
        };
        let deleted = ["user#ann", "project#one", "project#two"];
        let deleted = deleted.map(|sk| format!("pk: team#red, sk: {sk}"));
        let rules = PROJECTS.replace("DELETE", action);
        in_every_delivery(
            || Scene::new(&rules, &seed(), &deleted),
            |scene, delivery| {
                let expected = [
                    format!("project#one/team#red{left}"),
                    "project#two/team#red owner: bob".to_owned(),
                    format!("team#red/project#one{left}"),
                    "team#red/project#two owner: bob".to_owned(),
                    "team#red/user#bob".to_owned(),
                ];
                assert_eq!(scene.items(), expected, "{delivery}, {action}");
            },
        );
    }
}
