//! XLSForm in, form pack out: folders of `.csv`, `.xlsx` and `.xls`. Every problem is a [`Message`] with sheet, row and
//! column; nothing that was written is dropped without one. It runs on a desk, never on a phone, and prints nothing.

mod compile;
mod folder;
mod message;
mod sheet;

pub use compile::{Compiled, Strictness, compile_form};
pub use folder::{Tables, check, choices_csv, pack_path, pack_tree, write_choices};
pub use message::{Message, Severity};
pub use sheet::{Sheet, Workbook, read_csv, read_workbook};

/// Limits on what is read, each reached by a test.
pub mod limits {
    /// Bytes of one file: 16 MiB.
    pub const FILE_BYTES: u64 = 16 << 20;
    /// Bytes that a workbook may unfold to: 128 MiB.
    pub const UNFOLDED_BYTES: u64 = 128 << 20;
    /// Rows of a sheet.
    pub const ROWS: usize = 100_000;
    /// Columns of a sheet.
    pub const COLUMNS: usize = 256;
    /// Characters of a cell.
    pub const CELL: usize = 32_000;
    /// Messages after which reading stops.
    pub const MESSAGES: usize = 1_000;
}
