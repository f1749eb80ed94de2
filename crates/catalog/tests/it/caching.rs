//! Reads answered from memory: how often, and never with what was true before.

use std::time::Duration;

use catalog::{CacheCounts, CacheKind, Catalog};
use csvio::RejectWriter;
use db::{Invalidations, Source};
use futures::future::join_all;
use serde_json::json;

use crate::fixture::{Market, product, skus};

const KINDS: [CacheKind; 3] = [CacheKind::Product, CacheKind::Products, CacheKind::Categories];

impl Market {
    fn counts(&self, kind: CacheKind) -> CacheCounts {
        self.catalog.cache_counts(kind)
    }

    fn misses(&self, kind: CacheKind) -> u64 {
        self.counts(kind).misses
    }
}

// CAT-4
#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_of_a_list_is_read_once_however_it_is_written() {
    let market = Market::new().await;
    market.import(b"sku,name,price,category\nA,Red apple,1,Food\nB,Bread,1,Food\n").await;
    for path in [
        "/products?search=red%20apple&attribute=a=1;b=2",
        "/products?attribute=b=2;a=1;b=2&search=%20red%20%20apple",
        "/products?limit=50&search=red%20apple&attribute=a=1;b=2&sort=relevance",
    ] {
        assert_eq!(market.skus(path).await, Vec::<String>::new());
    }
    assert_eq!(market.counts(CacheKind::Products), CacheCounts { hits: 2, shared_hits: 0, misses: 1 });
    // Whatever else is asked for is another list.
    for path in
        ["", "?limit=1", "?sort=-name", "?total=estimate", "?facets=true", "?active=true", "?maxPrice=9"]
    {
        let (misses, path) = (market.misses(CacheKind::Products), format!("/products{path}"));
        let (first, second) = (market.clerk.get(&path).await.is(200), market.clerk.get(&path).await.is(200));
        assert_eq!(first.json, second.json);
        assert_eq!(market.misses(CacheKind::Products), misses + 1, "{path}");
    }
    for path in ["/categories", "/categories", "/categories?parent=Food"] {
        market.clerk.get(path).await.is(200);
    }
    assert_eq!(market.counts(CacheKind::Categories), CacheCounts { hits: 1, shared_hits: 0, misses: 2 });
}

// CAT-4: invalidated at once.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_changes_is_in_every_list_that_is_asked_for_afterwards() {
    let market = Market::new().await;
    market.import(b"sku,name,price,category\nA,Apple,1.00,Food\nB,Bread,2.00,Food\n").await;
    let list = async || market.skus("/products?category=Food&sort=price").await;
    let tree = async || market.clerk.get("/categories").await.json["items"][0]["products"].clone();
    assert_eq!((list().await, tree().await), (vec!["A".to_owned(), "B".to_owned()], json!(2)));
    let mut cake = product("C", "Cake", 50);
    cake["category"] = json!("Food");
    let id = market.clerk.post("/products", cake.clone()).await.is(201).text("/id").to_owned();
    assert_eq!((list().await.join(""), tree().await), ("CAB".to_owned(), json!(3)));
    cake["price"]["amount"] = json!(150);
    market.clerk.put(&format!("/products/{id}"), cake).await.is(200);
    assert_eq!(list().await.join(""), "ACB");
    market.clerk.delete(&format!("/products/{id}")).await.is(204);
    assert_eq!(market.skus("/products?active=true&sort=sku").await.join(""), "AB");
    market.import(b"sku,name,price\nA,Apple,9.00\n").await;
    assert_eq!(list().await.join(""), "CBA");
    let misses = market.misses(CacheKind::Products);
    let rates =
        json!({ "rates": [{ "category": "standard", "rate": 1900, "validFrom": "2020-01-01T00:00:00Z" }] });
    market.clerk.put("/tax-rates", rates).await.is(200);
    list().await;
    assert_eq!(market.misses(CacheKind::Products), misses + 1);
}

// CAT-4: by message, through every process.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_made_by_another_process_is_in_the_lists_of_this_one() {
    let market = Market::new().await;
    let invalidations = Invalidations::new();
    market.catalog.listen(&invalidations);
    invalidations.listen(&market.site.db, Source::Tenants(market.site.databases.shared_placement()));
    let elsewhere = Catalog::new(market.site.db.clone(), std::env::temp_dir());
    let mut so_far = 0;
    for rows in ["A,Apple,1,Food\n", "B,B,1,Food\nC,C,1,Food\nD,D,1,Food\nE,E,1,Food\nF,F,1,Food\n"] {
        let mut rejects = RejectWriter::new(std::io::sink()).unwrap();
        let file = format!("sku,name,price,category\n{rows}");
        catalog::import_products(&elsewhere, &market.ctx(), file.as_bytes(), &mut rejects, |_| {})
            .await
            .unwrap();
        so_far += rows.lines().count();
        let seen = async {
            while market.skus("/products").await.len() != so_far
                || market.clerk.get("/categories").await.json["items"][0]["products"] != json!(so_far)
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), seen).await.unwrap();
    }
    invalidations.close();
}

