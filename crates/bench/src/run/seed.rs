//! Filling a market: what a merchant would do by hand through the program, the bulk by SQL.

use std::{fmt::Write, fs, sync::Mutex};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use super::{
    Bench,
    client::Session,
    database::{Database, SHARED},
    market::Market,
};
use crate::load::Till;

const FUNCTIONS: &str = include_str!("seed/functions.sql");
const CLONE_TENANT: &str = include_str!("seed/clone_tenant.sql");
const ORDERS: &str = include_str!("seed/orders.sql");
const HISTORY: &str = include_str!("seed/history.sql");

/// SKUs are this and a number.
pub(super) const SKU_PREFIX: &str = "BENCH-";
pub(super) const CURRENCY: &str = "EUR";
/// Units of each SKU in each shop: never sold out.
const ON_HAND: u32 = 100_000_000;

/// A tenant with its shop and registers.
#[derive(Debug, Clone)]
pub(super) struct Merchant {
    pub(super) session: Session,
    pub(super) tills: Vec<Till>,
}

/// Creates tenants with one shop, registers and the same products each.
///
/// The first gets its products by import, all others a copy of them.
pub(super) fn merchants(
    bench: &Bench,
    prefix: &str,
    count: usize,
    registers: usize,
    products: u32,
) -> Result<Vec<Merchant>> {
    let market = &bench.market;
    let names: Vec<String> = (0..count).map(|number| format!("{prefix}-{number}")).collect();
    let merchants = in_parallel(&names, |name| merchant(market, name, registers))?;
    let first = merchants.first().context("no merchants wanted")?;
    import_products(bench, &first.session, products)?;
    let database = market.database()?;
    let ids = names.iter().map(|name| tenant_id(&database, name)).collect::<Result<Vec<_>>>()?;
    if let [template, others @ ..] = ids.as_slice()
        && !others.is_empty()
    {
        let targets = format!("{{{}}}", others.join(","));
        let script = format!("{FUNCTIONS}\n{CLONE_TENANT}");
        database.script(SHARED, &script, &[("template", template), ("tenants", &targets)])?;
    }
    database.ask(SHARED, "vacuum (analyze)")?;
    Ok(merchants)
}

/// All tills, the first of each merchant first, so that neighbours in time are of different merchants.
pub(super) fn tills(merchants: &[Merchant]) -> Vec<Till> {
    let most = merchants.iter().map(|merchant| merchant.tills.len()).max().unwrap_or(0);
    (0..most)
        .flat_map(|at| merchants.iter().filter_map(move |merchant| merchant.tills.get(at).cloned()))
        .collect()
}

/// Multiplies the sales of the merchant's first register until there are about `wanted`.
pub(super) fn history(bench: &Bench, merchant: &Merchant, wanted: u64) -> Result<()> {
    let till = merchant.tills.first().context("a merchant without tills")?;
    let templates = 100;
    for number in 0..templates {
        merchant.session.post("/api/v1/sales", &one_line_sale(till, number))?;
    }
    let database = bench.market.database()?;
    let tenant = tenant_id(&database, &merchant.session.tenant)?;
    let register = database.ask(
        SHARED,
        &format!(
            "select register_id from sales.receipt_counter where tenant_id = '{tenant}' and last_number = {templates}"
        ),
    )?;
    let copies = (wanted / templates).to_string();
    let script = format!("{FUNCTIONS}\n{HISTORY}");
    database.script(SHARED, &script, &[("tenant", &tenant), ("register", &register), ("copies", &copies)])?;
    database.ask(SHARED, "vacuum (analyze)")?;
    Ok(())
}

/// Multiplies the merchant's one order until there are `wanted`; whose they are, a hundred each.
pub(super) fn orders(bench: &Bench, merchant: &Merchant, wanted: u64) -> Result<Vec<String>> {
    let database = bench.market.database()?;
    let tenant = tenant_id(&database, &merchant.session.tenant)?;
    let script = format!("{FUNCTIONS}\n{ORDERS}");
    database.script(SHARED, &script, &[("tenant", &tenant), ("copies", &wanted.to_string())])?;
    database.ask(SHARED, "vacuum (analyze)")?;
    let owners = wanted.div_ceil(100);
    // Spread over all of them.
    let step = usize::try_from(owners / 1000)?.max(1);
    Ok((0..owners).step_by(step).map(|number| format!("gst_{number:026X}")).collect())
}

