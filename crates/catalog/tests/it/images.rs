//! Images of products.

use axum::http::Method;
use serde_json::{Value, json};
use testkit::Answer;

use crate::fixture::{Market, product};

/// The head of a PNG of that size; pixels are nobody's business here.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".to_vec();
    file.extend(width.to_be_bytes());
    file.extend(height.to_be_bytes());
    file.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
    file
}

pub(crate) fn below_api(url: &str) -> &str {
    url.trim_start_matches("/api/v1")
}

pub(crate) async fn send(market: &Market, product: &str, file: Vec<u8>) -> Answer {
    market
        .clerk
        .api(Method::POST, &format!("/products/{product}/images"))
        .body("image/png", file)
        .send()
        .await
}

async fn apple(market: &Market) -> String {
    market.clerk.post("/products", product("A", "Apple", 100)).await.is(201).text("/id").to_owned()
}

fn ids(product: &Value) -> Vec<&str> {
    product["images"].as_array().unwrap().iter().map(|image| image["id"].as_str().unwrap()).collect()
}

// CAT-1: images.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_shown_by_its_product_and_given_to_everybody_for_ever() {
    let market = Market::new().await;
    let id = apple(&market).await;
    let path = format!("/products/{id}/images?alt=A%20red%20apple");
    // What is said to be a JPEG is seen to be a PNG.
    let made = market.clerk.api(Method::POST, &path).body("image/jpeg", png(800, 600)).send().await.is(201);
    assert_eq!(made.header("location"), made.text("/url"));
    assert_eq!(
        (made.text("/alt"), &made.json["width"], &made.json["height"]),
        ("A red apple", &json!(800), &json!(600))
    );
    for path in [format!("/products/{id}"), "/products/sku/A".to_owned()] {
        let shown = market.clerk.get(&path).await.is(200);
        assert_eq!((&shown.json["images"], &shown.json["version"]), (&json!([made.json]), &json!(2)));
    }
    assert_eq!(market.clerk.get("/products").await.json["items"][0]["images"], json!([made.json]));
    let anybody = market.site.stranger();
    let seen = anybody.get(below_api(made.text("/url"))).await.is(200);
    assert_eq!((seen.header("content-type"), seen.body.clone()), ("image/png", png(800, 600)));
    assert_eq!(seen.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(seen.header("x-content-type-options"), "nosniff");
    let again = anybody
        .api(Method::GET, below_api(made.text("/url")))
        .header("if-none-match", seen.header("etag"))
        .send()
        .await;
    assert!(again.is(304).body.is_empty());
    let kinds: Vec<_> = market.messages().await.into_iter().map(|message| message.0).collect();
    assert_eq!(
        (kinds, market.count_objects()),
        (vec!["ProductCreated".to_owned(), "ProductUpdated".to_owned()], 1)
    );
    market.check().await;
}

// CAT-1, HTTP-8: what is no picture is not kept, whatever it is called.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_leaves_nothing_behind() {
    let market = Market::new().await;
    let id = apple(&market).await;
    for file in
        [b"<svg/>".to_vec(), Vec::new(), b"GIF89a\x01\x00\x01\x00".to_vec(), png(10_001, 1), png(0, 1)]
    {
        send(&market, &id, file).await.is_problem(422, "IMAGE_INVALID");
    }
    let mut large = png(1, 1);
    large.resize((5 << 20) + 1, 0);
    send(&market, &id, large).await.is_problem(413, "PAYLOAD_TOO_LARGE");
    let path = format!("/products/{id}/images");
    let text = market.clerk.api(Method::POST, &path).body("text/plain", png(1, 1)).send().await;
    text.is_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let alt = format!("{path}?alt={}", "x".repeat(201));
    let long = market.clerk.api(Method::POST, &alt).body("image/png", png(1, 1)).send().await;
    long.is_problem(400, "VALIDATION_FAILED");
    let unknown = "prd_01J00000000000000000000000";
    send(&market, unknown, png(1, 1)).await.is_problem(404, "PRODUCT_NOT_FOUND");
    let reader = market.site.member("acme", &["catalog:read"]);
    let denied = reader.api(Method::POST, &path).body("image/png", png(1, 1)).send().await;
    assert_eq!((denied.status, market.count_objects()), (403, 0));
    assert_eq!(market.clerk.get(&format!("/products/{id}")).await.json["version"], 1);
}

// HTTP-6
#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_adds_one_image_and_keeps_one_file() {
    let market = Market::new().await;
    let id = apple(&market).await;
    let path = format!("/products/{id}/images");
    let post = || market.clerk.api(Method::POST, &path).key("once").body("image/png", png(4, 4)).send();
    let (first, second) = (post().await.is(201), post().await.is(201));
    assert_eq!((&first.json, second.header("idempotency-replayed")), (&second.json, "true"));
    assert_eq!(ids(&market.clerk.get(&format!("/products/{id}")).await.json), [first.text("/id")]);
    assert_eq!(market.count_objects(), 1);
    market.check().await;
}

