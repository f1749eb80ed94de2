//! History from CSV: whole sales or none of one, each bad row named, the same file twice changes nothing (SAL-11).

use std::{io::Write, path::Path};

use flate2::{Compression, write::GzEncoder};
use sales::{ImportError, ImportSummary, import_sales};
use tempfile::TempDir;

use crate::market::{Market, eur};

const HEADER: &str = "external_id,shop,register,occurred_at,customer,sku,quantity,unit_price,discount,tender";
const WHEN: &str = "2017-03-01T10:00:00Z";

/// A rejected row: its line, column and code.
type Rejected = (u64, String, String);

fn file(dir: &TempDir, rows: &[&str]) -> std::path::PathBuf {
    let path = dir.path().join("sales.csv");
    std::fs::write(&path, format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
    path
}

async fn import(market: &Market, path: &Path) -> Result<(ImportSummary, Vec<Rejected>), ImportError> {
    let mut rejects = Vec::new();
    let ctx = market.site.ctx(&market.tenant);
    let mut told = 0;
    let summary = import_sales(&market.site.db, &market.catalog, &ctx, path, &mut rejects, |rows| {
        assert!(rows >= told, "progress goes forward");
        told = rows;
    })
    .await?;
    let text = String::from_utf8(rejects).unwrap();
    let rejected = text.lines().skip(1).map(|row| {
        let cells: Vec<&str> = row.split(',').collect();
        (cells[0].parse().unwrap(), cells[1].to_owned(), cells[2].to_owned())
    });
    Ok((summary, rejected.collect()))
}

async fn check(market: &Market, rows: &[&str], sales: u64, rejected: &[(u64, &str, &str)]) -> ImportSummary {
    let dir = tempfile::tempdir().unwrap();
    let (summary, found) = import(market, &file(&dir, rows)).await.unwrap();
    let wanted: Vec<Rejected> = rejected
        .iter()
        .map(|(line, column, code)| (*line, (*column).to_owned(), (*code).to_owned()))
        .collect();
    let mut found_sorted = found;
    found_sorted.sort();
    assert_eq!(found_sorted, wanted);
    assert_eq!((summary.sales, summary.rejected), (sales, rejected.len() as u64));
    assert_eq!(summary.rows, rows.len() as u64);
    assert_eq!(market.violations().await, []);
    summary
}

#[tokio::test]
async fn rows_of_one_id_make_one_sale_and_what_it_names_is_created() {
    let market = Market::open().await;
    let rows = [
        "T-1,Main Street,T1,2017-03-01T10:00:00Z,H-9,WINE,2,12.00,1.00,card",
        "T-2,,,2017-03-01T10:00:00Z,,PEN,1,0.07,,",
        "T-1,Main Street,T1,2017-03-01T10:00:00Z,H-9,CHEESE,0.450,25.99,0.10,card",
    ];
    let summary = check(&market, &rows, 2, &[]).await;
    assert_eq!((summary.lines, summary.unchanged), (3, 0));
    let sales = market.clerk.get("/sales").await.is(200).json;
    let of_two = sales["items"].as_array().unwrap().iter().find(|sale| sale["lines"][1].is_object()).unwrap();
    assert_eq!(of_two["totals"]["gross"], eur(2300 + 1160));
    assert_eq!(of_two["totals"]["discount"], eur(110));
    assert_eq!(of_two["tenders"][0]["method"], "card");
    assert_eq!((of_two["cashier"].as_str(), of_two["occurredAt"].as_str()), (Some("import"), Some(WHEN)));
    assert!(of_two["customerId"].is_string() && of_two["shiftId"].is_null());
    let other = sales["items"].as_array().unwrap().iter().find(|sale| sale["lines"][1].is_null()).unwrap();
    assert_eq!((&other["totals"]["gross"], &other["tenders"][0]["method"]), (&eur(7), &"cash".into()));
    assert_ne!(other["shopId"], of_two["shopId"]);
}

#[tokio::test]
async fn taking_the_same_file_again_changes_nothing() {
    let market = Market::open().await;
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<String> =
        (0..1000).map(|n| format!("T-{},S,R1,{WHEN},C{},PEN,1,0.07,,cash", n / 3, n / 30)).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let path = file(&dir, &rows);
    let (first, rejected) = import(&market, &path).await.unwrap();
    assert_eq!((first.sales, first.lines, first.unchanged, rejected.len()), (334, 1000, 0, 0));
    let before = market.footprint().await;
    let (second, rejected) = import(&market, &path).await.unwrap();
    assert_eq!((second.sales, second.lines, second.unchanged, rejected.len()), (0, 0, 334, 0));
    assert_eq!(market.footprint().await, before);
    assert_eq!(market.violations().await, []);
}

// SAL-11: resumable. The first part is what an import that was killed had taken.
#[tokio::test]
async fn an_import_that_was_stopped_goes_on_where_it_was() {
    let market = Market::open().await;
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<String> = (0..20).map(|n| format!("T-{n},S,R1,{WHEN},,PEN,1,0.07,,cash")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    assert_eq!(import(&market, &file(&dir, &rows[..8])).await.unwrap().0.sales, 8);
    let (summary, _) = import(&market, &file(&dir, &rows)).await.unwrap();
    assert_eq!((summary.sales, summary.unchanged), (12, 8));
    assert_eq!(market.count("sales.sale").await, 20);
    assert_eq!(market.violations().await, []);
}

#[tokio::test]
async fn two_imports_of_one_file_at_once_take_each_sale_once() {
    let market = Market::open().await;
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<String> =
        (0..900).map(|n| format!("T-{n},S{},R1,{WHEN},C{n},PEN,1,0.07,,cash", n % 7)).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let path = file(&dir, &rows);
    let (one, two) = tokio::join!(import(&market, &path), import(&market, &path));
    let (one, two) = (one.unwrap().0, two.unwrap().0);
    assert_eq!((one.sales + two.sales, one.unchanged + two.unchanged), (900, 900));
    assert_eq!(market.count("sales.sale").await, 900);
    assert_eq!(market.violations().await, []);
}

#[tokio::test]
async fn each_bad_row_is_reported_with_its_line_column_and_code_and_the_rest_is_taken() {
    let market = Market::open().await;
    let rows = [
        "G-1,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,,cash",
        "B-1,S,R1,yesterday,,PEN,1,0.07,,cash",
        "B-2,S,R1,2017-03-01T10:00:00Z,,NOTHING,1,0.07,,cash",
        "B-3,S,R1,2017-03-01T10:00:00Z,,PEN,1.0001,0.07,,cash",
        "B-4,S,R1,2017-03-01T10:00:00Z,,PEN,1e308,0.07,,cash",
        "B-5,S,R1,2017-03-01T10:00:00Z,,PEN,1,-0.07,,cash",
        "B-6,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.071,,cash",
        "B-7,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,free,cash",
        "B-8,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,,bitcoin",
        "B-9,S,till 1,2017-03-01T10:00:00Z,,PEN,1,0.07,,cash",
        "B-10,S,R1,2017-03-01T10:00:00Z",
        ",S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,,cash",
        "B-11,S,R1,2017-03-01T10:00:00Z,,,1,0.07,,cash",
        "B-12,S,R1,2017-03-01T10:00:00Z,,=cmd|' /C calc'!A0,1,0.07,,cash",
        "B-13,S,R1,2026-11-22T10:00:00Z,,PEN,1,0.07,,cash",
        "B-14,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,0.08,cash",
        "B-15,S,R1,2017-03-01T10:00:00Z,,PEN,999999999,99999999999.99,,cash",
        "B-16,S,R1,2017-03-01T10:00:00Z,,PEN,1,,,cash",
        "G-2,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,,cash",
    ];
    let rejected = [
        (3, "occurred_at", "INVALID_VALUE"),
        (4, "sku", "UNKNOWN_SKU"),
        (5, "quantity", "INVALID_VALUE"),
        (6, "quantity", "INVALID_VALUE"),
        (7, "unit_price", "INVALID_VALUE"),
        (8, "unit_price", "INVALID_VALUE"),
        (9, "discount", "INVALID_VALUE"),
        (10, "tender", "INVALID_VALUE"),
        (11, "register", "INVALID_VALUE"),
        (12, "", "CSV_COLUMNS"),
        (13, "", "REQUIRED"),
        (14, "sku", "REQUIRED"),
        (15, "sku", "CSV_FORMULA"),
        (16, "occurred_at", "INVALID_VALUE"),
        (17, "discount", "DISCOUNT_TOO_LARGE"),
        (18, "quantity", "AMOUNT_OUT_OF_RANGE"),
        (19, "unit_price", "REQUIRED"),
    ];
    check(&market, &rows, 2, &rejected).await;
}

// SAL-11: never half a sale.
#[tokio::test]
async fn a_sale_with_one_bad_row_is_not_taken_and_all_its_rows_are_reported() {
    let market = Market::open().await;
    let rows = [
        "H,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,,cash",
        "G,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,,cash",
        "H,S,R1,2017-03-01T10:00:00Z,,PEN,none,0.07,,cash",
        "U,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,,cash",
        "U,S,R1,2017-03-01T10:00:00Z,,NOTHING,1,0.07,,cash",
        "D,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,,cash",
        "D,S,R2,2017-03-01T10:00:00Z,,PEN,1,0.07,,cash",
        "H,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,,cash",
    ];
    let rejected = [
        (2, "", "SALE_INCOMPLETE"),
        (4, "quantity", "INVALID_VALUE"),
        (5, "", "SALE_INCOMPLETE"),
        (6, "sku", "UNKNOWN_SKU"),
        (7, "", "SALE_INCOMPLETE"),
        (8, "", "SALE_INCONSISTENT"),
        (9, "", "SALE_INCOMPLETE"),
    ];
    check(&market, &rows, 1, &rejected).await;
    assert_eq!(market.count("sales.sale_line").await, 1);
}

#[tokio::test]
async fn an_id_that_comes_again_with_other_content_changes_nothing() {
    let market = Market::open().await;
    check(&market, &["A,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,,cash"], 1, &[]).await;
    let changed =
        ["A,S,R1,2017-03-01T10:00:00Z,,PEN,2,0.07,,cash", "B,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,,"];
    check(&market, &changed, 1, &[(2, "", "DUPLICATE_EXTERNAL_ID")]).await;
    assert_eq!(market.clerk.get("/sales").await.is(200).json["items"].as_array().unwrap().len(), 2);
}

// contract.md: a negative quantity is a refund line.
#[tokio::test]
async fn returns_zero_quantities_and_free_lines_are_history_too() {
    let market = Market::open().await;
    let rows = [
        "R-1,S,R1,2017-03-01T10:00:00Z,,WINE,-1,12.00,2.00,card",
        "R-2,S,R1,2017-03-01T10:00:00Z,,WINE,2,12.00,,cash",
        "R-2,S,R1,2017-03-01T10:00:00Z,,BREAD,-3,3.33,,cash",
        "Z-1,S,R1,2017-03-01T10:00:00Z,,PEN,0,0.07,,cash",
        "F-1,S,R1,2017-03-01T10:00:00Z,,PEN,1,0.07,0.07,cash",
        "N-1,S,R1,2017-03-01T10:00:00Z,,PEN,1,0,,cash",
    ];
    check(&market, &rows, 5, &[]).await;
    let found = market.clerk.get("/sales").await.is(200).json;
    let mut grosses: Vec<i64> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["totals"]["gross"]["amount"].as_i64().unwrap())
        .collect();
    grosses.sort_unstable();
    assert_eq!(grosses, [-1000, 0, 0, 0, 1401]);
    // What was a return cannot be refunded again, but it can be voided on the day it was booked.
    let returned =
        found["items"].as_array().unwrap().iter().find(|s| s["totals"]["gross"] == eur(-1000)).unwrap();
    market.refund(returned, &[(1, "1")]).await.is_problem(409, "REFUND_EXCEEDS_SALE");
    market.void(returned).await.is(201);
    assert_eq!(market.violations().await, []);
}

#[tokio::test]
async fn packed_files_quotes_and_windows_line_ends_are_read() {
    let market = Market::open().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sales.csv.gz");
    let mut packed = GzEncoder::new(std::fs::File::create(&path).unwrap(), Compression::fast());
    let text = format!(
        "\u{feff}{HEADER}\r\n\"T, 1\",\"Shop \"\"A\"\"\",,{WHEN},,PEN,1,0.07,,\r\nT2,S,,{WHEN},,PEN,\"1\",0.07,,\r\n"
    );
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap();
    let (summary, rejected) = import(&market, &path).await.unwrap();
    assert_eq!((summary.sales, rejected), (2, Vec::new()));
    assert_eq!(market.violations().await, []);
}

#[tokio::test]
async fn a_file_that_is_not_one_of_sales_is_refused_as_a_whole() {
    let market = Market::open().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.csv");
    for text in [
        "",
        "sku,name,price\nPEN,Pen,1\n",
        "external_id,occurred_at,sku,quantity\nA,2017-03-01T10:00:00Z,PEN,1\n",
    ] {
        std::fs::write(&path, text).unwrap();
        let refused = import(&market, &path).await.unwrap_err();
        assert!(matches!(refused, ImportError::Header(_)), "{text:?}: {refused}");
    }
    assert_eq!(market.count("sales.sale").await, 0);
}

// SAL-11: what is written out can be taken in elsewhere, and comes to the same.
#[tokio::test]
async fn an_export_of_sales_is_a_file_that_the_import_takes() {
    let market = Market::open().await;
    market.sell(&[("WINE", "2"), ("BREAD", "0.450")]).await;
    let sale = market.sell(&[("BOOK", "3")]).await;
    market.refund(&sale, &[(1, "1")]).await.is(201);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.csv");
    let ctx = market.site.ctx(&market.tenant);
    let rows =
        sales::export_sales(&market.site.db, &ctx, std::fs::File::create(&path).unwrap()).await.unwrap();
    assert_eq!(rows, 4);

    let other = Market::open().await;
    let (summary, rejected) = import(&other, &path).await.unwrap();
    assert_eq!((summary.sales, summary.lines, rejected), (3, 4, Vec::new()));
    let gross = async |market: &Market| {
        let client = market.site.databases.look().await.unwrap();
        let sql = "select sum(gross)::bigint, sum(vat)::bigint from sales.sale where tenant_id = $1";
        let row = client.query_one(sql, &[&market.tenant.id]).await.unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1))
    };
    assert_eq!(gross(&other).await, gross(&market).await);
    assert_eq!(other.violations().await, []);
}
