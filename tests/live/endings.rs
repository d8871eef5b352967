//! Audits that are stopped at once, or that cannot judge a suspect.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::PipeWriter;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kit::endpoint;
use libtest_mimic::Trial;
use referee::store::{Action, Store as _, Write};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value as Json;

use crate::audit::{Stage, item, lines};

/// A test. Its argument is the endpoint.
type Test = fn(&str);

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 2] = [
        ("a_second_signal_ends_an_audit_that_notices_nothing", second_signal),
        ("an_audit_that_cannot_judge_a_suspect_is_incomplete", unsettled),
    ];
    let trial = |(name, test): (&str, Test)| {
        endpoint::trial(format!("endings::{name}"), move |endpoint| {
            test(endpoint);
            Ok(())
        })
    };
    tests.into_iter().map(trial).collect()
}

/// The findings fill the pipe, which nobody reads.
fn second_signal(endpoint: &str) {
    let stage = Stage::new("second-signal", endpoint);
    let task = |number: usize| {
        item(&format!(
            r#"{{"pk": {{"S": "task#{number}"}}, "sk": {{"S": "task"}}, "owner": {{"S": "x"}}}}"#
        ))
    };
    stage.create((0..600).map(task).collect());
    let mut audit = stage.audit(&["--json"]);
    let (_reader, writer) = std::io::pipe().unwrap();
    let output = writer.try_clone().unwrap();
    let mut child = audit.stdout(output).stderr(Stdio::null()).spawn().unwrap();
    while accepts(&writer) {
        assert!(child.try_wait().unwrap().is_none(), "it waits for its reader");
        std::thread::sleep(Duration::from_millis(50));
    }
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "one signal does not end it");
    interrupt(&child);
    let ended = (0..200).find_map(|_| {
        std::thread::sleep(Duration::from_millis(50));
        child.try_wait().unwrap()
    });
    if ended.is_none() {
        child.kill().unwrap();
    }
    assert_eq!(ended.and_then(|status| status.code()), Some(3));
}

/// Whether a pipe is not full.
fn accepts(writer: &PipeWriter) -> bool {
    let mut pipe = [PollFd::new(writer, PollFlags::OUT)];
    poll(&mut pipe, Some(&Timespec::default())).unwrap() > 0
}

fn interrupt(child: &Child) {
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
}

/// A membership changes all the time, and its mirror is never written.
fn unsettled(endpoint: &str) {
    let stage = Stage::new("unsettled", endpoint);
    let member = |role: u32| {
        item(&format!(
            r#"{{"pk": {{"S": "company#a"}}, "sk": {{"S": "user#ann"}}, "role": {{"S": "{role}"}}}}"#
        ))
    };
    stage.create(vec![member(0)]);
    let mut audit = stage.audit(&["--json"]);
    let mut child = audit.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for role in 1.. {
        let write = Write {
            table: stage.table.clone(),
            action: Action::Put(member(role)),
            condition: None,
        };
        stage.runtime.block_on(stage.store.write(write)).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        if child.try_wait().unwrap().is_some() {
            break;
        }
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let lines = lines(&output);
    let [summary] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(
        [&summary["complete"], &summary["unsettled"], &summary["problems"]],
        [&Json::from(false), &Json::from(1), &Json::from(0)]
    );
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("1 suspect changed at each look"), "{error}");
}
