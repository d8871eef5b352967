//! Where Terraform and the account differ.

use crate::diagram::system::deployment::{Area, Source};
use crate::diagram::system::finding::{Finding, Kind};
use crate::diagram::system::ids;
use crate::diagram::system::part::{Facts, Part};
use crate::diagram::system::system::System;

pub(super) fn check(system: &System<'_>, found: &mut Vec<Finding>) {
    if system.covered_by_terraform.is_none() || system.covered_by_account.is_none() {
        return;
    }
    let mut all = Differences { system, found };
    for (id, table) in &system.tables {
        let name = &system.rules[*id].name;
        // A table that does not exist has a finding of its own.
        if let Some(table) = table.as_ref().filter(|it| it.shown().exists) {
            all.settings(table, &format!("table `{name}`"), ids::table(name));
        }
    }
    if let Some(function) = &system.function {
        let what = format!("function `{}`", function.shown().name);
        all.settings(function, &what, ids::FUNCTION.to_owned());
    }
    for (position, mapping) in system.mappings.iter().enumerate() {
        if !mapping.shown().is_ours {
            continue;
        }
        let what = match &mapping.shown().source {
            Source::Stream { table, .. } => {
                format!("the event source mapping from table `{table}`")
            }
            Source::Queue(queue) => format!("the event source mapping from the queue `{queue}`"),
            Source::Other(arn) => format!("the event source mapping from `{arn}`"),
        };
        all.part(mapping, Area::Mappings, &what, ids::mapping(position));
    }
    if let Some(group) = &system.log_group {
        let what = format!("the log group `{}`", group.shown().name);
        all.part(group, Area::Logs, &what, ids::LOG_GROUP.to_owned());
    }
    for alarm in &system.alarms {
        let what = format!("the alarm `{}`", alarm.shown().name);
        all.part(alarm, Area::Alarms, &what, ids::ALARMS.to_owned());
    }
    for queue in &system.queues {
        let name = &queue.shown().name;
        all.settings(queue, &format!("the queue `{name}`"), ids::queue(name));
    }
}

struct Differences<'d, 's> {
    system: &'d System<'s>,
    found: &'d mut Vec<Finding>,
}

impl Differences<'_, '_> {
    /// Compares whether a part exists, and its settings.
    fn part<T: Facts>(&mut self, part: &Part<T>, area: Area, what: &str, subject: String) {
        let (message, help) = match part {
            Part::Planned(_) if self.system.is_truth_of_account(area) => {
                (format!("{what} is in Terraform, but not in the account"), "run `terraform apply`")
            }
            Part::Actual(_) if self.system.is_planned(area) => (
                format!("{what} is in the account, but not in Terraform"),
                "add it to Terraform, or delete it",
            ),
            Part::Planned(_) | Part::Actual(_) | Part::Both { .. } => {
                self.settings(part, what, subject);
                return;
            }
        };
        self.add(subject, message, help);
    }

    fn settings<T: Facts>(&mut self, part: &Part<T>, what: &str, subject: String) {
        let differing = part.settings().into_iter().filter_map(|setting| {
            let planned = setting.planned?;
            Some(format!("{}: {} (Terraform: {planned})", setting.label, setting.value))
        });
        let differing: Vec<_> = differing.collect();
        if !differing.is_empty() {
            let message = format!("{what} differs from Terraform: {}", differing.join("; "));
            self.add(subject, message, "run `terraform plan` to see what an apply would change");
        }
    }

    fn add(&mut self, subject: String, message: String, help: &str) {
        let (kind, help) = (Kind::Difference, help.to_owned());
        self.found.push(Finding { kind, subject, message, help });
    }
}
