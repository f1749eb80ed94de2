//! Books a page of file sales in one transaction.

use std::collections::{BTreeSet, HashMap};

use catalog::{Sellable, TaxTable};
use csvio::Reject;
use customers::CustomerId;
use db::{Db, DbError, TenantTx};
use inventory::{Guard, ShopId};
use kernel::{
    Ctx, Money,
    vat::{self, PricedLine},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    group::{FileSale, refuse_rest},
    row::Row,
};
use crate::{
    booking::{self, Booking},
    insert_sales::insert_sales_stmt,
    model::{Channel, SaleId, SaleKind, Tender},
    price_sale::{BookedLine, PricedSale, policy},
    registers::{HISTORY_REGISTER, Register, ensure_registers},
};

/// The shop of sales whose row names none.
const DEFAULT_SHOP: &str = "HISTORY";

/// What became of a page.
#[derive(Debug, Default)]
pub(super) struct BookedPage {
    pub(super) sales: u64,
    pub(super) lines: u64,
    pub(super) unchanged: u64,
    pub(super) rejects: Vec<Reject>,
}

struct Names {
    registers: HashMap<(String, String), Register>,
    customers: HashMap<String, CustomerId>,
}

/// Books `sales`, all new ones or none.
pub(super) async fn book_page(
    db: &Db,
    ctx: &Ctx,
    taxes: &TaxTable,
    sales: &[FileSale],
) -> Result<BookedPage, DbError> {
    let mut page = BookedPage::default();
    if sales.is_empty() {
        return Ok(page);
    }
    let tx = db.begin(ctx).await?;
    let fresh = fresh_sales(&tx, sales, &mut page).await?;
    let products = find_products(&tx, &fresh).await?;
    let mut priced = Vec::with_capacity(fresh.len());
    for (sale, fingerprint) in fresh {
        match price(ctx, taxes, &products, sale) {
            Ok(figures) => priced.push((sale, fingerprint, figures)),
            Err(mut rejects) => {
                refuse_rest(&sale.rows, &mut rejects);
                page.rejects.append(&mut rejects);
            }
        }
    }
    if !priced.is_empty() {
        let names = find_names(&tx, &priced).await?;
        let mut bookings = Vec::with_capacity(priced.len());
        let mut imported = Vec::with_capacity(priced.len());
        for (sale, fingerprint, figures) in priced {
            let booking = booking(ctx, sale, figures, &names)?;
            imported.push((sale.external_id.as_str(), booking.id, fingerprint));
            page.lines += sale.rows.len() as u64;
            bookings.push(booking);
        }
        page.sales = bookings.len() as u64;
        write(&tx, &bookings, &imported).await?;
    }
    tx.commit().await?;
    Ok(page)
}

/// The sales that are not here yet; reports those that are here with other content.
async fn fresh_sales<'a>(
    tx: &TenantTx,
    sales: &'a [FileSale],
    page: &mut BookedPage,
) -> Result<Vec<(&'a FileSale, Uuid)>, DbError> {
    let ids: Vec<&str> = sales.iter().map(|sale| sale.external_id.as_str()).collect();
    let rows = tx.query(include_str!("find_imported.sql"), &[&tx.tenant_id(), &ids]).await?;
    let mut known: HashMap<String, Uuid> = HashMap::with_capacity(rows.len());
    for row in &rows {
        known.insert(row.try_get(0)?, row.try_get(1)?);
    }
    let mut fresh = Vec::with_capacity(sales.len());
    for sale in sales {
        let fingerprint = fingerprint(&sale.rows);
        match known.get(&sale.external_id) {
            None => fresh.push((sale, fingerprint)),
            Some(before) if *before == fingerprint => page.unchanged += 1,
            Some(_) => {
                let reason = "a sale with this external_id is here already, with other content";
                let reject = |row: &Row| Reject::row(row.line, "DUPLICATE_EXTERNAL_ID", reason);
                page.rejects.extend(sale.rows.iter().map(reject));
            }
        }
    }
    Ok(fresh)
}

/// 128 bits that change when anything about the sale does.
fn fingerprint(rows: &[Row]) -> Uuid {
    let mut hash = Sha256::new();
    for row in rows {
        let head = &row.head;
        let cells = format!(
            "{:?}{:?}{}{:?}{:?}{:?}{}|{}|{}\n",
            head.shop,
            head.register,
            head.occurred_at,
            head.customer,
            head.tender,
            row.sku,
            row.quantity,
            row.unit_price,
            row.discount,
        );
        hash.update(cells.as_bytes());
    }
    let digest = hash.finalize();
    Uuid::from_slice(&digest[..16]).unwrap_or_default()
}

