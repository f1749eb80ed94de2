//! Tills, shoppers and readers, who ask both processes in turn and do not give up.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client};
use tokio::task::JoinHandle;

use super::{
    faults::Fault,
    site::{Addresses, Merchant, Site},
};
use crate::support::eur;

/// The longest that anybody is tried to be served again.
const RECOVERY_LIMIT: Duration = Duration::from_secs(90);
/// Between two tries of one caller.
const PAUSE: Duration = Duration::from_millis(25);

/// What a merchant's callers have been told is done, since the site was opened.
#[derive(Debug, Default, Clone)]
pub struct Acknowledged {
    pub sales: Vec<String>,
    pub web_sales: Vec<String>,
    /// Checkouts whose end nobody was told because the guest was turned away: each may have become a sale or not.
    pub in_doubt: usize,
}

/// One answer, or its absence.
#[derive(Debug, Clone)]
pub struct Event {
    pub at: Instant,
    pub slug: &'static str,
    pub server: usize,
    /// 0 where there was no answer.
    pub status: u16,
    pub code: String,
    pub writes: bool,
}

#[derive(Debug, Default)]
pub struct Seen {
    pub events: Vec<Event>,
    acknowledged: BTreeMap<&'static str, Acknowledged>,
}

impl Seen {
    pub fn acknowledged(&self, slug: &str) -> Acknowledged {
        self.acknowledged.get(slug).cloned().unwrap_or_default()
    }
}

/// What was acknowledged by earlier loads; sales stay.
static BEFORE: Mutex<BTreeMap<&'static str, Acknowledged>> = Mutex::new(BTreeMap::new());

/// The callers at work.
pub struct Load {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    http: reqwest::Client,
    addresses: Addresses,
    turn: AtomicUsize,
    stop: AtomicBool,
    seen: Mutex<Seen>,
    merchants: Vec<&'static str>,
    /// Whether a caller who is turned away takes it: see [`Fault::may_turn_away`].
    lenient: bool,
}

/// Somebody was turned away.
struct TurnedAway;

impl Load {
    /// Sets everybody to work while `fault` is to come.
    pub fn start(site: &Site, fault: Fault) -> Self {
        let acknowledged = BEFORE.lock().unwrap().clone();
        let shared = Arc::new(Shared {
            http: site.http.clone(),
            addresses: site.addresses.clone(),
            turn: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            seen: Mutex::new(Seen { events: Vec::new(), acknowledged }),
            merchants: site.merchants.iter().map(|merchant| merchant.slug).collect(),
            lenient: fault.may_turn_away(),
        });
        let mut workers = Vec::new();
        for merchant in &site.merchants {
            for _ in 0..2 {
                workers.push(tokio::spawn(till(shared.clone(), merchant.clone())));
            }
            workers.push(tokio::spawn(shopper(shared.clone(), merchant.clone())));
            workers.push(tokio::spawn(reader(shared.clone(), merchant.clone())));
        }
        Self { shared, workers }
    }

    pub fn now(&self) -> Instant {
        Instant::now()
    }

    pub async fn until_everybody_is_served(&self) {
        self.until_everybody_is_served_since(Instant::now()).await;
    }

    /// Until each merchant has been sold something by each process after `since`; how long that took.
    pub async fn until_everybody_is_served_since(&self, since: Instant) -> Duration {
        let mut ticks = tokio::time::interval(PAUSE);
        loop {
            ticks.tick().await;
            let latest = {
                let seen = self.shared.seen.lock().unwrap();
                let first = |slug: &str, server: usize| {
                    let mut sold =
                        seen.events.iter().filter(|it| it.writes && it.status == 201 && it.at > since);
                    sold.find(|it| it.slug == slug && it.server == server).map(|it| it.at)
                };
                let all = self.shared.merchants.iter().flat_map(|slug| [first(slug, 0), first(slug, 1)]);
                all.collect::<Option<Vec<_>>>()
            };
            if let Some(latest) = latest {
                return latest.into_iter().max().unwrap_or(since) - since;
            }
            assert!(since.elapsed() < RECOVERY_LIMIT, "not everybody is served again: {}", self.tell(since));
        }
    }

    fn tell(&self, since: Instant) -> String {
        let seen = self.shared.seen.lock().unwrap();
        let mut counts: BTreeMap<(&str, usize, u16, String), usize> = BTreeMap::new();
        for event in seen.events.iter().filter(|event| event.at > since) {
            *counts.entry((event.slug, event.server, event.status, event.code.clone())).or_default() += 1;
        }
        format!("{counts:?}")
    }

    /// Everybody finishes what they have begun.
    pub async fn stop(self) -> Seen {
        self.shared.stop.store(true, Ordering::SeqCst);
        for ended in join_all(self.workers).await {
            ended.unwrap();
        }
        let seen = std::mem::take(&mut *self.shared.seen.lock().unwrap());
        *BEFORE.lock().unwrap() = seen.acknowledged.clone();
        seen
    }
}

/// Sales that nobody was told of, by guests who were turned away: from now on they are known.
pub fn settle(slug: &'static str, web_sales: Vec<String>) {
    let mut before = BEFORE.lock().unwrap();
    let known = before.entry(slug).or_default();
    known.in_doubt = known.in_doubt.saturating_sub(web_sales.len());
    known.web_sales.extend(web_sales);
}

