//! Shifts: opened with a float, reported at any time, closed with counted cash, unchangeable after.

use serde_json::{Value, json};

use crate::market::{Market, eur, number, tender};

async fn report(market: &Market, shift: &str) -> Value {
    market.clerk.get(&format!("/shifts/{shift}/report")).await.is(200).json
}

async fn move_cash(market: &Market, shift: &str, kind: &str, amount: i64) -> Value {
    let body = json!({ "kind": kind, "amount": eur(amount), "reason": "coins" });
    market.clerk.post(&format!("/shifts/{shift}/cash"), body).await.is(200).json
}

/// A day at the till: cash with change, card, split, void, refund, cash in and out.
async fn day(market: &Market, shift: &str) {
    market.sell_for(&[("WINE", "1")], &[tender("cash", 2000)]).await;
    market.sell_for(&[("WINE", "2")], &[tender("card", 2400)]).await;
    let sale = market.sell_for(&[("BREAD", "3")], &[tender("card", 500), tender("cash", 500)]).await;
    let wrong = market.sell_for(&[("BOOK", "1")], &[tender("cash", 1000)]).await;
    market.void(&wrong).await.is(201);
    market.refund(&sale, &[(1, "1")]).await.is(201);
    move_cash(market, shift, "pay_in", 500).await;
    move_cash(market, shift, "pay_out", 2000).await;
}

// SAL-7
#[tokio::test]
async fn the_x_report_adds_up_the_shift_so_far() {
    let market = Market::open().await;
    let shift = market.open_shift(&market.register, 10_000).await;
    let empty = report(&market, &shift).await;
    assert_eq!((number(&empty, "/sales"), &empty["expectedCash"]), (0, &eur(10_000)));
    day(&market, &shift).await;
    let x = report(&market, &shift).await;
    assert_eq!((number(&x, "/sales"), number(&x, "/voids"), number(&x, "/refunds")), (4, 1, 1));
    // 1200 + 2400 + 999 + 1000 - 1000 - 333
    assert_eq!(x["gross"], eur(4266));
    assert_eq!(
        x["tenders"],
        json!([
            { "method": "card", "amount": eur(2400 + 500 - 333) },
            { "method": "cash", "amount": eur(1200 + 499) },
        ])
    );
    assert_eq!((&x["payIns"], &x["payOuts"]), (&eur(500), &eur(2000)));
    assert_eq!(x["expectedCash"], eur(10_000 + 1699 + 500 - 2000));
    assert_eq!(
        x["taxes"],
        json!([
            { "rate": 0, "net": eur(0), "vat": eur(0) },
            { "rate": 1000, "net": eur(605), "vat": eur(61) },
            { "rate": 2000, "net": eur(3000), "vat": eur(600) },
        ])
    );
    assert_eq!(number(&x, "/net/amount") + number(&x, "/vat/amount"), 4266);
    assert_eq!(x["cashiers"], json!([{ "cashier": "usr_test", "receipts": 6, "gross": eur(4266) }]));
    assert!(x["zNumber"].is_null() && x["countedCash"].is_null() && x["difference"].is_null());
}

// SAL-7
#[tokio::test]
async fn the_z_report_is_the_shift_at_its_close_and_stays_so() {
    let market = Market::open().await;
    let shift = market.open_shift(&market.register, 10_000).await;
    day(&market, &shift).await;
    let x = report(&market, &shift).await;
    market.site.clock.advance_seconds(60);
    let z = market.close_shift(&shift, 10_150).await.is(200).json;
    assert_eq!((number(&z, "/zNumber"), &z["countedCash"], &z["difference"]), (1, &eur(10_150), &eur(-49)));
    for part in
        ["sales", "voids", "refunds", "gross", "net", "vat", "tenders", "taxes", "expectedCash", "cashiers"]
    {
        assert_eq!(z[part], x[part], "{part}");
    }
    // What happens later does not change it.
    let later = market.sell(&[("WINE", "1")]).await;
    market.refund(&later, &[(1, "1")]).await.is(201);
    assert_eq!(later["shiftId"], json!(null));
    assert_eq!(report(&market, &shift).await, z);
    let second = market.open_shift(&market.register, 0).await;
    let z2 = market.close_shift(&second, 0).await.is(200).json;
    assert_eq!(number(&z2, "/zNumber"), 2);
    assert_eq!(market.violations().await, []);
}

// SAL-7
#[tokio::test]
async fn a_register_has_one_open_shift_and_a_closed_one_stays_closed() {
    let market = Market::open().await;
    let shift = market.open_shift(&market.register, 0).await;
    let open = format!("/registers/{}/shifts", market.register);
    market.clerk.post(&open, json!({ "openingFloat": eur(1) })).await.is_problem(409, "SHIFT_ALREADY_OPEN");
    market.open_shift(&market.second_register, 0).await;
    market.close_shift(&shift, 0).await.is(200);
    let before = market.footprint().await;
    market.close_shift(&shift, 0).await.is_problem(409, "SHIFT_CLOSED");
    let body = json!({ "kind": "pay_in", "amount": eur(1), "reason": "late" });
    market.clerk.post(&format!("/shifts/{shift}/cash"), body).await.is_problem(409, "SHIFT_CLOSED");
    assert_eq!(market.footprint().await, before);
    market.open_shift(&market.register, 0).await;
    assert_eq!(market.violations().await, []);
}

