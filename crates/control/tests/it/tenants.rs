//! PLT-1: tenants as their operator sees them.

use serde_json::json;

use crate::world::{PASSWORD, World, accepting, credentials, new_tenant};

// PLT-1
#[tokio::test]
async fn a_new_tenant_trades_at_once_and_its_administrator_can_sign_in() {
    let world = World::start().await;
    let operator = world.operator().await;
    let started = std::time::Instant::now();
    let made = operator.post("/admin/tenants", new_tenant("acme")).await.is(201);
    assert!(started.elapsed().as_secs_f64() < 1.0, "{:?}", started.elapsed());
    assert_eq!(made.text("/status"), "active");
    assert_eq!(made.text("/placement/kind"), "shared");
    assert_eq!(made.text("/placement/database"), world.databases.shared);
    assert_eq!(made.text("/provisioning/step"), "done");
    assert_eq!(made.json["adminPassword"], json!(null));
    assert_eq!(made.header("location"), "/api/v1/admin/tenants/acme");

    let me = world.admin("acme").await.get("/me").await.is(200);
    assert_eq!(me.text("/email"), "admin@acme.test");
    assert_eq!(me.text("/tenant"), "acme");
    assert_eq!(me.json["permissions"], json!(["*"]));
    assert_eq!(world.violations().await, []);
}

#[tokio::test]
async fn an_administrator_without_a_given_password_gets_a_made_up_one_shown_once() {
    let world = World::start().await;
    let operator = world.operator().await;
    let mut body = new_tenant("acme");
    body.as_object_mut().unwrap().remove("adminPassword");
    let call = |key: &str| operator.api(http::Method::POST, "/admin/tenants").key(key).json(&body);
    let made = call("one").send().await.is(201);
    let password = made.text("/adminPassword").to_owned();
    assert_eq!(password.len(), 20);
    world.sign_in(json!({ "email": "admin@acme.test", "password": password })).await.is(200);

    // HTTP-6: the repeated request gets the stored answer, another payload under the key none.
    let again = call("one").send().await.is(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.text("/adminPassword"), password);
    body["name"] = json!("Other");
    let other = operator.api(http::Method::POST, "/admin/tenants").key("one").json(&body);
    other.send().await.is_problem(422, "IDEMPOTENCY_KEY_REUSED");
    assert!(
        !world
            .ask("select string_agg(encode(sealed, 'escape'), '') from control.idempotency")
            .await
            .contains(&password)
    );
}

#[tokio::test]
async fn a_name_is_given_once_and_not_to_the_program_itself() {
    let world = World::start().await;
    let operator = world.operator().await;
    operator.post("/admin/tenants", new_tenant("acme")).await.is(201);
    operator.post("/admin/tenants", new_tenant("acme")).await.is_problem(409, "TENANT_EXISTS");
    operator.post("/admin/tenants", new_tenant("console")).await.is_problem(422, "TENANT_NAME_RESERVED");
}

// HTTP-8
#[tokio::test]
async fn a_wrong_tenant_is_refused_field_by_field_and_leaves_nothing() {
    let world = World::start().await;
    let operator = world.operator().await;
    let body = json!({
        "slug": "Not A Slug", "name": "", "tier": "standard", "currency": "EUR", "adminEmail": "nobody",
        "adminPassword": "short", "settings": { "cashRounding": 0, "timeZone": "Mars/Olympus", "corsOrigins": ["*"] },
    });
    let refused = operator.post("/admin/tenants", body).await.is_problem(400, "VALIDATION_FAILED");
    let mut places: Vec<&str> = refused.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            "/adminEmail",
            "/adminPassword",
            "/name",
            "/settings/cashRounding",
            "/settings/corsOrigins/0",
            "/settings/timeZone",
            "/slug",
        ]
    );
    for (field, value) in [("tier", json!("gold")), ("currency", json!("eur")), ("unknown", json!(1))] {
        let mut body = new_tenant("acme");
        body[field] = value;
        operator.post("/admin/tenants", body).await.is(400);
    }
    assert_eq!(world.ask("select count(*)::text from control.tenant").await, "0");
}

