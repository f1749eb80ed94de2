use super::*;
use testkit::RedisSentinel;

// RES-3: the master dies, the sentinels make its replica the master, and the client follows.
#[tokio::test]
async fn a_fail_over_by_sentinel_is_followed() {
    let mut site = RedisSentinel::start().unwrap();
    let config = RedisConfig {
        url: Some(site.url().into()),
        sentinel_master: Some(site.master_name().to_owned()),
        ..RedisConfig::default()
    };
    let redis = open(&config);
    let before = eventually(&redis).await;
    site.kill_master();
    let after = eventually(&redis).await;
    // Replication is not acknowledged one by one: what is lost of a counter is at most the latest.
    assert!(after >= before, "{after} after {before}: not the replica of that master");
}
