//! What the faults befall.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use db::cluster::ADMIN_ROLE;
use serde_json::{Value, json};
use testkit::{Client, NatsServer, RedisServer};

use super::{
    clock::WallClock,
    load::{Seen, settle},
    network::{HERE, Link, THERE},
    pair::Pair,
    relay::{Relay, Target},
};
use crate::{
    crash::all_sales,
    support::{Home, Ran, Server, eur, text, wait_for},
};

/// The merchants: two on the first shard, which holds the control database too, one on the second.
pub const MERCHANTS: [&str; 3] = ["acme", "grand", "east"];
/// The one on the second shard.
pub const FAR: &str = "east";
const UNITS: &str = "900000";

/// Where the processes serve now; one that comes back has another address.
pub type Addresses = Arc<RwLock<[SocketAddr; 2]>>;

/// A merchant's way in and things.
#[derive(Clone)]
pub struct Merchant {
    pub slug: &'static str,
    pub token: String,
    pub shop: String,
    pub register: String,
}

/// What was found afterwards.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Acknowledged but not there.
    pub lost: Vec<String>,
    /// There but never acknowledged to anybody: the second effect of something.
    pub doubled: Vec<String>,
    /// What `markethall check` finds.
    pub violations: Vec<Value>,
}

impl Verdict {
    /// What is not as it should be, if anything.
    pub fn wrong(&self) -> Option<String> {
        let right = self.lost.is_empty() && self.doubled.is_empty() && self.violations.is_empty();
        (!right).then(|| format!("{self:?}"))
    }
}

/// Two processes, two shards, Redis and NATS; the second shard, Redis and NATS at the other end of the link if there is
/// one.
pub struct Site {
    pub home: Home,
    pub far: Pair,
    pub link: Result<Link, String>,
    /// To both places of the second shard, and to Redis and NATS.
    relays: Vec<Relay>,
    pub clock: Option<WallClock>,
    /// Good for half an hour, so that the second process shows by it what time it has.
    short_token: String,
    pub redis: RedisServer,
    pub nats: NatsServer,
    pub servers: [Option<Server>; 2],
    pub addresses: Addresses,
    pub http: reqwest::Client,
    pub merchants: Vec<Merchant>,
    settings: Vec<(String, String)>,
}

