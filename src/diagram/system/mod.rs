//! The picture of everything around the function: tables, streams, event source mappings, the
//! function, its log group, metrics, alarms, queues, failure destinations and audits.
//!
//! What is deployed comes from Terraform's JSON ([`terraform`]), from an account, or from both, as a
//! [`Deployment`](deployment::Deployment). [`System`] combines them with the rules, [`findings`] says
//! what is wrong, [`draw`] makes boxes and arrows of it, and [`render`] a picture for any format.
//!
//! Invariant: nothing here does I/O. The callers read the files and send the requests to AWS.

mod check;
pub mod deployment;
mod draw;
mod facts;
mod finding;
mod ids;
mod lines;
mod part;
mod picture;
mod render;
#[expect(clippy::module_inception, reason = "the type is the subject of the module")]
mod system;
pub mod terraform;

pub use check::{findings, is_failure};
pub use draw::draw;
pub use finding::{Finding, Kind, Severity};
pub use lines::{Line, lines};
pub use picture::{Arrow, BoxKind, Health, PartBox, Picture, Row};
pub use render::{condensed, render};
pub use system::{DEFAULT_FUNCTION, Sources, System};
