//! PostgreSQL killed under load: clients are told 503 and nothing else, the program heals itself (RES-4, RES-6).

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use http::Method;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use testkit::{Answer, Client};

use crate::{
    crash::all_sales,
    support::{Home, Server, World, assert_gapless, receipt_numbers, text, wait_for},
};

/// The issue asks for 5 s; this leaves room for a busy machine.
const RECOVERY_LIMIT: Duration = Duration::from_secs(30);

/// What the tills have seen so far.
#[derive(Default)]
struct Seen {
    sold: Vec<(Instant, Value)>,
    refused: BTreeMap<String, usize>,
}

/// Whether the answer is one that clients can be expected to understand.
#[track_caller]
fn is_orderly(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(
        answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0),
        "{:?}",
        answer.headers
    );
    let known = ["DATABASE_UNAVAILABLE", "DATABASE_BUSY", "IDENTITY_UNAVAILABLE", "OVERLOADED"];
    assert!(known.contains(&answer.code()), "{}", answer.json);
}

/// Sells one after the other, each under its own key until it is acknowledged.
async fn till(client: Client, basket: Value, seen: Arc<Mutex<Seen>>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        let key = uuid::Uuid::now_v7().to_string();
        loop {
            // The program itself is up all the time: a broken connection would be a defect.
            let answer = client.api(Method::POST, "/sales").key(&key).json(&basket).send().await;
            if answer.status == 201 {
                seen.lock().unwrap().sold.push((Instant::now(), answer.json));
                break;
            }
            if answer.code() != "IDEMPOTENCY_IN_PROGRESS" {
                is_orderly(&answer);
            }
            *seen.lock().unwrap().refused.entry(answer.code().to_owned()).or_default() += 1;
        }
    }
}

// RES-4, RES-6, SAL-3
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_database_comes_back_by_itself_and_loses_nothing() {
    let home = Home::furnished();
    let token = home.token(Some("acme"), &["*"]);
    let server = Server::start(&home);
    let client = server.member("acme", &token);
    let world = World::make(&client, "Akanthus").await;
    let (seen, stop) = (Arc::new(Mutex::new(Seen::default())), Arc::new(AtomicBool::new(false)));
    let tills: Vec<_> = (0..8)
        .map(|_| tokio::spawn(till(client.clone(), world.basket("0.1"), seen.clone(), stop.clone())))
        .collect();
    let sold = || seen.lock().unwrap().sold.len();
    for round in 0..2 {
        let start = sold();
        wait_for("sales before the blow", Duration::from_secs(30), || (sold() >= start + 60).then_some(()));
        let before = sold() - 1;
        let postmaster = home.postmaster().unwrap();
        kill(Pid::from_raw(postmaster), Signal::SIGKILL).unwrap();
        let gap = wait_for("sales after the blow", RECOVERY_LIMIT, || {
            let again = home.postmaster().is_some_and(|pid| pid != postmaster);
            let seen = seen.lock().unwrap();
            // Sales whose transaction had just committed may still be answered right after the blow.
            let gaps = seen.sold[before..].windows(2).map(|pair| pair[1].0 - pair[0].0);
            gaps.max().filter(|_| again && seen.sold.len() > before + 60)
        });
        println!("round {round}: PostgreSQL killed, no sale for {} ms", gap.as_millis());
        let before = sold();
        wait_for("sales going on", Duration::from_secs(30), || (sold() >= before + 60).then_some(()));
    }
    stop.store(true, Ordering::SeqCst);
    for ended in join_all(tills).await {
        ended.unwrap();
    }
    println!("refused meanwhile: {:?}", seen.lock().unwrap().refused);
    // Every other kind of request works again as well.
    client.get("/products").await.is(200);
    client.get("/reports/sales").await.is(200);
    server.stranger().call(Method::GET, "/health").send().await.is(200);

    let booked = all_sales(&client).await;
    let told = std::mem::take(&mut seen.lock().unwrap().sold);
    assert_eq!(booked.len(), told.len() + 2);
    for (_, sale) in &told {
        assert_eq!(booked.get(&text(sale, "/id")), Some(sale));
    }
    let receipts: Vec<String> = booked.values().map(|sale| text(sale, "/receiptNumber")).collect();
    assert_gapless(&receipt_numbers(&receipts, "S01-R01-"));
    home.assert_checks();
    server.stop();
}

// HTTP-12, RES-3: while the database is away, reads and health say so.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_every_answer_is_a_problem_and_health_says_why() {
    let home = Home::furnished();
    let token = home.token(Some("acme"), &["*"]);
    let server = Server::start(&home);
    let client = server.member("acme", &token);
    let world = World::make(&client, "Akanthus").await;
    let postmaster = home.postmaster().unwrap();
    // Stopped, not ended: nothing is restarted, nothing answers.
    let freeze = |signal| {
        for pid in children_of(postmaster).into_iter().chain([postmaster]) {
            // A child may have ended in between.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    };
    freeze(Signal::SIGSTOP);
    server.stranger().call(Method::GET, "/health/live").send().await.is(200);
    let health = server.stranger().call(Method::GET, "/health").send().await;
    freeze(Signal::SIGCONT);
    assert_eq!(health.status, 503, "{}", health.json);
    wait_for_sale(&client, &world).await;
    server.stop();
}

async fn wait_for_sale(client: &Client, world: &World) {
    let begun = Instant::now();
    while begun.elapsed() < RECOVERY_LIMIT {
        let answer = client.post("/sales", world.basket("1")).await;
        if answer.status == 201 {
            return;
        }
        is_orderly(&answer);
    }
    panic!("no sale within {RECOVERY_LIMIT:?}");
}

/// The processes that PostgreSQL's postmaster has started.
pub(crate) fn children_of(parent: i32) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // `pid (name) state ppid ..`; the name may hold blanks.
        let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        if after.split_whitespace().nth(1) == Some(&parent.to_string()) {
            found.push(pid);
        }
    }
    found
}
