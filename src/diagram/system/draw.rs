//! From a system and its findings to its picture.

use std::collections::BTreeMap;

use super::check::{is_firing, notifies_nobody};
use super::deployment::{Area, Mapping, Source, name_of_arn};
use super::finding::{Finding, Kind};
use super::ids;
use super::part::{Compared, Facts, Part};
use super::picture::{BoxKind, Health, PartBox, Picture, Row};
use super::system::System;
use crate::preflight::{STREAM_VIEW, streamed};
use crate::rules::model::{Mode, TableId};

/// Draws a system.
#[must_use]
pub fn draw(system: &System<'_>, findings: &[Finding]) -> Picture {
    let mut drawing = Drawing { system, findings, picture: Picture::default() };
    drawing.tables();
    drawing.function();
    drawing.mappings();
    drawing.unread_tables();
    drawing.mirrors();
    drawing.queues();
    drawing.log_group();
    drawing.alarms();
    drawing.audit();
    drawing.picture.mark(findings);
    drawing.picture
}

struct Drawing<'d, 's> {
    system: &'d System<'s>,
    findings: &'d [Finding],
    picture: Picture,
}

impl Drawing<'_, '_> {
    /// The tables that a rule that is not off uses.
    fn tables(&mut self) {
        let streamed = streamed(self.system.rules);
        let used = crate::preflight::tables_in_use(self.system.rules);
        for (id, part) in self.system.tables.iter().filter(|(id, _)| used.contains(id)) {
            let table = &self.system.rules[*id];
            let subject = ids::table(&table.name);
            let mut rows = part.as_ref().map(rows).unwrap_or_default();
            for row in &mut rows {
                let kind = match row.label.as_str() {
                    "key" => Kind::TableKey,
                    "TTL" => Kind::TtlDiffers,
                    _ if row.value == "none" => Kind::NoStream,
                    _ => Kind::StreamView,
                };
                row.health = row.health.max(self.health_of(&subject, kind));
            }
            // The rules know the key, if nothing else does.
            if rows.iter().all(|row| row.label != "key") {
                let key: Vec<_> = table.key.names().collect();
                rows.insert(0, needed("key", key.join(", ")));
            }
            if part.is_none() && streamed.contains(id) {
                rows.push(needed("stream", STREAM_VIEW.to_owned()));
            }
            let health = if part.is_some() { Health::Ok } else { Health::Unknown };
            self.add(subject, BoxKind::Table, &table.name, rows, health);
        }
    }

    fn function(&mut self) {
        let rows = self.system.function.as_ref().map(rows).unwrap_or_default();
        let health = if self.system.function.is_some() { Health::Ok } else { Health::Unknown };
        let name = self.system.function_name();
        self.add(ids::FUNCTION.to_owned(), BoxKind::Function, name, rows, health);
    }

    fn mappings(&mut self) {
        for (position, mapping) in self.system.mappings.iter().enumerate() {
            let Some(table) = mapping.table() else { continue };
            let table = ids::table(table);
            if mapping.shown().is_ours {
                self.mapping(position, mapping, &table);
            } else {
                let name = mapping.shown().function.clone();
                let name = name.unwrap_or_else(|| mapping.shown().id.clone());
                let id = ids::reader(&name);
                self.add(id.clone(), BoxKind::Reader, &name, Vec::new(), Health::Ok);
                self.picture.connect(&table, &id, "stream", Health::Ok);
            }
        }
    }

    fn mapping(&mut self, position: usize, mapping: &Part<Mapping>, table: &str) {
        let id = ids::mapping(position);
        let mut rows = rows(mapping);
        for row in &mut rows {
            let kind = match row.label.as_str() {
                "state" => Kind::MappingDisabled,
                "batch item failures" => Kind::NoBatchItemFailures,
                "begins at" => Kind::StartsAtLatest,
                "filter" => Kind::FilterDropsDeletes,
                "given up" => Kind::NoFailureDestination,
                _ => continue,
            };
            let subject = if kind == Kind::MappingDisabled { table } else { &id };
            row.health = row.health.max(self.health_of(subject, kind));
        }
        let is_deployed = self.system.is_deployed(mapping, Area::Mappings);
        let is_disabled = mapping.known(|it| it.is_enabled) == Some(false);
        let is_stale = self.health_of(&id, Kind::StreamReplaced) == Health::Broken;
        let flow =
            if !is_deployed || is_disabled || is_stale { Health::Broken } else { Health::Ok };
        let alias = mapping.known(|it| it.alias.clone());
        let function = self.system.function_name();
        let source = mapping.table().unwrap_or_default();
        let name = match alias {
            Some(alias) => format!("{source} → {function}:{alias}"),
            None => format!("{source} → {function}"),
        };
        let health = if is_deployed { Health::Ok } else { Health::Difference };
        self.add(id.clone(), BoxKind::Mapping, &name, rows, health);
        self.picture.connect(table, &id, "stream", flow);
        self.picture.connect(&id, ids::FUNCTION, "batches", flow);
        if let Some(arn) = mapping.destination() {
            let target = self.target(&arn);
            self.picture.connect(&id, &target, "given up", Health::Ok);
        }
    }

