//! Reads answered from Redis: by whom, and never with what was true before.

use std::time::Duration;

use cache::{Redis, RedisConfig, cmd};
use catalog::{CacheCounts, CacheKind, Catalog, CatalogConfig};
use csvio::RejectWriter;
use db::{Invalidations, Source};
use futures::future::join_all;
use resilience::Breakers;
use serde_json::{Value, json};
use testkit::{Client, RedisServer, Site};

use crate::{
    caching::Chance,
    fixture::{Market, skus},
    real_data::{WORDS, data_set, products},
};

const KINDS: [CacheKind; 3] = [CacheKind::Product, CacheKind::Products, CacheKind::Categories];
/// However busy the machine is: long enough for Redis to answer.
const PATIENT_MS: u64 = 10_000;

/// Another process of the market, with nothing in memory yet.
struct Process {
    catalog: Catalog,
    clerk: Client,
    stranger: Client,
    heard: Invalidations,
}

impl Process {
    fn start(market: &Market, redis: &Redis) -> Self {
        let mut made = None;
        let routes = |db: &db::Db, clock: &kernel::Clock| {
            let config = CatalogConfig {
                import_dir: market.import_dir(),
                redis: Some(redis.clone()),
                clock: clock.clone(),
                ..CatalogConfig::default()
            };
            let catalog = made.insert(Catalog::with_config(db.clone(), config));
            vec![catalog::routes(catalog.clone())]
        };
        let stranger = market.site.stranger_elsewhere(routes).unwrap();
        let clerk = Site::as_member(stranger.clone(), "acme", &["catalog:*"]);
        Self { catalog: made.unwrap(), clerk, stranger, heard: Invalidations::new() }
    }

    /// The same, told of changes by the database.
    fn listening(market: &Market, redis: &Redis) -> Self {
        let process = Self::start(market, redis);
        process.catalog.listen(&process.heard);
        process.heard.listen(&market.site.db, Source::Tenants(market.site.databases.shared_placement()));
        process
    }

    fn counts(&self, kind: CacheKind) -> (u64, u64, u64) {
        let CacheCounts { hits, shared_hits, misses } = self.catalog.cache_counts(kind);
        (hits, shared_hits, misses)
    }

    /// What is seen of the prices in every way: of A by id, of B by SKU, of A in a list.
    async fn prices(&self, id: &str) -> [i64; 3] {
        let amount = |value: &Value| value["price"]["amount"].as_i64().unwrap();
        let by_id = self.clerk.get(&format!("/products/{id}")).await.is(200);
        let by_sku = self.clerk.get("/products/sku/B").await.is(200);
        let list = self.clerk.get("/products?search=apple").await.is(200);
        [amount(&by_id.json), amount(&by_sku.json), amount(&list.json["items"][0])]
    }
}

async fn connect(server: &RedisServer, timeout_ms: u64) -> Redis {
    let url = Some(server.url().into());
    let config = RedisConfig { url, timeout_ms, prefix: "shop7:".to_owned(), ..RedisConfig::default() };
    let redis = Redis::open(&config, &Breakers::default()).unwrap().unwrap();
    while !redis.is_up() {
        tokio::task::yield_now().await;
    }
    redis
}

/// Calls until Redis is used again.
async fn reconnected(redis: &Redis) {
    let back = async {
        while redis.query::<String>(&cmd("PING")).await.is_err() || !redis.is_up() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), back).await.unwrap();
}

async fn keys(redis: &Redis) -> Vec<String> {
    let mut keys: Vec<String> = redis.query(cmd("KEYS").arg("*")).await.unwrap();
    keys.sort_unstable();
    keys
}

/// A market that sells apples and bread at 1.00, and the id of the apples.
async fn apples() -> (Market, String) {
    let market = Market::new().await;
    set_price(&market, &market.catalog, 100).await;
    let id = market.clerk.get("/products/sku/A").await.is(200).text("/id").to_owned();
    (market, id)
}