/// A sale as the generator makes them, of one line.
pub(super) fn one_line_sale(till: &Till, product: u64) -> Value {
    json!({
        "shopId": till.shop,
        "registerId": till.register,
        "lines": [{ "sku": format!("{SKU_PREFIX}{product}"), "quantity": "1" }],
        "tenders": [{ "method": "cash", "amount": { "amount": 1_000_000, "currency": CURRENCY } }],
    })
}

fn merchant(market: &Market, name: &str, registers: usize) -> Result<Merchant> {
    let mail = format!("admin@{name}.example");
    market.tell(&[
        "tenant",
        "create",
        name,
        "--name",
        name,
        "--tier",
        "standard",
        "--currency",
        CURRENCY,
        "--admin-email",
        &mail,
    ])?;
    let session = market.session(name)?;
    let shop = session.post("/api/v1/shops", &json!({ "code": "S1", "name": "Shop" }))?;
    let shop = text(&shop, "id")?;
    let mut tills = Vec::with_capacity(registers);
    for number in 1..=registers {
        let code = format!("R{number}");
        let body = json!({ "code": code, "name": code });
        let register = session.post(&format!("/api/v1/shops/{shop}/registers"), &body)?;
        tills.push(Till {
            tenant: name.to_owned(),
            token: session.token.clone(),
            shop: shop.clone(),
            register: text(&register, "id")?,
        });
    }
    Ok(Merchant { session, tills })
}

fn import_products(bench: &Bench, session: &Session, count: u32) -> Result<()> {
    let mut products = String::from("sku,name,category,price,currency,tax_category,barcode,unit,active\n");
    let mut stock = String::from("shop,sku,on_hand\n");
    for number in 0..count {
        let (group, euros, cents) = (number % 40, number % 50 + 1, number % 100);
        // Writing to memory cannot fail.
        let _ = writeln!(
            products,
            "{SKU_PREFIX}{number},Thing number {number},Things/Group {group},{euros}.{cents:02},{CURRENCY},,,,true"
        );
        let _ = writeln!(stock, "S1,{SKU_PREFIX}{number},{ON_HAND}");
    }
    for (kind, text) in [("products", products), ("stock", stock)] {
        let file = bench.home.join(format!("{kind}.csv"));
        fs::write(&file, text)?;
        bench.market.tell(&["import", kind, "--tenant", &session.tenant, &file.to_string_lossy()])?;
        fs::remove_file(file)?;
    }
    Ok(())
}

fn tenant_id(database: &Database, slug: &str) -> Result<String> {
    let id = database
        .ask("markethall_control", &format!("select id from control.tenant where slug = '{slug}'"))?;
    if id.is_empty() { Err(anyhow!("no tenant {slug}")) } else { Ok(id) }
}

pub(super) fn text(value: &Value, name: &str) -> Result<String> {
    Ok(value[name].as_str().with_context(|| format!("an answer without {name}: {value}"))?.to_owned())
}

/// Does the same with each item, on a few threads, results in the order of the items.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let results = Mutex::new(Vec::with_capacity(items.len()));
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    let result = work(item);
                    let failed = result.is_err();
                    if let Ok(mut results) = results.lock() {
                        results.push((at, result));
                    }
                    if failed {
                        next.store(items.len(), std::sync::atomic::Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().map_err(|_| anyhow!("a thread has died"))?;
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() -> Result<()> {
        let items: Vec<u32> = (0..100).collect();
        assert_eq!(
            in_parallel(&items, |item| Ok(item * 2))?,
            items.iter().map(|item| item * 2).collect::<Vec<_>>()
        );
        Ok(())
    }

    #[test]
    fn the_first_failure_ends_it() {
        let items: Vec<u32> = (0..1000).collect();
        let result = in_parallel(&items, |item| if *item == 5 { Err(anyhow!("five")) } else { Ok(()) });
        assert_eq!(result.map_err(|error| error.to_string()), Err("five".to_owned()));
    }

    #[test]
    fn tills_of_different_merchants_alternate() {
        let merchant = |name: &str| Merchant {
            session: Session {
                address: ([127, 0, 0, 1], 1).into(),
                tenant: name.to_owned(),
                token: String::new(),
            },
            tills: ["1", "2"]
                .map(|register| Till {
                    tenant: name.to_owned(),
                    token: String::new(),
                    shop: String::new(),
                    register: register.to_owned(),
                })
                .into(),
        };
        let names: Vec<String> = tills(&[merchant("a"), merchant("b")])
            .into_iter()
            .map(|till| format!("{}{}", till.tenant, till.register))
            .collect();
        assert_eq!(names, ["a1", "b1", "a2", "b2"]);
    }
}
