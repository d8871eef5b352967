//! Everything around the function, as Terraform, the account or both describe it.

use std::collections::BTreeSet;

use super::deployment::{
    Alarm, Area, Audit, Deployment, Function, LogGroup, Mapping, OnFailure, Queue, Source, Table,
    Unread,
};
use super::part::Part;
use crate::rules::Rules;
use crate::rules::model::TableId;

/// The name of the function unless the caller names another one.
pub const DEFAULT_FUNCTION: &str = "referee";

/// The sources of a picture.
#[derive(Debug)]
pub struct Sources<'s> {
    /// The rules.
    pub rules: &'s Rules,
    /// What Terraform deploys.
    pub terraform: Option<Deployment>,
    /// What the account has.
    pub account: Option<Deployment>,
    /// The name of the function, if the caller knows it.
    pub function: Option<String>,
    /// The declarations in which the function's own rules differ from these.
    pub other_rules: Vec<String>,
}

/// Everything around the function.
#[derive(Debug)]
pub struct System<'s> {
    pub(super) rules: &'s Rules,
    /// The tables, in the order of the rules.
    pub(super) tables: Vec<(TableId, Option<Part<Table>>)>,
    pub(super) function: Option<Part<Function>>,
    /// The name of the function that was looked for.
    wanted: Option<String>,
    pub(super) mappings: Vec<Part<Mapping>>,
    pub(super) log_group: Option<Part<LogGroup>>,
    pub(super) alarms: Vec<Part<Alarm>>,
    pub(super) queues: Vec<Part<Queue>>,
    pub(super) audit: Option<Part<Audit>>,
    pub(super) other_rules: Vec<String>,
    /// The areas that each source describes completely.
    pub(super) covered_by_terraform: Option<BTreeSet<Area>>,
    pub(super) covered_by_account: Option<BTreeSet<Area>>,
    /// What could not be read.
    pub(super) unread: Vec<Unread>,
}

impl<'s> System<'s> {
    /// Combines what the sources say.
    #[must_use]
    pub fn new(sources: Sources<'s>) -> Self {
        let Sources { rules, terraform, account, function, other_rules } = sources;
        let covered_by_terraform = terraform.as_ref().map(covered);
        let covered_by_account = account.as_ref().map(covered);
        let empty = || Deployment::new(super::deployment::Origin::Account);
        let (planned, actual) = (terraform.unwrap_or_else(empty), account.unwrap_or_else(empty));
        let (mut planned_tables, mut actual_tables) = (planned.tables, actual.tables);
        let tables = rules.tables.iter().enumerate().map(|(position, table)| {
            let planned = take(&mut planned_tables, |it| it.name == table.name);
            let actual = take(&mut actual_tables, |it| it.name == table.name);
            (TableId(position), Part::of(planned, actual))
        });
        let are_same_mappings = |a: &Mapping, b: &Mapping| {
            let same_source = match (&a.source, &b.source) {
                (Source::Stream { table: a, .. }, Source::Stream { table: b, .. }) => a == b,
                (a, b) => a == b,
            };
            same_source && (a.is_ours && b.is_ours || a.function == b.function)
        };
        let mut unread = planned.unread;
        unread.extend(actual.unread);
        Self {
            rules,
            tables: tables.collect(),
            function: Part::of(planned.function, actual.function),
            wanted: function,
            mappings: Part::pairs(planned.mappings, actual.mappings, are_same_mappings),
            log_group: Part::of(planned.log_group, actual.log_group),
            alarms: Part::pairs(planned.alarms, actual.alarms, |a, b| a.name == b.name),
            queues: Part::pairs(planned.queues, actual.queues, |a, b| a.name == b.name),
            audit: Part::of(planned.audit, actual.audit),
            other_rules,
            covered_by_terraform,
            covered_by_account,
            unread,
        }
    }

    /// What could not be read.
    #[must_use]
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// Whether a source says all about an area, so that what is not there does not exist.
    pub(super) fn covers(&self, area: Area) -> bool {
        self.is_truth_of_account(area) || self.covered_by_account.is_none() && self.is_planned(area)
    }

    /// Whether Terraform says all about an area.
    pub(super) fn is_planned(&self, area: Area) -> bool {
        self.covered_by_terraform.as_ref().is_some_and(|areas| areas.contains(&area))
    }

    /// Whether the account says all about an area.
    pub(super) fn is_truth_of_account(&self, area: Area) -> bool {
        self.covered_by_account.as_ref().is_some_and(|areas| areas.contains(&area))
    }

    /// Whether a part is deployed, as far as is known: what Terraform alone describes is not, if
    /// the account says all about it.
    pub(super) fn is_deployed<T>(&self, part: &Part<T>, area: Area) -> bool {
        !matches!(part, Part::Planned(_)) || !self.is_truth_of_account(area)
    }

    /// The mappings of the function that are deployed.
    pub(super) fn our_mappings(&self) -> impl Iterator<Item = (usize, &Part<Mapping>)> {
        let all = self.mappings.iter().enumerate();
        all.filter(|(_, it)| it.shown().is_ours && self.is_deployed(it, Area::Mappings))
    }

    /// Whether anything but the rules is known.
    pub(super) fn has_source(&self) -> bool {
        self.covered_by_terraform.is_some() || self.covered_by_account.is_some()
    }

    /// The function's name, as far as it is known.
    pub(super) fn function_name(&self) -> &str {
        let found = self.function.as_ref().map(|it| it.shown().name.as_str());
        found.or(self.wanted.as_deref()).unwrap_or(DEFAULT_FUNCTION)
    }

    /// The name of the queue on which suspects wait, from the function's settings or its mappings.
    pub(super) fn recheck_queue(&self) -> Option<String> {
        let setting = self.function.as_ref().and_then(|function| {
            function.known(|it| it.setting("REFEREE_RECHECK_QUEUE").map(str::to_owned))
        });
        let of_url = |url: String| url.rsplit('/').next().map(str::to_owned);
        setting.and_then(of_url).or_else(|| {
            self.our_mappings().find_map(|(_, mapping)| match &mapping.shown().source {
                Source::Queue(name) => Some(name.clone()),
                Source::Stream { .. } | Source::Other(_) => None,
            })
        })
    }
}

impl Part<Mapping> {
    /// The name of the table whose stream is read.
    pub(super) fn table(&self) -> Option<&str> {
        match &self.shown().source {
            Source::Stream { table, .. } => Some(table),
            Source::Queue(_) | Source::Other(_) => None,
        }
    }

    /// Where it sends what it gives up.
    pub(super) fn destination(&self) -> Option<String> {
        self.known(|mapping| match &mapping.on_failure {
            OnFailure::Arn(arn) => Some(arn.clone()),
            OnFailure::Nowhere | OnFailure::Unknown => None,
        })
    }
}

fn take<T>(from: &mut Vec<T>, is_wanted: impl Fn(&T) -> bool) -> Option<T> {
    let position = from.iter().position(is_wanted)?;
    Some(from.remove(position))
}

fn covered(deployment: &Deployment) -> BTreeSet<Area> {
    let all = [
        Area::Tables,
        Area::Function,
        Area::Mappings,
        Area::Logs,
        Area::Alarms,
        Area::Queues,
        Area::Audit,
    ];
    all.into_iter().filter(|area| deployment.covers(*area)).collect()
}
