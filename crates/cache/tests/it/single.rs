use super::*;
use testkit::RedisServer;

fn config(server: &RedisServer) -> RedisConfig {
    RedisConfig { url: Some(server.url().into()), ..RedisConfig::default() }
}

// RES-3, RES-4
#[tokio::test]
async fn a_server_that_dies_is_done_without_and_used_again_when_it_is_back() {
    let mut server = RedisServer::start().unwrap();
    let redis = open(&config(&server));
    assert_eq!(eventually(&redis).await, 1);
    server.kill();
    for _ in 0..50 {
        assert!(increment(&redis).await.is_err());
    }
    assert!(!redis.is_up());
    server.restart().unwrap();
    assert_eq!(eventually(&redis).await, 1, "it keeps nothing on disk");
}

// RES-1
#[tokio::test]
async fn a_server_that_hangs_costs_a_few_callers_the_time_limit_and_the_others_nothing() {
    let server = RedisServer::start().unwrap();
    let breakers = Breakers::default();
    let redis = Redis::open(&config(&server), &breakers).unwrap().unwrap();
    eventually(&redis).await;
    server.freeze().unwrap();
    let mut waited = 0;
    for _ in 0..200 {
        let asked = Instant::now();
        assert!(increment(&redis).await.is_err());
        waited += u32::from(asked.elapsed() >= Duration::from_millis(90));
    }
    assert!(waited <= 5, "{waited} of 200 waited");
    assert_eq!(breakers.states()[0].1, resilience::State::Open);
    server.thaw().unwrap();
    eventually(&redis).await;
}

#[tokio::test]
async fn keys_carry_the_prefix_and_wrong_commands_do_not_open_the_breaker() {
    let server = RedisServer::start().unwrap();
    let redis = open(&RedisConfig { prefix: "shop7:".to_owned(), ..config(&server) });
    eventually(&redis).await;
    for _ in 0..20 {
        assert!(redis.query::<i64>(cache::cmd("INCR").arg("a").arg("b")).await.is_err());
    }
    let keys: Vec<String> = redis.query(cache::cmd("KEYS").arg("*")).await.unwrap();
    assert_eq!(keys, ["shop7:counter"]);
}