    /// The tables that the rules watch and no mapping reads: broken if that is known, and else what
    /// the rules need.
    fn unread_tables(&mut self) {
        for id in streamed(self.system.rules) {
            let name = &self.system.rules[id].name;
            let mut ours = self.system.mappings.iter().filter(|it| it.shown().is_ours);
            if ours.any(|it| it.table() == Some(name)) {
                continue;
            }
            let is_broken = self.system.covers(Area::Mappings);
            let (label, health) = if is_broken {
                ("no event source mapping", Health::Broken)
            } else {
                ("stream", Health::Unknown)
            };
            self.picture.connect(&ids::table(name), ids::FUNCTION, label, health);
        }
    }

    /// The way of mirrors back into the tables.
    fn mirrors(&mut self) {
        let mut by_table: BTreeMap<TableId, Vec<&str>> = BTreeMap::new();
        for mirror in self.system.rules.mirrors.iter().filter(|it| it.mode == Mode::Enforce) {
            by_table.entry(self.system.rules[mirror.mirror].table).or_default().push(&mirror.name);
        }
        for (id, names) in by_table {
            let label = match names.as_slice() {
                [one] => format!("mirror {one}"),
                several => format!("{} mirrors", several.len()),
            };
            let table = ids::table(&self.system.rules[id].name);
            self.picture.connect(ids::FUNCTION, &table, &label, Health::Ok);
        }
    }

    /// The queue on which suspects wait, and its dead-letter queue.
    fn queues(&mut self) {
        let Some(name) = self.system.recheck_queue() else { return };
        let id = ids::queue(&name);
        let queue = self.system.queues.iter().find(|it| it.shown().name == name);
        let mapping =
            self.system.mappings.iter().enumerate().find(|(_, it)| {
                it.shown().is_ours && it.shown().source == Source::Queue(name.clone())
            });
        let mut rows = queue.map(rows).unwrap_or_default();
        let mut health = Health::Ok;
        if let Some((position, mapping)) = mapping {
            rows.extend(self::rows(mapping));
            for finding in self.findings.iter().filter(|it| it.subject == ids::mapping(position)) {
                health = health.max(Health::of(finding.kind.severity()));
            }
        }
        self.add(id.clone(), BoxKind::Queue, &name, rows, health);
        self.picture.connect(ids::FUNCTION, &id, "suspects", Health::Ok);
        let is_broken = self.health_of(ids::FUNCTION, Kind::RecheckNotRead) == Health::Broken;
        if is_broken {
            self.picture.connect(&id, ids::FUNCTION, "no event source mapping", Health::Broken);
        } else {
            self.picture.connect(&id, ids::FUNCTION, "after the grace period", Health::Ok);
        }
        if let Some(dead) = queue.and_then(|it| it.known(|queue| queue.dead_letters.clone())) {
            let dead_id = ids::queue(&dead);
            self.add(dead_id.clone(), BoxKind::Queue, &dead, Vec::new(), Health::Ok);
            self.picture.connect(&id, &dead_id, "dead letters", Health::Ok);
        }
    }

    fn log_group(&mut self) {
        if let Some(group) = &self.system.log_group {
            let name = &group.shown().name;
            self.add(ids::LOG_GROUP.to_owned(), BoxKind::LogGroup, name, rows(group), Health::Ok);
            self.picture.connect(ids::FUNCTION, ids::LOG_GROUP, "violations", Health::Ok);
        }
    }

