//! Every step of the checkout failed, repeated and interrupted in turn: it ends with an order, or with nothing, and never
//! in between (CHK-2).

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use checkout::{CheckoutId, Faults, Step, When};
use db::DbError;
use futures::future::join_all;
use proptest::{
    prelude::{Strategy, any},
    test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner},
};

use testkit::Client;

use crate::support::{Home, Server, WebShop, check_out, check_out_with, fill, wait_for};

type Counts = HashMap<&'static str, i64>;

/// Where the workflow asks for faults.
const PLACES: [(Step, When); 13] = [
    (Step::ValidateCart, When::Before),
    (Step::ReserveStock, When::After),
    (Step::ReserveStock, When::Committed),
    (Step::Charge, When::Before),
    (Step::Charge, When::Committed),
    (Step::CreateOrder, When::Before),
    (Step::CreateOrder, When::After),
    (Step::ClearCart, When::Before),
    (Step::ClearCart, When::After),
    (Step::ConfirmStock, When::Before),
    (Step::ConfirmStock, When::After),
    (Step::ConfirmStock, When::Committed),
    (Step::ReleaseStock, When::Before),
];

/// How a place breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    /// The database is away, this once.
    AwayOnce,
    /// The database is away whenever it is asked there.
    Away,
    /// The database refuses, whenever it is asked there.
    Refused,
}

/// The broken place, if there is one.
#[derive(Default)]
struct Broken(Mutex<Option<((Step, When), Break)>>, AtomicUsize);

impl Broken {
    fn set(&self, broken: Option<((Step, When), Break)>) {
        *self.0.lock().unwrap() = broken;
        self.1.store(0, Ordering::SeqCst);
    }
}

impl Faults for Broken {
    fn at(&self, _checkout: CheckoutId, step: Step, when: When) -> Result<(), DbError> {
        let mut broken = self.0.lock().unwrap();
        let Some((place, how)) = *broken else { return Ok(()) };
        if place != (step, when) {
            return Ok(());
        }
        self.1.fetch_add(1, Ordering::SeqCst);
        match how {
            Break::AwayOnce => {
                *broken = None;
                Err(DbError::Unavailable("broken on purpose".to_owned()))
            }
            Break::Away => Err(DbError::Unavailable("broken on purpose".to_owned())),
            Break::Refused => Err(DbError::Check { constraint: "broken_on_purpose".to_owned() }),
        }
    }
}

/// Lets leases end and jobs run, until every checkout has ended.
async fn settle(web: &WebShop) {
    for _ in 0..6 {
        web.app.clock.advance_seconds(61);
        web.app.drain().await.unwrap();
    }
}

/// What has grown: one order, charge and sale and a cart less; or none of them, what was charged given back, and the cart
/// as it was. Whether there is an order.
#[track_caller]
fn whole(before: &Counts, after: &Counts, what: &str) -> bool {
    let grown = |name| after[name] - before[name];
    assert_eq!((after["running"], after["holds"]), (0, 0), "{what}: {after:?}");
    assert_eq!(grown("orders"), grown("sales"), "{what}: {after:?}");
    assert_eq!(grown("charges") - grown("back"), grown("orders"), "{what}: {after:?}");
    assert_eq!(grown("carts"), 1 - grown("orders"), "{what}: {after:?}");
    grown("orders") == 1
}

// CHK-2
#[tokio::test(flavor = "multi_thread")]
async fn wherever_it_breaks_it_ends_whole() {
    let broken = Arc::new(Broken::default());
    let web = WebShop::open_with(|_| {}, broken.clone()).await;
    for how in [Break::AwayOnce, Break::Away, Break::Refused] {
        for place in PLACES {
            break_at(&web, &broken, place, how).await;
        }
    }
    web.end().await;
}

async fn break_at(web: &WebShop, broken: &Broken, place: (Step, When), how: Break) {
    let what = format!("{place:?} {how:?}");
    let before = web.counts().await;
    let guest = web.guest(&[("PEN", "2"), ("LAST", "1")]).await;
    // What only undoing comes to is reached by a card that is declined.
    let method = if place.0 == Step::ReleaseStock { "card_declined" } else { "card_approved" };
    broken.set(Some((place, how)));
    let first = check_out_with(&guest, method, "key").await;
    assert!(matches!(first.status, 201 | 202 | 500 | 503), "{what}: {} {}", first.status, first.code());
    assert!(broken.1.load(Ordering::SeqCst) > 0, "{what} was never reached");
    settle(web).await;
    broken.set(None);
    settle(web).await;
    let bought = whole(&before, &web.counts().await, &what);
    if how == Break::AwayOnce && first.status < 300 && method == "card_approved" {
        assert!(bought, "{what}: what passes by itself must not cost the shopper the order");
    }
    // The shopper clicks again: under the same key nothing is bought twice.
    let again = check_out_with(&guest, "card_approved", "key").await;
    assert!(matches!(again.status, 201 | 202 | 409 | 422), "{what}: {} {}", again.status, again.code());
    settle(web).await;
    let bought_now = whole(&before, &web.counts().await, &what);
    assert!(bought_now || !bought, "{what}");
}

