//! Use case: `markethall import stock`: set the levels that a file says.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    io::{self, Read, Write},
};

use csvio::{Column, Columns, Entry, HeaderError, ReadError, Reader, Record, Reject, RejectWriter};
use db::{Db, DbError, TenantTx};
use kernel::{Ctx, Quantity};
use serde::Serialize;

use crate::{
    change_stock::ChangeStockError,
    count_stock::set_on_hand,
    ensure_shops::{ensure_shops, is_shop_name},
    model::{Reason, ShopId},
    restock::StockLine,
    targets::find_known_skus,
};

/// The columns of a stock file.
pub const STOCK_COLUMNS: Columns = Columns { required: &["shop", "sku", "on_hand"], optional: &[] };

const BATCH: usize = 1000;
/// Tries of one batch when other transactions are in its way.
const MOST_TRIES: u32 = 5;

/// What became of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StockImport {
    /// Rows read, without the header.
    pub rows: u64,
    /// Rows that changed a level.
    pub changed: u64,
    /// Rows that said what the book says anyway.
    pub unchanged: u64,
    /// Rows not taken; the rejects say why.
    pub rejected: u64,
}

/// Why the import stopped; the rows before are taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportStockError {
    /// The file is no stock file.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The file cannot be read on.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The rejects cannot be written.
    #[error("the rejects cannot be written: {0}")]
    Rejects(#[from] io::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

struct Row {
    line: u64,
    shop: String,
    sku: String,
    on_hand: Quantity,
}

/// Sets the levels that the file says, by difference movements, a thousand rows per transaction.
///
/// An unknown shop is created, an unknown SKU rejected; of the same SKU and shop twice the first counts. Importing
/// the same file again changes nothing. `progress` is called after each batch.
///
/// # Errors
/// [`ImportStockError`]; rows of earlier batches are taken, and importing again goes on from there.
pub async fn import_stock<R: Read, W: Write>(
    db: &Db,
    ctx: &Ctx,
    source: R,
    rejects: &mut RejectWriter<W>,
    mut progress: impl FnMut(&StockImport),
) -> Result<StockImport, ImportStockError> {
    let mut reader = Reader::new(source, &STOCK_COLUMNS)?;
    let column = |name| reader.column(name).ok_or(HeaderError::Missing(vec![name]));
    let columns = [column("shop")?, column("sku")?, column("on_hand")?];
    let mut done = StockImport::default();
    let mut seen = Seen::default();
    loop {
        let (batch, refused, ended) = read_batch(&mut reader, columns)?;
        done.rows += (batch.len() + refused.len()) as u64;
        for reject in &refused {
            rejects.write(reject)?;
        }
        done.rejected += refused.len() as u64;
        let taken = take_batch(db, ctx, &batch, &mut seen).await?;
        for reject in &taken.rejects {
            rejects.write(reject)?;
        }
        done.rejected += taken.rejects.len() as u64;
        done.changed += taken.changed;
        done.unchanged += taken.unchanged;
        progress(&done);
        if ended {
            rejects.flush()?;
            return Ok(done);
        }
    }
}

fn read_batch<R: Read>(
    reader: &mut Reader<R>,
    columns: [Column; 3],
) -> Result<(Vec<Row>, Vec<Reject>, bool), ReadError> {
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    while rows.len() + rejects.len() < BATCH {
        match reader.next_entry()? {
            None => return Ok((rows, rejects, true)),
            Some(Entry::Broken(broken)) => rejects.push(broken.reject),
            Some(Entry::Row(record)) => match read_row(record, columns) {
                Ok(row) => rows.push(row),
                Err(reject) => rejects.push(reject),
            },
        }
    }
    Ok((rows, rejects, false))
}

fn read_row(record: Record<'_>, [shop, sku, on_hand]: [Column; 3]) -> Result<Row, Reject> {
    let shop_name = record.text(shop)?;
    if !is_shop_name(shop_name) {
        return Err(record.reject("shop", "INVALID_VALUE", "a shop is 1 to 200 characters"));
    }
    let sku_text = record.text(sku)?;
    if sku_text.is_empty() {
        return Err(record.reject("sku", "REQUIRED", "the SKU is missing"));
    }
    let invalid = "a level is a decimal with a point and up to 3 places, 0 to 1000000000";
    let level: Option<Quantity> = record.raw(on_hand).trim().parse().ok();
    match level.filter(|level| level.thousandths() >= 0) {
        Some(on_hand) => {
            let (shop, sku) = (shop_name.to_owned(), sku_text.to_owned());
            Ok(Row { line: record.line(), shop, sku, on_hand })
        }
        None => Err(record.reject("on_hand", "INVALID_VALUE", invalid)),
    }
}

/// Which SKUs and shops the file has named so far, 128 bits each; the keys are random, so that nobody can write a
/// file whose rows collide.
#[derive(Default)]
struct Seen {
    keys: HashSet<(u64, u64)>,
    high: RandomState,
    low: RandomState,
}

impl Seen {
    /// Whether it is the first time.
    fn insert(&mut self, shop: ShopId, sku: &str) -> bool {
        let pair = (shop, sku);
        self.keys.insert((self.high.hash_one(pair), self.low.hash_one(pair)))
    }
}

#[derive(Default)]
struct Taken {
    changed: u64,
    unchanged: u64,
    rejects: Vec<Reject>,
}

async fn take_batch(db: &Db, ctx: &Ctx, batch: &[Row], seen: &mut Seen) -> Result<Taken, ImportStockError> {
    let mut tries = 1;
    let (lines, mut taken) = prepare(db, ctx, batch, seen).await?;
    loop {
        match set_levels(db, ctx, &lines).await {
            Ok(changed) => {
                taken.changed = changed;
                taken.unchanged = lines.len() as u64 - changed;
                return Ok(taken);
            }
            Err(error) if error.is_conflict() && tries < MOST_TRIES => tries += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Finds shops and SKUs, in a transaction of their own: shops stay, whatever becomes of the levels.
async fn prepare(
    db: &Db,
    ctx: &Ctx,
    batch: &[Row],
    seen: &mut Seen,
) -> Result<(Vec<StockLine>, Taken), DbError> {
    let tx = db.begin(ctx).await?;
    let skus: BTreeSet<&str> = batch.iter().map(|row| row.sku.as_str()).collect();
    let known = find_known_skus(&tx, &skus).await?;
    let good: Vec<&Row> = batch.iter().filter(|row| known.contains(&row.sku)).collect();
    let names: BTreeSet<&str> = good.iter().map(|row| row.shop.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let shops: HashMap<String, ShopId> = ensure_shops(&tx, &names).await?;
    tx.commit().await?;
    let mut taken = Taken::default();
    let mut lines = Vec::with_capacity(batch.len());
    for row in batch {
        let reject = |column, code, reason: &'static str| Reject {
            line: row.line,
            column: std::borrow::Cow::Borrowed(column),
            code,
            reason: reason.into(),
        };
        match shops.get(&row.shop) {
            _ if !known.contains(&row.sku) => {
                taken.rejects.push(reject("sku", "UNKNOWN_SKU", "no product has this SKU"));
            }
            Some(shop) if seen.insert(*shop, &row.sku) => {
                lines.push(StockLine { shop: *shop, sku: row.sku.clone(), quantity: row.on_hand });
            }
            Some(_) => {
                let reason = "an earlier row names this SKU and shop";
                taken.rejects.push(reject("sku", "DUPLICATE_ROW", reason));
            }
            None => taken.rejects.push(reject("shop", "INVALID_VALUE", "no shop can be called so")),
        }
    }
    Ok((lines, taken))
}

async fn set_levels(db: &Db, ctx: &Ctx, lines: &[StockLine]) -> Result<u64, DbError> {
    if lines.is_empty() {
        return Ok(0);
    }
    let tx: TenantTx = db.begin(ctx).await?;
    let changed = match set_on_hand(&tx, lines, Reason::Import, None).await {
        Ok((_, changed)) => changed,
        Err(ChangeStockError::Db(error)) => return Err(error),
        Err(other) => return Err(DbError::Other(other.to_string())),
    };
    tx.commit().await?;
    Ok(changed)
}