// CAT-1: ordered, with texts, up to twenty.
#[tokio::test(flavor = "multi_thread")]
async fn images_are_put_in_order_and_removed_with_their_files() {
    let market = Market::new().await;
    let id = apple(&market).await;
    let path = format!("/products/{id}");
    for side in 1..=20 {
        send(&market, &id, png(side, side)).await.is(201);
    }
    send(&market, &id, png(9, 9)).await.is_problem(409, "TOO_MANY_IMAGES");
    let before = market.clerk.get(&path).await.is(200);
    let mut order = ids(&before.json);
    assert_eq!(
        (before.json["images"][2]["width"].as_i64(), order.len(), market.count_objects()),
        (Some(3), 20, 20)
    );
    order.reverse();
    let body = |ids: &[&str]| json!({ "images": ids.iter().map(|id| json!({ "id": id, "alt": "seen" })).collect::<Vec<_>>() });
    let images = format!("{path}/images");
    for wrong in [&order[1..], &[&order[..19], &order[..1]].concat(), &["img_01J00000000000000000000000"]] {
        market.clerk.put(&images, body(wrong)).await.is_problem(422, "IMAGES_DIFFER");
    }
    let put = market.clerk.put(&images, body(&order)).await.is(200);
    assert_eq!((ids(&put.json), &put.json["images"][0]["alt"]), (order.clone(), &json!("seen")));
    // A change of the product leaves its images as they are.
    market.clerk.put(&path, product("A", "Green apple", 100)).await.is(200);
    market.import(b"sku,name,price\nA,Yellow apple,2.00\n").await;
    let first = format!("{images}/{}", order[0]);
    market.clerk.delete(&first).await.is(204);
    market.clerk.delete(&first).await.is_problem(404, "IMAGE_NOT_FOUND");
    let after = market.clerk.get(&path).await.is(200);
    assert_eq!((ids(&after.json), market.count_objects()), (order[1..].to_vec(), 19));
    let url = put.json["images"][0]["url"].as_str().unwrap();
    market.site.stranger().get(below_api(url)).await.is_problem(404, "IMAGE_NOT_FOUND");
    market.check().await;
}

// CAT-1, DPR-6
#[tokio::test(flavor = "multi_thread")]
async fn another_merchant_neither_adds_nor_removes_images_nor_gives_them_by_its_name() {
    let market = Market::new().await;
    let (other, clerk) = market.add_merchant("other").await;
    let id = apple(&market).await;
    let made = send(&market, &id, png(1, 1)).await.is(201);
    let path = format!("/products/{id}/images");
    let sent = clerk.api(Method::POST, &path).body("image/png", png(1, 1)).send().await;
    sent.is_problem(404, "PRODUCT_NOT_FOUND");
    clerk.put(&path, json!({ "images": [] })).await.is_problem(404, "PRODUCT_NOT_FOUND");
    clerk.delete(&format!("{path}/{}", made.text("/id"))).await.is_problem(404, "PRODUCT_NOT_FOUND");
    let elsewhere = format!("/images/{}/{}", other.id, made.text("/id"));
    market.site.stranger().get(&elsewhere).await.is_problem(404, "IMAGE_NOT_FOUND");
    assert_eq!(market.count_objects(), 1);
    // A product that lists what is not known is found.
    let look = market.site.databases.look().await.unwrap();
    look.execute("update catalog.product set images = null", &[]).await.unwrap();
    let tx = market.begin().await;
    let found = catalog::invariants(&tx).await.unwrap();
    assert_eq!((found.len(), found[0].invariant), (1, "product_images_are_known"));
}

// CAT-1: a file that no product shows goes away after a day.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_left_behind_is_swept_after_a_day_and_no_other() {
    let market = Market::new().await;
    let id = apple(&market).await;
    let (left, kept) =
        (send(&market, &id, png(1, 1)).await.is(201), send(&market, &id, png(2, 2)).await.is(201));
    // As after a crash between file and product: the file is there, and shown by nobody.
    let look = market.site.databases.look().await.unwrap();
    let images = json!([{ "id": kept.json["id"], "alt": "", "width": 2, "height": 2, "mediaType": "image/png", "bytes": 33 }]);
    look.execute("update catalog.product set images = $1", &[&images]).await.unwrap();
    look.execute(
        "update catalog.image set shown = false where id = (select min(id::text)::uuid from catalog.image)",
        &[],
    )
    .await
    .unwrap();
    assert_eq!(catalog::sweep_images(&market.catalog, &market.ctx()).await.unwrap(), 0);
    market.site.clock.advance_seconds(24 * 3600 + 1);
    assert_eq!(catalog::sweep_images(&market.catalog, &market.ctx()).await.unwrap(), 1);
    assert_eq!(catalog::sweep_images(&market.catalog, &market.ctx()).await.unwrap(), 0);
    let anybody = market.site.stranger();
    anybody.get(below_api(left.text("/url"))).await.is_problem(404, "IMAGE_NOT_FOUND");
    anybody.get(below_api(kept.text("/url"))).await.is(200);
    assert_eq!(market.count_objects(), 1);
}