// CHK-2: each step done again by somebody who does not know that it was done.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_go_on_with_one_checkout_make_one_order() {
    let broken = Arc::new(Broken::default());
    let web = WebShop::open_with(|_| {}, broken.clone()).await;
    for round in 0..10 {
        broken.set(Some(((Step::Charge, When::Committed), Break::Away)));
        let guest = web.guest(&[("PEN", "1")]).await;
        check_out(&guest, "card_approved").await.is(202);
        broken.set(None);
        web.app.clock.advance_seconds(61);
        let ctx = web.app.ctx("acme").await.unwrap();
        let checkouts = &web.app.parts.checkouts;
        let (resumed, ()) = tokio::join!(checkouts.resume_overdue(&ctx), async {
            // The provider tells of it at the same time.
            let found = web.app.databases.look().await.unwrap();
            let row =
                found.query_one("select id, purpose from payments.payment order by id desc limit 1", &[]);
            let row = row.await.unwrap();
            let payment = payments::PaymentId(row.get(0));
            let told: &dyn payments::SettlementWatcher = checkouts;
            told.settled(&ctx, payment, row.get(1)).await;
        });
        resumed.unwrap();
        settle(&web).await;
        let counts = web.counts().await;
        let expected = round + 1;
        assert_eq!(
            (counts["orders"], counts["sales"], counts["charges"], counts["back"], counts["running"]),
            (expected, expected, expected, 0, 0)
        );
    }
    web.end().await;
}

/// One shopper of the rush: when they come, how they pay, how often they click.
#[derive(Debug, Clone)]
struct Shopper {
    pause: u8,
    method: u8,
    clicks: u8,
}

/// Shoppers of a rush, and the units that they all want one of.
const RUSH: usize = 200;
const UNITS: i64 = 50;

// INV-2, CHK-2, PAY-3: reproducible by the seed that a failure prints.
#[tokio::test(flavor = "multi_thread")]
async fn however_shoppers_interleave_what_is_there_is_sold_once() {
    let seed = [7_u8; 32];
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Runs::default(), rng);
    let shopper = (any::<u8>(), 0..10_u8, 1..3_u8);
    let shopper = shopper.prop_map(|(pause, method, clicks)| Shopper { pause, method, clicks });
    let rush = proptest::collection::vec(shopper, RUSH);
    // No good card is taken for a silent one on a busy machine.
    let web =
        WebShop::open_with(|config| config.payments.call_timeout_ms = 3000, Arc::<Broken>::default()).await;
    let guests = join_all((0..RUSH).map(|_| web.guest(&[]))).await;
    for round in 0..rounds() {
        let shoppers = rush.new_tree(&mut runner).unwrap();
        let shoppers = proptest::strategy::ValueTree::current(&shoppers);
        rush_for_fifty(&web, round, &guests, &shoppers).await;
    }
    web.end().await;
}

