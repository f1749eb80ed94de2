//! PLT-1: setting up is a workflow that survives any failure.

use std::sync::atomic::Ordering;

use control::resume_provisioning;
use serde_json::{Value, json};

use crate::world::{World, accepting, credentials, new_tenant};

fn dedicated(slug: &str) -> Value {
    let mut body = new_tenant(slug);
    body["tier"] = json!("enterprise");
    body
}

// PLT-1, PLT-2
#[tokio::test]
async fn an_enterprise_tenant_gets_its_own_database_within_five_seconds() {
    let world = World::start().await;
    let operator = world.operator().await;
    let started = std::time::Instant::now();
    let made = operator.post("/admin/tenants", dedicated("big-co")).await.is(201);
    assert!(started.elapsed().as_secs_f64() < 5.0, "{:?}", started.elapsed());
    let database = made.text("/placement/database").to_owned();
    assert_eq!(made.text("/placement/kind"), "dedicated");
    assert!(database.ends_with("_big_co"), "{database}");
    let there = format!("select count(*)::text from pg_database where datname = '{database}'");
    assert_eq!(world.ask(&there).await, "1");
    assert_eq!(world.steps.seeded.load(Ordering::SeqCst), 1);
    assert_eq!(world.violations().await, []);
}

// PLT-1
#[tokio::test]
async fn a_tenant_whose_every_step_failed_once_is_set_up_by_repeating_the_request() {
    let world = World::start().await;
    let operator = world.operator().await;
    world.steps.create.next(1);
    world.steps.migrate.next(1);
    world.steps.seed.next(1);
    let failures =
        [("create_database", "provision_error"), ("migrate", "migration_error"), ("seed", "provision_error")];
    for (step, status) in failures {
        let stopped = operator.post("/admin/tenants", dedicated("acme")).await.is(202);
        assert_eq!((stopped.text("/provisioning/step"), stopped.text("/status")), (step, status));
        assert!(stopped.text("/provisioning/lastError").contains("the test wants it"), "{}", stopped.json);
        world.sign_in(credentials("admin@acme.test")).await.is(401);
        assert_eq!(world.violations().await, []);
    }
    let done = operator.post("/admin/tenants", dedicated("acme")).await.is(201);
    assert_eq!(done.text("/status"), "active");
    assert_eq!(done.json["provisioning"]["attempts"], json!(4));
    assert_eq!(done.json["provisioning"]["lastError"], json!(null));
    assert_eq!(world.steps.seeded.load(Ordering::SeqCst), 1);
    world.sign_in(credentials("admin@acme.test")).await.is(200);
    operator.post("/admin/tenants", dedicated("acme")).await.is_problem(409, "TENANT_EXISTS");
}

#[tokio::test]
async fn a_failed_tenant_is_set_up_by_the_job_when_its_next_try_is_due() {
    let world = World::start().await;
    world.steps.seed.next(2);
    let operator = world.operator().await;
    operator.post("/admin/tenants", new_tenant("acme")).await.is(202);
    // Not due yet.
    assert_eq!(resume_provisioning(&world.control, world.clock.now()).await.unwrap(), 0);
    for status in ["provision_error", "active"] {
        world.clock.advance_seconds(60);
        assert_eq!(resume_provisioning(&world.control, world.clock.now()).await.unwrap(), 1);
        assert_eq!(operator.get("/admin/tenants/acme").await.is(200).text("/status"), status);
    }
    assert_eq!(resume_provisioning(&world.control, world.clock.now()).await.unwrap(), 0);
    let done = operator.get("/admin/tenants/acme").await.is(200);
    assert_eq!(done.json["provisioning"]["durationMs"], json!(120_000));
}

// A process that dies in the middle leaves a claim, which runs out.
#[tokio::test]
async fn a_tenant_whose_process_died_is_taken_over_when_the_claim_has_run_out() {
    let world = World::start().await;
    world.steps.seed.next(1);
    let operator = world.operator().await;
    operator.post("/admin/tenants", new_tenant("acme")).await.is(202);
    world
        .sql(
            "update control.provisioning set claimed_by = gen_random_uuid(), \
             claimed_until = '2026-11-21T10:00:30Z', next_attempt_at = '2026-11-21T10:00:00Z'; \
             update control.tenant set status = 'provisioning'",
        )
        .await;
    let waiting = operator.post("/admin/tenants", new_tenant("acme")).await.is(202);
    assert_eq!(waiting.text("/status"), "provisioning");
    assert_eq!(resume_provisioning(&world.control, world.clock.now()).await.unwrap(), 0);
    world.clock.advance_seconds(31);
    operator.post("/admin/tenants", new_tenant("acme")).await.is(201);
}