// CAT-4: should a notification be lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_again_after_a_minute_whatever_was_heard() {
    let market = Market::new().await;
    let elsewhere = Catalog::new(market.site.db.clone(), std::env::temp_dir());
    assert_eq!(market.skus("/products").await, Vec::<String>::new());
    let mut rejects = RejectWriter::new(std::io::sink()).unwrap();
    let file: &[u8] = b"sku,name,price\nA,Apple,1.00\n";
    catalog::import_products(&elsewhere, &market.ctx(), file, &mut rejects, |_| {}).await.unwrap();
    market.site.clock.advance_seconds(60);
    assert_eq!(market.skus("/products").await, ["A"]);
}

// CAT-4, DPR-6
#[tokio::test(flavor = "multi_thread")]
async fn two_merchants_asking_for_the_same_never_share_an_answer() {
    let market = Market::new().await;
    let (_, other) = market.add_merchant("other").await;
    market.import(b"sku,name,price,category\nA,Apple,1.00,Food\n").await;
    for _ in 0..2 {
        assert_eq!(market.skus("/products?search=apple").await, ["A"]);
        assert_eq!(skus(&other.get("/products?search=apple").await.is(200).json), Vec::<String>::new());
        assert_eq!(market.clerk.get("/categories").await.json["items"][0]["path"], "Food");
        assert_eq!(other.get("/categories").await.json["items"], json!([]));
        market.clerk.get("/products/sku/A").await.is(200);
        other.get("/products/sku/A").await.is_problem(404, "PRODUCT_NOT_FOUND");
    }
}

// CAT-4: stampede protection. One thread that is not made to yield: all hundred have asked before the first is answered.
#[tokio::test]
async fn a_hundred_who_miss_the_same_at_once_cause_one_query() {
    let market = Market::new().await;
    market.import(b"sku,name,price,category\nA,Apple,1.00,Food\n").await;
    let id = market.clerk.get("/products").await.json["items"][0]["id"].as_str().unwrap().to_owned();
    market.import(b"sku,name,price\nA,Apple,2.00\n").await;
    let by_id = format!("/products/{id}");
    for (kind, path) in [
        (CacheKind::Product, by_id.as_str()),
        (CacheKind::Products, "/products?search=apple"),
        (CacheKind::Categories, "/categories"),
        (CacheKind::Product, "/products/sku/UNKNOWN"),
    ] {
        let before = market.counts(kind);
        let asking = join_all((0..100).map(|_| market.clerk.get(path)));
        let answers = tokio::task::unconstrained(asking).await;
        assert!(
            answers.iter().all(|answer| answer.json == answers[0].json || answer.status == 404),
            "{path}"
        );
        let after = market.counts(kind);
        assert_eq!((after.hits - before.hits, after.misses - before.misses), (99, 1), "{path}");
    }
    assert_eq!(market.clerk.get(&by_id).await.json["price"]["amount"], 200);
}

/// Numbers as if by chance, the same in every run.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % most
    }

    /// The first of `most` things is asked for twice as often as the second, three times as often as the third.
    fn zipf(&mut self, most: usize) -> usize {
        let weight = |place: usize| 1_000_000 / (place + 1);
        let mut drawn = self.below((0..most).map(weight).sum());
        (0..most)
            .find(|&place| {
                if drawn < weight(place) {
                    true
                } else {
                    drawn -= weight(place);
                    false
                }
            })
            .unwrap()
    }
}

// CAT-4: above 80 % under a realistic mix.
#[tokio::test(flavor = "multi_thread")]
async fn more_than_four_of_five_reads_of_a_shop_are_answered_from_memory() {
    const PRODUCTS: usize = 300;
    let market = Market::new().await;
    let rows: String = (0..PRODUCTS)
        .map(|n| format!("S{n},Thing {n} of colour {},{}.00,Range {}\n", n % 12, n % 40 + 1, n % 20))
        .collect();
    market.import(format!("sku,name,price,category\n{rows}").as_bytes()).await;
    let mut chance = Chance(1);
    for n in 0..4_000 {
        let path = match chance.below(100) {
            0..60 => format!("/products/sku/S{}", chance.zipf(PRODUCTS)),
            60..80 => format!("/products?category=Range%20{}&sort=price", chance.zipf(20)),
            80..90 => format!("/products?search=colour%20{}", chance.zipf(12)),
            90..97 => "/categories".to_owned(),
            _ => {
                // Somebody reads on: a page that is not kept.
                let page = market.clerk.get("/products?limit=20").await.is(200);
                format!("/products?limit=20&cursor={}", page.text("/nextCursor"))
            }
        };
        market.clerk.get(&path).await.is(200);
        // One change among a thousand reads.
        if n % 1_000 == 999 {
            let sku = chance.zipf(PRODUCTS);
            market.import(format!("sku,name,price\nS{sku},Thing,{}.00\n", n / 100).as_bytes()).await;
        }
    }
    let all = KINDS.map(|kind| market.counts(kind));
    let (hits, misses) = all.iter().fold((0, 0), |sum, one| (sum.0 + one.hits, sum.1 + one.misses));
    assert!(misses > 300 && hits > 4 * misses, "{all:?}");
    for (kind, one) in KINDS.iter().zip(&all) {
        assert!(one.hits > 4 * one.misses, "{kind:?}: {one:?}");
    }
}
