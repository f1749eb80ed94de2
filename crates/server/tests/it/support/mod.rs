//! What the tests of the program share.

mod collector;
mod command_line;
mod examples;
mod home;
mod neighbour;
mod promql;
mod server;
mod web_shop;
mod world;

pub use collector::{Outsider, Seen, roots};
pub use command_line::CommandLine;
pub use examples::{Example, Foreign, example};
pub use home::{Home, Ran, program, target_dir};
pub use neighbour::Neighbour;
pub use promql::{Shown, selectors};
pub use server::Server;
pub use web_shop::{WebShop, check_out, check_out_with, fill, steps};
pub use world::World;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::App;

/// An amount in the currency of most merchants here.
pub fn eur(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

/// A means of payment.
pub fn tender(method: &str, amount: i64) -> Value {
    json!({ "method": method, "amount": eur(amount) })
}

/// A text at a JSON pointer.
#[track_caller]
pub fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer} in {value}")).to_owned()
}

/// A whole number at a JSON pointer.
#[track_caller]
pub fn number(value: &Value, pointer: &str) -> i64 {
    value
        .pointer(pointer)
        .and_then(Value::as_i64)
        .unwrap_or_else(|| panic!("no number at {pointer} in {value}"))
}

/// Asks again, with pauses that grow to 100 ms, until something is there.
#[track_caller]
pub fn wait_for<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(begun.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::park_timeout(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Every violation that `markethall check` would name, for these merchants and the platform.
pub async fn violations(app: &App, slugs: &[&str]) -> Vec<::server::check::Finding> {
    let mut found = Vec::new();
    for slug in slugs {
        found.extend(::server::check::check_tenant(&app.parts, &app.ctx(slug).await.unwrap()).await.unwrap());
    }
    found.extend(::server::check::check_platform(&app.parts).await.unwrap());
    found
}

/// The numbers behind the receipts of a register: `S01-R02-` gives 1, 2, 3..
pub fn receipt_numbers(receipts: &[String], prefix: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> =
        receipts.iter().filter_map(|receipt| receipt.strip_prefix(prefix)?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

/// 1, 2, 3 up to their count: no gap, none twice.
#[track_caller]
pub fn assert_gapless(numbers: &[u64]) {
    let wanted: Vec<u64> = (1..=numbers.len() as u64).collect();
    assert_eq!(numbers, wanted, "receipt numbers");
}
