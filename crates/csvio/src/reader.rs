//! The streaming reader: one bounded window over the source, one record at a time.

use std::io::{self, Read};

use crate::{
    Broken, CSV_COLUMNS, CSV_NUL, CSV_QUOTE, CSV_UTF8, Column, Columns, HeaderError, RECORD_TOO_LONG, Record,
    Reject,
    columns::Header,
    input::read_fully,
    parse::{Fields, Parsed, parse_record},
};

/// Bounds on what is read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest record, with its line end.
    pub record_bytes: usize,
    /// The most columns of a header.
    pub columns: usize,
    /// The most bytes of text of a file, after unpacking.
    pub total_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { record_bytes: 64 * 1024, columns: 256, total_bytes: 8 << 30 }
    }
}

/// Why reading cannot go on; everything before it has been read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source failed, for example a gzip file that is cut off.
    #[error("the file cannot be read beyond line {line}: {source}")]
    Io {
        /// The last line that was reached.
        line: u64,
        /// What failed.
        source: io::Error,
    },
    /// Beyond [`Limits::total_bytes`].
    #[error("the file holds more than {0} bytes of text")]
    TooLarge(u64),
}

/// What comes next in the file.
#[derive(Debug)]
pub enum Entry<'a> {
    /// A row.
    Row(Record<'a>),
    /// Something that is no row, with its report.
    Broken(Broken),
}

/// Reads records one by one in memory bounded by [`Limits::record_bytes`].
pub struct Reader<R> {
    source: R,
    limits: Limits,
    /// The window: unread text is `buffer[start..]`.
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    failed: Option<io::Error>,
    read_bytes: u64,
    /// The physical line that `start` is on.
    line: u64,
    fields: Fields,
    header: Header,
}

/// How the record at the front of the window turned out.
enum Front {
    End,
    Record {
        bytes: usize,
    },
    /// The record starts on a line that cannot be one; of the line only the start may be in the window.
    Bad {
        code: &'static str,
    },
}

/// How much of a broken line is kept for [`Broken::guess`].
const KEPT_BYTES: usize = 1024;

impl<R: Read> Reader<R> {
    /// Reads the header of `source`.
    ///
    /// # Errors
    /// [`HeaderError`] when the file cannot be one of `columns`.
    pub fn new(source: R, columns: &Columns) -> Result<Self, HeaderError> {
        Self::with_limits(source, columns, Limits::default())
    }

    /// [`Reader::new`] with other bounds.
    ///
    /// # Errors
    /// [`HeaderError`] when the file cannot be one of `columns`.
    pub fn with_limits(source: R, columns: &Columns, limits: Limits) -> Result<Self, HeaderError> {
        let mut reader = Self {
            source,
            limits,
            buffer: Vec::new(),
            start: 0,
            ended: false,
            failed: None,
            read_bytes: 0,
            line: 1,
            fields: Fields::default(),
            header: Header::default(),
        };
        reader.skip_byte_order_mark()?;
        reader.header = reader.read_header(columns)?;
        Ok(reader)
    }

