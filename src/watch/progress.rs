//! How far each shard of a stream has been read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::data::SequenceNumber;

/// How far the shards of one stream have been read, by shard ID. A shard without an entry has not
/// been read.
pub type Progress = BTreeMap<String, Checkpoint>;

/// How far a shard has been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checkpoint {
    /// Not at all; records before this time are skipped, in milliseconds since 1970.
    Since(i64),
    /// Up to this record.
    #[serde(with = "sequence")]
    After(SequenceNumber<'static>),
    /// To its end.
    Drained,
}

mod sequence {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::data::SequenceNumber;

    pub(super) fn serialize<S: Serializer>(
        sequence: &SequenceNumber<'static>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(sequence.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SequenceNumber<'static>, D::Error> {
        let text = String::deserialize(deserializer)?;
        SequenceNumber::parse(text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_survive_a_round_trip_through_json() {
        let after = Checkpoint::After(SequenceNumber::parse("170000000000000000001").unwrap());
        for (checkpoint, expected) in [
            (Checkpoint::Since(1_763_625_600_000), r#"{"since":1763625600000}"#),
            (after, r#"{"after":"170000000000000000001"}"#),
            (Checkpoint::Drained, r#""drained""#),
        ] {
            let json = serde_json::to_string(&checkpoint).unwrap();
            assert_eq!(json, expected);
            assert_eq!(serde_json::from_str::<Checkpoint>(&json).unwrap(), checkpoint);
        }
        serde_json::from_str::<Checkpoint>(r#"{"after":"x"}"#).unwrap_err();
    }
}
