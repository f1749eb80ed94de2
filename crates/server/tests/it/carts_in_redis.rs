//! Carts where there is a Redis (CRT-1): what is shown comes from it, and nothing depends on it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use cache::{Redis, RedisConfig, cmd};
use futures::future::join_all;
use http::Method;
use resilience::Breakers;
use serde_json::{Value, json};
use testkit::{Client, RedisServer};

use crate::support::{Neighbour, WebShop, check_out, fill, text};

/// A web shop of two processes that share a Redis.
struct Market {
    web: WebShop,
    other: Neighbour,
    server: RedisServer,
    /// To look into Redis from outside.
    redis: Redis,
}

impl Market {
    /// An answer of Redis that takes longer than `timeout_ms` is done without.
    async fn open(timeout_ms: u64) -> Self {
        let server = RedisServer::start().unwrap();
        let config = RedisConfig { url: Some(server.url().into()), timeout_ms, ..RedisConfig::default() };
        let web = WebShop::open_with(|all| all.redis = config.clone(), Arc::new(())).await;
        let other = Neighbour::start(&web.app).await;
        let redis = Redis::open(&config, &Breakers::default()).unwrap().unwrap();
        let market = Self { web, other, server, redis };
        market.connected().await;
        market
    }

    /// Waits until Redis is used.
    async fn connected(&self) {
        let here = self.web.app.parts.redis.as_ref().unwrap();
        let connected = async {
            for redis in [&self.redis, here, self.other.redis()] {
                while redis.query::<String>(&cmd("PING")).await.is_err() || !redis.is_up() {
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), connected).await.unwrap();
    }

    /// A guest with a cart, as both processes see them, and the name of their cart.
    async fn guest(&self, units: &[(&str, &str)]) -> (Client, Client, String) {
        let here = self.web.guest(units).await;
        let id = here.get("/carts/me").await.is(200).text("/customer").to_owned();
        (here, self.other.visitor(&self.web.app, "acme", &id).await, id)
    }

    async fn key(&self, slug: &str, owner: &str) -> String {
        format!("markethall:cart:{}:{owner}", self.web.app.tenant(slug).await.unwrap().id.0)
    }

    async fn in_redis(&self, owner: &str) -> Option<String> {
        self.redis.query(cmd("GET").arg(self.key("acme", owner).await)).await.unwrap()
    }

    async fn put_in_redis(&self, owner: &str, value: &str) {
        let _: () = self.redis.query(cmd("SET").arg(self.key("acme", owner).await).arg(value)).await.unwrap();
    }

    /// All carts in Redis, by owner: stamp and lines.
    async fn all_in_redis(&self) -> BTreeMap<String, (String, Value)> {
        let keys: Vec<String> = self.redis.query(cmd("KEYS").arg("markethall:cart:*")).await.unwrap();
        let mut all = BTreeMap::new();
        for key in keys {
            let value: String = self.redis.query(cmd("GET").arg(&key)).await.unwrap();
            let (stamp, document) = value.split_once('\n').unwrap();
            let document: Value = serde_json::from_str(document).unwrap();
            let owner = key.rsplit(':').next().unwrap().to_owned();
            all.insert(owner, (stamp.to_owned(), document["lines"].clone()));
        }
        all
    }

    /// The same as PostgreSQL has them.
    async fn all_in_postgresql(&self) -> BTreeMap<String, (String, Value)> {
        let look = self.web.app.databases.look().await.unwrap();
        let sql = "select owner, version || '.' || xmin, lines from cart.cart";
        let rows = look.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect()
    }

    async fn end(self) {
        self.other.end().await;
        self.web.end().await;
    }
}

fn line(sku: &str, quantity: &str) -> Value {
    json!({ "sku": sku, "quantity": quantity })
}

async fn cart(client: &Client) -> Value {
    client.get("/carts/me").await.is(200).json
}

async fn add(client: &Client, sku: &str) {
    client.post("/carts/me/lines", line(sku, "1")).await.is(200);
}

/// What is in the caller's cart: `PEN 2, INK 1`.
async fn units(client: &Client) -> String {
    let cart = cart(client).await;
    let lines = cart["lines"].as_array().unwrap().iter();
    let units = lines.map(|line| format!("{} {}", text(line, "/sku"), text(line, "/quantity")));
    units.collect::<Vec<_>>().join(", ")
}

// CRT-1
#[tokio::test(flavor = "multi_thread")]
async fn carts_are_in_both_stores_and_a_flushed_redis_loses_none() {
    let market = Market::open(10_000).await;
    let guests = join_all((0..12).map(|_| market.guest(&[("PEN", "1"), ("INK", "2")]))).await;
    assert_eq!(market.all_in_redis().await.len(), 12);
    assert_eq!(market.all_in_redis().await, market.all_in_postgresql().await);
    // What is shown comes from Redis.
    let (here, there, id) = &guests[0];
    let kept = market.in_redis(id).await.unwrap();
    market.put_in_redis(id, &kept.replace("\"PEN\"]", "\"A pen, says Redis\"]")).await;
    for client in [here, there] {
        assert_eq!(text(&cart(client).await, "/lines/0/name"), "A pen, says Redis");
    }
    market.put_in_redis(id, &kept).await;

    let before = join_all(guests.iter().map(|(here, ..)| cart(here))).await;
    let _: () = market.redis.query(&cmd("FLUSHALL")).await.unwrap();
    assert_eq!(join_all(guests.iter().map(|(_, there, _)| cart(there))).await, before);
    assert_eq!(market.all_in_redis().await, market.all_in_postgresql().await);
    let _: () = market.redis.query(&cmd("FLUSHALL")).await.unwrap();
    join_all(guests.iter().map(|(here, ..)| add(here, "LAST"))).await;
    for (_, there, _) in &guests {
        assert_eq!(units(there).await, "PEN 1, INK 2, LAST 1");
    }
    assert_eq!(market.all_in_redis().await, market.all_in_postgresql().await);
    market.end().await;
}

// CRT-1, RES-3
#[tokio::test(flavor = "multi_thread")]
async fn carts_go_on_without_redis_and_are_right_when_it_is_back() {
    let mut market = Market::open(1_000).await;
    let (here, there, id) = market.guest(&[("PEN", "1")]).await;
    let old = market.in_redis(&id).await.unwrap();
    // It hangs, with the cart in it as it was.
    market.server.freeze().unwrap();
    add(&here, "INK").await;
    add(&there, "INK").await;
    assert_eq!((units(&here).await, units(&there).await), ("PEN 1, INK 2".into(), "PEN 1, INK 2".into()));
    market.server.thaw().unwrap();
    market.connected().await;
    // Whether it has done by now what it was told while it hung, or not.
    market.put_in_redis(&id, &old).await;
    assert_eq!((units(&there).await, units(&here).await), ("PEN 1, INK 2".into(), "PEN 1, INK 2".into()));
    assert_eq!(market.all_in_redis().await, market.all_in_postgresql().await, "it was set right");
    // It dies, and comes back empty.
    market.server.kill();
    add(&there, "LAST").await;
    assert_eq!(units(&here).await, "PEN 1, INK 2, LAST 1");
    let (late, ..) = market.guest(&[("INK", "7")]).await;
    market.server.restart().unwrap();
    market.connected().await;
    add(&here, "PEN").await;
    assert_eq!((units(&there).await, units(&late).await), ("PEN 2, INK 2, LAST 1".into(), "INK 7".into()));
    assert_eq!(market.all_in_redis().await, market.all_in_postgresql().await);
    check_out(&here, "card_approved").await.is(201);
    assert_eq!((units(&there).await, units(&here).await), (String::new(), String::new()));
    market.end().await;
}

// CRT-1
#[tokio::test(flavor = "multi_thread")]
async fn a_cart_that_redis_kept_too_long_or_was_told_of_too_late_is_never_shown() {
    let market = Market::open(10_000).await;
    let (here, there, id) = market.guest(&[("PEN", "1")]).await;
    let first = market.in_redis(&id).await.unwrap();
    // Told of an earlier state after a later one.
    add(&here, "INK").await;
    market.put_in_redis(&id, &first).await;
    assert_eq!(units(&there).await, "PEN 1, INK 1");
    assert_eq!(market.all_in_redis().await, market.all_in_postgresql().await);
    // The cart has gone meanwhile.
    here.delete("/carts/me").await.is(204);
    assert_eq!(market.in_redis(&id).await, None);
    market.put_in_redis(&id, &first).await;
    assert_eq!(cart(&there).await["version"], 0);
    assert_eq!(market.in_redis(&id).await, None);
    // There is another one since, whose changes are counted anew.
    add(&here, "LAST").await;
    market.put_in_redis(&id, &first).await;
    assert_eq!((units(&here).await, cart(&here).await["version"].as_i64()), ("LAST 1".into(), Some(1)));
    assert_eq!(market.all_in_redis().await, market.all_in_postgresql().await);
    // A word that nobody understands.
    for word in ["", "1.1", "1.1\n{}", "x", "\n"] {
        market.put_in_redis(&id, word).await;
        assert_eq!(units(&there).await, "LAST 1", "{word:?}");
    }
    market.end().await;
}

// CRT-1
#[tokio::test(flavor = "multi_thread")]
async fn changes_from_two_processes_at_once_leave_the_same_cart_in_both_stores() {
    let market = Market::open(10_000).await;
    let guests = join_all((0..4).map(|_| market.guest(&[("PEN", "1")]))).await;
    let changes = (0..160).map(|n| {
        let (here, there, _) = &guests[n % 4];
        let client = if n / 4 % 2 == 0 { here } else { there };
        async move { add(client, "INK").await }
    });
    join_all(changes).await;
    assert_eq!(market.all_in_redis().await, market.all_in_postgresql().await);
    for (here, there, _) in &guests {
        assert_eq!((units(here).await, units(there).await), ("PEN 1, INK 40".into(), "PEN 1, INK 40".into()));
    }
    market.end().await;
}

// CRT-1, IDN-7
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_s_cart_is_the_customer_s_after_signing_in_whatever_redis_says() {
    let market = Market::open(10_000).await;
    let stranger = market.web.app.stranger().with_tenant("acme");
    let pass = stranger.api(Method::POST, "/customers/guest").send().await.is(200);
    let guest = stranger.clone().with_token(pass.text("/token"));
    let person = json!({ "email": "bob@shop.example", "password": "correct horse battery", "name": "Bob" });
    let signed = stranger.api(Method::POST, "/customers/register").json(&person).send().await.is(201);
    let bob = stranger.clone().with_token(signed.text("/token"));
    fill(&guest, &[("PEN", "3"), ("INK", "2")]).await;
    fill(&bob, &[("PEN", "1"), ("LAST", "1")]).await;
    assert_eq!(units(&bob).await, "PEN 1, LAST 1");
    let credentials = json!({
        "email": "bob@shop.example", "password": "correct horse battery", "guestToken": pass.text("/token")
    });
    stranger.api(Method::POST, "/customers/sign-in").json(&credentials).send().await.is(200);
    let id = text(&cart(&bob).await, "/customer");
    let elsewhere = market.other.visitor(&market.web.app, "acme", &id).await;
    assert_eq!(
        (units(&elsewhere).await, units(&bob).await),
        ("PEN 3, LAST 1, INK 2".into(), units(&bob).await)
    );
    assert_eq!(units(&guest).await, "");
    assert_eq!(market.all_in_redis().await, market.all_in_postgresql().await);
    // A checkout takes the cart, and a failed one gives it back.
    check_out(&bob, "card_confirm").await.is(202);
    assert!(cart(&elsewhere).await["checkoutId"].is_string());
    elsewhere.post("/carts/me/lines", line("PEN", "1")).await.is_problem(409, "CART_IN_CHECKOUT");
    market.end().await;
}

// CRT-1, DPR-6
#[tokio::test(flavor = "multi_thread")]
async fn carts_expire_in_both_stores_and_two_merchants_never_share_one() {
    let market = Market::open(10_000).await;
    let (here, _, id) = market.guest(&[("PEN", "1")]).await;
    market.web.app.add_tenant("bolt").await.unwrap();
    let bolts = market.web.app.visitor("bolt", &id).await.unwrap();
    assert_eq!(cart(&bolts).await["lines"], json!([]));
    assert_eq!(units(&here).await, "PEN 1");
    let key = market.key("acme", &id).await;
    assert!(!key.contains(&market.web.app.tenant("bolt").await.unwrap().id.0.to_string()));
    let ttl_s: i64 = market.redis.query(cmd("TTL").arg(&key)).await.unwrap();
    assert!((86_000..=86_400).contains(&ttl_s), "{ttl_s}");
    market.web.app.clock.advance_seconds(24 * 3600);
    let here = market.web.app.visitor("acme", &id).await.unwrap();
    assert_eq!(cart(&here).await["lines"], json!([]));
    let there = market.other.visitor(&market.web.app, "acme", &id).await;
    assert_eq!(cart(&there).await["version"], 0);
    assert_eq!(market.in_redis(&id).await, None);
    market.end().await;
}
