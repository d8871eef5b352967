//! The command-line tool, and what it checks, prints and explains.
//!
//! # Layout
//!
//! - `verbs`, `explain`, `cases_and_diffs`, `replay_input`, `replay_formats`: the commands, run as
//!   processes.
//! - `browser`: diagrams and reports, in Chromium.
//! - `coverage`: what replays and audits say about items that match no entity.
//! - `diagnostics`, `design_mistakes`, `rule_file_laws`: rule files, correct and wrong.
//! - `diagram_system`: what `referee diagram system` finds in Terraform's JSON.
//! - `endpoints`: endpoints that cannot be used.
//! - `guard`, `iam`: the transactions and policies that the tool prints.
//! - `infer`: drafts of rule files, checked and audited.
//! - `repair`: plans, journals and backfills as files. `replica`: comparisons of dumps.
//! - `documents`, `transcripts`, `options`: the documentation agrees with the code.
//! - `structure`: which parts of the code use which others.

mod browser;
mod cases_and_diffs;
mod coverage;
mod dependencies;
mod design_mistakes;
mod diagnostics;
mod diagram_system;
mod documents;
#[cfg(feature = "live")]
mod endpoints;
mod explain;
mod guard;
mod iam;
mod infer;
mod options;
mod repair;
mod replay_formats;
mod replay_input;
mod replica;
mod rule_file_laws;
mod structure;
mod transcripts;
mod verbs;
