//! Drops databases of finished tests in the background: dropping takes longer than a test wants to wait.

use std::{
    sync::{
        OnceLock,
        mpsc::{Sender, channel},
    },
    thread,
};

use crate::TestCluster;

/// Has `databases` dropped soon. What is left when the process ends goes with the cluster.
pub(crate) fn drop_later(databases: Vec<String>) {
    static JANITOR: OnceLock<Option<Sender<Vec<String>>>> = OnceLock::new();
    if let Some(janitor) = JANITOR.get_or_init(begin) {
        // Fails only when the thread is gone; then the cluster's end drops them.
        let _ = janitor.send(databases);
    }
}

fn begin() -> Option<Sender<Vec<String>>> {
    let (sender, jobs) = channel::<Vec<String>>();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    thread::spawn(move || {
        for databases in jobs {
            for name in databases {
                let dropped =
                    runtime.block_on(db::migrate::drop_database(&TestCluster::get().admin(), &name));
                if let Err(error) = dropped {
                    eprintln!("testkit: cannot drop {name}: {error}");
                }
            }
        }
    });
    Some(sender)
}
