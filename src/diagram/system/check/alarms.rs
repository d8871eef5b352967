//! Alarms: whether they exist, notify anyone, and are quiet.

use crate::diagram::system::deployment::{Alarm, Area};
use crate::diagram::system::finding::{Finding, Kind};
use crate::diagram::system::ids;
use crate::diagram::system::part::Part;
use crate::diagram::system::system::System;

use super::some;

pub(super) fn check(system: &System<'_>, found: &mut Vec<Finding>) {
    let mut add = |kind, message: String, help: &str| {
        let (subject, help) = (ids::ALARMS.to_owned(), help.to_owned());
        found.push(Finding { kind, subject, message, help });
    };
    let deployed: Vec<_> =
        system.alarms.iter().filter(|it| system.is_deployed(it, Area::Alarms)).collect();
    let function = system.function_name();
    if deployed.is_empty() && system.covers(Area::Alarms) && system.function.is_some() {
        let message = format!(
            "no alarm watches function `{function}` or its metrics, so nobody learns of violations \
             and failures"
        );
        add(Kind::NoAlarms, message, "infra/alarms.tf of the Terraform module has a set of alarms");
    }
    let named = |is_wanted: &dyn Fn(&Part<Alarm>) -> bool| -> Vec<String> {
        let wanted = deployed.iter().filter(|alarm| is_wanted(alarm));
        wanted.map(|alarm| format!("`{}`", alarm.shown().name)).collect()
    };
    let silent = named(&notifies_nobody);
    if !silent.is_empty() {
        let message = match silent.as_slice() {
            [one] => format!("the alarm {one} has no enabled action, so it notifies nobody"),
            several => format!(
                "{} alarms have no enabled action, so they notify nobody: {}",
                several.len(),
                some(several)
            ),
        };
        add(Kind::AlarmWithoutAction, message, "set `alarm_actions` to the ARN of an SNS topic");
    }
    let firing = named(&is_firing);
    if !firing.is_empty() {
        let message = match firing.as_slice() {
            [one] => format!("the alarm {one} is in the state ALARM"),
            several => {
                format!("{} alarms are in the state ALARM: {}", several.len(), some(several))
            }
        };
        add(Kind::AlarmFires, message, "the description of each alarm says what to do");
    }
}

/// Whether an alarm has no action, or its actions are disabled.
pub(in crate::diagram::system) fn notifies_nobody(alarm: &Part<Alarm>) -> bool {
    alarm.known(|it| it.actions.clone()).is_some_and(|actions| actions.is_empty())
        || alarm.known(|it| it.are_actions_enabled) == Some(false)
}

/// Whether an alarm fires.
pub(in crate::diagram::system) fn is_firing(alarm: &Part<Alarm>) -> bool {
    alarm.known(|it| it.state.clone()).as_deref() == Some("ALARM")
}
