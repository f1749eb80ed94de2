//! Caches of one process hear what another process changes, through lost connections.

use db::{Invalidations, Source, Stale};
use testkit::connect;
use tokio::sync::mpsc;

use crate::shelf::databases;

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Key(String),
    All,
}

fn hearing() -> (Invalidations, mpsc::UnboundedReceiver<(Source, Heard)>) {
    let (told, heard) = mpsc::unbounded_channel();
    let invalidations = Invalidations::new();
    invalidations.subscribe(move |source, stale| {
        let stale = match stale {
            Stale::Key(key) => Heard::Key(key.to_owned()),
            Stale::All => Heard::All,
        };
        let _ = told.send((source.clone(), stale));
    });
    (invalidations, heard)
}

#[tokio::test]
async fn a_change_is_heard_at_commit_and_everything_is_forgotten_around_a_lost_connection() {
    let databases = databases().await;
    let db = databases.db().unwrap();
    let (invalidations, mut heard) = hearing();
    let source = Source::Tenants(databases.shared_placement());
    invalidations.listen(&db, source.clone());
    invalidations.listen(&db, source.clone());
    // Listening begins with an empty cache.
    assert_eq!(heard.recv().await, Some((source.clone(), Heard::All)));

    let tenant = databases.tenant("ann");
    let ctx = databases.ctx(&tenant, jiff::Timestamp::UNIX_EPOCH);
    let rolled_back = db.begin(&ctx).await.unwrap();
    rolled_back.notify_invalidate("never").await.unwrap();
    drop(rolled_back);
    let tx = db.begin(&ctx).await.unwrap();
    tx.notify_invalidate("book:1").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(heard.recv().await, Some((source.clone(), Heard::Key("book:1".to_owned()))));

    let admin = connect(&databases.cluster().admin()).await.unwrap();
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity
                where datname = $1 and application_name = 'markethall relay'";
    assert_eq!(admin.query(kill, &[&databases.shared]).await.unwrap().len(), 1, "twice is once");
    // When it is lost, and again when there is a new one.
    for _ in 0..2 {
        assert_eq!(heard.recv().await, Some((source.clone(), Heard::All)));
    }
    let tx = db.begin(&ctx).await.unwrap();
    tx.notify_invalidate("book:2").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(heard.recv().await, Some((source, Heard::Key("book:2".to_owned()))));
}

#[tokio::test]
async fn the_control_database_is_heard_too_until_listening_ends() {
    let databases = databases().await;
    let db = databases.db().unwrap();
    let (invalidations, mut heard) = hearing();
    invalidations.listen(&db, Source::Control);
    assert_eq!(heard.recv().await, Some((Source::Control, Heard::All)));
    let tx = db.control().await.unwrap();
    tx.notify_invalidate("tenant:ann").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(heard.recv().await, Some((Source::Control, Heard::Key("tenant:ann".to_owned()))));
    invalidations.tell(&Source::Control, Stale::Key("by hand"));
    assert_eq!(heard.recv().await, Some((Source::Control, Heard::Key("by hand".to_owned()))));
    drop(invalidations);
    // The last handle is gone, and with it the session and everybody who could be told.
    assert_eq!(heard.recv().await, None);
}