// SAL-7: immutable in SQL, for the program itself.
#[tokio::test]
async fn the_book_and_closed_shifts_cannot_be_changed_by_sql() {
    let market = Market::open().await;
    let shift = market.open_shift(&market.register, 0).await;
    market.sell(&[("WINE", "1")]).await;
    move_cash(&market, &shift, "pay_in", 1).await;
    market.close_shift(&shift, 0).await.is(200);
    let app = market.site.databases.as_app().await.unwrap();
    let me = market.tenant.id.0.to_string();
    app.execute("select set_config('app.tenant_id', $1, false)", &[&me]).await.unwrap();
    for (sql, refusal) in [
        ("update sales.shift set opening_float = 1", "shift_is_closed"),
        ("update sales.shift set report = null, closed_at = null, counted_cash = null", "shift_is_closed"),
        ("delete from sales.shift", "shift_is_closed"),
        ("update sales.sale set gross = 0, net = 0, vat = 0", "permission denied"),
        ("delete from sales.sale", "permission denied"),
        ("update sales.sale_line set quantity = 1", "permission denied"),
        ("delete from sales.sale_line", "permission denied"),
        ("update sales.cash_movement set amount = 1", "permission denied"),
        ("delete from sales.imported_sale", "permission denied"),
        ("truncate sales.sale", "permission denied"),
        ("alter table sales.sale disable row level security", "must be owner"),
        ("drop trigger closed_shifts_stay on sales.shift", "must be owner"),
    ] {
        let error = app.batch_execute(sql).await.unwrap_err();
        let said = error.as_db_error().unwrap().message();
        assert!(said.contains(refusal), "{sql}: {said}");
    }
}

// SAL-7, HTTP-8
#[tokio::test]
async fn amounts_of_a_shift_are_checked_where_they_stand() {
    let market = Market::open().await;
    let shift = market.open_shift(&market.register, 0).await;
    let dollars = json!({ "amount": 1, "currency": "USD" });
    let (opening, cash, close) = (
        format!("/registers/{}/shifts", market.second_register),
        format!("/shifts/{shift}/cash"),
        format!("/shifts/{shift}/close"),
    );
    let before = market.footprint().await;
    for (path, body, status, code, pointer) in [
        (&opening, json!({ "openingFloat": eur(-1) }), 400, "VALIDATION_FAILED", "/openingFloat"),
        (&opening, json!({ "openingFloat": dollars }), 422, "CURRENCY_MISMATCH", "/openingFloat/currency"),
        (&opening, json!({}), 400, "VALIDATION_FAILED", "/openingFloat"),
        (&close, json!({ "countedCash": eur(-1) }), 400, "VALIDATION_FAILED", "/countedCash"),
        (&close, json!({ "countedCash": dollars }), 422, "CURRENCY_MISMATCH", "/countedCash/currency"),
        (
            &cash,
            json!({ "kind": "pay_in", "amount": eur(0), "reason": "r" }),
            400,
            "VALIDATION_FAILED",
            "/amount",
        ),
        (
            &cash,
            json!({ "kind": "steal", "amount": eur(1), "reason": "r" }),
            400,
            "VALIDATION_FAILED",
            "/kind",
        ),
        (
            &cash,
            json!({ "kind": "pay_in", "amount": eur(1), "reason": "" }),
            400,
            "VALIDATION_FAILED",
            "/reason",
        ),
        (
            &cash,
            json!({ "kind": "pay_in", "amount": dollars, "reason": "r" }),
            422,
            "CURRENCY_MISMATCH",
            "/amount/currency",
        ),
    ] {
        let refused = market.clerk.post(path, body.clone()).await.is_problem(status, code);
        assert_eq!(refused.text("/errors/0/pointer"), pointer, "{path} {body}");
    }
    assert_eq!(market.footprint().await, before);
    let nowhere = "/shifts/shf_01J00000000000000000000000";
    market.clerk.get(&format!("{nowhere}/report")).await.is_problem(404, "SHIFT_NOT_FOUND");
    let body = json!({ "countedCash": eur(0) });
    market.clerk.post(&format!("{nowhere}/close"), body).await.is_problem(404, "SHIFT_NOT_FOUND");
    let open = json!({ "openingFloat": eur(0) });
    let none = "/registers/reg_01J00000000000000000000000/shifts";
    market.clerk.post(none, open).await.is_problem(404, "REGISTER_NOT_FOUND");
}

// SAL-7, IDN-4
#[tokio::test]
async fn registers_have_unique_codes_in_their_shop_and_are_listed_by_them() {
    let market = Market::open().await;
    let path = format!("/shops/{}/registers", market.shop);
    market.clerk.post(&path, json!({ "code": "R01" })).await.is_problem(409, "REGISTER_CODE_TAKEN");
    let next = market.clerk.post(&path, json!({})).await.is(201).json;
    assert_eq!((&next["code"], &next["receiptPrefix"]), (&json!("R03"), &json!("S01-R03-")));
    for code in ["", "r1", "R 1", "TOOLONGER", "Ä"] {
        let refused =
            market.clerk.post(&path, json!({ "code": code })).await.is_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused.text("/errors/0/pointer"), "/code");
    }
    let page = market.clerk.get(&format!("{path}?limit=2")).await.is(200).json;
    assert_eq!((&page["items"][0]["code"], &page["items"][1]["code"]), (&json!("R01"), &json!("R02")));
    let cursor = page["nextCursor"].as_str().unwrap();
    let rest = market.clerk.get(&format!("{path}?cursor={cursor}")).await.is(200).json;
    assert_eq!(rest["items"][0]["code"], "R03");
    let cashier = market.site.member("acme", &["sales:*", "shifts:*"]);
    cashier.post(&path, json!({})).await.is_problem(403, "PERMISSION_DENIED");
    let nowhere = "/shops/shp_01J00000000000000000000000/registers";
    market.clerk.post(nowhere, json!({})).await.is_problem(404, "SHOP_NOT_FOUND");
    market.clerk.get(nowhere).await.is_problem(404, "SHOP_NOT_FOUND");
}
