//! Strings of the event.

use std::borrow::Cow;

use serde::Deserialize;

/// A string, borrowed from the event if its JSON has no escapes.
#[derive(Clone, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);
