//! Drops databases of finished tests in the background: dropping takes longer than a test wants to wait.

use std::{
    sync::{
        OnceLock,
        mpsc::{Sender, channel},
    },
    thread,
};

use anyhow::Context as _;

use crate::{TestCluster, connect};

/// Has the databases whose names begin with `prefix` dropped soon. What is left when the process ends goes with the
/// cluster.
pub(crate) fn drop_later(prefix: String) {
    static JANITOR: OnceLock<Option<Sender<String>>> = OnceLock::new();
    if let Some(janitor) = JANITOR.get_or_init(begin) {
        // Fails only when the thread is gone; then the cluster's end drops them.
        let _ = janitor.send(prefix);
    }
}

fn begin() -> Option<Sender<String>> {
    let (sender, prefixes) = channel::<String>();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    thread::spawn(move || {
        for prefix in prefixes {
            if let Err(error) = runtime.block_on(drop_all(&prefix)) {
                eprintln!("testkit: cannot drop {prefix}*: {error:#}");
            }
        }
    });
    Some(sender)
}

async fn drop_all(prefix: &str) -> anyhow::Result<()> {
    let config = TestCluster::get().admin();
    let admin = connect(&config).await?;
    let names =
        admin.query("select datname from pg_database where starts_with(datname, $1)", &[&prefix]).await?;
    for row in names {
        let name: &str = row.get(0);
        db::migrate::drop_database(&config, name).await.with_context(|| name.to_owned())?;
    }
    Ok(())
}
