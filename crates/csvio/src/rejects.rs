//! The report of rows that were not taken: `line,column,code,reason`.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use crate::Writer;

/// One row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The physical line it starts on; the header is line 1.
    pub line: u64,
    /// The column at fault; empty when it is the whole row.
    pub column: Cow<'static, str>,
    /// Why, for programs.
    pub code: &'static str,
    /// Why, for people; never the value itself, which may be personal.
    pub reason: Cow<'static, str>,
}

impl Reject {
    /// A report about a whole row.
    #[must_use]
    pub fn row(line: u64, code: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { line, column: Cow::Borrowed(""), code, reason: reason.into() }
    }
}

/// Writes rejects as CSV and counts them.
#[derive(Debug)]
pub struct RejectWriter<W: Write> {
    writer: Writer<W>,
    count: u64,
}

impl<W: Write> RejectWriter<W> {
    /// Starts the report with its header.
    ///
    /// # Errors
    /// Those of the target.
    pub fn new(target: W) -> io::Result<Self> {
        let mut writer = Writer::new(target);
        writer.header(&["line", "column", "code", "reason"])?;
        Ok(Self { writer, count: 0 })
    }

    /// Adds one.
    ///
    /// # Errors
    /// Those of the target.
    pub fn write(&mut self, reject: &Reject) -> io::Result<()> {
        self.count += 1;
        self.writer.plain(&reject.line.to_string())?;
        self.writer.text(&reject.column)?;
        self.writer.plain(reject.code)?;
        self.writer.text(&reject.reason)?;
        self.writer.end_row()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// Those of the target.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_quoted_and_never_formulas() {
        let mut out = Vec::new();
        let mut rejects = RejectWriter::new(&mut out).unwrap();
        rejects.write(&Reject::row(7, "CSV_QUOTE", "=1, \"x\"")).unwrap();
        assert_eq!(rejects.count(), 1);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "line,column,code,reason\r\n7,,CSV_QUOTE,\"'=1, \"\"x\"\"\"\r\n");
    }
}
