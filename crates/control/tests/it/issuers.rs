//! IDN-1: tokens of external OpenID providers.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use testkit::{Answer, Client};

use crate::{
    oidc::{Key, Provider, Willing},
    world::World,
};

/// A tenant, an issuer it takes, and a key of that issuer.
struct Scene {
    world: World,
    operator: Client,
    issuer: Willing,
    key: Key,
}

impl Scene {
    async fn start(mapping: Value) -> Self {
        let world = World::start().await;
        world.tenant("acme").await;
        let (operator, key) = (world.operator().await, Key::new("one"));
        let issuer = Willing::start(&[&key]).await;
        let scene = Self { world, operator, issuer, key };
        scene.enter("acme", "corp", "acme-app", mapping).await.is(201);
        scene
    }

    async fn enter(&self, tenant: &str, name: &str, audience: &str, mapping: Value) -> Answer {
        let body = json!({
            "url": self.issuer.url, "audience": audience, "algorithms": ["ES256"], "mapping": mapping,
        });
        self.operator.put(&format!("/admin/tenants/{tenant}/issuers/{name}"), body).await
    }

    /// Good claims, changed by `change`.
    fn claims(&self, change: Value) -> Value {
        let now = self.world.clock.now().as_second();
        let mut claims = json!({
            "iss": self.issuer.url, "aud": "acme-app", "sub": "ann", "exp": now + 300, "iat": now,
            "permissions": ["staff:read"],
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    async fn staff(&self, token: &str) -> Answer {
        self.world.stranger().with_token(token).get("/staff").await
    }
}

fn permissions() -> Value {
    json!({ "permissionsClaim": "permissions" })
}

// IDN-1: against the certified provider, with real discovery, real keys and real signatures.
#[tokio::test]
async fn a_certified_provider_signs_a_tenants_users_in() {
    let world = World::start_at(kernel::Clock::system().now()).await;
    world.tenant("acme").await;
    world.tenant("bolt").await;
    let operator = world.operator().await;
    let provider = Provider::start("acme", "staff:read,platform:tenants");
    let body = json!({
        "url": provider.issuer, "audience": "markethall", "algorithms": ["RS256"],
        "mapping": { "tenantClaim": "tenant", "permissionsClaim": "permissions" },
    });
    operator.put("/admin/tenants/acme/issuers/corp", body.clone()).await.is(201);
    let token = provider.token().await;
    let till = world.stranger().with_token(&token);
    till.get("/staff").await.is(200);
    assert_eq!(till.get("/me").await.is(200).text("/id"), "corp|till");
    till.get("/admin/tenants").await.is_problem(403, "PERMISSION_DENIED");
    till.clone().with_tenant("bolt").get("/staff").await.is_problem(403, "TENANT_MISMATCH");

    // Forgeries over the provider's own token and keys.
    let parts: Vec<&str> = token.split('.').collect();
    let keys = provider.keys().await;
    let modulus = keys["keys"][0]["n"].as_str().unwrap().as_bytes();
    let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(&token).unwrap();
    let symmetric = |algorithm| {
        let mut header = Header::new(algorithm);
        header.kid = keys["keys"][0]["kid"].as_str().map(str::to_owned);
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(modulus)).unwrap()
    };
    let none = format!("eyJhbGciOiJub25lIn0.{}.", parts[1]);
    for forged in [
        none,
        symmetric(Algorithm::HS256),
        symmetric(Algorithm::HS512),
        format!("{}.{}.AAAA", parts[0], parts[1]),
    ] {
        world.stranger().with_token(&forged).get("/staff").await.is_problem(401, "UNAUTHENTICATED");
    }

    // A token of the same kind for another tenant.
    let other = Provider::start("bolt", "staff:read");
    let mut second = body;
    second["url"] = json!(other.issuer);
    operator.put("/admin/tenants/acme/issuers/second", second).await.is(201);
    world.stranger().with_token(&other.token().await).get("/staff").await.is_problem(401, "UNAUTHENTICATED");
    world.stranger().with_token(&token).get("/staff").await.is(200);
}

#[tokio::test]
async fn wrong_claims_are_refused_even_under_a_good_signature() {
    let scene = Scene::start(permissions()).await;
    let now = scene.world.clock.now().as_second();
    scene.staff(&scene.key.sign(&scene.claims(json!({})))).await.is(200);
    scene
        .staff(&scene.key.sign(&scene.claims(json!({ "aud": ["x", "acme-app"], "exp": now as f64 + 300.5 }))))
        .await
        .is(200);
    let asked = scene.issuer.asked();
    for change in [
        json!({ "aud": "other-app" }),
        json!({ "aud": [] }),
        json!({ "aud": null }),
        json!({ "iss": "https://unknown.test" }),
        json!({ "iss": format!("{}/", scene.issuer.url) }),
        json!({ "iss": scene.world.config.issuer }),
        json!({ "exp": now - 31 }),
        json!({ "exp": null }),
        json!({ "exp": "never" }),
        json!({ "nbf": now + 31 }),
        json!({ "nbf": "soon" }),
        json!({ "sub": "" }),
        json!({ "sub": null }),
    ] {
        let answer = scene.staff(&scene.key.sign(&scene.claims(change.clone()))).await;
        assert_eq!(answer.status, 401, "{change}: {}", answer.json);
    }
    // Small differences of clocks are fine.
    scene.staff(&scene.key.sign(&scene.claims(json!({ "exp": now - 29, "nbf": now + 29 })))).await.is(200);
    assert_eq!(scene.issuer.asked(), asked, "tokens of unknown issuers must not make us ask anybody");
}

#[tokio::test]
async fn an_algorithm_that_is_not_allowed_is_refused() {
    let scene = Scene::start(permissions()).await;
    let token = scene.key.sign(&scene.claims(json!({})));
    scene.staff(&token).await.is(200);
    let body = json!({ "url": scene.issuer.url, "audience": "acme-app", "algorithms": ["EdDSA", "RS256"] });
    scene.operator.put("/admin/tenants/acme/issuers/corp", body.clone()).await.is(200);
    scene.staff(&token).await.is_problem(401, "UNAUTHENTICATED");
    for algorithm in ["none", "HS256", "hs256", "RS1"] {
        let mut body = body.clone();
        body["algorithms"] = json!([algorithm]);
        scene
            .operator
            .put("/admin/tenants/acme/issuers/corp", body)
            .await
            .is_problem(400, "VALIDATION_FAILED");
    }
}

// IDN-1: rotation without restart.
#[tokio::test]
async fn a_new_key_of_the_issuer_is_found_without_a_restart_and_an_old_one_ends() {
    let scene = Scene::start(permissions()).await;
    scene.staff(&scene.key.sign(&scene.claims(json!({})))).await.is(200);
    let next = Key::new("two");
    scene.issuer.publishes(&[&scene.key, &next]);
    scene.world.clock.advance_seconds(31);
    scene.staff(&next.sign(&scene.claims(json!({})))).await.is(200);
    scene.issuer.publishes(&[&next]);
    scene.world.clock.advance_seconds(601);
    scene.staff(&scene.key.sign(&scene.claims(json!({})))).await.is(401);
    scene.staff(&next.sign(&scene.claims(json!({})))).await.is(200);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_asks_the_issuer_once() {
    let scene = Scene::start(permissions()).await;
    let good = scene.key.sign(&scene.claims(json!({})));
    scene.staff(&good).await.is(200);
    scene.world.clock.advance_seconds(31);
    let before = scene.issuer.asked();
    for number in 0..100 {
        let token =
            Key::new("x").sign_as(&format!("unknown-{number}"), &scene.claims(json!({ "n": number })));
        scene.staff(&token).await.is_problem(401, "UNAUTHENTICATED");
    }
    assert_eq!(scene.issuer.asked(), before + 1);
    // A key of ours under the name of another's is no key of theirs.
    scene.staff(&Key::new("one").sign(&scene.claims(json!({ "n": 1 })))).await.is(401);
    scene.staff(&good).await.is(200);
}

// IDN-1: stale while error.
#[tokio::test]
async fn while_the_issuer_is_away_the_keys_known_last_are_good_for_a_day() {
    let scene = Scene::start(permissions()).await;
    scene.staff(&scene.key.sign(&scene.claims(json!({})))).await.is(200);
    scene.issuer.is_away(true);
    scene.world.clock.advance_seconds(3600);
    scene.staff(&scene.key.sign(&scene.claims(json!({})))).await.is(200);
    scene.world.clock.advance_seconds(23 * 3600);
    let answer = scene.staff(&scene.key.sign(&scene.claims(json!({})))).await;
    answer.is_problem(503, "IDENTITY_UNAVAILABLE");
    scene.issuer.is_away(false);
    scene.world.clock.advance_seconds(31);
    scene.staff(&scene.key.sign(&scene.claims(json!({})))).await.is(200);
}

// IDN-1: several issuers at once, and one issuer for several tenants.
#[tokio::test]
async fn one_issuer_serves_two_tenants_by_audience_and_never_mixes_them() {
    let scene = Scene::start(permissions()).await;
    scene.world.tenant("bolt").await;
    scene.enter("bolt", "corp", "acme-app", permissions()).await.is_problem(409, "ISSUER_EXISTS");
    scene.enter("bolt", "corp", "bolt-app", permissions()).await.is(201);
    let (acme, bolt) = (scene.claims(json!({})), scene.claims(json!({ "aud": "bolt-app" })));
    let tenant = async |claims: &Value| {
        let client = scene.world.stranger().with_token(&scene.key.sign(claims));
        client.get("/me").await.is(200).text("/tenant").to_owned()
    };
    assert_eq!((tenant(&acme).await.as_str(), tenant(&bolt).await.as_str()), ("acme", "bolt"));
    let both = scene.claims(json!({ "aud": ["acme-app", "bolt-app"] }));
    scene.staff(&scene.key.sign(&both)).await.is_problem(401, "UNAUTHENTICATED");
    let second = Willing::start(&[&scene.key]).await;
    let body = json!({ "url": second.url, "audience": "acme-app", "algorithms": ["ES256"], "mapping": permissions() });
    scene.operator.put("/admin/tenants/acme/issuers/second", body).await.is(201);
    let from_second = scene.claims(json!({ "iss": second.url }));
    scene.staff(&scene.key.sign(&from_second)).await.is(200);
    scene.staff(&scene.key.sign(&acme)).await.is(200);
}

#[tokio::test]
async fn roles_of_the_issuer_become_roles_of_the_tenant() {
    let scene = Scene::start(json!({
        "roleClaim": "realm_access.roles", "roles": { "shop-lead": "buyer", "boss": "tenant_admin", "root": "super_admin" },
    }))
    .await;
    let admin = scene.world.admin("acme").await;
    admin.post("/roles", json!({ "name": "buyer", "permissions": ["staff:read"] })).await.is(201);
    let with = |roles: Value| scene.key.sign(&scene.claims(json!({ "realm_access": { "roles": roles } })));
    let lead = with(json!(["shop-lead", "other"]));
    scene.staff(&lead).await.is(200);
    scene.staff(&with(json!(["other"]))).await.is_problem(403, "PERMISSION_DENIED");
    scene.staff(&with(json!(["boss"]))).await.is(200);
    // No issuer of a tenant makes operators.
    let root = scene.world.stranger().with_token(&with(json!(["root"])));
    root.get("/admin/tenants").await.is_problem(403, "PERMISSION_DENIED");
    admin.put("/roles/buyer", json!({ "permissions": ["catalog:read"] })).await.is(200);
    scene.staff(&lead).await.is_problem(403, "PERMISSION_DENIED");
}

#[tokio::test]
async fn an_issuer_is_shown_changed_and_removed_and_its_tokens_end_at_once() {
    let scene = Scene::start(permissions()).await;
    let path = "/admin/tenants/acme/issuers/corp";
    let token = scene.key.sign(&scene.claims(json!({})));
    scene.staff(&token).await.is(200);
    let read = scene.operator.get(path).await.is(200);
    assert_eq!(read.text("/audience"), "acme-app");
    assert_eq!(scene.operator.get("/admin/tenants/acme/issuers").await.is(200).text("/items/0/name"), "corp");
    let off =
        json!({ "url": scene.issuer.url, "audience": "acme-app", "algorithms": ["ES256"], "active": false });
    let put = || {
        scene.operator.api(http::Method::PUT, path).header("if-match", read.header("etag")).json(&off).send()
    };
    put().await.is(200);
    put().await.is_problem(412, "PRECONDITION_FAILED");
    scene.staff(&token).await.is_problem(401, "UNAUTHENTICATED");
    scene.enter("acme", "corp", "acme-app", permissions()).await.is(200);
    scene.staff(&token).await.is(200);
    scene.operator.delete(path).await.is(204);
    scene.staff(&token).await.is_problem(401, "UNAUTHENTICATED");
    scene.operator.delete(path).await.is_problem(404, "NOT_FOUND");
    scene.operator.get("/admin/tenants/none/issuers").await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn an_issuer_that_cannot_be_read_or_is_another_is_not_entered() {
    let scene = Scene::start(permissions()).await;
    scene.issuer.names("https://somebody.else");
    scene.enter("acme", "second", "x", json!({})).await.is_problem(422, "ISSUER_UNUSABLE");
    scene.issuer.is_away(true);
    scene.enter("acme", "second", "x", json!({})).await.is_problem(422, "ISSUER_UNUSABLE");
    let ourselves = scene.world.config.issuer.as_str();
    for url in [
        ourselves,
        "http://id.example.com",
        "https://user:secret@127.0.0.1",
        "not an address",
        "file:///etc/passwd",
    ] {
        let body = json!({ "url": url, "audience": "x", "algorithms": ["RS256"] });
        scene.operator.put("/admin/tenants/acme/issuers/x", body).await.is_problem(422, "ISSUER_UNUSABLE");
    }
}
