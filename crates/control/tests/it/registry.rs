//! PLT-3: tenants from memory, kept right by messages, used on while the control database is away.

use edge::Registry;
use jiff::SignedDuration;
use kernel::TenantStatus;
use serde_json::json;

use crate::world::{World, credentials, eventually};

// PLT-3
#[tokio::test]
async fn known_tenants_trade_on_for_a_day_while_the_control_database_is_away() {
    let world = World::start().await;
    let id = world.tenant("acme").await;
    let admin = world.with(Some(id), &["*"]).await;
    admin.get("/me").await.is(200);
    let read = |slug: &'static str| Registry::find_tenant(&world.control, slug);
    assert!(read("acme").await.unwrap().is_some());

    world.control_database_answers(false).await;
    world.clock.advance_seconds(SignedDuration::from_mins(20).as_secs());
    assert_eq!(read("acme").await.unwrap().unwrap().id, id);
    assert_eq!(Registry::find_tenant_by_id(&world.control, id).await.unwrap().unwrap().id, id);
    // A token that was verified before goes on too; nobody can be looked up who is not known.
    admin.get("/me").await.is(200);
    assert!(read("other").await.is_err());
    world.clock.advance_seconds(SignedDuration::from_hours(25).as_secs());
    assert!(read("acme").await.is_err());

    world.control_database_answers(true).await;
    eventually(async || read("acme").await.is_ok_and(|found| found.is_some())).await;
}

#[tokio::test]
async fn another_process_hears_of_a_suspension_within_moments() {
    let world = World::start().await;
    world.tenant("acme").await;
    let (other, client, _heard) = world.other_process().await;
    assert_eq!(other.find_tenant("acme").await.unwrap().unwrap().status, TenantStatus::Active);
    // Also that a name has come to life is heard.
    assert!(other.find_tenant("later").await.unwrap().is_none());
    world.tenant("later").await;
    world.operator().await.post("/admin/tenants/acme/suspend", json!({})).await;
    world.operator().await.api(http::Method::POST, "/admin/tenants/acme/suspend").send().await.is(200);
    let suspended =
        async || other.find_tenant("acme").await.unwrap().unwrap().status == TenantStatus::Suspended;
    eventually(suspended).await;
    eventually(async || other.find_tenant("later").await.unwrap().is_some()).await;
    client.post("/auth/token", credentials("admin@acme.test")).await.is(403);
}

#[tokio::test]
async fn many_questions_at_once_are_one_question_to_the_database() {
    let world = World::start().await;
    world.tenant("acme").await;
    let (other, _client, _heard) = world.other_process().await;
    let before = world.ask(CALLS).await;
    let asked = (0..50).map(|_| {
        let other = other.clone();
        tokio::spawn(async move { other.find_tenant("acme").await.unwrap().unwrap().id })
    });
    for answer in asked.collect::<Vec<_>>() {
        answer.await.unwrap();
    }
    let tenant = other.find_tenant("acme").await.unwrap().unwrap();
    assert!(std::sync::Arc::ptr_eq(&tenant, &other.find_tenant("acme").await.unwrap().unwrap()));
    assert_eq!(world.ask(CALLS).await, before, "the pool grew: the questions were asked side by side");
}

/// Connections to the control database that serve requests.
const CALLS: &str = "select count(*)::text from pg_stat_activity \
    where datname = current_database() and application_name = 'markethall' and usename = 'markethall_control'";