impl Site {
    pub async fn open(link: Result<Link, String>) -> Self {
        let home = Home::furnished();
        let far = Pair::open().await;
        let (redis, nats) = (RedisServer::start().unwrap(), NatsServer::start().unwrap());
        let relays = if link.is_ok() { relays(&far, &redis, &nats).await } else { Vec::new() };
        let settings = settings(&far, &redis, &nats, &relays);
        let clock = WallClock::find(home.path());
        let mut site = Self {
            short_token: String::new(),
            addresses: Arc::new(RwLock::new([SocketAddr::from(([127, 0, 0, 1], 0)); 2])),
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(40)).build().unwrap(),
            merchants: Vec::new(),
            servers: [None, None],
            home,
            far,
            link,
            relays,
            clock,
            redis,
            nats,
            settings,
        };
        (0..2).for_each(|number| site.start_server(number));
        site.open_far().await;
        for slug in MERCHANTS {
            let merchant = site.furnish(slug).await;
            site.merchants.push(merchant);
        }
        let args = ["token", "--ttl", "30m", "--tenant", MERCHANTS[0], "--permission", "*"];
        site.short_token = text(&site.home.json(&args), "/accessToken");
        site
    }

    /// Takes the second shard into use and opens its merchant.
    async fn open_far(&self) {
        let token = self.home.token(None, &["platform:*"]);
        let address = self.addresses.read().unwrap()[0];
        let operator = Client::of_server(self.http.clone(), address).with_token(&token);
        operator.post("/admin/shards", json!({ "name": FAR, "weight": 1 })).await.is(201);
        let tenant = json!({
            "slug": FAR, "name": "East", "tier": "standard", "currency": "EUR", "shard": FAR,
            "adminEmail": "admin@east.example",
        });
        operator.post("/admin/tenants", tenant).await.is(201);
    }

    async fn furnish(&self, slug: &'static str) -> Merchant {
        let token = self.home.token(Some(slug), &["*"]);
        let client = self.client(slug, &token);
        let product = json!({ "sku": "PEN", "name": "Pen", "price": eur(240) });
        client.post("/products", product).await.is(201);
        let mut shops = Vec::new();
        for (code, kind) in [("S01", "store"), ("W01", "web")] {
            let shop =
                client.post("/shops", json!({ "code": code, "name": code, "kind": kind })).await.is(201);
            let line = json!({ "shopId": shop.text("/id"), "sku": "PEN", "quantity": UNITS });
            client.put("/inventory/restock", json!({ "lines": [line] })).await.is(200);
            shops.push(shop.text("/id").to_owned());
        }
        let shop = shops.swap_remove(0);
        let register =
            client.post(&format!("/shops/{shop}/registers"), json!({ "code": "R01" })).await.is(201);
        Merchant { slug, token, shop, register: register.text("/id").to_owned() }
    }

    /// Somebody of a merchant who asks the first process.
    pub fn client(&self, slug: &str, token: &str) -> Client {
        let address = self.addresses.read().unwrap()[0];
        Client::of_server(self.http.clone(), address).with_tenant(slug).with_token(token)
    }

    /// Has a process that died back, at whatever address. The second one has a clock of its own.
    pub fn start_server(&mut self, number: usize) {
        let own = self.clock.iter().filter(|_| number == 1).flat_map(WallClock::settings).collect::<Vec<_>>();
        let shared = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs: Vec<_> = shared.chain(own.iter().map(|(name, value)| (*name, value.as_str()))).collect();
        let server = Server::start_with(&self.home, &pairs, &[]);
        self.addresses.write().unwrap()[number] = server.address;
        self.servers[number] = Some(server);
    }

    /// Breaks off all connections to the second shard.
    pub fn reset_far(&self) {
        self.relays.iter().take(2).for_each(Relay::reset);
    }

    /// Has the second process' clock go wrong and waits until it tells so about a token: in order, expired, or not good
    /// yet.
    pub async fn set_clock(&self, seconds: i64, code: &str) {
        self.clock.as_ref().unwrap().set(seconds);
        let address = self.addresses.read().unwrap()[1];
        let client = Client::of_server(self.http.clone(), address).with_tenant(MERCHANTS[0]);
        let client = client.with_token(&self.short_token);
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            let answer = client.get("/products").await;
            if answer.code() == code {
                return;
            }
            let late = begun.elapsed() > Duration::from_secs(20);
            assert!(!late, "{seconds} s: the second process answers {} {}", answer.status, answer.json);
        }
    }

    /// Whether everything that was acknowledged is there, once, and nothing that nobody asked for, and all adds up.
    pub async fn verify(&mut self, seen: &Seen) -> Verdict {
        let mut verdict = Verdict::default();
        for merchant in &self.merchants {
            let client = self.client(merchant.slug, &merchant.token);
            let booked = all_sales(&client).await;
            let mut by_channel: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for (id, sale) in &booked {
                by_channel.entry(sale["channel"].as_str().unwrap()).or_default().insert(id);
            }
            let told = seen.acknowledged(merchant.slug);
            for (channel, ids) in [("till", &told.sales), ("web", &told.web_sales)] {
                let booked = by_channel.remove(channel).unwrap_or_default();
                let told_of: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
                let missing = |of: &BTreeSet<&str>, among: &BTreeSet<&str>| -> Vec<String> {
                    of.difference(among).map(|id| (*id).to_owned()).collect()
                };
                verdict.lost.extend(missing(&told_of, &booked));
                let more = missing(&booked, &told_of);
                if channel == "web" && more.len() <= told.in_doubt {
                    settle(merchant.slug, more);
                } else {
                    verdict.doubled.extend(more);
                }
            }
        }
        verdict.violations = self.violations();
        verdict
    }

    /// What `markethall check` finds. What is on its way gets the time that it gives it: the relay catches up by itself.
    fn violations(&self) -> Vec<Value> {
        let begun = Instant::now();
        let found = || {
            let ran = Ran::of(self.home.command().envs(self.settings.clone()).args(["check", "--json"]));
            let late = begun.elapsed() > Duration::from_secs(90);
            let clean = ran.code == Some(0);
            (clean || late).then(|| ran.json()["violations"].as_array().cloned().unwrap())
        };
        wait_for("an answer of check", Duration::from_secs(180), found)
    }

    pub async fn close(mut self) {
        for server in &mut self.servers {
            server.take().unwrap().stop();
        }
        self.far.close().await;
    }
}

