//! The header: which field holds which column, in any order.

use std::io;

/// The place of a known column in this file's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The column's name, as declared.
    pub name: &'static str,
    pub(crate) index: usize,
}

/// The columns that a kind of file may have.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    /// Without one of these the file is refused.
    pub required: &'static [&'static str],
    /// These may be missing.
    pub optional: &'static [&'static str],
}

/// Why a file is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// No header row.
    #[error("the file is empty; its first line must name the columns")]
    Empty,
    /// The first line is no CSV row of UTF-8 text within bounds.
    #[error("the first line cannot be read as a header: {0}")]
    Unreadable(&'static str),
    /// Columns that must be there.
    #[error("the header lacks the columns: {}", .0.join(", "))]
    Missing(Vec<&'static str>),
    /// One name twice.
    #[error("the header names the column {0} twice")]
    Twice(String),
    /// Beyond [`crate::Limits::columns`].
    #[error("the header has more than {0} columns")]
    TooMany(usize),
    /// The source failed.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// The columns of one file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header {
    pub(crate) width: usize,
    pub(crate) known: Vec<Column>,
    pub(crate) unknown: Vec<String>,
}

impl Header {
    pub(crate) fn new(names: &[&str], columns: &Columns) -> Result<Self, HeaderError> {
        let mut header = Self { width: names.len(), ..Self::default() };
        let mut seen: Vec<String> = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let name = name.trim().to_lowercase();
            if seen.contains(&name) {
                return Err(HeaderError::Twice(name));
            }
            let mut declared = columns.required.iter().chain(columns.optional);
            match declared.find(|declared| **declared == name) {
                Some(name) => header.known.push(Column { name, index }),
                None => header.unknown.push(name.clone()),
            }
            seen.push(name);
        }
        let missing: Vec<_> =
            columns.required.iter().copied().filter(|name| header.find(name).is_none()).collect();
        if missing.is_empty() { Ok(header) } else { Err(HeaderError::Missing(missing)) }
    }

    pub(crate) fn find(&self, name: &str) -> Option<Column> {
        self.known.iter().copied().find(|column| column.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns = Columns { required: &["sku", "name"], optional: &["price"] };

    // CAT-3
    #[test]
    fn columns_come_in_any_order_and_unknown_ones_are_reported() {
        let header = Header::new(&["Price", "colour", " sku ", "NAME"], &COLUMNS).unwrap();
        assert_eq!(header.find("sku").map(|column| column.index), Some(2));
        assert_eq!(header.find("price").map(|column| column.index), Some(0));
        assert_eq!(header.unknown, ["colour"]);
    }

    #[test]
    fn missing_and_doubled_columns_refuse_the_file_by_name() {
        let missing = Header::new(&["sku"], &COLUMNS).unwrap_err().to_string();
        assert_eq!(missing, "the header lacks the columns: name");
        let twice = Header::new(&["sku", "name", "Sku"], &COLUMNS).unwrap_err().to_string();
        assert_eq!(twice, "the header names the column sku twice");
    }
}
