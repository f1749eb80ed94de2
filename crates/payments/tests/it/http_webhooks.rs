//! What providers tell: signed, fresh, once, and for the right merchant.

use http::Method;
use kernel::Timestamp;
use payments::{TEST_SIGNATURE, signature};
use secrecy::SecretString;
use serde_json::{Value, json};
use testkit::{Answer, Client};

use crate::http_payments::Counter;

impl Counter {
    async fn set_secret(&self, secret: &str) {
        let body = json!({ "credentials": { "webhookSecret": secret } });
        let set = self.clerk.put("/payments/providers/test", body).await.is(200);
        assert_eq!(set.json["set"], json!(["webhookSecret"]));
        assert!(!String::from_utf8_lossy(&set.body).contains(secret));
    }

    async fn tell(&self, to: &Client, body: &Value, secret: &str, at: Timestamp) -> Answer {
        self.tell_at(to, "/payments/webhooks/test", body, secret, at).await
    }

    async fn tell_at(&self, to: &Client, path: &str, body: &Value, secret: &str, at: Timestamp) -> Answer {
        let body = body.to_string();
        let header = signature::sign(body.as_bytes(), &SecretString::from(secret), at);
        to.api(Method::POST, path).header(TEST_SIGNATURE, &header).body("application/json", body).send().await
    }

    async fn state(&self, id: &str) -> String {
        self.clerk.get(&format!("/payments/{id}")).await.is(200).text("/state").to_owned()
    }

    /// A payment that the provider has taken, which nobody here knows yet.
    async fn taken_unnoticed(&self) -> String {
        let id = self.charge("card_confirm", 500).await.is(201).text("/id").to_owned();
        let sql = "update payments.test_charge set state = 'charged' where state = 'awaiting'";
        self.site.databases.look().await.unwrap().execute(sql, &[]).await.unwrap();
        id
    }
}

fn event(id: &str, payment: &str) -> Value {
    json!({ "id": id, "paymentId": payment })
}

// PAY-1
#[tokio::test]
async fn a_signed_webhook_settles_the_payment_once_and_replays_have_no_effect() {
    let counter = Counter::open().await;
    counter.set_secret("s3cret").await;
    let id = counter.taken_unnoticed().await;
    let (acme, now) = (counter.site.stranger().with_tenant("acme"), counter.site.clock.now());
    let told = counter.tell(&acme, &event("evt_1", &id), "s3cret", now).await.is(200);
    assert_eq!(told.json, json!({ "known": true, "replayed": false }));
    assert_eq!(counter.state(&id).await, "succeeded");
    let again = counter.tell(&acme, &event("evt_1", &id), "s3cret", now).await.is(200);
    assert_eq!(again.json["replayed"], true);
    // An older event that comes late says nothing new: the provider is asked, not the event.
    counter.tell(&acme, &event("evt_0", &id), "s3cret", now).await.is(200);
    let read = counter.clerk.get(&format!("/payments/{id}")).await.is(200);
    let steps: Vec<_> = read.json["history"].as_array().unwrap().iter().map(|step| &step["source"]).collect();
    assert_eq!(steps, ["api", "webhook"]);
    assert_eq!(counter.invariants().await, []);
}

// PAY-1
#[tokio::test]
async fn forged_stale_and_misdirected_webhooks_are_refused() {
    let counter = Counter::open().await;
    let id = counter.taken_unnoticed().await;
    let (acme, now) = (counter.site.stranger().with_tenant("acme"), counter.site.clock.now());
    let seconds = |seconds| now + jiff::SignedDuration::from_secs(seconds);
    let body = event("evt_1", &id);
    counter.tell(&acme, &body, "s3cret", now).await.is_problem(400, "WEBHOOK_SIGNATURE_INVALID");
    counter.set_secret("s3cret").await;
    counter.tell(&acme, &body, "other", now).await.is_problem(400, "WEBHOOK_SIGNATURE_INVALID");
    counter.tell(&acme, &body, "s3cret", seconds(-301)).await.is_problem(400, "WEBHOOK_TOO_OLD");
    counter.tell(&acme, &body, "s3cret", seconds(301)).await.is_problem(400, "WEBHOOK_TOO_OLD");
    let unsigned =
        acme.api(Method::POST, "/payments/webhooks/test").body("application/json", body.to_string());
    unsigned.send().await.is_problem(400, "WEBHOOK_SIGNATURE_INVALID");
    counter.tell(&acme, &json!([1]), "s3cret", now).await.is_problem(400, "WEBHOOK_MALFORMED");
    counter.site.add_tenant("bolt");
    for other in ["bolt", "nobody"] {
        let other = counter.site.stranger().with_tenant(other);
        let refused = counter.tell(&other, &body, "s3cret", now).await;
        assert!(matches!(refused.code(), "WEBHOOK_SIGNATURE_INVALID" | "TENANT_REQUIRED"), "{refused:?}");
    }
    let nobody = counter.site.stranger();
    counter.tell(&nobody, &body, "s3cret", now).await.is_problem(400, "TENANT_REQUIRED");
    let path = "/payments/webhooks/nobody";
    counter.tell_at(&acme, path, &body, "s3cret", now).await.is_problem(404, "PAYMENT_PROVIDER_NOT_FOUND");
    assert_eq!(counter.state(&id).await, "requires_action");
    let path = "/payments/webhooks/test?tenant=acme";
    counter.tell_at(&nobody, path, &body, "s3cret", now).await.is(200);
    assert_eq!(counter.state(&id).await, "succeeded");
}

