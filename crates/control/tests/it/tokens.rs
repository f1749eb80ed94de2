//! IDN-2: tokens of the built-in issuer, and forged ones.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use control::{OperatorToken, revoke_operator_tokens, rotate_signing_keys, sign_operator_token};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, jwk::JwkSet};
use kernel::PermissionSet;
use serde_json::{Value, json};

use crate::world::{World, credentials, eventually};

async fn key_set(world: &World) -> JwkSet {
    world.stranger().call(http::Method::GET, "/.well-known/jwks.json").send().await.is(200).read()
}

fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&BASE64.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn with_claims(token: &str, claims: &Value) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    format!("{}.{}.{}", parts[0], BASE64.encode(claims.to_string()), parts[2])
}

// IDN-2: whoever knows the key set can verify our tokens.
#[tokio::test]
async fn tokens_verify_with_the_published_keys() {
    let world = World::start().await;
    let acme = world.tenant("acme").await;
    let answer = world.sign_in(credentials("admin@acme.test")).await.is(200);
    let token = answer.text("/accessToken");
    let discovery =
        world.stranger().call(http::Method::GET, "/.well-known/openid-configuration").send().await.is(200);
    assert_eq!(discovery.text("/issuer"), "https://markethall.test");
    assert_eq!(discovery.text("/jwks_uri"), "https://markethall.test/.well-known/jwks.json");

    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::EdDSA, Some("at+jwt")));
    let keys = key_set(&world).await;
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["markethall"]);
    validation.set_issuer(&["https://markethall.test"]);
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims;
    assert_eq!(claims["tenant"], json!(acme.to_string()));
    assert_eq!(claims["role"], json!("tenant_admin"));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
}

// IDN-2: forged tokens of our own issuer.
#[tokio::test]
async fn forged_and_changed_tokens_are_refused() {
    let world = World::start().await;
    world.tenant("acme").await;
    let answer = world.sign_in(credentials("admin@acme.test")).await.is(200);
    let good = answer.text("/accessToken").to_owned();
    world.stranger().with_token(&good).get("/me").await.is(200);
    let claims = claims_of(&good);
    let kid = jsonwebtoken::decode_header(&good).unwrap().kid.unwrap();
    let x = serde_json::to_value(key_set(&world).await).unwrap()["keys"][0]["x"].as_str().unwrap().to_owned();
    let public = BASE64.decode(&x).unwrap();
    let sign = |algorithm, key: &[u8], claims: &Value| {
        let mut header = Header::new(algorithm);
        header.kid = Some(kid.clone());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(key)).unwrap()
    };
    let mut more = claims.clone();
    more["permissions"] = json!(["*", "platform:*"]);
    let none = format!(
        "{}.{}.",
        BASE64.encode(json!({ "alg": "none", "kid": kid }).to_string()),
        BASE64.encode(claims.to_string())
    );
    let signature = good.rsplit('.').next().unwrap();
    let hostile = [
        ("more rights under the old signature", with_claims(&good, &more)),
        ("no algorithm", none.clone()),
        ("no algorithm, with a signature", format!("{none}{signature}")),
        ("the public key as a shared secret", sign(Algorithm::HS256, &public, &claims)),
        ("the written public key as a shared secret", sign(Algorithm::HS256, x.as_bytes(), &claims)),
        ("a cut signature", good[..good.len() - 2].to_owned()),
        ("no signature", format!("{}.{}.", good.split('.').next().unwrap(), good.split('.').nth(1).unwrap())),
        ("two tokens", format!("{good}.{good}")),
        ("no token", "a.b.c".to_owned()),
        ("too much", format!("{good}{}", "A".repeat(20_000))),
    ];
    for (name, token) in hostile {
        let answer = world.stranger().with_token(&token).get("/me").await;
        assert!(matches!(answer.status, 401 | 431), "{name}: {} {}", answer.status, answer.json);
    }
    world.stranger().with_token(&good).get("/me").await.is(200);
}

#[tokio::test]
async fn a_token_is_worth_no_more_than_the_account_behind_it() {
    let world = World::start().await;
    world.tenant("acme").await;
    for (change, back) in [
        ("update control.account set generation = 7", "update control.account set generation = 1"),
        ("update control.account set active = false", "update control.account set active = true"),
        ("update control.membership set generation = 7", "update control.membership set generation = 1"),
        (
            "update control.membership set status = 'invited'",
            "update control.membership set status = 'active'",
        ),
        ("update control.session set revoked_at = now()", "update control.session set revoked_at = null"),
    ] {
        let admin = world.admin("acme").await;
        world.sql(change).await;
        admin.get("/me").await.is_problem(401, "UNAUTHENTICATED");
        world.sql(back).await;
        admin.get("/me").await.is(200);
    }
}

