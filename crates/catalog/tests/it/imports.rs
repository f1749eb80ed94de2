//! Products from files and back.

use proptest::{prelude::*, strategy::ValueTree as _};
use serde_json::json;

use crate::fixture::{Market, product};

fn lines(report: &str) -> Vec<String> {
    let cells = |line: &str| line.split(',').take(3).collect::<Vec<_>>().join(",");
    report.lines().skip(1).map(cells).collect()
}

// CAT-3: idempotent by SKU.
#[tokio::test(flavor = "multi_thread")]
async fn importing_twice_changes_nothing_and_publishes_nothing() {
    let market = Market::new().await;
    let file = b"sku,name,category,price,currency,tax_category,barcode,unit,active\n\
        A,Apple,Food/Fruit,1.20,EUR,reduced,4006381333931,kg,true\n\
        B,Bread,,2,,,,,\n\
        C,Candle,Home,4.5,EUR,standard,,pcs,no\n";
    let (first, report) = market.import(file).await;
    assert_eq!((first.rows, first.created, first.unchanged, first.rejected), (3, 3, 0, 0), "{report}");
    let (second, _) = market.import(file).await;
    assert_eq!((second.created, second.updated, second.unchanged), (0, 0, 3));
    let apple = market.clerk.get("/products/sku/A").await.is(200);
    assert_eq!(
        (&apple.json["version"], &apple.json["price"]["amount"], &apple.json["unit"]),
        (&json!(1), &json!(120), &json!("kg"))
    );
    assert_eq!(market.messages().await.len(), 3);
    let (third, _) = market.import(b"sku,name,price\nB,Bread,2.10\nA,Apple,1.20\n").await;
    assert_eq!((third.updated, third.unchanged), (1, 1));
    assert_eq!(market.messages().await.len(), 4);
    // Columns that the file lacks stay as they are.
    assert_eq!(market.clerk.get("/products/sku/A").await.json["category"], "Food/Fruit");
    market.check().await;
}

