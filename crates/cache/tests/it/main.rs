//! Tests of the connection to a real Redis that dies, freezes and fails over.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may fail")]

mod sentinel;
mod single;

use std::time::{Duration, Instant};

use cache::{Away, Redis, RedisConfig};
use resilience::Breakers;

/// Longer than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

fn open(config: &RedisConfig) -> Redis {
    Redis::open(config, &Breakers::default()).unwrap().unwrap()
}

async fn increment(redis: &Redis) -> Result<i64, Away> {
    redis.query(cache::cmd("INCR").arg(redis.key("counter"))).await
}

/// Asks until there is an answer.
async fn eventually(redis: &Redis) -> i64 {
    let until = Instant::now() + PATIENCE;
    loop {
        match increment(redis).await {
            Ok(count) => return count,
            Err(away) if Instant::now() > until => panic!("{away}"),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}