// PAY-1, PLT-2
#[tokio::test]
async fn a_webhook_about_another_merchants_payment_is_noted_and_changes_nothing() {
    let counter = Counter::open().await;
    let id = counter.taken_unnoticed().await;
    counter.site.add_tenant("bolt");
    let clerk = counter.site.member("bolt", &["payments:*"]);
    let body = json!({ "credentials": { "webhookSecret": "bolts" } });
    clerk.put("/payments/providers/test", body).await.is(200);
    let (bolt, now) = (counter.site.stranger().with_tenant("bolt"), counter.site.clock.now());
    let told = counter.tell(&bolt, &event("evt_1", &id), "bolts", now).await.is(200);
    assert_eq!(told.json["known"], false);
    assert_eq!(counter.state(&id).await, "requires_action");
    clerk.get(&format!("/payments/{id}")).await.is_problem(404, "PAYMENT_NOT_FOUND");
    let providers = clerk.get("/payments/providers").await.is(200);
    assert_eq!(providers.json["items"][0]["set"], json!(["webhookSecret"]));
    let mine = counter.clerk.get("/payments/providers").await.is(200);
    assert_eq!(mine.json["items"][0]["set"], json!([]));
}

// PAY-1
#[tokio::test]
async fn accounts_take_only_what_their_provider_knows() {
    let counter = Counter::open().await;
    let put = async |provider: &str, credentials: Value| {
        let path = format!("/payments/providers/{provider}");
        counter.clerk.put(&path, json!({ "credentials": credentials })).await
    };
    put("test", json!({ "secretKey": "x" })).await.is_problem(422, "UNKNOWN_CREDENTIAL");
    put("nobody", json!({})).await.is_problem(404, "PAYMENT_PROVIDER_NOT_FOUND");
    put("test", json!({ "webhookSecret": "" })).await.is_problem(400, "VALIDATION_FAILED");
    put("test", json!({ "webhookSecret": "x".repeat(501) })).await.is_problem(400, "VALIDATION_FAILED");
    counter.set_secret("s3cret").await;
    let sealed: Vec<u8> = {
        let client = counter.site.databases.look().await.unwrap();
        client.query_one("select sealed from payments.provider_account", &[]).await.unwrap().get(0)
    };
    assert!(!sealed.windows(6).any(|part| part == b"s3cret"));
    // The account of one merchant, moved to another by SQL, does not open.
    let bolt = counter.site.add_tenant("bolt");
    let client = counter.site.databases.look().await.unwrap();
    client.execute("update payments.provider_account set tenant_id = $1", &[&bolt.id]).await.unwrap();
    let stranger = counter.site.stranger().with_tenant("bolt");
    let now = counter.site.clock.now();
    let refused = counter.tell(&stranger, &event("evt_1", "x"), "s3cret", now).await;
    assert_eq!(refused.status, 500);
}

// PAY-1
#[tokio::test]
async fn a_webhook_after_the_answer_was_refused_settles_what_was_taken_late() {
    let counter = Counter::open().await;
    counter.set_secret("s3cret").await;
    let id = counter.charge("card_declined", 500).await.is(201).text("/id").to_owned();
    assert_eq!(counter.state(&id).await, "failed");
    let sql = "update payments.test_charge set state = 'charged'";
    counter.site.databases.look().await.unwrap().execute(sql, &[]).await.unwrap();
    assert_eq!(counter.invariants().await.len(), 1);
    let (acme, now) = (counter.site.stranger().with_tenant("acme"), counter.site.clock.now());
    counter.tell(&acme, &event("evt_1", &id), "s3cret", now).await.is(200);
    assert_eq!(counter.state(&id).await, "succeeded");
    assert_eq!(counter.invariants().await, []);
}
