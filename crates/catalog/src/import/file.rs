//! A product file, read in batches: rows, what is refused of them, and how often a row only repeats another.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    io::Read,
    sync::Arc,
};

use csvio::{Entry, HeaderError, ReadError, Reader, Reject};
use kernel::Currency;

use super::row::{PRODUCT_COLUMNS, Places, Row};
use crate::TaxTable;

/// Rows of one transaction, and reports held at once.
const BATCH: usize = 1_000;
/// Rows of one file: what it repeats is known from memory, about 40 bytes for each.
const ROWS_MOST: usize = 5_000_000;

/// A file while it is read.
pub(super) struct ProductFile<R> {
    reader: Reader<R>,
    places: Places,
    currency: Currency,
    taxes: Arc<TaxTable>,
    seen: HashMap<u64, u64>,
    hasher: RandomState,
}

/// The next piece of a file.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) rows: Vec<Row>,
    pub(super) rejects: Vec<Reject>,
    /// Rows that say again what an earlier row of the file said.
    pub(super) repeated: u64,
    /// Nothing follows.
    pub(super) is_last: bool,
    /// The line that the next piece begins on.
    pub(super) next_line: u64,
    /// Bytes of text read so far.
    pub(super) bytes: u64,
}

impl Batch {
    /// Rows of the file, whatever became of them.
    pub(super) fn size(&self) -> u64 {
        (self.rows.len() + self.rejects.len()) as u64 + self.repeated
    }
}

impl<R: Read> ProductFile<R> {
    pub(super) fn open(source: R, currency: Currency, taxes: Arc<TaxTable>) -> Result<Self, HeaderError> {
        let reader = Reader::new(source, &PRODUCT_COLUMNS)?;
        let places =
            Places::of(&reader).ok_or_else(|| HeaderError::Missing(PRODUCT_COLUMNS.required.to_vec()))?;
        Ok(Self { reader, places, currency, taxes, seen: HashMap::new(), hasher: RandomState::new() })
    }

    /// The next rows, in the order of the file. The same file always falls into the same pieces.
    pub(super) fn next_batch(&mut self) -> Result<Batch, ReadError> {
        let mut batch = Batch::default();
        while batch.rows.len() < BATCH && batch.rejects.len() < BATCH && batch.repeated < BATCH as u64 {
            let entry = match self.reader.next_entry()? {
                None => {
                    batch.is_last = true;
                    break;
                }
                Some(Entry::Broken(broken)) => {
                    batch.rejects.push(broken.reject);
                    continue;
                }
                Some(Entry::Row(record)) => {
                    let line = record.line();
                    Row::read(record, &self.places, self.currency, &self.taxes).map(|row| (line, row))
                }
            };
            match entry {
                Ok((line, row)) => self.admit(line, row, &mut batch),
                Err(reject) => batch.rejects.push(reject),
            }
        }
        batch.next_line = self.reader.line();
        batch.bytes = self.reader.bytes_read();
        Ok(batch)
    }

    /// A SKU may come again only to say the same.
    fn admit(&mut self, line: u64, row: Row, batch: &mut Batch) {
        let (key, digest) = (self.hasher.hash_one(&row.sku), row.digest());
        match self.seen.get(&key) {
            Some(known) if *known == digest => batch.repeated += 1,
            Some(_) => {
                let reason = "an earlier row has this SKU and says something else";
                batch.rejects.push(reject(line, "DUPLICATE_SKU", reason));
            }
            None if self.seen.len() >= ROWS_MOST => {
                let reason = "a file holds at most 5000000 products; split it";
                batch.rejects.push(reject(line, "TOO_MANY_ROWS", reason));
            }
            None => {
                self.seen.insert(key, digest);
                batch.rows.push(row);
            }
        }
    }
}

fn reject(line: u64, code: &'static str, reason: &'static str) -> Reject {
    Reject { column: "sku".into(), ..Reject::row(line, code, reason) }
}