/// Rounds of the rush: a few in every run of the tests, as many as wanted by `MARKETHALL_TEST_ROUNDS`.
fn rounds() -> usize {
    std::env::var("MARKETHALL_TEST_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

/// Exactly what is there is bought. In every fourth round some cards are declined or lose the reply, and what they let go
/// of may find nobody who still asks.
async fn rush_for_fifty(web: &WebShop, round: usize, guests: &[Client], shoppers: &[Shopper]) {
    let all_good = round % 4 != 3;
    let (sku, key) = (format!("R{round}"), format!("round-{round}"));
    let body = serde_json::json!({ "sku": sku, "name": sku, "price": { "amount": 100, "currency": "EUR" } });
    web.staff.post("/products", body).await.is(201);
    web.restock(&[(&sku, UNITS)]).await;
    let before = web.counts().await;
    let buying = guests.iter().zip(shoppers).map(|(guest, shopper)| {
        let (sku, key) = (&sku, &key);
        async move {
            fill(guest, &[(sku, "1")]).await;
            for _ in 0..shopper.pause {
                tokio::task::yield_now().await;
            }
            let method = match shopper.method {
                0 if !all_good => "card_declined",
                1 if !all_good => "card_lost_reply",
                _ => "card_approved",
            };
            join_all((0..shopper.clicks).map(|_| check_out_with(guest, method, key))).await
        }
    });
    join_all(buying).await;
    let mut after = web.counts().await;
    if after["orders"] != after["charges"] - after["back"] {
        // A provider that was too slow to say that it had charged: the money goes back.
        settle(web).await;
        after = web.counts().await;
    }
    let grown = |name| after[name] - before[name];
    let what = format!("round {round}: {shoppers:?}: {before:?} {after:?}");
    let kept = grown("charges") - grown("back");
    assert_eq!((grown("orders"), grown("sales")), (kept, kept), "{what}");
    assert!(if all_good { kept == UNITS } else { 0 < kept && kept <= UNITS }, "{what}");
    assert_eq!((after["holds"], after["running"]), (0, 0), "{what}");
    assert_eq!(web.stock(&sku).await, ((UNITS - kept).to_string(), "0".to_owned()), "{what}");
}

// INV-2, CHK-2
#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_shoppers_for_fifty_units_fifty_buy_and_are_charged() {
    let web = WebShop::open().await;
    let shoppers = join_all((0..200).map(|_| web.guest(&[("LAST", "1")]))).await;
    let answers = join_all(shoppers.iter().map(|guest| check_out(guest, "card_approved"))).await;
    let bought = answers.iter().filter(|answer| answer.status == 201).count();
    let other = answers.iter().filter(|answer| answer.status != 201 && answer.code() != "OUT_OF_STOCK");
    let other: Vec<String> = other.map(|answer| format!("{} {}", answer.status, answer.json)).collect();
    assert!(other.is_empty(), "{other:?}");
    assert_eq!(bought, 50);
    let counts = web.counts().await;
    assert_eq!((counts["orders"], counts["sales"], counts["charges"], counts["holds"]), (50, 50, 50, 0));
    assert_eq!(web.stock("LAST").await, ("0".to_owned(), "0".to_owned()));
    web.end().await;
}

// CHK-2, MSG-5: the real program, ended at every place in turn; another one goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_anywhere_leaves_nothing_in_between() {
    let home = Home::furnished();
    let token = home.token(Some("acme"), &["*"]);
    let operator = home.token(None, &["platform:*"]);
    let settings = [("MARKETHALL_PAYMENTS__CALL_TIMEOUT_MS", "100"), ("MARKETHALL_CHECKOUT__LEASE_S", "1")];
    let server = Server::start_with(&home, &settings, &[]);
    let staff = server.member("acme", &token);
    let shop =
        staff.post("/shops", serde_json::json!({ "code": "W01", "name": "W", "kind": "web" })).await.is(201);
    let body =
        serde_json::json!({ "sku": "PEN", "name": "PEN", "price": { "amount": 240, "currency": "EUR" } });
    staff.post("/products", body).await.is(201);
    let lines = serde_json::json!([{ "shopId": shop.text("/id"), "sku": "PEN", "quantity": "100" }]);
    staff.put("/inventory/restock", serde_json::json!({ "lines": lines })).await.is(200);
    server.stop();
    let mut orders = 0;
    for (step, when) in PLACES {
        let word = |value: String| value.trim_matches('"').to_owned();
        let step_word = word(serde_json::to_string(&step).unwrap());
        let when_word = match when {
            When::Before => "before",
            When::After => "after",
            When::Committed => "committed",
        };
        let place = format!("{step_word}:{when_word}");
        let mut broken = settings.to_vec();
        broken.push(("MARKETHALL_TEST_BREAK", &place));
        let mut server = Server::start_with(&home, &broken, &[]);
        let staff = server.member("acme", &token);
        fill(&staff, &[("PEN", "1")]).await;
        let method = if step == Step::ReleaseStock { "card_declined" } else { "card_approved" };
        let body = serde_json::json!({ "cart": "me", "payment": { "provider": "test", "method": method } });
        let call =
            staff.api(http::Method::POST, "/checkout").json(&body).key(&place).header("prefer", "wait=30");
        let answer = call.try_send().await;
        assert!(answer.is_err(), "{place}: it lived to say {:?}", answer.map(|answer| answer.status));
        assert!(!server.wait().success(), "{place}");
        let server = Server::start_with(&home, &settings, &[]);
        orders = resumed(&server, &token, &operator, orders, &place).await;
        server.stop();
    }
    assert!(orders >= 8, "only {orders} orders were finished");
}

/// Has what was left lying resumed, and waits until nothing runs; how many orders there are then, each with its sale.
async fn resumed(server: &Server, token: &str, operator: &str, before: usize, place: &str) -> usize {
    let staff = server.member("acme", token);
    let operator = server.stranger().with_token(operator);
    let handle = tokio::runtime::Handle::current();
    let (orders, sales, reserved) = wait_for(place, std::time::Duration::from_secs(60), || {
        tokio::task::block_in_place(|| {
            handle.block_on(async {
                operator.post("/admin/jobs/checkout.resume/run", serde_json::json!({})).await;
                // In this order: once nothing is under way, nothing changes between the looks.
                let cart = staff.get("/carts/me").await.is(200);
                let stock = staff.get("/inventory/sku/PEN").await.is(200);
                let orders = staff.get("/orders?limit=200").await.is(200);
                let sales = staff.get("/sales?limit=200").await.is(200);
                let count = |answer: &testkit::Answer| answer.json["items"].as_array().unwrap().len();
                let idle = cart.json["checkoutId"].is_null() && stock.text("/items/0/reserved") == "0";
                idle.then(|| (count(&orders), count(&sales), stock.text("/items/0/onHand").to_owned()))
            })
        })
    });
    assert_eq!(orders, sales, "{place}");
    assert!(orders == before || orders == before + 1, "{place}: {before} orders became {orders}");
    assert_eq!(reserved, (100 - orders).to_string(), "{place}");
    orders
}