async fn find_products(
    tx: &TenantTx,
    sales: &[(&FileSale, Uuid)],
) -> Result<HashMap<String, Sellable>, DbError> {
    let skus: BTreeSet<&str> =
        sales.iter().flat_map(|(sale, _)| sale.rows.iter().map(|row| row.sku.as_str())).collect();
    let skus: Vec<&str> = skus.into_iter().collect();
    let rows = tx.run(catalog::sellable_stmt(tx.ctx(), &skus)).await?;
    let found = catalog::decode_sellable(&rows)?;
    Ok(found.into_iter().map(|product| (product.sku.clone(), product)).collect())
}

/// What a file sale comes to. Inactive products were sold all the same.
fn price(
    ctx: &Ctx,
    taxes: &TaxTable,
    products: &HashMap<String, Sellable>,
    sale: &FileSale,
) -> Result<PricedSale, Vec<Reject>> {
    let mut rejects = Vec::new();
    let mut lines = Vec::with_capacity(sale.rows.len());
    let mut figures = Vec::with_capacity(sale.rows.len());
    for (place, row) in sale.rows.iter().enumerate() {
        match price_row(taxes, products, place, row) {
            Ok((booked, line)) => {
                lines.push(booked);
                figures.push(line);
            }
            Err(reject) => rejects.push(reject),
        }
    }
    if !rejects.is_empty() {
        return Err(rejects);
    }
    let computed = vat::compute(policy(&ctx.tenant), &figures)
        .map_err(|error| vec![Reject::row(sale.rows[0].line, "AMOUNT_OUT_OF_RANGE", error.to_string())])?;
    for (line, amounts) in lines.iter_mut().zip(computed.lines) {
        line.amounts = amounts;
    }
    Ok(PricedSale {
        discount: lines.iter().map(|line| line.discount).sum(),
        lines,
        taxes: computed.taxes,
        totals: computed.totals,
        cash_rounding: 0,
        change: 0,
    })
}

fn price_row(
    taxes: &TaxTable,
    products: &HashMap<String, Sellable>,
    place: usize,
    row: &Row,
) -> Result<(BookedLine, PricedLine), Reject> {
    let refuse = |column: &'static str, code: &'static str, reason: String| Reject {
        line: row.line,
        column: column.into(),
        code,
        reason: reason.into(),
    };
    let product = products
        .get(&row.sku)
        .ok_or_else(|| refuse("sku", "UNKNOWN_SKU", "no product has this SKU".to_owned()))?;
    let rate = taxes.rate_at(&product.tax_category, row.head.occurred_at);
    let rate = rate.ok_or_else(|| {
        let reason = format!("no rate is valid for tax category {}", product.tax_category);
        refuse("sku", "TAX_RATE_MISSING", reason)
    })?;
    let mut line = PricedLine { unit_price: row.unit_price, quantity: row.quantity, discount: 0, rate };
    let value = vat::line_value(&line)
        .map_err(|error| refuse("quantity", "AMOUNT_OUT_OF_RANGE", error.to_string()))?;
    if row.discount > value.abs() {
        let reason = "the discount is larger than unit price times quantity".to_owned();
        return Err(refuse("discount", "DISCOUNT_TOO_LARGE", reason));
    }
    // Goods taken back are taken back at what they were discounted to.
    line.discount = if value < 0 { -row.discount } else { row.discount };
    let booked = BookedLine {
        line: i32::try_from(place + 1).unwrap_or(i32::MAX),
        sku: product.sku.clone(),
        name: product.name.clone(),
        category: product.category.clone(),
        quantity: row.quantity,
        unit_price: line.unit_price,
        discount: line.discount,
        amounts: vat::Amounts::default(),
        rate,
        original_line: None,
        restocked: None,
    };
    Ok((booked, line))
}

type Priced<'a> = (&'a FileSale, Uuid, PricedSale);

