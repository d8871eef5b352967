//! The engine on the in-memory store: what it decides, reports and writes, and what that costs.
//!
//! # Layout
//!
//! - `decisions`: what a history leads to, case by case.
//! - `decode`: stream records, well-formed and malformed.
//! - `laws`: properties that hold for every history.
//! - `model`: the races, checked exhaustively.
//! - `at_rest`: audits of tables.
//! - `repair`: repairs of tables at rest.
//! - `cost`, `large`: requests, capacity units and memory.

mod at_rest;
mod cost;
mod decisions;
mod decode;
mod large;
mod laws;
mod model;
mod repair;
