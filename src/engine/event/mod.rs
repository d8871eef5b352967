//! Lambda's event and its answer.

pub(crate) mod coalesce;
pub(crate) mod decode;
mod image;
#[cfg(feature = "lambda")]
pub(crate) mod response;
mod wire;
