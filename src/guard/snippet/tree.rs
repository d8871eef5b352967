//! An action as a tree of values, from which the code in each language is printed.

use serde_json::Value as Json;

use crate::guard::expression::Expressions;
use crate::guard::{ActionKind, TransactAction};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    /// Bytes in base64, or a placeholder.
    Bytes(String),
    Flag(bool),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Converts an action to a tree with the field names of DynamoDB's API.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItem.html>
    pub(super) fn of_action(action: &TransactAction) -> Self {
        let expressions = Expressions::of(action);
        let key = || Self::of_attributes(&action.key);
        let (name, (attribute, item)) = match action.kind {
            ActionKind::Put => {
                ("Put", ("Item", Self::of_attributes(action.key.iter().chain(&action.content))))
            }
            ActionKind::Update => ("Update", ("Key", key())),
            ActionKind::Delete => ("Delete", ("Key", key())),
            ActionKind::Check => ("ConditionCheck", ("Key", key())),
        };
        let names = expressions.names.into_iter().map(|(of, name)| (of, Self::Text(name)));
        let values = expressions.values.into_iter().map(|(of, value)| (of, Self::of_value(&value)));
        let (names, values): (Vec<_>, Vec<_>) = (names.collect(), values.collect());
        let fields = [
            ("TableName", Some(Self::Text(action.table.clone()))),
            (attribute, Some(item)),
            ("UpdateExpression", expressions.update.map(Self::Text)),
            ("ConditionExpression", expressions.condition.map(Self::Text)),
            ("ExpressionAttributeNames", (!names.is_empty()).then_some(Self::Map(names))),
            ("ExpressionAttributeValues", (!values.is_empty()).then_some(Self::Map(values))),
        ];
        let fields = fields.into_iter().filter_map(|(name, node)| Some((name.to_owned(), node?)));
        Self::Map(vec![(name.to_owned(), Self::Map(fields.collect()))])
    }

    fn of_attributes<'a>(attributes: impl IntoIterator<Item = (&'a String, &'a Json)>) -> Self {
        let attributes = attributes.into_iter();
        Self::Map(attributes.map(|(name, value)| (name.clone(), Self::of_value(value))).collect())
    }

    /// A value with its type.
    fn of_value(value: &Json) -> Self {
        let Some((tag, inner)) = value.as_object().and_then(|map| map.iter().next()) else {
            return Self::plain(value, &Self::Text);
        };
        let inner = match (tag.as_str(), inner) {
            ("B" | "BS", bytes) => Self::plain(bytes, &Self::Bytes),
            ("L", Json::Array(list)) => Self::List(list.iter().map(Self::of_value).collect()),
            ("M", Json::Object(map)) => Self::of_attributes(map),
            (_, other) => Self::plain(other, &Self::Text),
        };
        Self::Map(vec![(tag.clone(), inner)])
    }

    /// Converts a string, a Boolean, or a set of strings.
    fn plain(value: &Json, of_text: &dyn Fn(String) -> Self) -> Self {
        match value {
            Json::Bool(flag) => Self::Flag(*flag),
            Json::Array(list) => {
                Self::List(list.iter().map(|value| Self::plain(value, of_text)).collect())
            }
            Json::String(text) => of_text(text.clone()),
            // DynamoDB JSON has no other values.
            Json::Null | Json::Number(_) | Json::Object(_) => Self::List(Vec::new()),
        }
    }

    /// Whether the tree contains bytes.
    pub(super) fn has_bytes(&self) -> bool {
        match self {
            Self::Text(_) | Self::Flag(_) => false,
            Self::Bytes(_) => true,
            Self::List(list) => list.iter().any(Self::has_bytes),
            Self::Map(entries) => entries.iter().any(|(_, node)| node.has_bytes()),
        }
    }
}
