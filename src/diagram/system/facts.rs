//! The settings of each part, in words.

use super::deployment::{
    Alarm, Audit, Function, LogGroup, Mapping, OnFailure, Queue, Source, Stream, Table, name_of_arn,
};
use super::part::{Fact, Facts};
use crate::store::description::TimeToLive;

impl Facts for Table {
    fn facts(&self) -> Vec<Fact> {
        let key = self.key.as_ref().map(|key| {
            let names = key.attributes().map(|it| format!("{} ({})", it.name, it.kind.as_type()));
            Fact::new("key", names.collect::<Vec<_>>().join(", "))
        });
        let stream = self.stream.as_ref().map(|stream| match stream {
            Stream::Off => Fact::new("stream", "none"),
            Stream::On(view) => Fact::new("stream", view),
        });
        let ttl = match &self.ttl {
            TimeToLive::On(attribute) => Some(Fact::new("TTL", attribute)),
            TimeToLive::Off => Some(Fact::new("TTL", "off")),
            TimeToLive::Hidden => None,
        };
        [key, stream, ttl].into_iter().flatten().collect()
    }
}

impl Facts for Function {
    fn facts(&self) -> Vec<Fact> {
        let memory = self.memory_mb.map(|mb| Fact::new("memory", format!("{mb} MB")));
        let timeout = self.timeout_s.map(|s| Fact::new("timeout", format!("{s} s")));
        let setting = |label, name| self.setting(name).map(|value| Fact::new(label, value));
        [
            self.runtime.as_deref().map(|runtime| Fact::new("runtime", runtime)),
            memory,
            timeout,
            setting("mode", "REFEREE_MODE"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Facts for Mapping {
    fn facts(&self) -> Vec<Fact> {
        let is_stream = matches!(self.source, Source::Stream { .. });
        let switch = |label, value: Option<bool>, yes, no| {
            value.map(|it| Fact::new(label, if it { yes } else { no }))
        };
        let batch = self.batch_size.map(|size| {
            let window = self.window_s.filter(|it| *it > 0);
            let window = window.map_or(String::new(), |s| format!(" or {s} s"));
            Fact::new(
                "batch",
                format!("{} {}{window}", size, if is_stream { "records" } else { "messages" }),
            )
        });
        let mut facts: Vec<Option<Fact>> = vec![
            switch("state", self.is_enabled, "enabled", "disabled"),
            batch,
            switch("batch item failures", self.reports_failures, "reported", "not reported"),
        ];
        if is_stream {
            facts.extend([
                self.parallel.filter(|it| *it != 1).map(|it| Fact::new("parallel", it.to_string())),
                switch("failed batches", self.bisects, "halved", "repeated whole"),
                self.retries(),
                self.filters.as_ref().map(|filters| filter_fact(filters)),
                self.starting_position.as_deref().map(|it| Fact::new("begins at", it)),
                match &self.on_failure {
                    OnFailure::Nowhere => Some(Fact::new("given up", "lost")),
                    OnFailure::Arn(arn) => Some(Fact::new("given up", name_of_arn(arn))),
                    OnFailure::Unknown => None,
                },
            ]);
        }
        facts.into_iter().flatten().collect()
    }
}

impl Mapping {
    fn retries(&self) -> Option<Fact> {
        let age = match self.age_s_max? {
            ..0 => "the stream deletes it".to_owned(),
            seconds => format!("{} h old", hours(seconds)),
        };
        let value = match self.retries_max? {
            ..0 => format!("until {age}"),
            times => format!("{times} times, until {age}"),
        };
        Some(Fact::new("repeated", value))
    }
}

/// Hours, with a fraction if needed.
fn hours(seconds: i64) -> String {
    let tenths = seconds / 360;
    if tenths % 10 == 0 {
        format!("{}", tenths / 10)
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

fn filter_fact(filters: &[String]) -> Fact {
    let value = match filters.len() {
        0 => "none".to_owned(),
        1 => "1 pattern".to_owned(),
        count => format!("{count} patterns"),
    };
    // AWS may list them in another order.
    let mut sorted = filters.to_vec();
    sorted.sort();
    Fact { label: "filter", value, exact: sorted.join(" ") }
}

impl Facts for LogGroup {
    fn facts(&self) -> Vec<Fact> {
        let kept = self.retention_days.map(|days| match days {
            0 => Fact::new("kept", "for ever"),
            1 => Fact::new("kept", "1 day"),
            days => Fact::new("kept", format!("{days} days")),
        });
        kept.into_iter().collect()
    }
}

impl Facts for Alarm {
    fn facts(&self) -> Vec<Fact> {
        let actions = self.actions.as_ref().map(|actions| {
            let mut names: Vec<&str> = actions.iter().map(|arn| name_of_arn(arn)).collect();
            names.sort_unstable();
            Fact::new(
                "notifies",
                if names.is_empty() { "nobody".to_owned() } else { names.join(", ") },
            )
        });
        let condition = self.condition.as_ref();
        let condition = condition.map(|it| Fact::new("fires if", format!("{} {it}", self.metric)));
        let enabled = self.are_actions_enabled.filter(|it| !it);
        let enabled = enabled.map(|_| Fact::new("actions", "disabled"));
        [condition, actions, enabled].into_iter().flatten().collect()
    }
}

impl Facts for Queue {
    fn facts(&self) -> Vec<Fact> {
        let receives = self.receives_max.map(|it| Fact::new("receives", format!("at most {it}")));
        receives.into_iter().collect()
    }
}

impl Facts for Audit {
    fn facts(&self) -> Vec<Fact> {
        let schedule = self.schedule.as_deref().map(|it| Fact::new("starts at", it));
        let zone = self.timezone.as_deref().map(|it| Fact::new("time zone", it));
        let state = self.is_enabled.filter(|it| !it).map(|_| Fact::new("state", "disabled"));
        [schedule, zone, state].into_iter().flatten().collect()
    }
}
