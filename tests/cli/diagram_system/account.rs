//! An account alone, and beside Terraform.

use expect_test::expect;
use referee::diagram::system::deployment::{Area, Deployment, Origin, Source, Unread};
use referee::rules::Rules;
use serde_json::Value as Json;

use super::{read_plan, readme, system, text};

/// The account as the README's plan would make it.
fn account(rules: &Rules, plan: &Json) -> Deployment {
    let mut account = read_plan(rules, plan);
    account.origin = Origin::Account;
    for alarm in &mut account.alarms {
        alarm.state = Some("OK".to_owned());
    }
    account
}

#[test]
fn a_plan_and_the_account_that_it_made_do_not_differ() {
    let (rules, plan) = readme();
    let planned = read_plan(&rules, &plan);
    let both = system(&rules, Some(planned), Some(account(&rules, &plan)));
    expect![""].assert_eq(&text(&both));
}

#[test]
fn differences_between_terraform_and_the_account_are_drawn() {
    let (rules, plan) = readme();
    let planned = read_plan(&rules, &plan);
    let mut account = account(&rules, &plan);
    account.mappings[0].batch_size = Some(500);
    account.function.as_mut().unwrap().memory_mb = Some(128);
    account.log_group.as_mut().unwrap().retention_days = Some(0);
    account.alarms.remove(0);
    account.alarms[0].name = "by-hand".to_owned();
    account.alarms[1].state = Some("ALARM".to_owned());
    expect![[r#"
        difference[difference]: function `referee` differs from Terraform: memory: 128 MB (Terraform: 512 MB)
        difference[difference]: the event source mapping from table `app` differs from Terraform: batch: 500 records or 1 s (Terraform: 100 records or 1 s)
        difference[difference]: the log group `/aws/lambda/referee` differs from Terraform: kept: for ever (Terraform: 30 days)
        difference[difference]: the alarm `referee-dropped-records-app` is in Terraform, but not in the account
        difference[difference]: the alarm `referee-duration` is in Terraform, but not in the account
        difference[difference]: the alarm `by-hand` is in the account, but not in Terraform
        warning[alarm_fires]: the alarm `referee-errors` is in the state ALARM
        (function)
          memory: 128 MB
        (mapping:1)
          batch: 500 records or 1 s
        (log_group)
          kept: for ever
        (alarms)
          dropped-records-app: Sum > 0
          duration: Maximum > 48000
          errors: ALARM
    "#]].assert_eq(&text(&system(&rules, Some(planned), Some(account))));
}

#[test]
fn a_mapping_that_exists_only_in_terraform_reads_nothing() {
    let (rules, plan) = readme();
    let planned = read_plan(&rules, &plan);
    let mut account = account(&rules, &plan);
    account.mappings.clear();
    expect![[r#"
        broken[table_not_read]: no event source mapping of function `referee` reads the stream of table `app`, so its changes are not checked
        difference[difference]: the event source mapping from table `app` is in Terraform, but not in the account
        (table:app)
        (mapping:1)
        table:app -> mapping:1: stream
        mapping:1 -> function: batches
    "#]].assert_eq(&text(&system(&rules, Some(planned), Some(account))));
}

#[test]
fn a_mapping_of_a_former_stream_reads_nothing() {
    let (rules, plan) = readme();
    let mut account = account(&rules, &plan);
    let arn = |label| format!("arn:aws:dynamodb:eu-west-1:123456789012:table/app/stream/{label}");
    account.tables[0].stream_arn = Some(arn("2"));
    account.mappings[0].source = Source::of_arn(&arn("1"));
    account.mappings[0].last_result = Some("PROBLEM: Stream not found".to_owned());
    expect![[r#"
        broken[mapping_fails]: the event source mapping from table `app` fails: PROBLEM: Stream not found
        broken[stream_replaced]: the event source mapping from table `app` reads a former stream, which gets no new records
        (mapping:1)
        table:app -> mapping:1: stream
        mapping:1 -> function: batches
    "#]].assert_eq(&text(&system(&rules, None, Some(account))));
}

#[test]
fn what_could_not_be_read_is_not_called_missing() {
    let (rules, plan) = readme();
    let mut account = account(&rules, &plan);
    account.mappings.clear();
    account.alarms.clear();
    account.log_group = None;
    account.function = None;
    for area in [Area::Mappings, Area::Alarms, Area::Logs, Area::Function] {
        let (what, why) = ("it".to_owned(), "AccessDenied".to_owned());
        account.unread.push(Unread { area, what, why });
    }
    expect![""].assert_eq(&text(&system(&rules, None, Some(account))));
}