/// Has the process of `catalog` change both prices at once.
async fn set_price(market: &Market, catalog: &Catalog, cents: i64) {
    let price = format!("{}.{:02}", cents / 100, cents % 100);
    let file = format!("sku,name,price,category\nA,Apple,{price},Food\nB,Bread,{price},Food\n");
    let mut rejects = RejectWriter::new(std::io::sink()).unwrap();
    let done = catalog::import_products(catalog, &market.ctx(), file.as_bytes(), &mut rejects, |_| {}).await;
    assert_eq!(done.unwrap().rejected, 0);
}

// CAT-4
#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_has_read_another_finds_in_redis() {
    let server = RedisServer::start().unwrap();
    let redis = connect(&server, PATIENT_MS).await;
    let (market, id) = apples().await;
    let (first, second) = (Process::start(&market, &redis), Process::start(&market, &redis));
    let paths = [
        (CacheKind::Product, format!("/products/{id}")),
        (CacheKind::Product, "/products/sku/B".to_owned()),
        (CacheKind::Products, "/products?search=apple&facets=true".to_owned()),
        (CacheKind::Products, "/products?search=%20apple&facets=true&limit=50".to_owned()),
        (CacheKind::Categories, "/categories".to_owned()),
    ];
    for (_, path) in &paths {
        let (read, found) = (first.clerk.get(path).await.is(200), second.clerk.get(path).await.is(200));
        assert_eq!(read.json, found.json, "{path}");
        assert_eq!(read.json, market.clerk.get(path).await.json, "{path}");
        assert_eq!(read.headers.get("etag"), found.headers.get("etag"), "{path}");
    }
    assert_eq!(KINDS.map(|kind| first.counts(kind)), [(0, 0, 2), (1, 0, 1), (0, 0, 1)]);
    assert_eq!(KINDS.map(|kind| second.counts(kind)), [(0, 2, 0), (1, 1, 0), (0, 1, 0)]);
    // From now on it has them in memory itself.
    second.clerk.get(&paths[0].1).await.is(200);
    assert_eq!(second.counts(CacheKind::Product), (1, 2, 0));
    for key in keys(&redis).await {
        let ttl_s: i64 = redis.query(cmd("TTL").arg(&key)).await.unwrap();
        assert!((1..=600).contains(&ttl_s), "{key} stays {ttl_s} s");
    }
}

// CAT-4: invalidated at once, in every process.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_one_process_is_what_every_process_shows() {
    let server = RedisServer::start().unwrap();
    let redis = connect(&server, PATIENT_MS).await;
    let (market, id) = apples().await;
    let processes = [Process::listening(&market, &redis), Process::listening(&market, &redis)];
    for round in 1..=6_i64 {
        let (here, there) = if round % 2 == 0 { (0, 1) } else { (1, 0) };
        let (here, there) = (&processes[here], &processes[there]);
        let (before, cents) = ([round * 100; 3], (round + 1) * 100);
        assert_eq!((here.prices(&id).await, there.prices(&id).await), (before, before));
        set_price(&market, &here.catalog, cents).await;
        assert_eq!(here.prices(&id).await, [cents; 3], "who has changed it sees it");
        // Somebody new has nothing but Redis and the database.
        assert_eq!(Process::start(&market, &redis).prices(&id).await, [cents; 3]);
        let told = async {
            while there.prices(&id).await != [cents; 3] {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), told).await.unwrap();
    }
    // Whatever else changes, too.
    let fresh = async |path: &str| Process::start(&market, &redis).clerk.get(path).await.is(200).json;
    fresh("/products?sort=sku").await;
    fresh("/categories").await;
    market
        .import(b"sku,name,price,category\nC,C,1,Food\nD,D,1,Food\nE,E,1,Food\nF,F,1,Food\nG,G,1,Food\n")
        .await;
    assert_eq!(skus(&fresh("/products?sort=sku").await).join(""), "ABCDEFG");
    assert_eq!(fresh("/categories").await["items"][0]["products"], 7);
    market.clerk.delete(&format!("/products/{id}")).await.is(204);
    assert_eq!(skus(&fresh("/products?sort=sku&active=true").await).join(""), "BCDEFG");
    assert_eq!(fresh(&format!("/products/{id}")).await["active"], false);
    let before = keys(&redis).await.len();
    let rates =
        json!({ "rates": [{ "category": "standard", "rate": 1900, "validFrom": "2020-01-01T00:00:00Z" }] });
    market.clerk.put("/tax-rates", rates).await.is(200);
    fresh("/products?sort=sku").await;
    assert_eq!(keys(&redis).await.len(), before + 1, "a list is read again when rates have changed");
    processes.iter().for_each(|process| process.heard.close());
}

