//! PLT-7: features switched for a tenant or for all, known at once everywhere, from memory when need be.

use control::Control;
use edge::Registry;
use http::Method;
use jiff::SignedDuration;
use kernel::Flag;
use serde_json::json;

use crate::world::{NEW_THING, OLD_THING, World, eventually};

/// What the code that asks would be told in `control`'s process.
async fn is_on(control: &Control, slug: &str, flag: Flag) -> bool {
    let tenant = control.find_tenant(slug).await.unwrap().unwrap();
    kernel::Ctx::system(tenant, "test", control.clock().now()).flags().on(flag)
}

// PLT-7
#[tokio::test]
async fn a_decision_for_a_tenant_holds_at_once_here_and_in_every_other_process() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.tenant("bolt").await;
    let (other, _client, _heard) = world.other_process().await;
    // Known before: nothing of the tenant is read again when a flag changes.
    assert!(is_on(&other, "acme", OLD_THING).await);
    let operator = world.operator().await;
    let made = operator.put("/admin/feature-flags/acme/old-thing", json!({ "enabled": false })).await.is(201);
    assert_eq!(made.header("location"), "/api/v1/admin/feature-flags/acme/old-thing");
    assert_eq!((made.text("/tenant"), made.text("/updatedBy")), ("acme", "operator"));
    assert!(!is_on(&world.control, "acme", OLD_THING).await, "whoever has the answer sees the effect");
    assert!(is_on(&world.control, "bolt", OLD_THING).await);
    eventually(async || !is_on(&other, "acme", OLD_THING).await).await;

    operator.put("/admin/feature-flags/acme/old-thing", json!({ "enabled": true })).await.is(200);
    eventually(async || is_on(&other, "acme", OLD_THING).await).await;
    operator.put("/admin/feature-flags/new-thing", json!({ "enabled": true })).await.is(201);
    eventually(async || is_on(&other, "acme", NEW_THING).await && is_on(&other, "bolt", NEW_THING).await)
        .await;
    operator.api(Method::DELETE, "/admin/feature-flags/new-thing").send().await.is(204);
    assert!(!is_on(&world.control, "bolt", NEW_THING).await);
    eventually(async || !is_on(&other, "bolt", NEW_THING).await).await;
    operator.api(Method::DELETE, "/admin/feature-flags/new-thing").send().await.is(404);
}

// PLT-7: the same in the API and in code, with roll-out, dates and configuration.
#[tokio::test]
async fn a_tenant_sees_what_is_on_for_it_as_the_code_does() {
    let world = World::start().await;
    let id = world.tenant("acme").await;
    let (operator, member) = (world.operator().await, world.with(Some(id), &[]).await);
    let body = json!({
        "enabled": true, "percentage": 30, "startsAt": "2026-11-21T10:20:00Z", "endsAt": "2026-11-21T10:40:00Z",
        "config": { "most": 3, "methods": ["card"] }
    });
    operator.put("/admin/feature-flags/acme/new-thing", body).await.is(201);
    let seen = async |subject: &str| {
        let answer = member.get(&format!("/feature-flags?subject={subject}")).await.is(200).json;
        assert_eq!(answer["items"][1]["feature"], "old-thing");
        assert_eq!(answer["items"][1]["on"], true);
        answer["items"][0].clone()
    };
    assert_eq!(seen("cus_1").await["on"], false, "not yet");
    world.clock.advance_seconds(SignedDuration::from_mins(30).as_secs());
    let ctx = kernel::Ctx::system(
        world.control.find_tenant("acme").await.unwrap().unwrap(),
        "t",
        world.clock.now(),
    );
    let mut on = 0;
    for number in 0..100 {
        let (subject, state) = (format!("cus_{number}"), seen(&format!("cus_{number}")).await);
        assert_eq!(state["on"], ctx.flags().on_for(NEW_THING, &subject), "{subject}");
        assert_eq!(state["config"]["most"] == 3, state["on"] == true);
        on += i32::from(state["on"] == true);
    }
    assert!((10..55).contains(&on), "{on} of 100 at 30 %");
    world.clock.advance_seconds(SignedDuration::from_mins(15).as_secs());
    for number in 0..100 {
        assert_eq!(seen(&format!("cus_{number}")).await["on"], false, "no more");
    }
}

// PLT-7, HTTP-5, HTTP-7
#[tokio::test]
async fn decisions_are_listed_page_by_page_and_changed_only_as_they_were_seen() {
    let world = World::start().await;
    let operator = world.operator().await;
    for slug in ["acme", "bolt"] {
        world.tenant(slug).await;
        let path = format!("/admin/feature-flags/{slug}/old-thing");
        operator.put(&path, json!({ "enabled": false })).await.is(201);
    }
    operator.put("/admin/feature-flags/old-thing", json!({ "enabled": true, "percentage": 0 })).await.is(201);
    operator.put("/admin/feature-flags/bolt/new-thing", json!({ "enabled": true })).await.is(201);
    let mut seen = Vec::new();
    let mut path = "/admin/feature-flags?limit=1".to_owned();
    loop {
        let page = operator.get(&path).await.is(200).json;
        let item = &page["items"][0];
        seen.push((item["feature"].as_str().unwrap().to_owned(), item["tenant"].as_str().map(str::to_owned)));
        let Some(next) = page["nextCursor"].as_str() else { break };
        path = format!("/admin/feature-flags?limit=1&cursor={next}");
    }
    let is = |feature: &str, tenant: Option<&str>| (feature.to_owned(), tenant.map(str::to_owned));
    let old = |tenant| is("old-thing", tenant);
    assert_eq!(seen, [is("new-thing", Some("bolt")), old(None), old(Some("acme")), old(Some("bolt"))]);
    let page = operator.get("/admin/feature-flags?feature=old-thing&tenant=acme").await.is(200).json;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);

    let path = "/admin/feature-flags/acme/old-thing";
    let tag = operator.get(path).await.is(200).header("etag").to_owned();
    let put = async |tag: &str, on: bool| {
        let call = operator.api(Method::PUT, path).header("if-match", tag);
        call.json(&json!({ "enabled": on })).send().await
    };
    assert_ne!(put(&tag, true).await.is(200).header("etag"), tag);
    assert_eq!(put(&tag, false).await.is(412).code(), "PRECONDITION_FAILED");
    assert!(is_on(&world.control, "acme", OLD_THING).await);
    operator.api(Method::DELETE, path).header("if-match", &tag).send().await.is(412);
    // Nothing is there to be that version.
    let absent = operator.api(Method::PUT, "/admin/feature-flags/acme/new-thing").header("if-match", "\"1\"");
    absent.json(&json!({ "enabled": true })).send().await.is(412);
}