// HTTP-5
#[tokio::test]
async fn tenants_are_listed_by_name_in_pages_and_by_status() {
    let world = World::start().await;
    for slug in ["cc", "aa", "bb"] {
        world.tenant(slug).await;
    }
    let operator = world.operator().await;
    let first = operator.get("/admin/tenants?limit=2").await.is(200);
    assert_eq!((first.text("/items/0/slug"), first.text("/items/1/slug")), ("aa", "bb"));
    let next =
        operator.get(&format!("/admin/tenants?limit=2&cursor={}", first.text("/nextCursor"))).await.is(200);
    assert_eq!(next.text("/items/0/slug"), "cc");
    assert_eq!(next.json["nextCursor"], json!(null));
    operator.post("/admin/tenants/bb/suspend", json!({})).await;
    let suspended = operator.get("/admin/tenants?status=suspended").await.is(200);
    assert_eq!(suspended.json["items"].as_array().unwrap().len(), 1);
}

// HTTP-7
#[tokio::test]
async fn a_tenant_is_changed_only_from_the_version_that_was_read() {
    let world = World::start().await;
    world.tenant("acme").await;
    let operator = world.operator().await;
    let read = operator.get("/admin/tenants/acme").await.is(200);
    let change = json!({ "name": "Acme Ltd", "tier": "enterprise" });
    let put = |etag: &str| {
        operator.api(http::Method::PUT, "/admin/tenants/acme").header("if-match", etag).json(&change)
    };
    let changed = put(read.header("etag")).send().await.is(200);
    assert_eq!((changed.text("/name"), changed.text("/tier")), ("Acme Ltd", "enterprise"));
    // Where the data lives stays the same.
    assert_eq!(changed.text("/placement/kind"), "shared");
    put(read.header("etag")).send().await.is_problem(412, "PRECONDITION_FAILED");
    operator.get("/admin/tenants/none").await.is_problem(404, "NOT_FOUND");
    operator.put("/admin/tenants/none", change).await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_suspended_tenant_is_stopped_at_once_and_trades_again_when_resumed() {
    let world = World::start().await;
    world.tenant("acme").await;
    let (operator, admin) = (world.operator().await, world.admin("acme").await);
    admin.get("/staff").await.is(200);
    let post = |path: &'static str| operator.api(http::Method::POST, path).send();
    assert_eq!(post("/admin/tenants/acme/suspend").await.is(200).text("/status"), "suspended");
    admin.get("/staff").await.is_problem(403, "TENANT_SUSPENDED");
    world.sign_in(credentials("admin@acme.test")).await.is_problem(403, "TENANT_SUSPENDED");
    post("/admin/tenants/acme/suspend").await.is(200);
    assert_eq!(post("/admin/tenants/acme/resume").await.is(200).text("/status"), "active");
    admin.get("/staff").await.is(200);
    post("/admin/tenants/none/resume").await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_tenant_sees_and_changes_its_own_settings() {
    let world = World::start().await;
    world.tenant("acme").await;
    let admin = world.admin("acme").await;
    let read = admin.get("/settings").await.is(200);
    let mut settings = read.json.clone();
    settings["timeZone"] = json!("Europe/Vienna");
    settings["corsOrigins"] = json!(["https://shop.acme.test"]);
    let put = |etag: &str, body| {
        admin.api(http::Method::PUT, "/settings").header("if-match", etag).json(body).send()
    };
    let changed = put(read.header("etag"), &settings).await.is(200);
    assert_eq!(changed.json, settings);
    put(read.header("etag"), &settings).await.is_problem(412, "PRECONDITION_FAILED");
    assert!(edge::Registry::knows_origin(&world.control, "https://shop.acme.test").await.unwrap());
    assert!(!edge::Registry::knows_origin(&world.control, "https://evil.test").await.unwrap());
    settings["cashRounding"] = json!(0);
    let refused = admin.put("/settings", settings).await.is_problem(400, "VALIDATION_FAILED");
    assert_eq!(refused.text("/errors/0/pointer"), "/cashRounding");
    let other = World::with(&world, None, &["platform:*"]).await;
    other.with_tenant("acme").get("/settings").await.is(403);
}

// IDN-4: the operator's routes are the operator's.
#[tokio::test]
async fn no_administrator_of_a_tenant_is_an_operator() {
    let world = World::start().await;
    world.tenant("acme").await;
    let admin = world.admin("acme").await;
    for path in ["/admin/tenants", "/admin/tenants/acme", "/admin/shards", "/admin/tenants/acme/issuers"] {
        admin.get(path).await.is_problem(403, "PERMISSION_DENIED");
        world.stranger().get(path).await.is(401);
    }
}

#[tokio::test]
async fn a_merchant_who_is_locked_out_gets_back_in_through_the_operator() {
    let world = World::start().await;
    world.tenant("acme").await;
    let admin = world.admin("acme").await;
    for _ in 0..5 {
        world.sign_in(json!({ "email": "admin@acme.test", "password": "forgotten" })).await.is(401);
    }
    world.sign_in(credentials("admin@acme.test")).await.is(429);
    let operator = world.operator().await;
    let reset =
        operator.post("/admin/tenants/acme/admin", json!({ "email": "Admin@acme.test" })).await.is(200);
    admin.get("/me").await.is(401);
    let back = json!({ "email": "admin@acme.test", "password": reset.text("/password") });
    assert_eq!(world.sign_in(back).await.is(200).text("/role"), "tenant_admin");
    // Somebody else may take over, too.
    let heir = json!({ "email": "heir@acme.test", "password": PASSWORD });
    let made = operator.post("/admin/tenants/acme/admin", heir).await.is(200);
    assert_eq!(made.json["password"], json!(null));
    world.sign_in(credentials("heir@acme.test")).await.is(200);
    operator
        .post("/admin/tenants/none/admin", json!({ "email": "a@b.c" }))
        .await
        .is_problem(404, "NOT_FOUND");
    assert_eq!(world.violations().await, []);
}

// IDN-2
#[tokio::test]
async fn an_account_that_is_not_the_tenants_alone_keeps_its_password_and_is_invited_to_run_it() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.account_elsewhere("bolt", "bob@bolt.test").await;
    let operator = world.operator().await;
    let bob = world.sign_in(credentials("bob@bolt.test")).await.is(200);
    let reset = json!({ "email": "Bob@bolt.test", "password": "taken over 123" });
    let first = operator.post("/admin/tenants/acme/admin", reset.clone()).await.is(200);
    assert_eq!(first.json["password"], json!(null));
    let mut there = credentials("bob@bolt.test");
    there["tenant"] = json!("acme");
    world.sign_in(there.clone()).await.is_problem(403, "INVITATION_REQUIRED");
    // Neither his password nor his sign-ins have changed; a second reset only makes a new code.
    world.stranger().with_token(bob.text("/accessToken")).get("/me").await.is(200);
    let second = operator.post("/admin/tenants/acme/admin", reset.clone()).await.is(200);
    let old = accepting("bob@bolt.test", "acme", first.text("/invitationCode"));
    world.sign_in(old).await.is_problem(403, "INVITATION_REQUIRED");
    let new = accepting("bob@bolt.test", "acme", second.text("/invitationCode"));
    assert_eq!(world.sign_in(new).await.is(200).text("/role"), "tenant_admin");
    // Once he has a place there, he is given the role and keeps his password.
    let admin = world.admin("acme").await;
    let path = format!("/staff/{}", second.text("/id"));
    admin.put(&path, json!({ "role": "cashier", "active": true })).await.is(200);
    let third = operator.post("/admin/tenants/acme/admin", reset).await.is(200);
    assert_eq!((&third.json["password"], &third.json["invitationCode"]), (&json!(null), &json!(null)));
    assert_eq!(world.sign_in(there).await.is(200).text("/role"), "tenant_admin");
    assert_eq!(world.violations().await, []);
}

// IDN-2
#[tokio::test]
async fn whoever_may_only_set_tenants_up_never_gets_the_password_of_an_operator() {
    let world = World::start().await;
    world.tenant("acme").await;
    let account = control::OperatorAccount { email: "op@market.test".to_owned(), password: PASSWORD.into() };
    control::create_operator(&world.control, account, world.clock.now()).await.unwrap();
    let limited = world.with(None, &["platform:tenants"]).await;
    let reset = limited.post("/admin/tenants/acme/admin", json!({ "email": "op@market.test" })).await.is(200);
    assert_eq!(reset.json["password"], json!(null));
    assert_eq!(world.sign_in(credentials("op@market.test")).await.is(200).text("/role"), "super_admin");
}

#[tokio::test]
async fn an_administrator_who_was_dismissed_comes_back_by_a_reset_of_their_own_account() {
    let world = World::start().await;
    world.tenant("acme").await;
    let admin = world.admin("acme").await;
    let staff = json!({ "email": "bob@acme.test", "role": "cashier", "password": PASSWORD });
    let bob = admin.post("/staff", staff).await.is(201);
    let path = format!("/staff/{}", bob.text("/id"));
    admin.put(&path, json!({ "role": "cashier", "active": false })).await.is(200);
    let operator = world.operator().await;
    let reset = operator.post("/admin/tenants/acme/admin", json!({ "email": "bob@acme.test" })).await.is(200);
    assert_eq!(reset.json["invitationCode"], json!(null));
    let back = json!({ "email": "bob@acme.test", "password": reset.text("/password") });
    assert_eq!(world.sign_in(back).await.is(200).text("/role"), "tenant_admin");
}