// CAT-4: a reader that is slower than a change writes down what was true before it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_to_redis_too_late_is_found_by_nobody() {
    let server = RedisServer::start().unwrap();
    let redis = connect(&server, PATIENT_MS).await;
    let (market, id) = apples().await;
    assert_eq!(Process::start(&market, &redis).prices(&id).await, [100; 3]);
    let mut written: Vec<(String, Vec<u8>)> = Vec::new();
    for key in keys(&redis).await {
        let value: Vec<u8> = redis.query(cmd("GET").arg(&key)).await.unwrap();
        written.push((key, value));
    }
    assert_eq!(written.len(), 3);
    let _: () = redis.query(&cmd("FLUSHALL")).await.unwrap();
    set_price(&market, &market.catalog, 700).await;
    let write_late = async || {
        for (key, value) in &written {
            let _: () = redis.query(cmd("SET").arg(key).arg(&value[..])).await.unwrap();
        }
    };
    write_late().await;
    assert_eq!(Process::start(&market, &redis).prices(&id).await, [700; 3]);
    write_late().await;
    assert_eq!(Process::start(&market, &redis).prices(&id).await, [700; 3]);
    assert_eq!(keys(&redis).await.len(), 6, "three that nobody asks for, three that are asked for");
}

// CAT-4: the same, as it happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_asks_after_a_change_is_never_shown_what_was_before_it_however_many_read_meanwhile() {
    const ROUNDS: i64 = 12;
    let server = RedisServer::start().unwrap();
    let redis = connect(&server, PATIENT_MS).await;
    let (market, id) = apples().await;
    let (done, is_done) = tokio::sync::watch::channel(false);
    let change = async {
        for round in 1..=ROUNDS {
            set_price(&market, &market.catalog, 1_000 + round).await;
            // Two at once, so that one may find what the other has written just now.
            let asked = [Process::start(&market, &redis), Process::start(&market, &redis)];
            for seen in join_all(asked.iter().map(|process| process.prices(&id))).await {
                assert_eq!(seen, [1_000 + round; 3]);
            }
        }
        done.send(true).unwrap();
    };
    // Readers with nothing in memory, of whom some are always between reading and writing while the prices change.
    let read = async || {
        let mut reads = 0_i64;
        while !*is_done.borrow() {
            for seen in Process::start(&market, &redis).prices(&id).await {
                assert!(seen == 100 || (1_001..=1_000 + ROUNDS).contains(&seen), "{seen}");
                reads += 1;
            }
        }
        reads
    };
    let ((), reads) = tokio::join!(change, join_all((0..3).map(|_| read())));
    assert!(reads.iter().sum::<i64>() > ROUNDS);
}

