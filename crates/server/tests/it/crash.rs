//! kill -9 in the middle of load: what was acknowledged is there, once; what was not can be sent again (SAL-3, MSG-5).

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use testkit::Client;

use crate::support::{Home, Server, World, assert_gapless, receipt_numbers, text, wait_for};

const CLIENTS: usize = 12;
const ROUNDS: usize = 3;
/// Sales that are acknowledged before the blow falls.
const SALES_PER_ROUND: usize = 120;

/// A sale that some till wants, and what it was told when it was acknowledged.
struct Wanted {
    key: String,
    body: Value,
    acknowledged: Option<Value>,
}

/// Sends `wanted` until it is acknowledged or the server is gone; whether it was acknowledged.
async fn send(client: &Client, wanted: &mut Wanted) -> bool {
    let call = client.api(Method::POST, "/sales").key(&wanted.key).json(&wanted.body);
    match call.try_send().await {
        Ok(answer) if answer.status == 201 => {
            wanted.acknowledged = Some(answer.json);
            true
        }
        // Its first try may still be running in a transaction that is about to be rolled back.
        Ok(answer) => {
            assert!(matches!(answer.status, 409 | 503), "{}", answer.json);
            false
        }
        Err(_) => false,
    }
}

/// One till: repeats what was not acknowledged before, then sells on until told to stop or the server is gone.
async fn till(
    client: Client,
    mut mine: Vec<Wanted>,
    basket: Value,
    sold: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
) -> Vec<Wanted> {
    for wanted in mine.iter_mut().filter(|wanted| wanted.acknowledged.is_none()) {
        while !send(&client, wanted).await {
            if stop.load(Ordering::SeqCst) {
                return mine;
            }
        }
    }
    while !stop.load(Ordering::SeqCst) {
        let key = uuid::Uuid::now_v7().to_string();
        let mut wanted = Wanted { key, body: basket.clone(), acknowledged: None };
        let done = send(&client, &mut wanted).await;
        mine.push(wanted);
        if !done {
            return mine;
        }
        sold.fetch_add(1, Ordering::SeqCst);
    }
    mine
}

/// All sales of the merchant by id.
pub async fn all_sales(client: &Client) -> BTreeMap<String, Value> {
    let (mut found, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let page = client.get(&format!("/sales?limit=200{cursor}")).await.is(200).json;
        for sale in page["items"].as_array().unwrap() {
            let again = found.insert(text(sale, "/id"), sale.clone());
            assert!(again.is_none(), "listed twice: {sale}");
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

// SAL-3, MSG-5, HTTP-6
#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_sales_survive_kill_9_exactly_once_with_gapless_receipts() {
    let home = Home::furnished();
    let token = home.token(Some("acme"), &["*"]);
    let mut server = Server::start(&home);
    let world = World::make(&server.member("acme", &token), "Akanthus").await;
    let mut baskets = vec![world.basket("1")];
    let path = format!("/shops/{}/registers", world.shop);
    let second = server.member("acme", &token).post(&path, json!({})).await.is(201);
    baskets.push(world.basket("0.5"));
    baskets[1]["registerId"] = json!(second.text("/id"));

    let mut tills: Vec<Vec<Wanted>> = (0..CLIENTS).map(|_| Vec::new()).collect();
    for round in 0..ROUNDS {
        let (sold, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let running: Vec<_> = std::mem::take(&mut tills)
            .into_iter()
            .enumerate()
            .map(|(n, mine)| {
                let client = server.member("acme", &token);
                tokio::spawn(till(client, mine, baskets[n % 2].clone(), sold.clone(), stop.clone()))
            })
            .collect();
        wait_for("sales under load", Duration::from_secs(60), || {
            (sold.load(Ordering::SeqCst) >= SALES_PER_ROUND).then_some(())
        });
        server.kill();
        stop.store(true, Ordering::SeqCst);
        tills = join_all(running).await.into_iter().map(Result::unwrap).collect();
        let open = tills.iter().flatten().filter(|wanted| wanted.acknowledged.is_none()).count();
        println!("round {round}: {} acknowledged, {open} in the air", sold.load(Ordering::SeqCst));
        // The database lives on in its own process and is taken over.
        server = Server::start(&home);
    }
    // Everything that was in the air is sent again under its own key.
    let client = server.member("acme", &token);
    for wanted in tills.iter_mut().flatten().filter(|wanted| wanted.acknowledged.is_none()) {
        while !send(&client, wanted).await {}
    }

    let booked = all_sales(&client).await;
    let mut told = BTreeSet::from([world.sale.clone(), world.web_sale.clone()]);
    for wanted in tills.iter().flatten() {
        let answer = wanted.acknowledged.as_ref().unwrap();
        let id = text(answer, "/id");
        assert_eq!(booked.get(&id), Some(answer), "what was told is what is booked");
        assert!(told.insert(id), "two keys were told the same sale");
    }
    assert_eq!(told.len(), booked.len(), "sales that nobody was told of");
    let receipts: Vec<String> = booked.values().map(|sale| text(sale, "/receiptNumber")).collect();
    for code in ["R01", "R02"] {
        assert_gapless(&receipt_numbers(&receipts, &format!("S01-{code}-")));
    }
    home.assert_checks();
    server.stop();
    home.assert_checks();
}

// HTTP-11: a request that has begun is answered, new ones are not taken.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_requests_in_flight_finish() {
    let home = Home::furnished();
    let token = home.token(Some("acme"), &["*"]);
    let mut server = Server::start(&home);
    let world = World::make(&server.member("acme", &token), "Akanthus").await;
    let body = world.basket("1").to_string();
    let head = format!(
        "POST /api/v1/sales HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nX-Tenant: acme\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n",
        body.len()
    );
    let mut open = Vec::new();
    for n in 0..5 {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(format!("{head}Idempotency-Key: flight-{n}\r\n\r\n").as_bytes()).unwrap();
        // Said when somebody asks for the body: from then on the request is being worked on.
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(&body.as_bytes()[..10]).unwrap();
        open.push(stream);
    }
    server.terminate();
    wait_for("the end of listening", Duration::from_secs(10), || {
        TcpStream::connect(server.address).is_err().then_some(())
    });
    for mut stream in open {
        stream.write_all(&body.as_bytes()[10..]).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
    assert!(server.wait().success());
    home.assert_checks();
    let server = Server::start(&home);
    assert_eq!(all_sales(&server.member("acme", &token)).await.len(), 7);
}
