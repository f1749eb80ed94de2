//! RES-1, RES-5: what one tenant or one cluster may cost the others.

use std::{sync::Arc, time::Duration};

use db::{Db, DbConfig, DbError, PoolLimits, TierShares};
use kernel::{Tenant, Tier, Timestamp};
use resilience::State;

use crate::shelf::databases;

// RES-5
#[tokio::test]
async fn a_tenant_that_holds_all_of_its_share_leaves_connections_to_the_others() {
    let databases = databases().await;
    let shares = TierShares { free: 2, ..TierShares::default() };
    let limits =
        PoolLimits { tenant_max: 8, wait: Duration::from_millis(200), shares, ..PoolLimits::default() };
    let db = Db::new(DbConfig { limits, ..databases.config() }).unwrap();
    let tenant = |slug: &str, tier| Arc::new(Tenant { tier, ..databases.tenant(slug).as_ref().clone() });
    let ctx = |tenant: &Arc<Tenant>| databases.ctx(tenant, Timestamp::UNIX_EPOCH);
    for (tier, share) in [(Tier::Free, 2), (Tier::Standard, 6)] {
        let greedy = tenant("greedy", tier);
        let mut held = Vec::new();
        for _ in 0..share {
            let tx = db.begin(&ctx(&greedy)).await.unwrap();
            tx.query_one("select 1", &[]).await.unwrap();
            held.push(tx);
        }
        assert!(matches!(db.begin(&ctx(&greedy)).await, Err(DbError::Unavailable(_))));
        let other = db.begin(&ctx(&tenant("modest", tier))).await.unwrap();
        other.query_one("select 1", &[]).await.unwrap();
        other.commit().await.unwrap();
        held.pop().unwrap().commit().await.unwrap();
        db.begin(&ctx(&greedy)).await.unwrap();
    }
}

// RES-1
#[tokio::test]
async fn a_cluster_that_is_away_is_left_alone_and_the_others_are_not() {
    let databases = databases().await;
    let mut config = databases.config();
    let mut nowhere = db::ConnectionConfig::new();
    nowhere.host_path(std::env::temp_dir().join("there-is-no-such-socket"));
    config.shards.insert("away".into(), nowhere);
    let db = Db::new(config).unwrap();
    let near = databases.tenant("near");
    let mut far = near.as_ref().clone();
    far.placement.shard = "away".into();
    let far = databases.ctx(&Arc::new(far), Timestamp::UNIX_EPOCH);
    let near = databases.ctx(&near, Timestamp::UNIX_EPOCH);
    for _ in 0..6 {
        assert!(matches!(db.begin(&far).await, Err(DbError::Unavailable(_))));
    }
    let tx = db.begin(&near).await.unwrap();
    tx.query_one("select 1", &[]).await.unwrap();
    tx.commit().await.unwrap();
    let states: Vec<_> =
        db.breakers().states().into_iter().map(|(name, state)| (name.to_string(), state)).collect();
    let near = format!("database:{}", near.tenant.placement.shard);
    assert!(states.contains(&("database:away".to_owned(), State::Open)), "{states:?}");
    assert!(states.contains(&(near, State::Closed)), "{states:?}");
    let Err(DbError::Unavailable(told)) = db.begin(&far).await else { panic!("it was tried") };
    assert!(told.contains("a moment ago"), "{told}");
}