// The real input of the issue: broken rows are reported one by one, the good ones taken.
#[tokio::test(flavor = "multi_thread")]
async fn each_bad_row_is_reported_with_line_column_and_code_and_the_rest_is_taken() {
    let market = Market::new().await;
    let file =
        b"sku,name,price,currency,tax_category,barcode,category,active,weight_grams,attributes,extra\n\
        A,Apple,1.00,,,,,,,,x\n\
        ,No sku,1.00,,,,,,,,\n\
        B, ,1.00,,,,,,,,\n\
        C,Candle,-1,,,,,,,,\n\
        D,Dice,1e9,,,,,,,,\n\
        E,Egg,99999999999999999999,,,,,,,,\n\
        F,Fig,1.005,,,,,,,,\n\
        G,Grape,1,USD,,,,,,,\n\
        H,Ham,1,,luxury,,,,,,\n\
        I,Ice,1,,,123,,,,,\n\
        J,Jam,1,,,,A//B,,,,\n\
        K,Kale,1,,,,,maybe,,,\n\
        L,Leek,1,,,,,,1.5,,\n\
        M,Mint,1,,,,,,,[],\n\
        N,=cmd(),1,,,,,,,,\n\
        O,\xff,1,,,,,,,,\n\
        P,Pea\n\
        A,Apple,1.00,,,,,,,,y\n\
        A,Apple,2.00,,,,,,,,\n\
        Q,\"Quince,1,,,,,,,,\n\
        R,Rice,1,,,,,,,,\n";
    let (done, report) = market.import(file).await;
    assert_eq!((done.rows, done.created, done.unchanged, done.rejected), (21, 2, 1, 18), "{report}");
    assert_eq!(
        lines(&report),
        [
            "3,sku,SKU_INVALID",
            "4,name,NAME_INVALID",
            "5,price,PRICE_INVALID",
            "6,price,PRICE_INVALID",
            "7,price,PRICE_INVALID",
            "8,price,PRICE_INVALID",
            "9,currency,CURRENCY_MISMATCH",
            "10,tax_category,UNKNOWN_TAX_CATEGORY",
            "11,barcode,BARCODE_INVALID",
            "12,category,CATEGORY_INVALID",
            "13,active,ACTIVE_INVALID",
            "14,weight_grams,WEIGHT_INVALID",
            "15,attributes,ATTRIBUTES_INVALID",
            "16,name,CSV_FORMULA",
            "17,,CSV_UTF8",
            "18,,CSV_COLUMNS",
            "20,sku,DUPLICATE_SKU",
            "21,,CSV_QUOTE",
        ]
    );
    assert_eq!(market.skus("/products?sort=sku").await, ["A", "R"]);
    market.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_100_megabytes_is_passed_over() {
    let market = Market::new().await;
    let mut file = b"sku,name,price\nA,".to_vec();
    file.resize(100_000_000, b'x');
    file.extend_from_slice(b",1\nB,Bread,2\n");
    let (done, report) = market.import(&file).await;
    assert_eq!((done.created, lines(&report)), (1, vec!["2,,RECORD_TOO_LONG".to_owned()]));
}

// CAT-3: CSV export that imports back identically.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_imports_back_identically_into_another_merchant() {
    let market = Market::new().await;
    let (neighbour, _) = market.add_merchant("bolt").await;
    let mut odd = product("-1+2", "=Sum, \"of\" 'all'", 1999);
    odd["description"] = json!("two\nlines\r\n'=and a formula\t");
    odd["category"] = json!("Food & Drink/Ålands, \"bröd\"");
    odd["attributes"] = json!({ "size": 1.5, "vegan": false, "text": "a,b\n\"c\"" });
    odd["weightGrams"] = json!(12);
    odd["barcode"] = json!("96385074");
    odd["active"] = json!(false);
    market.clerk.post("/products", odd).await.is(201);
    market.clerk.post("/products", product("'=x", " spaces around ", 0)).await.is(201);
    market.clerk.post("/products", product("plain", "+49", 5)).await.is(201);
    let file = market.export(&market.ctx()).await;
    let (again, report) = market.import(&file).await;
    assert_eq!((again.unchanged, again.rows), (3, 3), "{report}");
    let theirs = market.site.ctx(&neighbour);
    let (copied, report) = market.import_as(&theirs, &file).await;
    assert_eq!(copied.created, 3, "{report}");
    assert_eq!(String::from_utf8(market.export(&theirs).await).unwrap(), String::from_utf8(file).unwrap());
    market.check_as(&theirs).await;
}

fn field() -> impl Strategy<Value = String> {
    "[-='+@ ,\"äß€a-z0-9]{0,12}"
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_can_be_imported_is_exported_and_imported_back_unchanged() {
    let market = Market::new().await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let rows = prop::collection::vec((field(), field(), 0_u32..100_000, field()), 300);
    let rows = rows.new_tree(&mut runner).unwrap().current();
    let mut file = Vec::new();
    let mut writer = csvio::Writer::new(&mut file);
    writer.header(&["sku", "name", "price", "description"]).unwrap();
    for (sku, name, cents, description) in rows {
        writer.text(&sku).unwrap();
        writer.text(&name).unwrap();
        writer.plain(&format!("{}.{:02}", cents / 100, cents % 100)).unwrap();
        writer.text(&description).unwrap();
        writer.end_row().unwrap();
    }
    let (done, _) = market.import(&file).await;
    assert!(done.created > 50 && done.created + done.unchanged + done.rejected == 300, "{done:?}");
    let exported = market.export(&market.ctx()).await;
    let (again, report) = market.import(&exported).await;
    assert_eq!((again.unchanged, again.rejected), (done.created, 0), "{report}");
    market.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_of_the_same_products_at_once_create_each_product_once() {
    let market = Market::new().await;
    let rows = |turn: usize| -> String {
        let mut rows: Vec<_> = (0..2500).map(|n| format!("S{n},Soup {n},{}.00\n", n % 9)).collect();
        if turn == 1 {
            rows.reverse();
        }
        format!("sku,name,price\n{}", rows.concat())
    };
    let (a, b) = (rows(0), rows(1));
    let (one, two) = tokio::join!(market.import(a.as_bytes()), market.import(b.as_bytes()));
    assert_eq!(one.0.created + two.0.created, 2500);
    assert_eq!(one.0.unchanged + two.0.unchanged, 2500);
    assert_eq!(market.messages().await.len(), 2500);
    market.check().await;
}
