//! What is wrong with a system.

mod alarms;
mod differences;
mod mappings;
mod tables;

pub(super) use self::alarms::{is_firing, notifies_nobody};
use super::deployment::{Area, Source};
use super::finding::{Finding, Kind, Severity};
use super::ids;
use super::system::System;

/// All findings, the worst first.
#[must_use]
pub fn findings(system: &System<'_>) -> Vec<Finding> {
    if !system.has_source() {
        return Vec::new();
    }
    let mut found = Vec::new();
    tables::check(system, &mut found);
    mappings::check(system, &mut found);
    function(system, &mut found);
    alarms::check(system, &mut found);
    differences::check(system, &mut found);
    found.sort_by_key(|finding: &Finding| std::cmp::Reverse(finding.kind.severity()));
    found
}

/// Whether a finding makes the run fail.
#[must_use]
pub fn is_failure(finding: &Finding) -> bool {
    finding.kind.severity() > Severity::Warning
}

fn function(system: &System<'_>, found: &mut Vec<Finding>) {
    let name = system.function_name();
    let mut add = |kind, message, help: &str| {
        found.push(Finding {
            kind,
            subject: ids::FUNCTION.to_owned(),
            message,
            help: help.to_owned(),
        });
    };
    let Some(function) = &system.function else {
        if system.covers(Area::Function) {
            let message = format!("there is no function `{name}`");
            add(Kind::FunctionMissing, message, "deploy it, or name it with --function");
        }
        return;
    };
    if !system.is_deployed(function, Area::Function) {
        let message = format!("Terraform has the function `{name}`, but the account does not");
        add(Kind::FunctionMissing, message, "run `terraform apply`, or check account and Region");
    }
    if !system.other_rules.is_empty() {
        let message = format!(
            "the rules of function `{name}` differ from the rule file: {}",
            some(&system.other_rules)
        );
        let help = "deploy the rule file; `referee diff` shows what a change means";
        add(Kind::OtherRules, message, help);
    }
    if let Some(queue) = system.recheck_queue().filter(|_| system.covers(Area::Mappings)) {
        let is_read = system.our_mappings().any(|(_, mapping)| {
            mapping.shown().source == Source::Queue(queue.clone())
                && mapping.known(|it| it.is_enabled) != Some(false)
        });
        if !is_read {
            let message = format!(
                "function `{name}` sends suspects to the queue `{queue}`, but no enabled event \
                 source mapping reads it"
            );
            let help = "create the mapping, or remove REFEREE_RECHECK_QUEUE";
            add(Kind::RecheckNotRead, message, help);
        }
    }
    if system.log_group.is_none() && system.covers(Area::Logs) {
        let message = format!(
            "function `{name}` has no log group, and its role usually may not create it, so \
             violations are not logged"
        );
        add(Kind::NoLogGroup, message, "create the log group, with a retention");
    }
}

/// The first of several names.
fn some(names: &[String]) -> String {
    const SHOWN_MAX: usize = 5;
    let shown: Vec<&str> = names.iter().take(SHOWN_MAX).map(String::as_str).collect();
    match names.len().saturating_sub(SHOWN_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