// PLT-7, HTTP-8
#[tokio::test]
async fn a_decision_that_cannot_be_is_refused_and_nothing_changes() {
    let world = World::start().await;
    world.tenant("acme").await;
    let operator = world.operator().await;
    let unknown = operator.put("/admin/feature-flags/acme/no-such", json!({ "enabled": true })).await.is(404);
    assert_eq!(unknown.code(), "UNKNOWN_FEATURE");
    assert_eq!(unknown.json["detail"], "There are: new-thing, old-thing.");
    operator.put("/admin/feature-flags/no-such", json!({ "enabled": true })).await.is(404);
    operator.put("/admin/feature-flags/nobody/old-thing", json!({ "enabled": false })).await.is(404);
    let (start, end) = ("2026-11-22T00:00:00Z", "2026-11-21T00:00:00Z");
    for (wrong, place) in [
        (json!({}), "/enabled"),
        (json!({ "enabled": false, "percentage": 101 }), "/percentage"),
        (json!({ "enabled": false, "startsAt": start, "endsAt": end }), "/endsAt"),
        (json!({ "enabled": false, "config": { "a": { "b": 1 } } }), "/config"),
        (json!({ "enabled": false, "config": [1] }), "/config"),
        (json!({ "enabled": false, "tenant": "acme" }), "/tenant"),
    ] {
        let answer = operator.put("/admin/feature-flags/acme/old-thing", wrong.clone()).await.is(400);
        assert_eq!(answer.json["errors"][0]["pointer"], place, "{wrong} {}", answer.json);
    }
    assert_eq!(operator.get("/admin/feature-flags").await.is(200).json["items"], json!([]));
    assert!(is_on(&world.control, "acme", OLD_THING).await);
}

// PLT-7, PLT-3: what was known is used on, and what changed meanwhile is learnt afterwards.
#[tokio::test]
async fn decisions_known_hold_on_while_the_control_database_is_away() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.control.start();
    let operator = world.operator().await;
    operator.put("/admin/feature-flags/acme/new-thing", json!({ "enabled": true })).await.is(201);
    // Decided behind everybody's back: no message tells of it, only reading again does.
    world.sql("update control.feature_flag set enabled = false").await;
    assert!(is_on(&world.control, "acme", NEW_THING).await);
    world.control_database_answers(false).await;
    assert!(world.control.refresh_flags().await.is_err());
    assert!(is_on(&world.control, "acme", NEW_THING).await);
    assert!(is_on(&world.control, "acme", OLD_THING).await);
    world.control_database_answers(true).await;
    eventually(async || !is_on(&world.control, "acme", NEW_THING).await).await;
    world.control.stop().await;
}

// PLT-7, IDN-9
#[tokio::test]
async fn who_switched_what_is_a_security_event_and_expired_switches_are_named() {
    let world = World::start().await;
    world.tenant("acme").await;
    let operator = world.operator().await;
    operator.put("/admin/feature-flags/acme/old-thing", json!({ "enabled": false })).await.is(201);
    operator.api(Method::DELETE, "/admin/feature-flags/acme/old-thing").send().await.is(204);
    world.control.flush_security_events().await.unwrap();
    let events = operator.get("/admin/security-events?kind=flag_changed").await.is(200).json;
    let of = |at: usize, name: &str| events["items"][at][name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (of(0, "operation"), of(1, "operation")),
        ("delete_feature_flag".into(), "put_feature_flag".into())
    );
    assert_eq!(
        (of(1, "actor"), of(1, "subject")),
        ("operator".into(), "/api/v1/admin/feature-flags/acme/old-thing".into())
    );

    let features = operator.get("/admin/features").await.is(200).json;
    let told: Vec<_> = features["items"].as_array().unwrap().iter().map(|item| &item["expired"]).collect();
    assert_eq!(told, [true, false], "{features}");
}

// PLT-7, IDN-4: a merchant's administrator is not the operator.
#[tokio::test]
async fn tenants_switch_nothing() {
    let world = World::start().await;
    let id = world.tenant("acme").await;
    let admin = world.with(Some(id), &["*", "flags:write"]).await;
    for path in ["/admin/feature-flags/acme/old-thing", "/admin/feature-flags/old-thing"] {
        assert_eq!(admin.put(path, json!({ "enabled": false })).await.is(403).code(), "PERMISSION_DENIED");
    }
    admin.get("/admin/feature-flags").await.is(403);
    assert!(is_on(&world.control, "acme", OLD_THING).await);
}