// IDN-2: rotation without a gap.
#[tokio::test]
async fn keys_are_replaced_before_they_are_old_and_old_tokens_stay_good() {
    let world = World::start().await;
    let wanted = OperatorToken {
        tenant: None,
        role: None,
        permissions: PermissionSet::new(["platform:tenants"]),
        ttl: Duration::from_secs(20 * 86_400),
    };
    let sign = async || sign_operator_token(&world.control, wanted.clone(), world.clock.now()).await.unwrap();
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let old = sign().await;
    assert!(!rotate_signing_keys(&world.control, world.clock.now()).await.unwrap());
    world.clock.advance_seconds(30 * 86_400 - 60);
    let late = sign().await;
    world.clock.advance_seconds(60);
    assert!(rotate_signing_keys(&world.control, world.clock.now()).await.unwrap());
    // Published at once, used only when everybody who caches the key set knows it.
    assert_eq!(key_set(&world).await.keys.len(), 2);
    assert_eq!(kid(&sign().await), kid(&old));
    world.clock.advance_seconds(15 * 60);
    let new = sign().await;
    assert_ne!(kid(&new), kid(&old));
    // Another process, which has never heard of the new key, looks for it.
    let (_other, client, _heard) = world.other_process().await;
    for token in [&late, &new] {
        world.stranger().with_token(token).get("/admin/tenants").await.is(200);
        client.clone().with_token(token).get("/admin/tenants").await.is(200);
    }
    world.stranger().with_token(&old).get("/admin/tenants").await.is_problem(401, "TOKEN_EXPIRED");
    world.clock.advance_seconds(31 * 86_400);
    assert_eq!(key_set(&world).await.keys.len(), 1);
}

#[tokio::test]
async fn processes_that_start_at_once_make_one_key() {
    let world = World::start().await;
    for _ in 0..5 {
        world.sql("delete from control.signing_key").await;
        let starting = (0..4).map(|_| {
            let (control, now) = (world.control.clone(), world.clock.now());
            tokio::spawn(async move { rotate_signing_keys(&control, now).await.unwrap() })
        });
        let mut made = 0;
        for started in starting.collect::<Vec<_>>() {
            made += usize::from(started.await.unwrap());
        }
        assert_eq!(made, 1);
        assert_eq!(world.ask("select count(*)::text from control.signing_key").await, "1");
    }
}

// IDN-2
#[tokio::test]
async fn all_tokens_of_the_command_line_end_at_once_in_every_process_and_later_ones_work() {
    let world = World::start().await;
    let acme = world.tenant("acme").await;
    let (_other, client, _heard) = world.other_process().await;
    let (platform, inside) = (world.operator().await, world.with(Some(acme), &["staff:read"]).await);
    let token = sign_operator_token(&world.control, operators(), world.clock.now()).await.unwrap();
    let there = client.with_token(&token);
    platform.get("/admin/tenants").await.is(200);
    inside.get("/staff").await.is(200);
    there.get("/admin/tenants").await.is(200);
    let admin = world.admin("acme").await;

    revoke_operator_tokens(&world.control).await.unwrap();
    platform.get("/admin/tenants").await.is_problem(401, "UNAUTHENTICATED");
    inside.get("/staff").await.is_problem(401, "UNAUTHENTICATED");
    eventually(async || there.get("/admin/tenants").await.status == 401).await;
    // Those who have signed in are no operators of the command line.
    admin.get("/me").await.is(200);
    world.operator().await.get("/admin/tenants").await.is(200);
}

#[tokio::test]
async fn a_token_of_the_command_line_works_while_the_control_database_is_away() {
    let world = World::start().await;
    let (known, unseen) = (world.operator().await, world.operator().await);
    known.get("/me").await.is(200);
    world.control_database_answers(false).await;
    known.get("/me").await.is(200);
    unseen.get("/me").await.is(200);
    world.control_database_answers(true).await;
    known.get("/me").await.is(200);
}

fn operators() -> OperatorToken {
    OperatorToken {
        tenant: None,
        role: None,
        permissions: PermissionSet::new(["platform:tenants"]),
        ttl: Duration::from_secs(3600),
    }
}
