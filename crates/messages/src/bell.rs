//! The doorbell of each database: rung after a commit that published something a consumer waits for.
//!
//! One table per process, because whoever publishes has no relay at hand and whoever relays does not know who
//! publishes. A bell rung in vain costs a look, a bell not rung costs a wait for the sweep; neither loses anything.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, LazyLock, RwLock},
};

use db::Hook;
use kernel::{Placement, TenantId};
use tokio::sync::watch;

use crate::request::EVERY_KIND;

/// Shard and database.
type Place = (Arc<str>, Arc<str>);

struct Bell {
    kinds: RwLock<HashSet<&'static str>>,
    /// What tenants have asked for, as last looked at.
    requests: RwLock<HashMap<TenantId, HashSet<String>>>,
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
        Arc::new(Bell { kinds: RwLock::default(), requests: RwLock::default(), rung, ring })
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

/// Makes `requests` all that tenants of `placement` have asked for.
pub(crate) fn note_requests(placement: &Placement, requests: Vec<(TenantId, String)>) {
    let Some(bell) = find(placement) else { return };
    let mut known: HashMap<TenantId, HashSet<String>> = HashMap::new();
    for (tenant, kind) in requests {
        known.entry(tenant).or_default().insert(kind);
    }
    if let Ok(mut requests) = bell.requests.write() {
        *requests = known;
    }
}

/// Makes `kinds` what `tenant` has asked for, as committed by this process; others see it at their next look.
pub(crate) fn note_request(placement: &Placement, tenant: TenantId, kinds: &[String]) {
    let Some(bell) = find(placement) else { return };
    if let Ok(mut requests) = bell.requests.write() {
        // Another consumer may be asked as well: the next look puts right what this removes.
        if kinds.is_empty() {
            requests.remove(&tenant);
        } else {
            requests.entry(tenant).or_default().extend(kinds.iter().cloned());
        }
    }
}

/// What to call after a commit of `tenant` that published `kinds`; none when nobody in this process waits for any of
/// them.
pub(crate) fn hook_for(placement: &Placement, tenant: TenantId, kinds: &[&'static str]) -> Option<Hook> {
    let bell = find(placement)?;
    let waited_for = bell.kinds.read().is_ok_and(|wanted| kinds.iter().any(|kind| wanted.contains(kind)));
    (waited_for || bell.is_asked_for(tenant, kinds)).then(|| bell.ring.clone())
}

impl Bell {
    fn is_asked_for(&self, tenant: TenantId, kinds: &[&'static str]) -> bool {
        let Ok(requests) = self.requests.read() else { return false };
        let Some(asked) = requests.get(&tenant) else { return false };
        asked.contains(EVERY_KIND) || kinds.iter().any(|kind| asked.contains(*kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // MSG-2, HTTP-14: whoever has asked for nothing does not wake the relay.
    #[test]
    fn the_bell_rings_for_kinds_that_are_waited_for_and_for_tenants_that_have_asked() {
        let here = Placement { shard: "bell".into(), database: "test".into(), dedicated: false };
        let _heard = hear(&here, &["Always"]);
        let (asked, quiet) = (TenantId::new(), TenantId::new());
        let rings = |tenant, kind: &'static str| hook_for(&here, tenant, &[kind]).is_some();
        assert!(rings(quiet, "Always") && !rings(quiet, "Rare") && !rings(asked, "Rare"));
        note_request(&here, asked, &["Rare".to_owned()]);
        assert!(rings(asked, "Rare") && !rings(asked, "Other") && !rings(quiet, "Rare"));
        note_requests(&here, vec![(asked, EVERY_KIND.to_owned())]);
        assert!(rings(asked, "Other") && !rings(quiet, "Other"));
        note_request(&here, asked, &[]);
        assert!(!rings(asked, "Other"));
    }
}
