//! PLT-8: what merchants used survives a restart of the program, and is told by API and command line.

use http::Method;
use serde_json::{Value, json};

use crate::support::{Home, Server, World};

fn calls_of<'a>(usage: &'a Value, slug: &str) -> &'a Value {
    let items = usage["items"].as_array().unwrap();
    items.iter().find(|item| item["tenant"] == slug).map_or(&Value::Null, |item| &item["calls"])
}

// PLT-8, PLT-16: an orderly restart loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_counted_is_lost_when_the_program_is_restarted() {
    let home = Home::furnished();
    let (token, operator) = (home.token(Some("acme"), &["*"]), home.token(None, &["platform:*"]));
    let server = Server::start(&home);
    let client = server.member("acme", &token);
    for _ in 0..25 {
        client.get("/me").await.is(200);
    }
    server.stop();
    assert_eq!(calls_of(&home.json(&["usage"]), "acme"), &json!(25));
    // Who calls nothing holds something all the same.
    let bolt = home.json(&["usage", "--tenant", "bolt"]);
    assert!(matches!(calls_of(&bolt, "bolt").as_i64(), None | Some(0)), "{bolt}");

    let server = Server::start(&home);
    let client = server.member("acme", &token);
    let world = World::make(&client, "Akanthus").await;
    let export = client.api(Method::GET, "/reports/sales").header("accept", "text/csv").send().await.is(200);
    assert!(!export.body.is_empty() && !world.sale.is_empty());
    server.stranger().with_token(&operator).get("/admin/usage").await.is(200);
    server.stop();
    let usage = home.json(&["usage", "--tenant", "acme"]);
    assert!(calls_of(&usage, "acme").as_i64().unwrap() > 40, "{usage}");
    assert!(usage["items"][0]["receivedBytes"].as_i64().unwrap() > 1000, "{usage}");
    let table = home.run(&["usage"]).exits(0).stdout;
    assert!(table.starts_with("merchant") && table.contains("acme"), "{table}");
    home.run(&["usage", "--from", "2026-11-21", "--to", "2026-11-20"]).exits(2);

    // What it cost, with what was sold counted just now.
    let costs = home.json(&["usage", "--tenant", "acme", "--cost"]);
    let lines = costs["lines"].as_array().unwrap();
    let quantity = |item: &str| lines.iter().find(|line| line["item"] == item).map(|line| &line["quantity"]);
    assert!(quantity("calls").is_some(), "{costs}");
    assert_eq!((quantity("sale").unwrap(), quantity("order").unwrap()), (&Value::from(2), &Value::from(1)));
    let table = home.run(&["usage", "--tenant", "acme", "--cost"]).exits(0).stdout;
    assert!(table.starts_with("item") && table.contains("total"), "{table}");
    home.run(&["usage", "--cost"]).exits(2);
    home.run(&["usage", "--tenant", "nobody", "--cost"]).exits(2);
}
