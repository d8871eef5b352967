//! Exports of tables to S3, on disk: sound, damaged, incremental.
//!
//! # Layout
//!
//! - `world`: writes exports and reads them.
//! - `places`: what an argument may name.
//! - `replica`: exports of a table in two Regions, compared.
//! - `content`: data files, whatever their form.
//! - `damage`: every kind of damage is reported.
//! - `incremental`: incremental exports on top of a full one.
//! - `sample`: the large sample has what it says.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

mod content;
mod damage;
mod incremental;
mod places;
mod replica;
mod sample;
mod world;
