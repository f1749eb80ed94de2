//! Whose turn it is when: tenants that were woken, tenants whose retries are due, and now and then all of them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use kernel::TenantId;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{STOP_GRACE, Webhooks, serve::serve};
use crate::schedule::later;

/// How often every tenant with a webhook is looked at: finds what a process that died left behind.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Tenants served at once; each has further requests on their way.
const SERVED_MAX: usize = 256;
/// After an error of the database.
const TRY_AGAIN: SignedDuration = SignedDuration::from_secs(5);

struct Timetable {
    webhooks: Webhooks,
    /// When each tenant is to be served next.
    due: HashMap<TenantId, Timestamp>,
    /// Those that are being served, with the bell for more.
    served: HashMap<TenantId, Arc<Notify>>,
    serving: JoinSet<(TenantId, Option<Timestamp>)>,
    sweep_at: Instant,
}

/// Sends until told to stop.
pub(super) async fn run(webhooks: Webhooks) {
    let stop = webhooks.0.stop.clone();
    let mut timetable = Timetable {
        webhooks: webhooks.clone(),
        due: HashMap::new(),
        served: HashMap::new(),
        serving: JoinSet::new(),
        sweep_at: Instant::now(),
    };
    loop {
        timetable.sweep().await;
        timetable.note_woken(webhooks.take_woken());
        timetable.begin();
        let pause = timetable.pause();
        tokio::select! {
            () = stop.cancelled() => break,
            () = webhooks.0.bell.notified() => {}
            Some(ended) = timetable.serving.join_next() => timetable.end(ended.ok()),
            () = sleep(pause) => {}
        }
    }
    // What does not end now is claimed by somebody else when its lease is over.
    let _ = timeout(STOP_GRACE, async { while timetable.serving.join_next().await.is_some() {} }).await;
}

impl Timetable {
    fn now(&self) -> Timestamp {
        self.webhooks.0.parts.clock.now()
    }

    fn plan(&mut self, tenant: TenantId, at: Timestamp) {
        self.due.entry(tenant).and_modify(|due| *due = at.min(*due)).or_insert(at);
    }

    async fn sweep(&mut self) {
        if Instant::now() < self.sweep_at {
            return;
        }
        self.sweep_at = Instant::now() + SWEEP_EVERY;
        let now = self.now();
        match self.webhooks.tenants().await {
            Ok(tenants) => tenants.into_iter().for_each(|tenant| self.plan(tenant, now)),
            Err(error) => tracing::warn!(error = %error, "tenants with webhooks cannot be listed"),
        }
    }

    /// A tenant that is being served hears of it there, and is looked at once more in case that was just over.
    fn note_woken(&mut self, woken: HashSet<TenantId>) {
        let now = self.now();
        for tenant in woken {
            if let Some(more) = self.served.get(&tenant) {
                more.notify_one();
            }
            self.plan(tenant, now);
        }
    }

    fn begin(&mut self) {
        let (now, room) = (self.now(), SERVED_MAX.saturating_sub(self.served.len()));
        let ready =
            self.due.iter().filter(|(tenant, due)| **due <= now && !self.served.contains_key(*tenant));
        let ready: Vec<TenantId> = ready.map(|(tenant, _)| *tenant).take(room).collect();
        for tenant in ready {
            self.due.remove(&tenant);
            let more = Arc::new(Notify::new());
            self.served.insert(tenant, more.clone());
            let webhooks = self.webhooks.clone();
            self.serving.spawn(async move {
                let next = match serve(&webhooks, tenant, &more).await {
                    Ok(next) => next,
                    Err(error) => {
                        tracing::warn!(tenant.id = %tenant, error = %error, "webhooks of a tenant cannot be sent");
                        Some(later(webhooks.0.parts.clock.now(), TRY_AGAIN))
                    }
                };
                (tenant, next)
            });
        }
    }

    fn end(&mut self, ended: Option<(TenantId, Option<Timestamp>)>) {
        let Some((tenant, next)) = ended else {
            // A task that panicked does not say whose it was; the sweep finds all of them.
            self.served.clear();
            self.sweep_at = Instant::now();
            return;
        };
        self.served.remove(&tenant);
        if let Some(next) = next {
            self.plan(tenant, next);
        }
    }

    fn pause(&self) -> Duration {
        let now = self.now();
        let sweep = self.sweep_at.saturating_duration_since(Instant::now());
        let waiting = self.due.iter().filter(|(tenant, _)| !self.served.contains_key(*tenant));
        let next = waiting.map(|(_, due)| due.duration_since(now)).min();
        let next = next.map(|wait| Duration::try_from(wait).unwrap_or_default());
        match next {
            // No room for those that are due: the next one that ends makes some.
            Some(_) if self.served.len() >= SERVED_MAX => sweep,
            Some(next) => next.min(sweep),
            None => sweep,
        }
    }
}
