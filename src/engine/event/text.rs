//! Text of the event.

use std::borrow::Cow;

use serde::Deserialize;

/// A text, borrowed from the event where its JSON has no escapes.
#[derive(Clone, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);
