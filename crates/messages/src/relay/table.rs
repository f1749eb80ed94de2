//! Deliveries in the table: lanes that are not known, and the messages of those whose time has come.

use std::sync::Arc;

use db::DbError;
use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    lanes::{LANE_MAX, LaneKey, Pending},
    leader::Leader,
    rows,
};

/// Lanes read from the table at once.
const LOAD_MAX: usize = 50;
impl Leader<'_> {
    /// Finds lanes in the table that are not known: after taking over, after a replay by anybody.
    pub(super) async fn discover(&mut self) -> Result<(), DbError> {
        let names: Vec<&str> = self.env.consumers.iter().map(|consumer| consumer.name).collect();
        let most = i64::try_from(self.env.config.lanes_max).unwrap_or(i64::MAX);
        for row in self.conn.query(include_str!("discover.sql"), &[&names, &most]).await? {
            let Some(consumer) = self.env.consumer(row.try_get("consumer")?) else { continue };
            let subject = row.try_get::<_, &str>("subject")?.into();
            let key = LaneKey { tenant: row.try_get("tenant_id")?, consumer: consumer.name, subject };
            self.lanes.discover(key, row.try_get("next_attempt_at")?);
        }
        Ok(())
    }

    /// Reads the first messages of lanes whose time has come.
    pub(super) async fn load_due(&mut self) -> Result<(), DbError> {
        if Instant::now() < self.load_after {
            return Ok(());
        }
        let now = self.env.clock.now();
        while self.lanes.queued() < self.env.config.queued_max {
            let due = self.lanes.take_due(now, LOAD_MAX);
            if due.is_empty() {
                break;
            }
            self.load(due, now).await?;
        }
        Ok(())
    }

    async fn load(&mut self, due: Vec<LaneKey>, now: Timestamp) -> Result<(), DbError> {
        let tenants: Vec<_> = due.iter().map(|key| key.tenant).collect();
        let consumers: Vec<_> = due.iter().map(|key| key.consumer).collect();
        let subjects: Vec<_> = due.iter().map(|key| &*key.subject).collect();
        let most = LANE_MAX as i64;
        let found =
            self.conn.query(include_str!("load.sql"), &[&tenants, &consumers, &subjects, &most]).await?;
        let mut lanes: Vec<(Vec<Pending>, Timestamp)> = vec![(Vec::new(), now); due.len()];
        for row in found {
            let place: i64 = row.try_get("place")?;
            let lane = usize::try_from(place - 1).ok().and_then(|place| lanes.get_mut(place));
            let Some((pending, due)) = lane else { continue };
            if pending.is_empty() {
                *due = row.try_get("next_attempt_at")?;
            }
            let attempts = u32::try_from(row.try_get::<_, i32>("attempts")?).unwrap_or_default();
            let version = row.try_get("version")?;
            pending.push(Pending { message: Arc::new(rows::message(&row)?), attempts, version });
        }
        for (key, (pending, due)) in due.into_iter().zip(lanes) {
            self.lanes.load(key, pending, due, now);
        }
        Ok(())
    }
}
