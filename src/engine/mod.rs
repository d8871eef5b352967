//! The pipeline from a batch of stream records to an outcome.
