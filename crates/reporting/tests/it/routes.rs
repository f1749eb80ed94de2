//! Reports through the gate.

use http::Method;
use serde_json::{Value, json};

use crate::books::Books;

// REP-1, HTTP-5
#[tokio::test]
async fn a_report_is_read_page_by_page_and_its_totals_are_those_of_all_pages() {
    let books = Books::open().await;
    let whole = books.clerk.get("/reports/sales?from=2026-03-01&to=2026-12-31&groupBy=month").await.is(200);
    assert_eq!(whole.text("/timeZone"), "Europe/Berlin");
    assert_eq!(whole.text("/items/0/key"), "2026-03");
    assert_eq!(whole.json["nextCursor"], Value::Null);
    let amounts = |report: &Value, name: &str| -> i64 {
        let items = report["items"].as_array().unwrap();
        items.iter().map(|item| item[name]["amount"].as_i64().unwrap()).sum()
    };
    assert_eq!(whole.json["totals"]["gross"]["amount"], amounts(&whole.json, "gross"));
    let first =
        books.clerk.get("/reports/sales?from=2026-03-01&to=2026-12-31&groupBy=month&limit=4").await.is(200);
    let path = format!(
        "/reports/sales?from=2026-03-01&to=2026-12-31&groupBy=month&limit=200&cursor={}",
        first.text("/nextCursor")
    );
    let rest = books.clerk.get(&path).await.is(200);
    assert_eq!(rest.json["totals"], whole.json["totals"]);
    assert_eq!(amounts(&first.json, "gross") + amounts(&rest.json, "gross"), amounts(&whole.json, "gross"));
    let shops = books.clerk.get("/reports/sales?from=2026-03-01&to=2026-12-31&groupBy=shop").await.is(200);
    assert!(shops.text("/items/0/key").starts_with("shp_"));
    assert!(shops.text("/items/0/name").starts_with("S0"));
}

// REP-4
#[tokio::test]
async fn who_accepts_csv_gets_all_rows_with_money_as_decimals() {
    let books = Books::open().await;
    let csv = async |path: &str| {
        let answer = books.clerk.api(Method::GET, path).header("accept", "text/csv").send().await.is(200);
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
        String::from_utf8(answer.body).unwrap()
    };
    let products = csv("/reports/sales?from=2026-03-01&to=2026-12-31&groupBy=product&limit=1").await;
    let lines: Vec<&str> = products.lines().collect();
    assert_eq!(lines[0], "key,name,receipts,quantity,net,vat,gross,discount,currency");
    assert_eq!(lines.len(), 7);
    assert!(lines[1].starts_with("MILK,The MILK,") && lines[1].ends_with(",EUR"), "{}", lines[1]);
    let vat = csv("/reports/vat?from=2026-03-01&to=2026-12-31&groupBy=rate").await;
    assert!(vat.starts_with("period,rate,net,vat,gross,currency\r\n,0,"), "{vat}");
}

// HTTP-8
#[tokio::test]
async fn what_is_no_report_is_refused_by_parameter() {
    let books = Books::open().await;
    let cases = [
        ("sales?from=2026-02-30", "from"),
        ("sales?to=soon", "to"),
        ("sales?from=2026-02-02&to=2026-02-01", "to"),
        ("sales?groupBy=colour", "groupBy"),
        ("sales?shop=S01", "shop"),
        ("sales?depth=0", "depth"),
        ("sales?limit=1001", "limit"),
        ("vat?groupBy=shop", "groupBy"),
        ("vat?limit=5", "limit"),
    ];
    for (query, parameter) in cases {
        let refused =
            books.clerk.get(&format!("/reports/{query}")).await.is_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused.text("/errors/0/parameter"), parameter, "{query}");
    }
    let far = books.clerk.get("/reports/sales?from=0001-01-01&to=9999-12-31").await.is(200);
    assert_eq!((far.text("/from"), far.text("/to")), ("1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z"));
}

// IDN-4, PLT-2
#[tokio::test]
async fn reports_need_their_permission_and_show_nothing_of_another_tenant() {
    let books = Books::open().await;
    let cashier = books.site.member("acme", &["sales:read"]);
    cashier.get("/reports/sales").await.is_problem(403, "PERMISSION_DENIED");
    books.site.stranger().get("/reports/vat").await.is_problem(401, "UNAUTHENTICATED");
    let other = books.site.member("other", &["*"]);
    for group_by in ["day", "shop", "product", "category"] {
        let path = format!("/reports/sales?from=2026-01-01&to=2026-12-31&groupBy={group_by}");
        let report = other.get(&path).await.is(200);
        assert_eq!((&report.json["items"], &report.json["totals"]["receipts"]), (&json!([]), &json!(0)));
    }
    let vat = other.get("/reports/vat?from=2026-01-01&to=2026-12-31").await.is(200);
    assert_eq!(vat.json["items"], json!([]));
}
