//! The language of rule files, defined as data. The shape check, the manual and the JSON Schema are
//! all derived from this definition, so they always agree.

mod choices;
mod condition;
mod fixes;
mod format;
mod grammar;
mod manual;
mod schema;
mod settings;
mod shape;
mod subject;
mod table;
mod target;
mod words;

pub(crate) use choices::{ANY, PAIRED, SAME};
pub(crate) use format::{
    is_name, parse_duration, parse_key_attribute, parse_list_path, parse_path,
};
pub use manual::manual;
pub use schema::schema;
pub(crate) use settings::insert_variables;
pub(crate) use shape::check;
pub(crate) use table::ON_SYNONYM;
pub(crate) use target::{BY, EACH, ENTITY, INDEX, KEY};