#[tokio::test]
async fn ten_requests_for_one_name_at_once_make_one_tenant() {
    let world = World::start().await;
    let operator = world.operator().await;
    let calls = (0..10).map(|_| {
        let operator = operator.clone();
        tokio::spawn(async move { operator.post("/admin/tenants", new_tenant("acme")).await.status })
    });
    let mut made = 0;
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            201 => made += 1,
            status => assert!(matches!(status, 202 | 409 | 503), "{status}"),
        }
    }
    assert!(made >= 1, "{made}");
    assert_eq!(world.ask("select count(*)::text from control.tenant").await, "1");
    assert_eq!(world.steps.seeded.load(Ordering::SeqCst), 1);
    assert_eq!(world.violations().await, []);
}

#[tokio::test]
async fn an_existing_account_becomes_administrator_and_keeps_its_password() {
    let world = World::start().await;
    world.tenant("first").await;
    let mut body = new_tenant("second");
    body["adminEmail"] = json!("Admin@First.test");
    body["adminPassword"] = json!("another password");
    let made = world.operator().await.post("/admin/tenants", body).await.is(201);
    assert_eq!(made.json["adminPassword"], json!(null));
    assert_eq!(world.violations().await, []);
    let mut there = credentials("admin@first.test");
    there["tenant"] = json!("second");
    // IDN-2: whoever made the account first is not the one the operator means.
    world.sign_in(there.clone()).await.is_problem(403, "INVITATION_REQUIRED");
    let accepting = accepting("admin@first.test", "second", made.text("/adminInvitationCode"));
    assert_eq!(world.sign_in(accepting).await.is(200).text("/role"), "tenant_admin");
    assert_eq!(world.sign_in(there).await.is(200).text("/role"), "tenant_admin");
}

/// A request without a password for the administrator.
fn made_up(slug: &str, email: &str) -> Value {
    let mut body = new_tenant(slug);
    body.as_object_mut().unwrap().remove("adminPassword");
    body["adminEmail"] = json!(email);
    body
}

// IDN-2
#[tokio::test]
async fn a_corrected_address_of_an_unfinished_tenant_counts_and_its_password_works() {
    let world = World::start().await;
    let operator = world.operator().await;
    world.steps.seed.next(1);
    operator.post("/admin/tenants", made_up("acme", "amd@acme.test")).await.is(202);
    let mut renamed = made_up("acme", "ann@acme.test");
    renamed["name"] = json!("Another");
    operator.post("/admin/tenants", renamed).await.is_problem(409, "TENANT_EXISTS");
    let made = operator.post("/admin/tenants", made_up("acme", "ann@acme.test")).await.is(201);
    let ann = json!({ "email": "ann@acme.test", "password": made.text("/adminPassword") });
    assert_eq!(world.sign_in(ann).await.is(200).text("/role"), "tenant_admin");
    assert_eq!(world.ask("select string_agg(email, ' ') from control.account").await, "ann@acme.test");
}

#[tokio::test]
async fn a_password_for_a_tenant_that_stopped_half_way_works_once_the_job_has_gone_on() {
    let world = World::start().await;
    let operator = world.operator().await;
    world.steps.seed.next(1);
    let stopped = operator.post("/admin/tenants", made_up("acme", "ann@acme.test")).await.is(202);
    world.clock.advance_seconds(60);
    assert_eq!(resume_provisioning(&world.control, world.clock.now()).await.unwrap(), 1);
    let ann = json!({ "email": "ann@acme.test", "password": stopped.text("/adminPassword") });
    world.sign_in(ann).await.is(200);
}

#[tokio::test]
async fn a_tenant_that_somebody_else_works_on_hands_out_no_password_and_takes_no_other_address() {
    let world = World::start().await;
    let operator = world.operator().await;
    world.steps.seed.next(1);
    operator.post("/admin/tenants", made_up("acme", "ann@acme.test")).await.is(202);
    world
        .sql(
            "update control.provisioning set claimed_by = gen_random_uuid(), \
             claimed_until = '2026-11-21T10:00:30Z'",
        )
        .await;
    let waiting = operator.post("/admin/tenants", made_up("acme", "ann@acme.test")).await.is(202);
    assert_eq!(waiting.json["adminPassword"], json!(null));
    operator.post("/admin/tenants", made_up("acme", "eve@acme.test")).await.is_problem(409, "TENANT_EXISTS");
}
