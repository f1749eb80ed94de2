//! Search: words, beginnings, typing errors, codes.

use crate::fixture::Market;

const GOODS: &str = "sku,name,category,price,barcode,description\n\
    1001,Dark chocolate,Food/Sweets,2.00,4006381333931,70 % cocoa\n\
    1002,Chocolate milk,Food/Drinks,1.50,,\n\
    1003,Milk 3.5%,Food/Drinks,1.00,,\n\
    1004,Apple,Food/Fruit,0.50,,Red\n\
    1005,Apples 1 kg,Food/Fruit,2.50,,\n\
    TEA-7,Tea,Food/Drinks,3.00,,with a hint of apple\n\
    1001X,Crème brûlée,Food/Sweets,4.00,,\n\
    9,Soup,Food/Soups,1.00,,\n\
    10,Soup 9 cans,Food/Soups,9.00,,\n";

async fn market() -> Market {
    let market = Market::new().await;
    let (done, report) = market.import(GOODS.as_bytes()).await;
    assert_eq!(done.created, 9, "{report}");
    market
}

async fn check(market: &Market, search: &str, expected: &[&str]) {
    let found = market.skus(&format!("/products?search={}", search.replace(' ', "%20"))).await;
    assert_eq!(found, expected, "{search}");
}

// CAT-2
#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_in_any_case_with_or_without_accents_and_from_their_beginning() {
    let market = market().await;
    check(&market, "CHOCOLATE", &["1002", "1001"]).await;
    check(&market, "choc", &["1002", "1001"]).await;
    check(&market, "creme brulee", &["1001X"]).await;
    check(&market, "chocolate milk", &["1002"]).await;
    check(&market, "milk chocolate", &["1002"]).await;
    check(&market, "sweets", &["1001X", "1001"]).await;
    check(&market, "cocoa", &["1001"]).await;
    check(&market, "xyzzy", &[]).await;
    check(&market, "chocolate xyzzy", &[]).await;
}

// CAT-2: a word in the name counts more than one in the description, a short name more than a long one.
#[tokio::test(flavor = "multi_thread")]
async fn the_best_match_comes_first() {
    let market = market().await;
    check(&market, "apple", &["1004", "1005", "TEA-7"]).await;
    check(&market, "soup", &["9", "10"]).await;
}

// CAT-2: typo tolerance.
#[tokio::test(flavor = "multi_thread")]
async fn typing_errors_are_forgiven() {
    let market = market().await;
    for typed in ["choclate", "chocolatte", "chocolat"] {
        check(&market, typed, &["1002", "1001"]).await;
    }
    check(&market, "dark choclate", &["1001"]).await;
    check(&market, "mlik", &["1002", "1003"]).await;
    check(&market, "sopu", &["9", "10"]).await;
    check(&market, "aplpe", &["1004", "TEA-7"]).await;
}

// CAT-2: SKU and barcode first, also by their beginning.
#[tokio::test(flavor = "multi_thread")]
async fn codes_are_found_first() {
    let market = market().await;
    check(&market, "1001", &["1001", "1001X"]).await;
    check(&market, "1001x", &["1001X"]).await;
    check(&market, "100", &["1001", "1002", "1003", "1004", "1005", "1001X"]).await;
    check(&market, "tea-7", &["TEA-7"]).await;
    check(&market, "4006381333931", &["1001"]).await;
    check(&market, "4006381", &["1001"]).await;
    check(&market, "9", &["9", "10"]).await;
    check(&market, "?!", &[]).await;
    check(&market, "? !", &[]).await;
}

// HTTP-8: what was typed is never a condition of its own.
#[tokio::test(flavor = "multi_thread")]
async fn quotes_operators_and_backslashes_are_only_text() {
    let market = market().await;
    for typed in
        ["'", "\\", "a'b", "milk' | 'soup", "!milk", "milk & !soup", "milk:*", "<->", "%25", "(", "tea\\'"]
    {
        let typed = typed.replace(' ', "%20").replace('&', "%26").replace('\\', "%5C").replace('<', "%3C");
        market
            .clerk
            .get(&format!("/products?search={}", typed.replace('>', "%3E").replace('|', "%7C")))
            .await
            .is(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_is_found_by_its_new_words_only() {
    let market = market().await;
    market.import(b"sku,name,price\n1004,Pear,0.50\n").await;
    check(&market, "pear", &["1004"]).await;
    check(&market, "apple", &["1005", "TEA-7"]).await;
    market.check().await;
}
