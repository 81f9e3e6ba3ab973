//! Indicators, tabulation and disclosure control.
//!
//! Owns the one way from records to figures that somebody may see: [`Table<Raw>`] counts, [`Table::protect`] withholds,
//! and only a [`Table<Safe>`] can be read. A raw count cannot leave this crate: the type has no accessor for it. The
//! rules are domain 5.2 and docs/adr/0007; the threshold may be raised by whoever deploys, never lowered.

mod audit;
mod error;
mod period;
mod records;
mod table;
mod tabulate;

pub use error::Error;
pub use period::Period;
pub use records::{By, Count, Records, Unit};
pub use table::{Cell, Dimension, Raw, Rule, Safe, Table, Totals};
pub use tabulate::{Share, Tabulated, tabulate};

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// The smallest count that is ever printed beside people (domain 5.2(1)).
pub const SMALLEST_K: u64 = 5;
/// The smallest denominator of a share (domain 5.2(3)).
pub const SHARE_BASE: u64 = 20;
/// Most dimensions of a table (domain 5.2(6)).
pub const MAX_DIMENSIONS: usize = 3;
