//! HTTP-6 on a real PostgreSQL: the key commits with the effect, and only once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use db::{Db, TenantTx};
use edge::{
    Idempotency, Problem, Reply, codes,
    idempotency::{
        Claim, claim_stmt, decode_claims, find_claimed, invariants, purge_expired, release_stmt, run_once,
    },
};
use http::StatusCode;
use kernel::Ctx;
use testkit::TestDatabases;
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::world::NOW;

/// Effects are counted in rows of a table that stands in for a domain's.
const EFFECTS: db::DomainMigrations = db::DomainMigrations {
    domain: "effects",
    steps: &[db::Migration {
        version: 1,
        name: "effect",
        sql: "create schema effects; \
              create table effects.effect (tenant_id uuid not null, id uuid not null, primary key (tenant_id, id)); \
              select db.protect('effects.effect');",
    }],
};

struct World {
    databases: TestDatabases,
    db: Db,
    ctx: Ctx,
}

impl World {
    async fn new() -> Self {
        let tenant = db::Migrations::tenant([edge::idempotency::MIGRATIONS, EFFECTS]);
        let databases = TestDatabases::create(&tenant, &db::Migrations::control([])).await.unwrap();
        let db = databases.db().unwrap();
        let ctx = databases.ctx(&databases.tenant("acme"), NOW.parse().unwrap());
        Self { databases, db, ctx }
    }

    async fn effects(&self) -> i64 {
        let tx = self.db.begin_read(&self.ctx).await.unwrap();
        tx.query_one("select count(*) as n from effects.effect", &[]).await.unwrap().get("n")
    }

    async fn run(&self, key: &Idempotency) -> Result<Reply, Problem> {
        run_once(&self.db, &self.ctx, key, async |tx| {
            effect(tx).await?;
            Ok(Reply::created("/api/v1/effects/1", &"done").etag("1"))
        })
        .await
    }
}

async fn effect(tx: &TenantTx) -> Result<(), Problem> {
    let sql = "insert into effects.effect (tenant_id, id) values ($1, $2)";
    tx.execute(sql, &[&tx.tenant_id(), &Uuid::now_v7()]).await?;
    Ok(())
}

fn key(key: &str, payload: &str) -> Idempotency {
    Idempotency::internal("usr|create_effect", key, payload.as_bytes())
}

#[tokio::test]
async fn the_same_request_again_gets_the_stored_answer() {
    let world = World::new().await;
    let first = world.run(&key("k", "a")).await.unwrap();
    let again = world.run(&key("k", "a")).await.unwrap();
    assert_eq!((first.status(), first.body()), (again.status(), again.body()));
    assert_eq!(again.status(), StatusCode::CREATED);
    let response = axum::response::IntoResponse::into_response(again);
    assert_eq!(response.headers()["idempotency-replayed"], "true");
    assert_eq!(response.headers()["location"], "/api/v1/effects/1");
    assert_eq!(response.headers()["etag"], "\"1\"");
    assert_eq!(world.effects().await, 1);
}

#[tokio::test]
async fn the_same_key_for_another_request_is_refused() {
    let world = World::new().await;
    world.run(&key("k", "a")).await.unwrap();
    assert_eq!(world.run(&key("k", "b")).await.unwrap_err().code(), codes::IDEMPOTENCY_KEY_REUSED);
    world.run(&key("l", "b")).await.unwrap();
    world.run(&Idempotency::none()).await.unwrap();
    world.run(&Idempotency::none()).await.unwrap();
    assert_eq!(world.effects().await, 4);
}

#[tokio::test]
async fn a_key_belongs_to_its_tenant() {
    let world = World::new().await;
    world.run(&key("k", "a")).await.unwrap();
    let other = world.databases.ctx(&world.databases.tenant("bolt"), world.ctx.now());
    let other = World { databases: world.databases, db: world.db.clone(), ctx: other };
    assert!(!String::from_utf8_lossy(other.run(&key("k", "b")).await.unwrap().body()).is_empty());
    assert_eq!(other.effects().await, 1);
}

#[tokio::test]
async fn a_failed_effect_leaves_neither_key_nor_effect() {
    let world = World::new().await;
    let failed = run_once(&world.db, &world.ctx, &key("k", "a"), async |tx| {
        effect(tx).await?;
        Err(Problem::new(codes::CONFLICT))
    })
    .await;
    assert_eq!(failed.unwrap_err().code(), codes::CONFLICT);
    // At once: the key is free by the time the failure is known.
    world.run(&key("k", "a")).await.unwrap();
    assert_eq!(world.effects().await, 1);
}

