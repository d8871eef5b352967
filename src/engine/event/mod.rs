//! Lambda's event, decoded into the history of each item, and the response to it.

pub(crate) mod batch;
pub(crate) mod change;
mod coalesce;
mod cursor;
pub(crate) mod decode;
pub(crate) mod home;
mod image;
mod one_pass;
#[cfg(feature = "lambda")]
pub(crate) mod response;
mod text;
mod wire;

pub(crate) use coalesce::coalesce;
