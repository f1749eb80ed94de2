//! Messages that were given up, dealt with over HTTP and by the command line (MSG-4).

use std::sync::Arc;

use http::Method;
use kernel::Clock;
use messages::{Consumer, ConsumerError, Draft, Relay, RelayConfig, publish};
use serde_json::json;
use testkit::App;

use crate::support::{CommandLine, text};

/// Publishes one message for `slug` that its only consumer gives up at once.
async fn give_up(app: &App, slug: &str, subject: &str) {
    let tx = app.parts.db.begin(&app.ctx(slug).await.unwrap()).await.unwrap();
    publish(&tx, &[Draft::new("Unwelcome", subject, &json!({ "n": 1 }))]).await.unwrap();
    tx.commit().await.unwrap();
    let poison = || ConsumerError::Poison("makes no sense".to_owned());
    relay(app, &app.clock, Err(poison)).drain().await.unwrap();
}

fn relay(app: &App, clock: &Clock, answer: Result<(), fn() -> ConsumerError>) -> Relay {
    let consumer = Consumer::new("test.unwelcome", &["Unwelcome"], move |_, _, _| {
        Box::pin(async move { answer.map_err(|error| error()) })
    });
    let (db, lookup) = (app.parts.db.clone(), Arc::new(app.parts.control.clone()));
    Relay::new(db, lookup, clock.clone(), vec![consumer], RelayConfig::default()).unwrap()
}

// MSG-4
#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_shown_replayed_and_dropped_by_api_and_command_line() {
    let app = App::start().await.unwrap();
    app.add_tenant("acme").await.unwrap();
    app.add_tenant("bolt").await.unwrap();
    give_up(&app, "acme", "first").await;
    give_up(&app, "acme", "second").await;
    give_up(&app, "bolt", "third").await;
    let (line, operator) = (CommandLine::of(&app), app.operator(&["platform:operations"]).await.unwrap());

    let listed = line.json(&["dead-letters", "list"]).await;
    let over_http = operator.api(Method::GET, "/admin/dead-letters").send().await.is(200).json;
    assert_eq!(listed["items"], over_http["items"]);
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["hasMore"]), (3, &json!(false)));
    let (third, second) = (text(&listed, "/items/0/id"), text(&listed, "/items/1/id"));
    let own = line.json(&["dead-letters", "list", "--tenant", "acme", "--limit", "1"]).await;
    assert_eq!((text(&own, "/items/0/id"), &own["hasMore"]), (second.clone(), &json!(true)));
    let older = line.json(&["dead-letters", "list", "--tenant", "acme", "--before", &second]).await;
    assert_eq!(text(&older, "/items/0/subject"), "first");
    assert_eq!(line.json(&["dead-letters", "list", "--consumer", "other"]).await["items"], json!([]));
    let table = line.run(&["dead-letters", "list"]).await.exits(0).stdout;
    assert!(table.starts_with("id ") && table.contains("makes no sense"), "{table}");

    let shown = line.json(&["dead-letters", "show", &third]).await;
    let path = format!("/admin/dead-letters/{third}");
    assert_eq!(shown, operator.api(Method::GET, &path).send().await.is(200).json);
    assert_eq!((&shown["error"], &shown["data"]), (&json!("makes no sense"), &json!({ "n": 1 })));

    assert_eq!(
        line.json(&["dead-letters", "replay", &third]).await,
        json!({ "id": third, "replayed": true })
    );
    let replay = format!("/admin/dead-letters/{second}/replay");
    operator.api(Method::POST, &replay).send().await.is(204);
    // The command line goes by the real time, the server of this test by its own.
    let mut handled = 0;
    for clock in [app.clock.clone(), Clock::system()] {
        handled += relay(&app, &clock, Ok(())).drain().await.unwrap();
    }
    assert_eq!(handled, 2);
    let first = text(&older, "/items/0/id");
    assert_eq!(line.json(&["dead-letters", "drop", &first]).await, json!({ "id": first, "dropped": true }));
    assert_eq!(line.json(&["dead-letters", "list"]).await["items"], json!([]));
    for word in ["show", "replay", "drop"] {
        let gone = line.run(&["dead-letters", word, &first]).await.exits(1);
        assert!(gone.stderr.contains(&first) && gone.stdout.is_empty(), "{gone:?}");
    }
    line.run(&["dead-letters", "show", "nonsense"]).await.exits(2);
    line.run(&["dead-letters", "list", "--limit", "201"]).await.exits(2);
}
