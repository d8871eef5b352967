//! The last step of a reference's query: which values are broken, and in which way.

use super::expression::{Expr, Function, SqlType, all, any, call, case};
use super::keys::is_same;
use super::query::{Join, Query, Select};
use super::tables::{key_columns, named};
use super::union;
use crate::data::Path;
use crate::integrity::finding::{Defect, Kind};
use crate::rules::model::{Matching, Reference, ReferenceId, Rules};
use crate::wording;

/// What may be wrong with a value, as conditions.
struct Conditions {
    /// At least one part is absent.
    absent: Expr,
    /// Some parts are absent, and others are not, although all or none must be.
    partial: Expr,
    /// A part is absent, although the reference is required.
    unset: Expr,
    /// The parts form no key.
    malformed: Expr,
    /// Nothing that the reference can lead to has the key.
    missing: Expr,
    /// An item has the key, but it does not belong to the entity.
    other: Expr,
}

/// Adds the values that are incomplete, malformed, or refer to nothing, each once.
pub(super) fn add(query: &mut Query, rules: &Rules, rule: ReferenceId) {
    let reference = &rules[rule];
    let (from, to) = (rules.table_of(reference.from), rules.table_of(reference.to));
    let (target, referenced) =
        (key_columns(to, "evaluated", "target_"), key_columns(to, "referenced", ""));
    let conditions = Conditions::of(rules, reference, referenced.partition.clone().is_null());
    let (kind, detail) = conditions.kind_and_detail(rules, rule);
    let Conditions { absent, partial, unset, malformed, missing, .. } = conditions;

    let mut columns = named(&key_columns(from, "evaluated", ""), "");
    let is_target = all([absent.clone().not(), malformed.clone().not()]);
    columns.extend(named(&target, "target_").into_iter().map(|(name, value)| {
        // What could not be a key does not tell values apart.
        (name, case([(is_target.clone(), value)], Expr::Null(SqlType::Text)))
    }));
    columns.push(("kind".to_owned(), kind));
    columns.push(("detail".to_owned(), detail));
    if reference.has_elements() {
        let first = call(Function::Minimum, [column("element_index")]);
        columns.push(("element_index".to_owned(), first));
    }
    let is_alone = reference.alternative.count == 1;
    let leads =
        (!is_alone || reference.alternative.discriminator.is_some()).then(|| column("leads"));
    let is_incomplete = any([partial, unset]);
    let is_broken = all([absent.not(), any([malformed, missing])]);
    query.add(
        "broken",
        Select {
            columns,
            from: "evaluated".to_owned(),
            join: Some(Join::Left("referenced".to_owned(), is_same(&target, &referenced))),
            conditions: std::iter::once(any([is_incomplete, is_broken])).chain(leads).collect(),
            is_grouped: reference.has_elements(),
        },
    );
}

impl Conditions {
    fn of(rules: &Rules, reference: &Reference, is_nothing_there: Expr) -> Self {
        let is_absent = column("absent").binary(">", Expr::Integer(0));
        let mut is_other = if rules[reference.to].conditions.is_empty() {
            Expr::Bool(false)
        } else {
            all([is_nothing_there.clone().not(), Expr::column("referenced.is_one").not()])
        };
        let mut is_missing = any([is_nothing_there, is_other.clone()]);
        if reference.alternative.is_union() {
            is_missing = all([is_missing, column(union::IS_FOUND).not()]);
            is_other = any([is_other, column(union::IS_OTHER)]);
        }
        let own = i64::try_from(reference.paths().count()).unwrap_or(i64::MAX);
        let is_partial = if reference.matching == Matching::Full {
            all([is_absent.clone(), column("absent").binary("<", Expr::Integer(own))])
        } else {
            Expr::Bool(false)
        };
        let is_unset = if reference.required { is_absent.clone() } else { Expr::Bool(false) };
        Self {
            absent: is_absent,
            partial: is_partial,
            unset: is_unset,
            malformed: column("problem").is_present(),
            missing: is_missing,
            other: is_other,
        }
    }

    /// The kind of finding, and its words.
    fn kind_and_detail(&self, rules: &Rules, rule: ReferenceId) -> (Expr, Expr) {
        let paths: Vec<Path> = rules[rule].paths().cloned().collect();
        let defects = [
            (&self.partial, Defect::PartiallyAbsent(paths.clone())),
            (&self.unset, Defect::RequiredAbsent(paths)),
        ];
        let (mut kinds, mut details) = (Vec::new(), Vec::new());
        for (condition, defect) in defects {
            if *condition != Expr::Bool(false) {
                kinds.push((condition.clone(), Expr::text(defect.kind().name())));
                details.push((condition.clone(), Expr::text(wording::defect(&defect))));
            }
        }
        kinds.push((self.malformed.clone(), Expr::text(Kind::MalformedReference.name())));
        details.push((self.malformed.clone(), column("problem")));
        let names = wording::target_names(rules, rule);
        if self.other != Expr::Bool(false) {
            let words = format!("an item is there, but is no {names}");
            details.push((self.other.clone(), Expr::text(words)));
        }
        let missing = format!("the referenced {names} does not exist");
        let dangling = Expr::text(Kind::DanglingReference.name());
        (case(kinds, dangling), case(details, Expr::text(missing)))
    }
}

fn column(name: &str) -> Expr {
    Expr::column(format!("evaluated.{name}"))
}
