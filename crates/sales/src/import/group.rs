//! Rows into sales: the rows of one external id, wherever they lie in the file, make one sale.
//!
//! The file is read twice: first to learn where each sale ends, then to gather; so memory holds only the sales that
//! are open at the moment.

use std::{
    collections::{HashMap, hash_map::RandomState},
    fs::File,
    hash::BuildHasher,
    io::Read,
};

use csvio::{Entry, Reader, Reject};
use kernel::Ctx;

use super::{
    ImportError,
    row::{COLUMNS, Places, Row, read_row},
};

/// Rows of unfinished sales that are held at most.
const MOST_OPEN_ROWS: usize = 1_000_000;
/// Rows of one sale at most.
pub(super) const MOST_SALE_ROWS: usize = 5_000;

type Source = Box<dyn Read + Send>;

/// A sale as it stands in the file, all its rows good by themselves.
#[derive(Debug)]
pub(super) struct FileSale {
    pub(super) external_id: String,
    pub(super) rows: Vec<Row>,
}

/// The next sales, and rows that belong to none.
#[derive(Debug, Default)]
pub(super) struct FilePage {
    pub(super) sales: Vec<FileSale>,
    pub(super) rejects: Vec<Reject>,
}

#[derive(Default)]
struct Open {
    rows: Vec<Row>,
    rejects: Vec<Reject>,
}

/// Gathers the sales of a file.
pub(super) struct Groups {
    ctx: Ctx,
    reader: Reader<Source>,
    places: Places,
    hasher: RandomState,
    /// By hash of the external id: the last line of the sale.
    ends: HashMap<u64, u64>,
    open: HashMap<String, Open>,
    open_rows: usize,
    rows: u64,
}

fn reader(file: File) -> Result<(Reader<Source>, Places), ImportError> {
    let reader = Reader::new(csvio::open(file)? as Source, &COLUMNS)?;
    let places = Places::find(|name| reader.column(name));
    let places = places.ok_or_else(|| std::io::Error::other("the header lacks a required column"))?;
    Ok((reader, places))
}

impl Groups {
    /// Reads the file once through `scout`, and is ready to gather from `file`.
    pub(super) fn open(scout: File, file: File, ctx: &Ctx) -> Result<Self, ImportError> {
        let hasher = RandomState::new();
        let mut ends = HashMap::new();
        let (mut scouting, places) = reader(scout)?;
        while let Some(entry) = scouting.next_entry()? {
            let (line, id) = match &entry {
                Entry::Row(record) => (record.line(), Some(record.raw(places.external_id).trim().to_owned())),
                Entry::Broken(broken) => (broken.reject.line, broken.guess(places.external_id)),
            };
            if let Some(id) = id {
                ends.insert(hasher.hash_one(&id), line);
            }
        }
        let (reader, places) = reader(file)?;
        let (ctx, open) = (ctx.clone(), HashMap::new());
        Ok(Self { ctx, reader, places, hasher, ends, open, open_rows: 0, rows: 0 })
    }

    /// Rows read so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// The next complete sales, up to `sales` of them or about `rows` rows; empty at the end of the file.
    pub(super) fn next_page(&mut self, sales: usize, rows: usize) -> Result<FilePage, ImportError> {
        let mut page = FilePage::default();
        let mut taken = 0;
        while page.sales.len() < sales && taken < rows && page.rejects.len() < rows {
            let Some(entry) = self.reader.next_entry()? else { break };
            self.rows += 1;
            let (line, id, row) = match entry {
                Entry::Row(record) => {
                    let id = record.text(self.places.external_id);
                    let row = read_row(&self.ctx, &record, &self.places);
                    match id {
                        Ok(id) => (record.line(), Some(id.trim().to_owned()), row),
                        Err(reject) => {
                            let raw = record.raw(self.places.external_id).trim().to_owned();
                            (record.line(), Some(raw), Err(reject))
                        }
                    }
                }
                Entry::Broken(broken) => {
                    (broken.reject.line, broken.guess(self.places.external_id), Err(broken.reject))
                }
            };
            let Some(id) = id.filter(|id| !id.is_empty() && id.chars().count() <= 200) else {
                page.rejects.push(row.err().unwrap_or_else(|| nameless(line)));
                continue;
            };
            let ends = self.ends.get(&self.hasher.hash_one(&id)) == Some(&line);
            self.add(&id, row)?;
            if ends && let Some(open) = self.open.remove(&id) {
                self.open_rows -= open.rows.len() + open.rejects.len();
                taken += open.rows.len();
                finish(id, open, &mut page);
            }
        }
        Ok(page)
    }

    fn add(&mut self, id: &str, row: Result<Row, Reject>) -> Result<(), ImportError> {
        if self.open_rows >= MOST_OPEN_ROWS {
            return Err(ImportError::TooScattered);
        }
        self.open_rows += 1;
        let open = self.open.entry(id.to_owned()).or_default();
        match row {
            Ok(row) => open.rows.push(row),
            Err(reject) => open.rejects.push(reject),
        }
        Ok(())
    }
}

fn nameless(line: u64) -> Reject {
    Reject::row(line, "REQUIRED", "external_id is required, 1 to 200 characters")
}

/// A sale with a bad row is not taken at all: its good rows are reported with it.
fn finish(external_id: String, open: Open, page: &mut FilePage) {
    let mut rejects = open.rejects;
    let first = open.rows.first().map(|row| row.head.clone());
    let differs = open.rows.iter().find(|row| Some(&row.head) != first.as_ref());
    if let Some(row) = differs {
        let reason =
            "shop, register, occurred_at, customer and tender must be the same in all rows of a sale";
        rejects.push(Reject::row(row.line, "SALE_INCONSISTENT", reason));
    }
    if open.rows.len() > MOST_SALE_ROWS {
        rejects.push(Reject::row(open.rows[0].line, "SALE_TOO_LARGE", "a sale has at most 5000 rows"));
    }
    if rejects.is_empty() {
        page.sales.push(FileSale { external_id, rows: open.rows });
        return;
    }
    refuse_rest(&open.rows, &mut rejects);
    page.rejects.append(&mut rejects);
}

/// Reports the rows that are fine by themselves but belong to a refused sale.
pub(super) fn refuse_rest(rows: &[Row], rejects: &mut Vec<Reject>) {
    let named: Vec<u64> = rejects.iter().map(|reject| reject.line).collect();
    let rest = rows.iter().filter(|row| !named.contains(&row.line));
    let reason = "another row of this sale was not taken, and half a sale never is";
    rejects.extend(rest.map(|row| Reject::row(row.line, "SALE_INCOMPLETE", reason)));
}
