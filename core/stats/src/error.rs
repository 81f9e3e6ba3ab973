//! What can go wrong when figures are asked for. Never holds a count.

/// Why a table cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More dimensions than a table may have.
    #[error("at most {most} cuts, {asked} were asked for")]
    TooManyDimensions {
        /// How many were asked for.
        asked: usize,
        /// How many may be.
        most: usize,
    },
    /// A threshold below the smallest one.
    #[error("k = {asked} is below {least}: it may only be raised")]
    ThresholdTooLow {
        /// What was asked for.
        asked: u64,
        /// The smallest one.
        least: u64,
    },
    /// A word that names no dimension.
    #[error("no cut of that name: month, corridor, point")]
    UnknownDimension,
    /// A text that is no period.
    #[error("no period: a year (2026), a quarter (2026-Q1) or a month (2026-03)")]
    UnknownPeriod,
    /// A record that an indicator's expression could not be evaluated on.
    #[error("an expression of the indicator could not be evaluated on a record")]
    Expression,
    /// The audit's arithmetic did not come to an end; nothing is published then.
    #[error("the audit of the table did not come to an end")]
    Audit,
}
