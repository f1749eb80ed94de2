//! OBS-3: slow statements are in the log, with a plan, for whom and for how long, without what they were about.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use crate::shelf::databases;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// The events about slow statements since the last time.
    fn take(&self) -> Vec<Value> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        assert!(!text.contains("CANARY"), "{text}");
        let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.filter(|event| event["message"] == "slow statement").collect()
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Takes its time, and a value that nobody else may know.
const SLOW: &str = "select $1::text,\n       pg_sleep(0.03) -- for the test";

#[tokio::test]
async fn a_slow_statement_is_told_of_with_its_plan_and_without_its_values() {
    let captured = Captured::default();
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_writer(captured.clone()).finish();
    let _guard = tracing::subscriber::set_default(log);
    let databases = databases().await;
    let db = databases.db().unwrap();
    let ctx = databases.ctx(&databases.tenant("acme"), jiff::Timestamp::UNIX_EPOCH);
    db::tell_of_statements_slower_than(Duration::from_millis(20));
    captured.take();

    let tx = db.begin(&ctx).await.unwrap();
    tx.query(SLOW, &[&"CANARY"]).await.unwrap();
    tx.execute(SLOW, &[&"CANARY"]).await.unwrap();
    tx.commit().await.unwrap();
    let told = captured.take();
    let of_tenant: Vec<_> =
        told.iter().filter(|event| event["statement"] == "select $1::text, pg_sleep(0.03)").collect();
    assert_eq!(of_tenant.len(), 2, "{told:?}");
    for event in of_tenant {
        assert_eq!((&event["tenant"], &event["correlation_id"]), (&"acme".into(), &"test".into()));
        assert_eq!((&event["level"], event["plan"].as_str().unwrap().len()), (&"WARN".into(), 16));
        assert!(event["duration_ms"].as_u64().unwrap() >= 30, "{event}");
    }

    // In sessions and in the control database nobody's tenant is known.
    let session = db.relay(&databases.shared_placement()).await.unwrap();
    session.query(SLOW, &[&"CANARY"]).await.unwrap();
    let control = db.control().await.unwrap();
    control.query(SLOW, &[&"CANARY"]).await.unwrap();
    let told = captured.take();
    assert!(told.len() >= 2 && told.iter().all(|event| event.get("tenant").is_none()), "{told:?}");

    // What is not slow by the operator's measure is not told of, nor anything when he wants none of it.
    for limit in [Duration::from_secs(3600), Duration::ZERO] {
        db::tell_of_statements_slower_than(limit);
        session.query(SLOW, &[&"CANARY"]).await.unwrap();
        assert_eq!(captured.take(), Vec::<Value>::new(), "{limit:?}");
    }
}