impl Shared {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Asks one process after the other until `done` says that the answer is the last word. Whoever signs in with the
    /// merchant's token does not take being turned away.
    async fn insist(
        &self,
        merchant: &Merchant,
        token: &str,
        call: impl Fn(Client) -> testkit::Call,
        done: impl Fn(&Answer) -> bool,
    ) -> Result<Answer, TurnedAway> {
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(PAUSE);
        loop {
            ticks.tick().await;
            let server = self.turn.fetch_add(1, Ordering::Relaxed) % 2;
            let address = self.addresses.read().unwrap()[server];
            let client =
                Client::of_server(self.http.clone(), address).with_tenant(merchant.slug).with_token(token);
            let call = call(client);
            let writes = call.method() != Method::GET;
            let answer = call.try_send().await.ok();
            let (status, code) = match &answer {
                Some(answer) => (answer.status, answer.code().to_owned()),
                None => (0, "no answer".to_owned()),
            };
            let event = Event { at: Instant::now(), slug: merchant.slug, server, status, code, writes };
            self.seen.lock().unwrap().events.push(event);
            if let Some(answer) = answer {
                if done(&answer) {
                    return Ok(answer);
                }
                let mut again = answer.status >= 500
                    || answer.code() == "IDEMPOTENCY_IN_PROGRESS"
                    || answer.status == 202;
                if self.lenient && !again {
                    if token != merchant.token {
                        return Err(TurnedAway);
                    }
                    again = answer.status == 401;
                }
                assert!(again, "{}: {} {}", merchant.slug, answer.status, answer.json);
            }
            assert!(begun.elapsed() < 2 * RECOVERY_LIMIT, "{} is not served any more", merchant.slug);
        }
    }

    fn acknowledge(&self, slug: &'static str, note: impl FnOnce(&mut Acknowledged)) {
        note(self.seen.lock().unwrap().acknowledged.entry(slug).or_default());
    }
}

/// Sells one after the other, each under its own key until it is acknowledged.
async fn till(shared: Arc<Shared>, merchant: Merchant) {
    while !shared.stopped() {
        let key = uuid::Uuid::now_v7().to_string();
        let sale = json!({
            "shopId": merchant.shop, "registerId": merchant.register,
            "lines": [{ "sku": "PEN", "quantity": "1" }],
            "tenders": [{ "method": "cash", "amount": eur(240) }],
        });
        let sell = |client: Client| client.api(Method::POST, "/sales").key(&key).json(&sale);
        let sold = shared.insist(&merchant, &merchant.token, sell, |answer| answer.status == 201).await;
        let Ok(sold) = sold else { panic!("{}: a till was turned away", merchant.slug) };
        let id = sold.text("/id").to_owned();
        shared.acknowledge(merchant.slug, |it| it.sales.push(id));
    }
}

/// Fills a cart and pays, as one guest after the other.
async fn shopper(shared: Arc<Shared>, merchant: Merchant) {
    while !shared.stopped() {
        let mut paying = false;
        match shop(&shared, &merchant, &mut paying).await {
            Ok(Some(sale)) => shared.acknowledge(merchant.slug, |it| it.web_sales.push(sale)),
            Ok(None) => {}
            Err(TurnedAway) if paying => shared.acknowledge(merchant.slug, |it| it.in_doubt += 1),
            Err(TurnedAway) => {}
        }
    }
}

/// One guest, who gets to know of a sale, or that the provider did not answer in time: it keeps its books in the very
/// database that is away. `paying` once it is asked for.
async fn shop(shared: &Shared, merchant: &Merchant, paying: &mut bool) -> Result<Option<String>, TurnedAway> {
    let welcome = |client: Client| client.api(Method::POST, "/customers/guest");
    let guest = shared.insist(merchant, &merchant.token, welcome, |answer| answer.status == 200).await?;
    let token = guest.text("/token").to_owned();
    let lines = json!({ "lines": [{ "sku": "PEN", "quantity": "1" }] });
    let fill = |client: Client| client.api(Method::PUT, "/carts/me").json(&lines);
    shared.insist(merchant, &token, fill, |answer| answer.status == 200).await?;
    let key = uuid::Uuid::now_v7().to_string();
    let wanted = json!({ "cart": "me", "payment": { "provider": "test", "method": "card_approved" } });
    let pay = |client: Client| {
        client.api(Method::POST, "/checkout").key(&key).json(&wanted).header("prefer", "wait=5")
    };
    *paying = true;
    let begun = shared.insist(merchant, &token, pay, |it| matches!(it.status, 201 | 202)).await?;
    let place = format!("/api/v1/checkout/{}", begun.text("/id"));
    let ask = |client: Client| client.call(Method::GET, &place);
    let unpaid = |it: &Value| it["state"] == "failed" && it["failure"]["code"] == "PAYMENT_TIMEOUT";
    let ended = |it: &Answer| it.status == 200 && (it.json["state"] == "completed" || unpaid(&it.json));
    let mut paid = shared.insist(merchant, &token, ask, |it| ended(it) || is_under_way(&it.json)).await?;
    while !ended(&paid) {
        paid = shared.insist(merchant, &token, ask, |it| ended(it) || is_under_way(&it.json)).await?;
    }
    Ok((!unpaid(&paid.json)).then(|| paid.text("/saleId").to_owned()))
}

fn is_under_way(checkout: &Value) -> bool {
    matches!(checkout["state"].as_str(), Some("running" | "waiting" | "compensating"))
}

/// Looks at products.
async fn reader(shared: Arc<Shared>, merchant: Merchant) {
    while !shared.stopped() {
        for path in ["/products", "/products/sku/PEN"] {
            let look = |client: Client| client.call(Method::GET, &format!("/api/v1{path}"));
            let seen = shared.insist(&merchant, &merchant.token, look, |answer| answer.status == 200).await;
            assert!(seen.is_ok(), "{}: a reader was turned away", merchant.slug);
        }
    }
}
