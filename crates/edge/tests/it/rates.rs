//! HTTP-10: how often a tenant, a user and an address may call.

use cache::{Redis, RedisConfig};
use edge::{EdgeConfig, LimitsConfig};
use kernel::RateLimit;
use resilience::Breakers;
use testkit::RedisServer;

use crate::world::{Answer, Call, World, unlimited};

/// So long that nothing drips into a bucket while a test runs.
const DAY: u32 = 86_400;

fn limited(adjust: impl FnOnce(&mut LimitsConfig)) -> EdgeConfig {
    let wide = RateLimit::new(1_000_000, 1, 1_000_000, 0);
    let mut limits = LimitsConfig { standard: wide, user: wide, address: wide, ..LimitsConfig::default() };
    adjust(&mut limits);
    EdgeConfig { limits, ..unlimited() }
}

fn things() -> Call {
    Call::get("/api/v1/things").token("acme-things:read")
}

#[track_caller]
fn refused(answer: Answer, policy: &str) {
    let answer = answer.is(429, "RATE_LIMITED");
    assert!(answer.json["detail"].as_str().unwrap().contains(policy), "{}", answer.json);
    let seconds: u32 = answer.header("retry-after").parse().unwrap();
    assert!(seconds >= 1);
}

#[tokio::test]
async fn a_tenant_has_so_many_calls_and_learns_how_many_are_left() {
    let world = World::with(limited(|limits| limits.standard = RateLimit::new(3, DAY, 3, 0)), Vec::new());
    for left in (0..3).rev() {
        let answer = world.send(things()).await.is(200, "");
        let full_in = (3 - left) * 28_800;
        assert_eq!(answer.header("ratelimit-policy"), r#""tenant";q=3;w=86400, "user";q=1000000;w=1"#);
        let told = answer.header("ratelimit").to_owned();
        assert!(told.starts_with(&format!(r#""tenant";r={left};t={full_in}, "user";r="#)), "{told}");
    }
    refused(world.send(things()).await, "tenant");
    world.send(Call::get("/api/v1/things").token("bolt-things:read")).await.is(200, "");
}

#[tokio::test]
async fn a_user_at_the_limit_takes_nothing_from_the_tenant() {
    let narrow = |limits: &mut LimitsConfig| {
        limits.standard = RateLimit::new(10, DAY, 10, 0);
        limits.user = RateLimit::new(2, DAY, 2, 0);
    };
    let world = World::with(limited(narrow), Vec::new());
    for _ in 0..2 {
        world.send(things()).await.is(200, "");
    }
    for _ in 0..20 {
        let answer = world.send(things()).await;
        assert!(answer.header("ratelimit").starts_with(r#""tenant";r=8;"#), "{}", answer.header("ratelimit"));
        refused(answer, "user");
    }
}

// HTTP-10, IDN-9: whoever tries out tokens is counted as a stranger.
#[tokio::test]
async fn without_a_valid_token_the_address_is_counted() {
    let world = World::with(limited(|limits| limits.address = RateLimit::new(3, DAY, 3, 0)), Vec::new());
    world.send(Call::get("/api/v1/open")).await.is(200, "");
    world.send(things().header("x-tenant", "unknown-one")).await.is(403, "TENANT_MISMATCH");
    world.send(Call::get("/api/v1/me").token("forged")).await.is(401, "UNAUTHENTICATED");
    world.send(Call::get("/api/v1/me")).await.is(401, "UNAUTHENTICATED");
    refused(world.send(Call::get("/api/v1/me").token("forged")).await, "address");
    refused(world.send(Call::get("/api/v1/open")).await, "address");
    world.send(things()).await.is(200, "");
}

#[tokio::test(start_paused = true)]
async fn the_queue_waits_for_its_turn_instead_of_being_refused() {
    let limit = RateLimit::new(100, 10, 5, 3);
    let world = World::with(limited(|limits| limits.standard = limit), Vec::new());
    let calls = (0..10).map(|_| async {
        let began = tokio::time::Instant::now();
        let answer = world.send(things()).await;
        (answer.status.as_u16(), began.elapsed().as_millis() >= 50)
    });
    let answers = futures::future::join_all(calls).await;
    let count = |status, waited| answers.iter().filter(|it| **it == (status, waited)).count();
    assert_eq!((count(200, false), count(200, true), count(429, false)), (5, 3, 2));
}

// IDN-9
#[tokio::test]
async fn whoever_goes_on_far_beyond_the_limit_is_noted_once() {
    let world = World::with(limited(|limits| limits.user = RateLimit::new(1, DAY, 1, 0)), Vec::new());
    for _ in 0..300 {
        world.send(things()).await;
    }
    let events = world.events.0.lock().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [edge::SecurityEventKind::RateExceeded]);
}

async fn shared(server: &RedisServer, config: &EdgeConfig) -> World {
    // However busy the machine is: a call that Redis does not answer in time is decided locally.
    let url = Some(server.url().into());
    let redis = RedisConfig { url, timeout_ms: 10_000, ..RedisConfig::default() };
    let redis = Redis::open(&redis, &Breakers::default()).unwrap().unwrap();
    while !redis.is_up() {
        tokio::task::yield_now().await;
    }
    World::sharing(config.clone(), Vec::new(), Some(redis))
}

#[tokio::test]
async fn two_processes_with_redis_let_exactly_as_many_through_as_one() {
    let server = RedisServer::start().unwrap();
    let config = limited(|limits| limits.standard = RateLimit::new(100, DAY, 100, 0));
    let worlds = [shared(&server, &config).await, shared(&server, &config).await];
    let calls = (0..400).map(|number| worlds[number % 2].send(things()));
    let answers = futures::future::join_all(calls).await;
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(passed, 100);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.status == 429));
    let last = worlds[0].send(things()).await;
    assert!(last.header("ratelimit").starts_with(r#""tenant";r=0;t=86"#), "{}", last.header("ratelimit"));
}

// RES-3
#[tokio::test]
async fn while_redis_is_away_each_process_limits_by_itself() {
    let mut server = RedisServer::start().unwrap();
    let config = limited(|limits| limits.standard = RateLimit::new(5, DAY, 5, 0));
    let world = shared(&server, &config).await;
    world.send(things()).await.is(200, "");
    server.kill();
    for _ in 0..5 {
        world.send(things()).await.is(200, "");
    }
    refused(world.send(things()).await, "tenant");
}
