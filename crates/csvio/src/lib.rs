//! CSV in and out: streaming, bounded, and exact about what it could not read.
#![doc = include_str!("../README.md")]

mod columns;
mod formula;
mod input;
mod parse;
mod reader;
mod record;
mod rejects;
mod writer;

pub use columns::{Column, Columns, HeaderError};
pub use formula::{escape_formula, looks_like_formula, unescape_formula};
pub use input::open;
pub use reader::{Entry, Limits, ReadError, Reader};
pub use record::{Broken, Record};
pub use rejects::{Reject, RejectWriter};
pub use writer::Writer;

/// Quotes that do not pair up or stand inside a bare field.
pub const CSV_QUOTE: &str = "CSV_QUOTE";
/// Bytes that are not UTF-8.
pub const CSV_UTF8: &str = "CSV_UTF8";
/// A zero byte.
pub const CSV_NUL: &str = "CSV_NUL";
/// More or fewer fields than the header has.
pub const CSV_COLUMNS: &str = "CSV_COLUMNS";
/// A record beyond the bound.
pub const RECORD_TOO_LONG: &str = "RECORD_TOO_LONG";
/// A text cell that a spreadsheet would run.
pub const CSV_FORMULA: &str = "CSV_FORMULA";
