//! DynamoDB's data model: values, numbers, keys and items, and their JSON.
//!
//! The types can borrow from the text that is decoded, so that decoding a batch of stream records
//! does not copy their values.

pub(crate) mod ends;
mod item;
mod json;
mod key;
mod number;
mod path;
#[cfg(any(feature = "cli", test))]
mod plain;
mod sequence;
mod size;
mod time;
mod value;

pub use item::{Item, into_owned};
pub use json::{JsonItem, MAX_DEPTH, in_attribute, without_position};
pub use key::{
    Key, KeyAttribute, KeyError, KeyKind, KeySchema, KeyValue, PARTITION_KEY_BYTES_MAX,
    SORT_KEY_BYTES_MAX,
};
pub use number::{Number, NumberError};
pub use path::{Path, Step, follow};
#[cfg(any(feature = "cli", test))]
pub use plain::plain_item;
pub use sequence::{SequenceError, SequenceNumber};
#[cfg(any(feature = "cli", test))]
pub(crate) use size::value_bytes;
pub use size::{ITEM_BYTES_MAX, item_bytes};
#[cfg(any(feature = "cli", test))]
pub(crate) use time::Distance;
pub use time::Timestamp;
pub use value::{Type, Value};
