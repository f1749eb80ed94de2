//! What this process knows of the decisions: all of them in memory, read again as a whole when one changes.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use db::{DbError, Row};
use kernel::{Flag, FlagRule, FlagTable, Flags, TenantId, Timestamp};
use serde_json::Value;

use super::Feature;
use crate::Control;

/// All decisions together; they are kept in memory.
pub(super) const MOST: i64 = 100_000;
/// They are read again after this time even if nobody said that one has changed; the requirement is 5 minutes.
const REFRESH: Duration = Duration::from_secs(240);
/// How often it is looked whether they are due.
const LOOK: Duration = Duration::from_secs(5);

/// The decisions as known here, and how fresh they are.
#[derive(Debug)]
pub(crate) struct FlagStore {
    known: Flags,
    declared: Vec<Flag>,
    outdated: AtomicBool,
    /// A reading has been asked for that has not begun yet.
    asked: AtomicBool,
    turn: tokio::sync::Mutex<()>,
    loaded: Mutex<Option<Instant>>,
}

impl FlagStore {
    /// Knows the flags that the program declares, and no decision about them.
    pub(crate) fn new(mut declared: Vec<Flag>) -> Self {
        declared.sort_unstable_by_key(|flag| flag.name);
        Self {
            known: Flags::default(),
            declared,
            outdated: AtomicBool::new(true),
            asked: AtomicBool::new(false),
            turn: tokio::sync::Mutex::default(),
            loaded: Mutex::default(),
        }
    }

    /// What was decided, for whoever asks.
    pub(crate) fn known(&self) -> &Flags {
        &self.known
    }

    /// The flags of the program, by name.
    pub(crate) fn declared(&self) -> &[Flag] {
        &self.declared
    }

    /// What is wrong with the declarations: a name that is none, or one given twice.
    pub(crate) fn defect(&self) -> Option<String> {
        let twice = |at: usize, flag: &Flag| self.declared[..at].iter().any(|other| other.name == flag.name);
        let mut wrong =
            self.declared.iter().enumerate().filter(|(at, flag)| !flag.is_well_named() || twice(*at, flag));
        wrong.next().map(|(_, flag)| format!("the flag {:?} is misnamed or declared twice", flag.name))
    }

    fn age(&self) -> Option<Duration> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).map(|loaded| loaded.elapsed())
    }

    fn is_due(&self) -> bool {
        self.outdated.load(Ordering::Acquire) || self.age().is_none_or(|age| age >= REFRESH)
    }

    /// Sets the gauges of what is held in memory.
    pub(crate) fn report_metrics(&self) {
        metrics::gauge!("markethall_flag_rules").set(u32::try_from(self.known.len()).unwrap_or(u32::MAX));
        if let Some(age) = self.age() {
            metrics::gauge!("markethall_flags_age_seconds").set(age.as_secs_f64());
        }
    }
}

impl Control {
    /// What is switched on and off, as this process knows it.
    #[must_use]
    pub fn flags(&self) -> &Flags {
        self.flag_store().known()
    }

    /// The features of the program as they stand at `now`, by name.
    #[must_use]
    pub fn features(&self, now: Timestamp) -> Vec<Feature> {
        self.flag_store().declared().iter().map(|flag| Feature::of(flag, now)).collect()
    }

    /// Has all decisions read again soon; until then, and while that fails, those known are used.
    pub(crate) fn outdate_flags(&self) {
        let store = self.flag_store();
        store.outdated.store(true, Ordering::Release);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !store.asked.swap(true, Ordering::AcqRel) {
            let control = self.clone();
            runtime.spawn(async move {
                if let Err(error) = control.refresh_if(FlagStore::is_due).await {
                    tracing::warn!(%error, "feature flags cannot be read; those known are used on");
                }
            });
        }
    }

    /// Reads all decisions; what was committed before is known afterwards.
    ///
    /// # Errors
    /// [`DbError`]; what was known before stays.
    pub async fn refresh_flags(&self) -> Result<(), DbError> {
        self.refresh_if(|_| true).await
    }

    /// The same if, when the turn has come, it is still needed.
    async fn refresh_if(&self, needed: impl FnOnce(&FlagStore) -> bool) -> Result<(), DbError> {
        let store = self.flag_store();
        // One reads after the other, so that an older reading never replaces a younger one.
        let _turn = store.turn.lock().await;
        store.asked.store(false, Ordering::Release);
        if !needed(store) {
            return Ok(());
        }
        store.outdated.store(false, Ordering::Release);
        match self.guarded(self.read_flags()).await {
            Ok(table) => {
                store.known.replace(table);
                *store.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                Ok(())
            }
            Err(error) => {
                store.outdated.store(true, Ordering::Release);
                Err(error)
            }
        }
    }

    async fn read_flags(&self) -> Result<FlagTable, DbError> {
        let tx = self.db().control().await?;
        let rows = tx.query(include_str!("load_rules.sql"), &[&MOST]).await?;
        tx.commit().await?;
        let mut table = FlagTable::default();
        for row in &rows {
            let (tenant, rule) = decode(row)?;
            table.insert(row.try_get(0)?, tenant, rule);
        }
        Ok(table)
    }

    /// Reads the decisions again whenever they are due, for ever.
    pub(crate) async fn keep_flags_fresh(self) {
        self.warn_of_expired_flags();
        let mut looks = tokio::time::interval(LOOK);
        loop {
            looks.tick().await;
            if let Err(error) = self.refresh_if(FlagStore::is_due).await {
                tracing::debug!(%error, "feature flags cannot be read yet");
            }
        }
    }

    fn warn_of_expired_flags(&self) {
        let features = self.features(self.clock().now());
        for feature in features.into_iter().filter(|feature| feature.expired) {
            tracing::warn!(
                flag.name = feature.feature,
                flag.owner = feature.owner,
                flag.expires = %feature.expires,
                "a feature flag has outlived its expiry: take it out of the code or renew it"
            );
        }
    }
}

/// Reads tenant, enabled, percentage, starts_at, ends_at, config from the second column on.
fn decode(row: &Row) -> Result<(Option<TenantId>, FlagRule), DbError> {
    let percentage: i16 = row.try_get(3)?;
    let config: Option<Value> = row.try_get(6)?;
    let rule = FlagRule {
        enabled: row.try_get(2)?,
        percentage: u8::try_from(percentage).unwrap_or(0),
        starts_at: row.try_get(4)?,
        ends_at: row.try_get(5)?,
        config: config.map(std::sync::Arc::new),
    };
    Ok((row.try_get(1)?, rule))
}
