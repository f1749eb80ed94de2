//! RES-3, RES-4, RES-6: everything that can die dies under mixed load, and nothing acknowledged is lost or doubled.
//!
//! Two processes of the program serve three merchants on two shards, with Redis and NATS; tills, shoppers and readers
//! work all the time. `make chaos` goes through all faults in random order and prints a table; `make test` does it once
//! with shorter faults. What a machine cannot have (a network of one's own without being root) is in the table as such.

mod clock;
mod faults;
mod load;
mod network;
mod pair;
mod relay;
mod site;
mod table;

use std::time::Duration;

use faults::Fault;
use load::Load;
use network::Link;
use site::Site;
use table::{Row, print};

/// How often all faults are gone through, and how long each lasts.
fn plan() -> (usize, Duration) {
    let rounds = std::env::var("MARKETHALL_TEST_CHAOS_ROUNDS").ok().and_then(|text| text.parse().ok());
    match rounds {
        Some(rounds) => (rounds, Duration::from_secs(4)),
        None => (1, Duration::from_millis(700)),
    }
}

/// All faults in an order that `seed` decides.
fn shuffled(seed: u64) -> Vec<Fault> {
    let mut faults = Fault::ALL.to_vec();
    let mut state = seed | 1;
    for at in (1..faults.len()).rev() {
        // A linear congruential generator (Knuth, MMIX) is random enough for an order.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(state >> 33).unwrap_or(0) % (at + 1);
        faults.swap(at, other);
    }
    faults
}

// RES-3, RES-4, RES-6, CHK-2, SAL-3
#[test]
fn nothing_acknowledged_is_lost_or_doubled_whatever_dies_under_load() {
    network::run_apart(go_through);
}

async fn go_through(link: Result<Link, String>) {
    let (rounds, lasts) = plan();
    let seed =
        std::env::var("MARKETHALL_TEST_CHAOS_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    let mut site = Site::open(link).await;
    let mut rows: Vec<Row> = Vec::new();
    for round in 0..rounds {
        for fault in shuffled(seed + round as u64) {
            if let Some(why) = fault.hindrance(&site) {
                rows.push(Row::left_out(fault, why));
                continue;
            }
            let load = Load::start(&site, fault);
            load.until_everybody_is_served().await;
            let begun = load.now();
            fault.strike(&mut site, lasts).await;
            let restored = load.now();
            let recovered = load.until_everybody_is_served_since(restored).await;
            let seen = load.stop().await;
            fault.judge(&seen, begun, restored);
            let verdict = site.verify(&seen).await;
            let wrong = verdict.wrong();
            rows.push(Row::new(fault, &seen, begun, recovered, verdict));
            if let Some(wrong) = wrong {
                print(&rows, seed);
                panic!("{fault:?}: {wrong}");
            }
        }
    }
    print(&rows, seed);
    site.close().await;
}