/// The way to everything that is at the other end of the link.
async fn relays(far: &Pair, redis: &RedisServer, nats: &NatsServer) -> Vec<Relay> {
    let sockets = far.socket_dirs().map(|dir| Target::Unix(dir.join(".s.PGSQL.5432")));
    let cache = redis.url().strip_prefix("redis+unix://").map(|path| Target::Unix(path.into()));
    let bus = nats.url().strip_prefix("nats://").map(|address| Target::Tcp(address.parse().unwrap()));
    let mut relays = Vec::new();
    for target in sockets.into_iter().chain(cache).chain(bus) {
        relays.push(Relay::open(HERE, target).await);
    }
    assert_eq!(relays.len(), 4, "{} {}", redis.url(), nats.url());
    relays
}

fn settings(far: &Pair, redis: &RedisServer, nats: &NatsServer, relays: &[Relay]) -> Vec<(String, String)> {
    let (shards, cache, bus) = match relays {
        [first, second, cache, bus] => (
            format!("{THERE}:{},{THERE}:{}", first.port, second.port),
            format!("redis://{THERE}:{}", cache.port),
            format!("nats://{THERE}:{}", bus.port),
        ),
        _ => {
            let sockets = far.socket_dirs().map(|dir| dir.display().to_string().replace('/', "%2F"));
            (sockets.join(","), redis.url(), nats.url())
        }
    };
    let mut settings = vec![
        (
            "MARKETHALL_SHARDS__EAST__URL",
            format!("postgres://{ADMIN_ROLE}:{}@{shards}/postgres?sslmode=disable", far.password()),
        ),
        ("MARKETHALL_REDIS__URL", cache),
        ("MARKETHALL_MESSAGES__NATS__URL", bus),
        ("MARKETHALL_MESSAGES__BUS", "nats".to_owned()),
        ("MARKETHALL_EDGE__LIMITS__ENABLED", "true".to_owned()),
        ("MARKETHALL_PAYMENTS__CALL_TIMEOUT_MS", "2000".to_owned()),
    ];
    // Counted by Redis, at a rate that nobody reaches.
    for name in [
        "MARKETHALL_EDGE__LIMITS__FREE",
        "MARKETHALL_EDGE__LIMITS__STANDARD",
        "MARKETHALL_EDGE__LIMITS__ENTERPRISE",
        "MARKETHALL_EDGE__LIMITS__USER",
        "MARKETHALL_EDGE__LIMITS__ADDRESS",
    ] {
        settings.push((name, "{limit=1000000,window_seconds=1,burst=1000000}".to_owned()));
    }
    // What a slow database costs is not what is looked at here.
    for name in [
        "MARKETHALL_EDGE__LIMITS__COST__FREE",
        "MARKETHALL_EDGE__LIMITS__COST__STANDARD",
        "MARKETHALL_EDGE__LIMITS__COST__ENTERPRISE",
    ] {
        settings.push((name, "{limit=1000000,window_seconds=1,burst=1000000}".to_owned()));
    }
    settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
