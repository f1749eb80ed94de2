//! Rows as they come out of the reader: good ones and broken ones.

use std::borrow::Cow;

use crate::{
    CSV_FORMULA, Column, Reject,
    formula::{looks_like_formula, unescape_formula},
    parse::guess_field,
};

/// A row that could be read: as many fields as the header has, all of them UTF-8 without NUL.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    pub(crate) line: u64,
    pub(crate) text: &'a str,
    pub(crate) ends: &'a [usize],
}

impl<'a> Record<'a> {
    /// The physical line it starts on; the header is line 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The field as it stands, without its quotes; for numbers, times and codes.
    #[must_use]
    pub fn raw(&self, column: Column) -> &'a str {
        let start = match column.index {
            0 => 0,
            index => self.ends.get(index - 1).copied().unwrap_or(0),
        };
        let end = self.ends.get(column.index).copied().unwrap_or(start);
        self.text.get(start..end).unwrap_or("")
    }

    /// A field of text, its formula escape taken off; not trimmed.
    ///
    /// # Errors
    /// A reject with [`CSV_FORMULA`] for a cell that a spreadsheet would run.
    pub fn text(&self, column: Column) -> Result<&'a str, Reject> {
        let raw = self.raw(column);
        if looks_like_formula(raw) {
            return Err(self.reject(
                column.name,
                CSV_FORMULA,
                "starts like a spreadsheet formula; put an apostrophe before it if it is meant as text",
            ));
        }
        Ok(unescape_formula(raw))
    }

    /// A report about this row.
    #[must_use]
    pub fn reject(
        &self,
        column: &'static str,
        code: &'static str,
        reason: impl Into<Cow<'static, str>>,
    ) -> Reject {
        Reject { line: self.line, column: Cow::Borrowed(column), code, reason: reason.into() }
    }
}

/// A row that could not be read; the reader has already gone on behind it.
#[derive(Debug, Clone)]
pub struct Broken {
    /// What to report.
    pub reject: Reject,
    pub(crate) start: Vec<u8>,
}

impl Broken {
    /// What probably stands in `column`: the row is broken, so this is good for refusing more (the rest of the sale
    /// it belongs to), never for taking anything.
    #[must_use]
    pub fn guess(&self, column: Column) -> Option<String> {
        guess_field(&self.start, column.index)
    }
}
