//! Places that are not called.

use serde_json::json;
use webhooks::WebhooksConfig;

use crate::world::{World, open, sender};

// HTTP-14
#[tokio::test]
async fn no_webhook_leads_to_private_places() {
    let world = World::with(WebhooksConfig::default()).await;
    let refused = [
        "http://93.184.215.14/hook",
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://[::1]/hook",
        "https://0x7f000001/hook",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://10.0.0.1/",
        "https://100.64.0.1/",
        "https://user:password@93.184.215.14/",
        "https://93.184.215.14/#fragment",
        "https://nobody.invalid/",
        "ftp://93.184.215.14/",
        "not a url",
    ];
    for url in refused {
        let answer = world.clerk.post("/webhooks", json!({ "url": url })).await;
        let answer = answer.is_problem(422, "WEBHOOK_URL_REFUSED");
        assert_eq!(answer.text("/errors/0/pointer"), "/url", "{url}");
    }
    let made = world.clerk.post("/webhooks", json!({ "url": "https://93.184.215.14/hook" })).await.is(201);
    let body = json!({ "url": "https://192.168.0.1/" });
    let changed = world.clerk.put(&format!("/webhooks/{}", made.text("/id")), body).await;
    changed.is_problem(422, "WEBHOOK_URL_REFUSED");
}

// HTTP-14: what was allowed once, or changed its address since, is looked at again when it is called.
#[tokio::test]
async fn a_place_is_looked_at_again_whenever_it_is_called() {
    let world = World::new().await;
    let (by_address, _) = world.hook(&["ThingMade"]).await;
    let url = format!("http://localhost:{}/hook", world.receiver.port);
    let by_name = world.clerk.post("/webhooks", json!({ "url": url })).await.is(201);
    world.publish("ThingMade", "a", 1).await;
    world.relay.drain().await.unwrap();
    let strict = WebhooksConfig { allow_private_networks: false, ..open() };
    sender(&world.site.db, &world.site.clock, &world.lookup, strict).drain().await.unwrap();
    assert!(world.receiver.take().is_empty());
    for hook in [by_address.as_str(), by_name.text("/id")] {
        let log = world.log(hook).await;
        assert_eq!(log[0]["error"], "its host is not on the public internet");
        assert_eq!(log[0]["state"], "pending");
    }
    assert_eq!(world.drain_after(6).await.len(), 2, "by address and by name, where it is allowed");
}
