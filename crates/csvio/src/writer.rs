//! Rows out: quoted where needed, formulas escaped.

use std::io::{self, Write};

use crate::formula::escape_formula;

/// Writes RFC 4180 with CR LF line ends. Wrap a file in a `BufWriter`: this writes field by field.
#[derive(Debug)]
pub struct Writer<W: Write> {
    target: W,
    in_row: bool,
}

impl<W: Write> Writer<W> {
    /// A writer of rows to `target`.
    pub fn new(target: W) -> Self {
        Self { target, in_row: false }
    }

    /// The header row.
    ///
    /// # Errors
    /// Those of the target.
    pub fn header(&mut self, names: &[&str]) -> io::Result<()> {
        for name in names {
            self.plain(name)?;
        }
        self.end_row()
    }

    /// A field of text, its formula escaped.
    ///
    /// # Errors
    /// Those of the target.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.plain(&escape_formula(text))
    }

    /// A field that is a number, a time or a code: as it is, also with a minus sign.
    ///
    /// # Errors
    /// Those of the target.
    pub fn plain(&mut self, field: &str) -> io::Result<()> {
        if self.in_row {
            self.target.write_all(b",")?;
        }
        self.in_row = true;
        let spaced = field.starts_with(' ') || field.ends_with(' ');
        if !spaced && !field.contains([',', '"', '\n', '\r']) {
            return self.target.write_all(field.as_bytes());
        }
        self.target.write_all(b"\"")?;
        for (place, part) in field.split('"').enumerate() {
            if place > 0 {
                self.target.write_all(b"\"\"")?;
            }
            self.target.write_all(part.as_bytes())?;
        }
        self.target.write_all(b"\"")
    }

    /// Ends the row.
    ///
    /// # Errors
    /// Those of the target.
    pub fn end_row(&mut self) -> io::Result<()> {
        self.in_row = false;
        self.target.write_all(b"\r\n")
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// Those of the target.
    pub fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }

    /// The target, with everything written but not flushed.
    pub fn into_inner(self) -> W {
        self.target
    }
}
