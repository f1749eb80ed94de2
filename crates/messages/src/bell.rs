//! The doorbell of each database: rung after a commit that published something a consumer waits for.
//!
//! One table per process, because whoever publishes has no relay at hand and whoever relays does not know who
//! publishes. A bell rung in vain costs a look, a bell not rung costs a wait for the sweep; neither loses anything.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, LazyLock, RwLock},
};

use db::Hook;
use kernel::Placement;
use tokio::sync::watch;

/// Shard and database.
type Place = (Arc<str>, Arc<str>);

struct Bell {
    kinds: RwLock<HashSet<&'static str>>,
    rung: watch::Sender<u64>,
    ring: Hook,
}

static BELLS: LazyLock<RwLock<HashMap<Place, Arc<Bell>>>> = LazyLock::new(RwLock::default);

fn place(placement: &Placement) -> Place {
    (placement.shard.clone(), placement.database.clone())
}

fn find(placement: &Placement) -> Option<Arc<Bell>> {
    BELLS.read().ok()?.get(&place(placement)).cloned()
}

/// Hears the bell of `placement` from now on; it rings for messages of `kinds` (and whatever others asked for).
pub(crate) fn hear(placement: &Placement, kinds: &[&'static str]) -> watch::Receiver<u64> {
    let Ok(mut bells) = BELLS.write() else { return watch::channel(0).1 };
    let bell = bells.entry(place(placement)).or_insert_with(|| {
        let rung = watch::Sender::new(0_u64);
        let ringer = rung.clone();
        let ring: Hook = Arc::new(move || ringer.send_modify(|count| *count = count.wrapping_add(1)));
        Arc::new(Bell { kinds: RwLock::default(), rung, ring })
    });
    if let Ok(mut wanted) = bell.kinds.write() {
        wanted.extend(kinds);
    }
    bell.rung.subscribe()
}

/// Takes the bell of `placement` down when nobody hears it any more.
pub(crate) fn take_down(placement: &Placement) {
    if let Ok(mut bells) = BELLS.write()
        && bells.get(&place(placement)).is_some_and(|bell| bell.rung.receiver_count() == 0)
    {
        bells.remove(&place(placement));
    }
}

/// Rings the bell of `placement` now.
pub(crate) fn ring(placement: &Placement) {
    if let Some(bell) = find(placement) {
        (bell.ring)();
    }
}

/// What to call after a commit that published `kinds`; none when nobody in this process waits for any of them.
pub(crate) fn hook_for(placement: &Placement, kinds: &[&'static str]) -> Option<Hook> {
    let bell = find(placement)?;
    let wanted = bell.kinds.read().ok()?;
    kinds.iter().any(|kind| wanted.contains(kind)).then(|| bell.ring.clone())
}