#[tokio::test]
async fn a_key_that_still_runs_is_told_so() {
    let world = World::new().await;
    let (entered, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let first = tokio::spawn({
        let (db, ctx) = (world.db.clone(), world.ctx.clone());
        let (entered, go_on) = (entered.clone(), go_on.clone());
        async move {
            run_once(&db, &ctx, &key("k", "a"), async move |tx| {
                effect(tx).await?;
                entered.wait().await;
                go_on.wait().await;
                Ok(Reply::no_content())
            })
            .await
        }
    });
    entered.wait().await;
    assert_eq!(world.run(&key("k", "a")).await.unwrap_err().code(), codes::IDEMPOTENCY_IN_PROGRESS);
    go_on.wait().await;
    assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(world.run(&key("k", "a")).await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(world.effects().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_at_once_with_one_key_exactly_one_has_its_effect() {
    let world = Arc::new(World::new().await);
    let start = Arc::new(Barrier::new(50));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (world, start) = (world.clone(), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                world.run(&key("k", "a")).await
            })
        })
        .collect();
    let (mut done, mut told) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(reply) => {
                assert_eq!(reply.status(), StatusCode::CREATED);
                done += 1;
            }
            Err(problem) => {
                assert_eq!(problem.code(), codes::IDEMPOTENCY_IN_PROGRESS);
                told += 1;
            }
        }
    }
    assert!(done >= 1 && done + told == 50);
    assert_eq!(world.effects().await, 1);
}

#[tokio::test]
async fn work_that_was_in_the_way_of_others_is_tried_again() {
    let world = World::new().await;
    let tries = AtomicUsize::new(0);
    let reply = run_once(&world.db, &world.ctx, &key("k", "a"), async |tx| {
        effect(tx).await?;
        match tries.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Err(db::DbError::Conflict("40P01".to_owned()).into()),
            _ => Ok(Reply::no_content()),
        }
    })
    .await;
    assert_eq!(reply.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(world.effects().await, 1);
}

#[tokio::test]
async fn a_key_stored_meanwhile_wins_over_the_effect() {
    let world = World::new().await;
    let again = run_once(&world.db, &world.ctx, &key("k", "a"), async |tx| {
        effect(tx).await?;
        // Somebody who does not take our lock stores the same key before we do: a combiner.
        let claim = Claim::new(&key("k", "a"), Uuid::now_v7())?;
        let other = world.db.begin(&world.ctx).await?;
        other.run(claim_stmt(&world.ctx, &[claim], 201)).await?;
        other.commit().await?;
        Ok(Reply::no_content())
    })
    .await;
    assert_eq!(again.unwrap().status(), StatusCode::CREATED, "the stored answer, not ours");
    assert_eq!(world.effects().await, 0);
}

#[tokio::test]
async fn keys_of_many_requests_are_claimed_and_given_back_together() {
    let world = World::new().await;
    let claim = |name: &str| Claim::new(&key(name, "a"), Uuid::now_v7()).unwrap();
    let (a, b) = (claim("a"), claim("b"));
    let tx = world.db.begin(&world.ctx).await.unwrap();
    let won = decode_claims(&tx.run(claim_stmt(&world.ctx, &[a, b], 201)).await.unwrap()).unwrap();
    assert_eq!(won.len(), 2);
    tx.run(release_stmt(&world.ctx, &[b.key])).await.unwrap();
    tx.commit().await.unwrap();

    let tx = world.db.begin(&world.ctx).await.unwrap();
    let later = Claim { resource: Uuid::now_v7(), ..a };
    let won = decode_claims(&tx.run(claim_stmt(&world.ctx, &[later, b], 201)).await.unwrap()).unwrap();
    assert!(won.contains(&b.resource) && !won.contains(&later.resource));
    assert_eq!(find_claimed(&tx, &later).await.unwrap(), a.resource);
    let other = Claim { fingerprint: Uuid::nil(), ..a };
    assert_eq!(find_claimed(&tx, &other).await.unwrap_err().code(), codes::IDEMPOTENCY_KEY_REUSED);
    let unknown = find_claimed(&tx, &claim("c")).await.unwrap_err();
    assert_eq!(unknown.code(), codes::IDEMPOTENCY_IN_PROGRESS);
}

#[tokio::test]
async fn keys_are_purged_after_their_time_and_missing_purges_are_found() {
    let mut world = World::new().await;
    let start = world.ctx.now();
    let at = |hours: i64| start + jiff::SignedDuration::from_hours(hours);
    world.run(&key("old", "a")).await.unwrap();
    world.ctx.caller.now = at(30);
    world.run(&key("new", "a")).await.unwrap();
    assert_eq!(purge_expired(&world.db, &world.ctx, 48).await.unwrap(), 0);
    world.ctx.caller.now = at(49);
    assert_eq!(purge_expired(&world.db, &world.ctx, 48).await.unwrap(), 1);
    world.run(&key("old", "a")).await.unwrap();
    world.run(&key("new", "a")).await.unwrap();
    assert_eq!(world.effects().await, 3, "the old key is forgotten, the new one is not");

    let violations = async |hours: i64| {
        let mut ctx = world.ctx.clone();
        ctx.caller.now = at(hours);
        let tx = world.db.begin_read(&ctx).await.unwrap();
        invariants(&tx).await.unwrap()
    };
    assert!(violations(50).await.is_empty());
    assert_eq!(violations(24 * 10).await[0].invariant, "idempotency_keys_expire");
}