    fn alarms(&mut self) {
        if self.system.alarms.is_empty() {
            return;
        }
        let prefix = format!("{}-", self.system.function_name());
        let mut alarms = Vec::new();
        let mut metrics: BTreeMap<&str, usize> = BTreeMap::new();
        for alarm in &self.system.alarms {
            let shown = alarm.shown();
            *metrics.entry(shown.namespace.as_str()).or_default() += 1;
            let state = match alarm.known(|it| it.state.clone()).as_deref() {
                Some("INSUFFICIENT_DATA") => "no data".to_owned(),
                Some(state) => state.to_owned(),
                None => shown.condition.clone().unwrap_or_default(),
            };
            let differs = alarm.settings().iter().any(|it| it.planned.is_some());
            let (value, health) = if notifies_nobody(alarm) {
                (format!("{state}, notifies nobody"), Health::Broken)
            } else if !self.system.is_deployed(alarm, Area::Alarms) || differs {
                (state, Health::Difference)
            } else {
                (state, if is_firing(alarm) { Health::Warning } else { Health::Ok })
            };
            let label = shown.name.strip_prefix(&prefix).unwrap_or(&shown.name).to_owned();
            alarms.push(Row { label, value, terraform: None, health });
        }
        let metrics = metrics.into_iter().map(|(namespace, count)| Row {
            label: namespace.to_owned(),
            value: if count == 1 { "1 alarm".to_owned() } else { format!("{count} alarms") },
            terraform: None,
            health: Health::Ok,
        });
        let metrics = metrics.collect();
        self.add(ids::METRICS.to_owned(), BoxKind::Metrics, "CloudWatch", metrics, Health::Ok);
        self.add(ids::ALARMS.to_owned(), BoxKind::Alarms, "CloudWatch", alarms, Health::Ok);
        self.picture.connect(ids::FUNCTION, ids::METRICS, "counts", Health::Ok);
        self.picture.connect(ids::METRICS, ids::ALARMS, "thresholds", Health::Ok);
        let actions = self.system.alarms.iter().filter_map(|it| it.known(|it| it.actions.clone()));
        let mut actions: Vec<String> = actions.flatten().collect();
        actions.sort();
        actions.dedup();
        for arn in actions {
            let target = self.target(&arn);
            self.picture.connect(ids::ALARMS, &target, "notify", Health::Ok);
        }
    }

    fn audit(&mut self) {
        let Some(audit) = &self.system.audit else { return };
        let name = audit.known(|it| it.state_machine.clone()).unwrap_or_default();
        let id = ids::STATE_MACHINE;
        self.add(id.to_owned(), BoxKind::StateMachine, &name, Vec::new(), Health::Ok);
        self.picture.connect(id, ids::FUNCTION, "audits", Health::Ok);
        if audit.known(|it| it.schedule.clone()).is_some() {
            let schedule = ids::SCHEDULE;
            self.add(schedule.to_owned(), BoxKind::Schedule, "audit", rows(audit), Health::Ok);
            let is_off = audit.known(|it| it.is_enabled) == Some(false);
            let health = if is_off { Health::Warning } else { Health::Ok };
            self.picture.connect(schedule, id, "starts", health);
        }
    }

    /// The box of a queue, topic or bucket.
    fn target(&mut self, arn: &str) -> String {
        let id = ids::target(arn);
        self.add(id.clone(), BoxKind::of_arn(arn), name_of_arn(arn), Vec::new(), Health::Ok);
        id
    }

    fn add(&mut self, id: String, kind: BoxKind, name: &str, rows: Vec<Row>, health: Health) {
        self.picture.add(PartBox { id, kind, name: name.to_owned(), rows, health });
    }

    /// The health of what a kind of finding concerns.
    fn health_of(&self, subject: &str, kind: Kind) -> Health {
        let has = self.findings.iter().any(|it| it.kind == kind && it.subject == subject);
        if has { Health::of(kind.severity()) } else { Health::Ok }
    }
}

fn rows<T: Facts>(part: &Part<T>) -> Vec<Row> {
    let row = |Compared { label, value, planned }: Compared| Row {
        label: label.to_owned(),
        value,
        health: if planned.is_some() { Health::Difference } else { Health::Ok },
        terraform: planned,
    };
    part.settings().into_iter().map(row).collect()
}

/// A setting that the rules need.
fn needed(label: &str, value: String) -> Row {
    Row { label: label.to_owned(), value, terraform: None, health: Health::Unknown }
}