/// Finds shops, registers and customers by name; makes those that do not exist.
async fn find_names(tx: &TenantTx, sales: &[Priced<'_>]) -> Result<Names, DbError> {
    let heads = || sales.iter().map(|(sale, ..)| &sale.rows[0].head);
    let shop_names: BTreeSet<&str> = heads().map(|head| shop_name(&head.shop)).collect();
    let shop_names: Vec<&str> = shop_names.into_iter().collect();
    let shops = inventory::ensure_shops(tx, &shop_names).await?;
    let ids: Vec<ShopId> = shops.values().copied().collect();
    let found = inventory::find_shops(tx, &ids).await?;
    let codes: HashMap<ShopId, String> = found.into_iter().map(|shop| (shop.id, shop.code)).collect();
    let pairs: BTreeSet<(&str, &str)> =
        heads().map(|head| (shop_name(&head.shop), register_code(&head.register))).collect();
    let mut wanted = Vec::with_capacity(pairs.len());
    for (shop, register) in &pairs {
        let id = shops.get(*shop).ok_or_else(|| missing("shop"))?;
        let code = codes.get(id).ok_or_else(|| missing("shop"))?;
        wanted.push((*id, code.clone(), (*register).to_owned()));
    }
    let made = ensure_registers(tx, &wanted).await?;
    let mut registers = HashMap::with_capacity(pairs.len());
    for ((shop, register), (id, _, code)) in pairs.iter().zip(&wanted) {
        let found = made.iter().find(|made| made.shop_id == *id && made.code == *code);
        let found = found.ok_or_else(|| missing("register"))?;
        registers.insert(((*shop).to_owned(), (*register).to_owned()), found.clone());
    }
    let references: BTreeSet<&str> =
        heads().map(|head| head.customer.as_str()).filter(|name| !name.is_empty()).collect();
    let references: Vec<&str> = references.into_iter().collect();
    let customers = customers::ensure_customers(tx, &references).await?;
    Ok(Names { registers, customers })
}

fn missing(what: &str) -> DbError {
    DbError::Other(format!("a {what} named in the file was not made"))
}

fn shop_name(name: &str) -> &str {
    if inventory::is_shop_name(name) { name } else { DEFAULT_SHOP }
}

fn register_code(code: &str) -> &str {
    if code.is_empty() { HISTORY_REGISTER } else { code }
}

fn booking(ctx: &Ctx, sale: &FileSale, priced: PricedSale, names: &Names) -> Result<Booking, DbError> {
    let head = &sale.rows[0].head;
    let key = (shop_name(&head.shop).to_owned(), register_code(&head.register).to_owned());
    let register = names.registers.get(&key).ok_or_else(|| missing("register"))?;
    let gross = priced.totals.gross;
    let paid = Tender { method: head.tender, amount: Money::new(gross, ctx.tenant.currency) };
    Ok(Booking {
        id: SaleId::new(),
        kind: SaleKind::Sale,
        channel: Channel::Till,
        shop: register.shop_id,
        register: register.id,
        receipt_prefix: register.receipt_prefix.clone(),
        cashier: "import".to_owned(),
        customer: names.customers.get(&head.customer).copied(),
        original: None,
        reason: None,
        policy: policy(&ctx.tenant),
        priced,
        tenders: if gross == 0 { Vec::new() } else { vec![paid] },
        occurred_at: head.occurred_at,
        booked_at: ctx.now(),
        in_shift: false,
    })
}

async fn write(
    tx: &TenantTx,
    bookings: &[Booking],
    imported: &[(&str, SaleId, Uuid)],
) -> Result<(), DbError> {
    let ctx = tx.ctx();
    let ids: Vec<&str> = imported.iter().map(|(id, ..)| *id).collect();
    let sales: Vec<Uuid> = imported.iter().map(|(_, sale, _)| sale.0).collect();
    let prints: Vec<Uuid> = imported.iter().map(|(.., print)| *print).collect();
    tx.execute(include_str!("insert_imported.sql"), &[&tx.tenant_id(), &ids, &sales, &prints]).await?;
    tx.run(insert_sales_stmt(ctx, bookings)).await?;
    let movements: Vec<_> = bookings.iter().flat_map(booking::movements).collect();
    let applied = inventory::post_movements(tx, &movements, Guard::Allow).await?;
    let mut news: Vec<_> = bookings.iter().map(|booking| crate::events::booked(ctx, booking)).collect();
    news.extend(inventory::low_stock_alerts(&applied));
    messages::publish(tx, &news).await
}
