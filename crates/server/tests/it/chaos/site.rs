//! What the faults befall.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::Duration,
};

use db::cluster::{ADMIN_ROLE, Cluster, ClusterConfig, Profile};
use serde_json::json;
use tempfile::TempDir;
use testkit::{Client, NatsServer, RedisServer};

use super::load::Seen;
use crate::{
    crash::all_sales,
    support::{Home, Ran, Server, eur, wait_for},
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

/// Two processes, two shards, Redis and NATS.
pub struct Site {
    pub home: Home,
    pub far: Option<Cluster>,
    far_dir: TempDir,
    pub redis: RedisServer,
    pub nats: NatsServer,
    pub servers: [Option<Server>; 2],
    pub addresses: Addresses,
    pub http: reqwest::Client,
    pub merchants: Vec<Merchant>,
    settings: Vec<(String, String)>,
}

async fn far_cluster(dir: &TempDir) -> Cluster {
    let config = ClusterConfig { data_dir: dir.path().to_owned(), bin_dir: None, profile: Profile::Test };
    Cluster::start(config).await.unwrap()
}

impl Site {
    pub async fn open() -> Self {
        let home = Home::furnished();
        let far_dir = tempfile::Builder::new().prefix("markethall-far-").tempdir().unwrap();
        let far = far_cluster(&far_dir).await;
        let (redis, nats) = (RedisServer::start().unwrap(), NatsServer::start().unwrap());
        let settings = settings(&far, &redis, &nats);
        let pairs: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let servers = [(); 2].map(|()| Some(Server::start_with(&home, &pairs, &[])));
        let addresses = servers.each_ref().map(|server| server.as_ref().unwrap().address);
        let mut site = Self {
            home,
            far: Some(far),
            far_dir,
            redis,
            nats,
            servers,
            addresses: Arc::new(RwLock::new(addresses)),
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(40)).build().unwrap(),
            merchants: Vec::new(),
            settings,
        };
        site.open_far().await;
        for slug in MERCHANTS {
            let merchant = site.furnish(slug).await;
            site.merchants.push(merchant);
        }
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

    /// Has a process that died back, at whatever address.
    pub fn start_server(&mut self, number: usize) {
        let pairs: Vec<_> =
            self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let server = Server::start_with(&self.home, &pairs, &[]);
        self.addresses.write().unwrap()[number] = server.address;
        self.servers[number] = Some(server);
    }

    /// Has the second shard back.
    pub async fn start_far(&mut self) {
        self.far = None;
        self.far = Some(far_cluster(&self.far_dir).await);
    }

    /// Everything that was acknowledged is there, once, and nothing that nobody asked for.
    pub async fn verify(&mut self, seen: &Seen) {
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
                let told: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
                let (lost, doubled): (Vec<_>, Vec<_>) =
                    (told.difference(&booked).collect(), booked.difference(&told).collect());
                assert!(
                    lost.is_empty() && doubled.is_empty(),
                    "{} {channel}: lost {lost:?}, doubled {doubled:?}",
                    merchant.slug
                );
            }
        }
        // What is on its way gets the time that `check` gives it: the relay catches up by itself.
        let check = || {
            let ran = Ran::of(self.home.command().envs(self.settings.clone()).args(["check", "--json"]));
            (ran.code == Some(0)).then_some(()).ok_or(ran.stdout)
        };
        let mut last = String::new();
        let clean = || check().map_err(|told| last = told).ok();
        wait_for("a clean check", Duration::from_secs(90), clean);
    }

    pub async fn close(mut self) {
        for server in &mut self.servers {
            server.take().unwrap().stop();
        }
        if let Some(far) = self.far.take() {
            far.stop().await.unwrap();
        }
    }
}

fn settings(far: &Cluster, redis: &RedisServer, nats: &NatsServer) -> Vec<(String, String)> {
    let password =
        far.admin_config().get_password().map(|it| String::from_utf8_lossy(it).into_owned()).unwrap();
    let socket = far.socket_dir().display().to_string().replace('/', "%2F");
    let mut settings = vec![
        (
            "MARKETHALL_SHARDS__EAST__URL",
            format!("postgres://{ADMIN_ROLE}:{password}@/postgres?host={socket}"),
        ),
        ("MARKETHALL_REDIS__URL", redis.url()),
        ("MARKETHALL_MESSAGES__BUS", "nats".to_owned()),
        ("MARKETHALL_MESSAGES__NATS__URL", nats.url()),
        ("MARKETHALL_EDGE__LIMITS__ENABLED", "true".to_owned()),
        ("MARKETHALL_PAYMENTS__CALL_TIMEOUT_MS", "2000".to_owned()),
    ];
    // Counted by Redis, at a rate that nobody reaches.
    for name in ["FREE", "STANDARD", "ENTERPRISE", "USER", "ADDRESS"] {
        let name: &'static str = match name {
            "FREE" => "MARKETHALL_EDGE__LIMITS__FREE",
            "STANDARD" => "MARKETHALL_EDGE__LIMITS__STANDARD",
            "ENTERPRISE" => "MARKETHALL_EDGE__LIMITS__ENTERPRISE",
            "USER" => "MARKETHALL_EDGE__LIMITS__USER",
            _ => "MARKETHALL_EDGE__LIMITS__ADDRESS",
        };
        settings.push((name, "{limit=1000000,window_seconds=1,burst=1000000}".to_owned()));
    }
    settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
