//! PLT-13: how the tenants are: who trades, whose setting up failed, whose database answers.

use std::time::Duration;

use control::{ProbePlan, Probed, probe_tenants};
use serde_json::{Value, json};

use crate::world::{World, new_tenant};

/// A tenant of another tier.
async fn add(world: &World, slug: &str, tier: &str, placement: &str) {
    let mut body = new_tenant(slug);
    body["tier"] = json!(tier);
    body["placement"] = json!(placement);
    world.operator().await.post("/admin/tenants", body).await.is(201);
}

async fn probe(world: &World, plan: ProbePlan) -> Probed {
    probe_tenants(&world.control, world.clock.now(), plan).await.unwrap()
}

async fn health(world: &World) -> Value {
    world.operator().await.get("/admin/tenants/health").await.is(200).json
}

fn slugs(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["tenant"].as_str().unwrap()).collect()
}

// PLT-13
#[tokio::test]
async fn the_operator_sees_per_tier_who_trades_who_failed_who_is_silent_and_who_is_slowest() {
    let world = World::start().await;
    add(&world, "acme", "standard", "shared").await;
    add(&world, "bolt", "free", "shared").await;
    add(&world, "stopped", "free", "shared").await;
    add(&world, "grand", "enterprise", "dedicated").await;
    world.operator().await.post("/admin/tenants/stopped/suspend", json!({})).await;
    world.operator().await.api(http::Method::POST, "/admin/tenants/stopped/suspend").send().await.is(200);
    world.steps.seed.next(1);
    world.operator().await.post("/admin/tenants", new_tenant("broken")).await.is(202);

    let before = health(&world).await;
    assert_eq!(before["tiers"][1]["sampled"], 0, "nobody was asked yet");
    assert_eq!(probe(&world, ProbePlan::default()).await, Probed { asked: 3, answered: 3 });
    let seen = health(&world).await;
    let tier = |at: usize| {
        ["tier", "active", "suspended", "failed", "sampled", "answered"]
            .map(|name| seen["tiers"][at][name].clone())
    };
    assert_eq!(json!(tier(0)), json!(["free", 1, 1, 0, 1, 1]));
    assert_eq!(json!(tier(1)), json!(["standard", 1, 0, 1, 1, 1]));
    assert_eq!(json!(tier(2)), json!(["enterprise", 1, 0, 0, 1, 1]));
    assert!(seen["tiers"][0]["slowestUs"].as_i64().unwrap() > 0);
    let slowest: Vec<i64> =
        seen["slowest"].as_array().unwrap().iter().map(|probe| probe["tookUs"].as_i64().unwrap()).collect();
    assert!(slowest.len() == 3 && slowest.is_sorted_by(|a, b| a >= b), "{slowest:?}");
    assert_eq!((slugs(&seen["silent"]), slugs(&seen["failed"])), (vec![], vec!["broken"]));
    assert_eq!(seen["failed"][0]["step"], "seed");

    // One database goes away: its tenant is silent, and everybody else is not.
    let database =
        seen["slowest"].as_array().unwrap().iter().find(|probe| probe["tenant"] == "grand").unwrap();
    world.database_answers(database["database"].as_str().unwrap(), false).await;
    let went = world.clock.now();
    assert_eq!(probe(&world, ProbePlan::default()).await, Probed { asked: 3, answered: 2 });
    world.clock.advance_seconds(60);
    assert_eq!(probe(&world, ProbePlan::default()).await.answered, 2);
    let seen = health(&world).await;
    assert_eq!(slugs(&seen["silent"]), ["grand"]);
    assert_eq!(seen["silent"][0]["silentSince"], went.to_string(), "since when, not when last");
    assert_eq!((&seen["tiers"][2]["sampled"], &seen["tiers"][2]["answered"]), (&json!(1), &json!(0)));
    world.database_answers(database["database"].as_str().unwrap(), true).await;
    assert_eq!(probe(&world, ProbePlan::default()).await.answered, 3);
    assert_eq!(health(&world).await["silent"], json!([]));
}

// PLT-13: bounded in number and time, and everybody's turn comes.
#[tokio::test]
async fn tenants_are_asked_in_turn_and_nobody_is_waited_for() {
    let world = World::start().await;
    for slug in ["acme", "bolt", "cask"] {
        world.tenant(slug).await;
    }
    let mut asked = Vec::new();
    for _ in 0..3 {
        assert_eq!(probe(&world, ProbePlan { most: 1, ..ProbePlan::default() }).await.asked, 1);
        world.clock.advance_seconds(1);
        let order = "select string_agg(t.slug, ' ' order by p.checked_at) from control.tenant_probe as p \
            join control.tenant as t on t.id = p.tenant_id";
        asked = world.ask(order).await.split(' ').map(str::to_owned).collect();
    }
    asked.sort();
    assert_eq!(asked, ["acme", "bolt", "cask"]);

    // No patience is still up to a millisecond, in which a database may answer.
    let hasty = || ProbePlan { patience: Duration::ZERO, ..ProbePlan::default() };
    while probe(&world, hasty()).await != (Probed { asked: 3, answered: 0 }) {}
    let seen = health(&world).await;
    assert_eq!(slugs(&seen["silent"]), ["acme", "bolt", "cask"]);
    assert_eq!(seen["silent"][0]["reason"], "no answer in time");
    let over = ProbePlan { limit: Duration::ZERO, ..ProbePlan::default() };
    assert!(probe(&world, over).await.asked < 3);
    // What was seen long ago says nothing about now.
    world.clock.advance_seconds(3000);
    assert_eq!(slugs(&health(&world).await["silent"]).len(), 3);
    world.clock.advance_seconds(601);
    assert_eq!(health(&world).await["tiers"][1]["sampled"], 0);
}
