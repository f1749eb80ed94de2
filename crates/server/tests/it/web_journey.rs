//! Real baskets as web orders: every basket of the Complete Journey half year is a cart, checked out and paid
//! (CHK-1, PAY-1, ORD-1, SAL-8).

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::Read as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use flate2::read::GzDecoder;
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use testkit::Client;

use crate::{
    journey::{import, report, study, tenant},
    support::{Home, Server, number, text},
};

/// Shoppers at once.
const SHOPPERS: usize = 64;

/// What was bought together: SKU and units.
type Basket = BTreeMap<String, i64>;

/// All baskets of the file, and what each SKU costs in cents: a product at a price is a SKU of its own, so that each line
/// comes to what was really paid for it.
fn baskets(file: &std::path::Path) -> (Vec<Basket>, BTreeMap<String, i64>) {
    let mut raw = String::new();
    GzDecoder::new(fs::File::open(file).unwrap()).read_to_string(&mut raw).unwrap();
    let mut baskets: BTreeMap<&str, Basket> = BTreeMap::new();
    let mut prices = BTreeMap::new();
    for line in raw.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (basket, product, value) = (fields[2], fields[3], cents(fields[5]));
        let sku = format!("{product}-{value}");
        prices.insert(sku.clone(), value);
        *baskets.entry(basket).or_default().entry(sku).or_default() += 1;
    }
    (baskets.into_values().collect(), prices)
}

fn cents(amount: &str) -> i64 {
    // One line of the study says 4.440892e-16: some sums of it were made in floating point.
    let amount: f64 = amount.parse().unwrap();
    (amount * 100.0).round() as i64
}

/// Buys one basket as whoever `client` is; the total is what the raw file says.
async fn buy(client: &Client, basket: &Basket, prices: &BTreeMap<String, i64>) {
    let lines: Vec<Value> =
        basket.iter().map(|(sku, units)| json!({ "sku": sku, "quantity": units.to_string() })).collect();
    client.put("/carts/me", json!({ "lines": lines })).await.is(200);
    let total: i64 = basket.iter().map(|(sku, units)| prices[sku] * units).sum();
    let body = json!({
        "cart": "me", "payment": { "provider": "test", "method": "card_approved" },
        "total": { "amount": total, "currency": "USD" }
    });
    let key = uuid::Uuid::now_v7().to_string();
    let call = client.api(Method::POST, "/checkout").json(&body).key(&key).header("prefer", "wait=60");
    let done = call.send().await.is(201);
    assert_eq!((done.text("/state"), number(&done.json, "/total/amount")), ("completed", total));
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_year_of_real_baskets_is_bought_on_the_web_to_the_cent() {
    let Some(study) = study() else { return };
    let (baskets, prices) = baskets(&study.join("transactions-first-half.csv.gz"));
    let home = Home::furnished();
    tenant(&home, "web");
    let (mut products, mut stock) = ("sku,name,price\n".to_owned(), "shop,sku,on_hand\n".to_owned());
    for (sku, price) in &prices {
        writeln!(products, "{sku},{sku},{}.{:02}", price / 100, price % 100).unwrap();
        writeln!(stock, "W01,{sku},100000").unwrap();
    }
    let (products_file, stock_file) = (home.path().join("products.csv"), home.path().join("stock.csv"));
    fs::write(&products_file, products).unwrap();
    fs::write(&stock_file, stock).unwrap();

    let token = home.token(Some("web"), &["*"]);
    let server = Server::start_with(&home, &[("MARKETHALL_PAYMENTS__CALL_TIMEOUT_MS", "10000")], &[]);
    let staff = server.member("web", &token);
    staff.post("/shops", json!({ "code": "W01", "name": "Web", "kind": "web" })).await.is(201);
    import(&home, "products", "web", &products_file).exits(0);
    import(&home, "stock", "web", &stock_file).exits(0);

    let begun = Instant::now();
    let (baskets, prices, next) = (Arc::new(baskets), Arc::new(prices), Arc::new(AtomicUsize::new(0)));
    let shoppers = (0..SHOPPERS).map(|_| {
        let (baskets, prices, next) = (baskets.clone(), prices.clone(), next.clone());
        let stranger = server.stranger().with_tenant("web");
        tokio::spawn(async move {
            let pass = stranger.api(Method::POST, "/customers/guest").send().await.is(200);
            let client = stranger.clone().with_token(pass.text("/token"));
            while let Some(basket) = baskets.get(next.fetch_add(1, Ordering::SeqCst)) {
                buy(&client, basket, &prices).await;
            }
        })
    });
    for shopper in join_all(shoppers).await {
        shopper.unwrap();
    }
    println!("{} baskets in {} ms", baskets.len(), begun.elapsed().as_millis());

    let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
    for (sku, units) in baskets.iter().flatten() {
        *wanted.entry(sku.clone()).or_default() += prices[sku] * units;
    }
    let sold = report(&staff, "product", |group| text(group, "/key")).await;
    assert_eq!(sold.len(), wanted.len());
    assert_eq!(sold, wanted);
    server.stop();
    home.assert_checks();
}
