//! The partial batch response that Lambda reads.
//!
//! Lambda uses the lowest sequence number in the response as the checkpoint and redelivers
//! everything from there on; an empty list means success. A null or empty identifier would fail the
//! whole batch. A misspelled outer key would lose data, because Lambda would assume success.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

use aws_lambda_events::event::streams::DynamoDbBatchItemFailure;
pub use aws_lambda_events::event::streams::DynamoDbEventResponse as PartialBatchResponse;

use crate::engine::report::outcome::Outcome;

/// The response to a batch with this outcome.
#[must_use]
pub fn answer(outcome: &Outcome) -> PartialBatchResponse {
    let mut response = PartialBatchResponse::default();
    response.batch_item_failures = outcome
        .checkpoint()
        .map(|handed_back| {
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = Some(handed_back.sequence.clone());
            failure
        })
        .into_iter()
        .collect();
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{HandedBack, Rejected};

    fn bytes(positions: &[(usize, &str)]) -> String {
        bytes_with(positions, Vec::new())
    }

    fn bytes_with(positions: &[(usize, &str)], rejected: Vec<Rejected>) -> String {
        let handed_back = positions
            .iter()
            .map(|(position, sequence)| HandedBack {
                position: *position,
                sequence: (*sequence).to_owned(),
                reason: "throttled".to_owned(),
            })
            .collect();
        let outcome = Outcome { rejected, handed_back, ..Outcome::default() };
        serde_json::to_string(&answer(&outcome)).unwrap()
    }

    #[test]
    fn success_is_an_empty_list() {
        assert_eq!(bytes(&[]), r#"{"batchItemFailures":[]}"#);
    }

    #[test]
    fn the_first_record_handed_back_is_the_checkpoint() {
        assert_eq!(
            bytes(&[(7, "0300"), (2, "0100"), (4, "0200")]),
            r#"{"batchItemFailures":[{"itemIdentifier":"0100"}]}"#
        );
    }

    /// If the response named such a record, Lambda would redeliver it for ever, and all later
    /// records would wait.
    #[test]
    fn an_unreadable_record_is_not_redelivered() {
        let unreadable = |position| Rejected {
            position,
            sequence: None,
            error: "the record is not a JSON object".to_owned(),
        };
        assert_eq!(bytes_with(&[], vec![unreadable(0)]), r#"{"batchItemFailures":[]}"#);
        assert_eq!(
            bytes_with(&[(2, "0100")], vec![unreadable(0), unreadable(1)]),
            r#"{"batchItemFailures":[{"itemIdentifier":"0100"}]}"#
        );
    }
}