    /// The column of this name, if the file has it.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<Column> {
        self.header.find(name)
    }

    /// Columns of the file that nobody asked for; their values are not read.
    #[must_use]
    pub fn unknown_columns(&self) -> &[String] {
        &self.header.unknown
    }

    /// Bytes of text taken from the source so far, for progress.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read_bytes
    }

    /// The physical line that comes next.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The next row or the report of what stands in its place; `None` at the end. Empty lines are passed over.
    ///
    /// # Errors
    /// [`ReadError`] when reading cannot go on.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_>>, ReadError> {
        loop {
            let line = self.line;
            match self.front()? {
                Front::End => return Ok(None),
                Front::Bad { code } => return self.skip_bad_line(line, code).map(|b| Some(Entry::Broken(b))),
                Front::Record { bytes } => {
                    let from = self.start;
                    self.consume(bytes);
                    if self.fields.ends.len() == 1 && self.fields.bytes.is_empty() && bytes <= 2 {
                        continue;
                    }
                    return Ok(Some(self.entry(line, from, bytes)));
                }
            }
        }
    }

    fn entry(&self, line: u64, from: usize, bytes: usize) -> Entry<'_> {
        let broken = |code, reason: String| {
            let raw = self.buffer.get(from..from + bytes.min(KEPT_BYTES)).unwrap_or_default();
            Entry::Broken(Broken { reject: Reject::row(line, code, reason), start: raw.to_vec() })
        };
        // Each field by itself: two broken halves of a character in neighbouring fields would join up.
        let valid = std::str::from_utf8(&self.fields.bytes)
            .ok()
            .filter(|text| self.fields.ends.iter().all(|&end| text.is_char_boundary(end)));
        let Some(text) = valid else {
            return broken(CSV_UTF8, "the row is not valid UTF-8".to_owned());
        };
        if self.fields.bytes.contains(&0) {
            return broken(CSV_NUL, "the row holds a NUL character".to_owned());
        }
        let found = self.fields.ends.len();
        if found != self.header.width {
            let reason = format!("the row has {found} fields, the header {}", self.header.width);
            return broken(CSV_COLUMNS, reason);
        }
        Entry::Row(Record { line, text, ends: &self.fields.ends })
    }

    /// Parses the record at the front of the window, reading on as needed.
    fn front(&mut self) -> Result<Front, ReadError> {
        loop {
            let window = &self.buffer[self.start..];
            if window.is_empty() {
                if self.ended {
                    return Ok(Front::End);
                }
                self.fill()?;
                continue;
            }
            let bounded = &window[..window.len().min(self.limits.record_bytes)];
            let last = self.ended && bounded.len() == window.len();
            match parse_record(bounded, last, &mut self.fields) {
                Parsed::Record(bytes) => return Ok(Front::Record { bytes }),
                Parsed::BadQuote => return Ok(Front::Bad { code: CSV_QUOTE }),
                Parsed::More { .. } if !self.ended && window.len() < self.limits.record_bytes => {
                    self.fill()?
                }
                Parsed::More { quoted } => {
                    // An open quote swallowed what follows: its own line is at fault, unless that is too long itself.
                    let line_ends = bounded.contains(&b'\n') || last;
                    let code = if quoted && line_ends { CSV_QUOTE } else { RECORD_TOO_LONG };
                    return Ok(Front::Bad { code });
                }
            }
        }
    }

    /// Passes over the physical line at the front, however long, keeping only its start.
    fn skip_bad_line(&mut self, line: u64, code: &'static str) -> Result<Broken, ReadError> {
        let mut start = Vec::new();
        loop {
            let window = &self.buffer[self.start..];
            let end = window.iter().position(|&byte| byte == b'\n');
            let taken = end.map_or(window.len(), |end| end + 1);
            let missing = KEPT_BYTES - start.len();
            start.extend_from_slice(&window[..taken.min(missing)]);
            self.consume(taken);
            if end.is_some() || self.ended {
                break;
            }
            self.fill()?;
        }
        let reason = match code {
            RECORD_TOO_LONG => format!("the row is longer than {} bytes", self.limits.record_bytes),
            _ => "quotes do not pair up, or stand inside a field that is not quoted".to_owned(),
        };
        Ok(Broken { reject: Reject::row(line, code, reason), start })
    }

    fn consume(&mut self, bytes: usize) {
        let taken = self.buffer.get(self.start..self.start + bytes).unwrap_or_default();
        self.line += taken.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.start += bytes;
    }

    /// Moves the unread text to the front and reads a piece behind it.
    fn fill(&mut self) -> Result<(), ReadError> {
        if let Some(source) = self.failed.take() {
            return Err(ReadError::Io { line: self.line, source });
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let filled = self.buffer.len();
        self.buffer.resize(filled + self.limits.record_bytes, 0);
        let (count, failure) = read_fully(&mut self.source, &mut self.buffer[filled..]);
        self.buffer.truncate(filled + count);
        self.ended = count < self.limits.record_bytes && failure.is_none();
        // Rows before the damage are good; it is reported when they are used up.
        self.failed = failure;
        self.read_bytes += count as u64;
        if self.read_bytes > self.limits.total_bytes {
            return Err(ReadError::TooLarge(self.limits.total_bytes));
        }
        Ok(())
    }

    fn skip_byte_order_mark(&mut self) -> Result<(), HeaderError> {
        self.fill().map_err(|error| HeaderError::Io(io::Error::other(error)))?;
        if self.buffer.starts_with(b"\xef\xbb\xbf") {
            self.start = 3;
        }
        Ok(())
    }

    fn read_header(&mut self, columns: &Columns) -> Result<Header, HeaderError> {
        let bytes = match self.front().map_err(|error| HeaderError::Io(io::Error::other(error)))? {
            Front::End => return Err(HeaderError::Empty),
            Front::Bad { code } => return Err(HeaderError::Unreadable(code)),
            Front::Record { bytes } => bytes,
        };
        self.consume(bytes);
        if self.fields.ends.len() > self.limits.columns {
            return Err(HeaderError::TooMany(self.limits.columns));
        }
        if self.fields.bytes.contains(&0) {
            return Err(HeaderError::Unreadable(CSV_NUL));
        }
        let text = std::str::from_utf8(&self.fields.bytes).map_err(|_| HeaderError::Unreadable(CSV_UTF8))?;
        let mut start = 0;
        let mut names = Vec::with_capacity(self.fields.ends.len());
        for &end in &self.fields.ends {
            names.push(text.get(start..end).unwrap_or(""));
            start = end;
        }
        if names == [""] {
            return Err(HeaderError::Empty);
        }
        Header::new(&names, columns)
    }
}

impl<R> std::fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("line", &self.line)
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}