// CAT-4, RES-3
#[tokio::test(flavor = "multi_thread")]
async fn without_redis_everybody_is_served_and_afterwards_nobody_is_served_what_was_before() {
    let mut server = RedisServer::start().unwrap();
    let redis = connect(&server, 1_000).await;
    let (market, id) = apples().await;
    let old = Process::start(&market, &redis);
    assert_eq!(old.prices(&id).await, [100; 3]);
    // It hangs, with the old answers in it, while the price changes.
    server.freeze().unwrap();
    set_price(&market, &market.catalog, 200).await;
    set_price(&market, &old.catalog, 250).await;
    assert_eq!(Process::start(&market, &redis).prices(&id).await, [250; 3]);
    server.thaw().unwrap();
    reconnected(&redis).await;
    assert!(keys(&redis).await.len() >= 3, "the old answers are still there");
    assert_eq!(Process::start(&market, &redis).prices(&id).await, [250; 3]);
    // It dies, and is away for a while.
    server.kill();
    for cents in [300, 400] {
        set_price(&market, &old.catalog, cents).await;
        assert_eq!(old.prices(&id).await, [cents; 3]);
        assert_eq!(Process::start(&market, &redis).prices(&id).await, [cents; 3]);
    }
    server.restart().unwrap();
    reconnected(&redis).await;
    assert_eq!(Process::start(&market, &redis).prices(&id).await, [400; 3]);
    let last = Process::start(&market, &redis);
    assert_eq!(last.prices(&id).await, [400; 3]);
    assert_eq!((last.counts(CacheKind::Product), last.counts(CacheKind::Products)), ((0, 2, 0), (0, 1, 0)));
}

// CAT-4: should a notification be lost.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_from_redis_lives_no_longer_than_what_memory_has_read_itself() {
    let server = RedisServer::start().unwrap();
    let redis = connect(&server, PATIENT_MS).await;
    let (market, id) = apples().await;
    assert_eq!(Process::start(&market, &redis).prices(&id).await, [100; 3]);
    market.site.clock.advance_seconds(20);
    let deaf = Process::start(&market, &redis);
    assert_eq!(deaf.prices(&id).await, [100; 3]);
    assert_eq!((deaf.counts(CacheKind::Product), deaf.counts(CacheKind::Products)), ((0, 2, 0), (0, 1, 0)));
    set_price(&market, &market.catalog, 200).await;
    assert_eq!(deaf.prices(&id).await, [100; 3], "it was told of nothing");
    market.site.clock.advance_seconds(60);
    assert_eq!(deaf.prices(&id).await, [100, 100, 200], "a list is a minute old at most");
    market.site.clock.advance_seconds(540);
    assert_eq!(deaf.prices(&id).await, [200; 3], "a product ten minutes");
}

// CAT-4, DPR-6
#[tokio::test(flavor = "multi_thread")]
async fn two_merchants_with_the_same_sku_share_nothing_in_redis() {
    let server = RedisServer::start().unwrap();
    let redis = connect(&server, PATIENT_MS).await;
    let (market, _) = apples().await;
    let (bolt, _) = market.add_merchant("bolt").await;
    market.import_as(&market.site.ctx(&bolt), b"sku,name,price\nA,Apple,9.00\n").await;
    for process in [Process::start(&market, &redis), Process::start(&market, &redis)] {
        let bolts = Site::as_member(process.stranger.clone(), "bolt", &["catalog:*"]);
        let apple = process.clerk.get("/products/sku/A").await.is(200);
        assert_eq!(apple.json["price"]["amount"], 100);
        assert_eq!(bolts.get("/products/sku/A").await.is(200).json["price"]["amount"], 900);
        bolts.get("/products/sku/B").await.is_problem(404, "PRODUCT_NOT_FOUND");
        for path in ["/products?sort=sku", "/categories"] {
            assert_ne!(process.clerk.get(path).await.is(200).json, bolts.get(path).await.is(200).json);
        }
    }
    let of = |tenant: &kernel::Tenant| format!("shop7:catalog:{}:", tenant.id.0);
    let (acmes, bolts) = (of(&market.tenant), of(&bolt));
    let keys = keys(&redis).await;
    let count = |of: &str| keys.iter().filter(|key| key.starts_with(of)).count();
    assert_eq!((count(&acmes), count(&bolts), keys.len()), (3, 3, 6));
}

// CAT-4: bounded.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_large_is_not_shared() {
    let server = RedisServer::start().unwrap();
    let redis = connect(&server, PATIENT_MS).await;
    let market = Market::new().await;
    let text = "long ".repeat(790);
    let rows: String = (0..200).map(|n| format!("S{n},Thing {n},1.00,{text}\n")).collect();
    market.import(format!("sku,name,price,description\n{rows}").as_bytes()).await;
    for _ in 0..2 {
        let process = Process::start(&market, &redis);
        let page = process.clerk.get("/products?limit=200").await.is(200);
        assert!(page.body.len() > 512 << 10);
        assert_eq!(process.counts(CacheKind::Products), (0, 0, 1));
    }
    assert_eq!(keys(&redis).await, Vec::<String>::new());
}

/// A place below `most`, the first the likeliest: the chance falls with the place to the power of 1.2.
fn draw(chance: &mut Chance, sums: &[f64]) -> usize {
    let all = sums.last().copied().unwrap_or(1.0);
    let at = all * chance.below(1 << 30) as f64 / f64::from(1 << 30);
    sums.partition_point(|sum| *sum <= at).min(sums.len() - 1)
}

fn sums(most: usize) -> Vec<f64> {
    let mut sum = 0.0;
    let add = |place: usize| {
        sum += (place as f64 + 1.0).powf(-1.2);
        sum
    };
    (0..most).map(add).collect()
}

// CAT-4: above 80 % over the 92,331 real products, with two processes.
#[tokio::test(flavor = "multi_thread")]
async fn more_than_four_of_five_reads_of_the_real_catalog_need_no_database() {
    let Some(folder) = data_set() else { return };
    let server = RedisServer::start().unwrap();
    let redis = connect(&server, PATIENT_MS).await;
    let market = Market::new().await;
    let file = products(&folder);
    market.import(&file).await;
    let processes = [Process::listening(&market, &redis), Process::listening(&market, &redis)];
    let file = String::from_utf8(file).unwrap();
    let skus: Vec<&str> = file.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    let tree = market.clerk.get("/categories").await.is(200).json;
    let first_level = tree["items"].as_array().unwrap().iter();
    let second_level = first_level.clone().flat_map(|item| item["children"].as_array().unwrap());
    let categories: Vec<String> = first_level
        .clone()
        .chain(second_level)
        .map(|item| {
            item["path"].as_str().unwrap().replace('%', "%25").replace(' ', "%20").replace('&', "%26")
        })
        .collect();
    let words: Vec<String> = WORDS.split(',').map(|word| word.trim().replace(' ', "%20")).collect();
    let (of_products, of_categories) = (sums(skus.len()), sums(categories.len()));
    let mut chance = Chance(7);
    for n in 0..12_000 {
        let path = match chance.below(100) {
            0..50 => format!("/products/sku/{}", skus[draw(&mut chance, &of_products)]),
            50..85 => format!("/products?category={}", categories[draw(&mut chance, &of_categories)]),
            85..93 => format!("/products?search={}", words[chance.below(words.len())]),
            _ => "/categories".to_owned(),
        };
        processes[chance.below(2)].clerk.get(&path).await.is(200);
        if n == 6_000 {
            let dearer = format!("sku,name,price\n{},Dearer,99.00\n", skus[0]);
            market.import(dearer.as_bytes()).await;
        }
    }
    let mut sum = CacheCounts { hits: 0, shared_hits: 0, misses: 0 };
    for one in processes.iter().flat_map(|process| KINDS.map(|kind| process.catalog.cache_counts(kind))) {
        sum.hits += one.hits;
        sum.shared_hits += one.shared_hits;
        sum.misses += one.misses;
    }
    assert_eq!(sum.hits + sum.shared_hits + sum.misses, 12_000);
    assert!(sum.hits + sum.shared_hits > 4 * sum.misses && sum.shared_hits > 200, "{sum:?}");
    processes.iter().for_each(|process| process.heard.close());
}
