//! Reading on in the outbox: how far is safe, and turning messages into deliveries.

use std::sync::Arc;

use db::DbError;
use kernel::TenantId;

use super::{
    lanes::{LaneKey, Pending},
    leader::Leader,
    rows,
    windows::Window,
};

/// No message up to `newest` can appear any more once all transactions older than `id` have ended.
pub(super) struct Fence {
    newest: i64,
    id: i64,
    settled: bool,
}

/// How reading on ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nothing more to read.
    Idle,
    /// There may be more at once.
    More,
    /// There is more, behind transactions that are still running.
    Unsettled,
    /// Memory is full; handlers must finish first.
    Full,
}

impl Leader<'_> {
    /// Reads the next part of the outbox behind the cursor and turns it into deliveries.
    pub(super) async fn read_on(&mut self) -> Result<Reading, DbError> {
        let config = &self.env.config;
        if self.lanes.queued() >= config.queued_max || self.lanes.count() >= config.lanes_max {
            return Ok(Reading::Full);
        }
        let Some(fence) = self.fence().await? else { return Ok(Reading::Idle) };
        if !fence.settled {
            let row = self.conn.query_one(include_str!("settled.sql"), &[&fence.id]).await?;
            if !row.try_get::<_, bool>("settled")? {
                self.fence = Some(fence);
                return Ok(Reading::Unsettled);
            }
        }
        self.env.config.windows.at(Window::Reading);
        let reached = self.fan_out(fence.newest).await?;
        self.env.config.windows.at(Window::Read);
        if reached < fence.newest {
            self.fence = Some(Fence { settled: true, ..fence });
        }
        Ok(Reading::More)
    }

    /// The fence that is being waited for, or a new one when there is something behind the cursor.
    async fn fence(&mut self) -> Result<Option<Fence>, DbError> {
        if let Some(fence) = self.fence.take() {
            return Ok(Some(fence));
        }
        let found = self.conn.query(include_str!("candidate.sql"), &[&self.cursor]).await?;
        let Some(row) = found.first() else { return Ok(None) };
        let (newest, id, settled) = (row.try_get("newest")?, row.try_get("fence")?, row.try_get("settled")?);
        Ok(Some(Fence { newest, id, settled }))
    }

    async fn fan_out(&mut self, newest: i64) -> Result<i64, DbError> {
        let (env, now) = (self.env, self.env.clock.now());
        let found = self
            .conn
            .query(
                include_str!("fan_out.sql"),
                &[
                    &self.cursor,
                    &newest,
                    &env.config.read_rows,
                    &env.config.read_wanted,
                    &env.pair_consumers,
                    &env.pair_kinds,
                    &now,
                    &env.on_request,
                ],
            )
            .await?;
        // The last row tells how far it got; none at all means that somebody else moved the cursor.
        let (last, found) = found.split_last().ok_or_else(|| {
            DbError::Unavailable("the relay's cursor was moved by somebody else".to_owned())
        })?;
        for row in found {
            let message = Arc::new(rows::message(row)?);
            let version = row.try_get("version")?;
            let asked: Vec<&str> = row.try_get("asked")?;
            let asked = asked.into_iter().filter_map(|name| env.consumer(name)).map(|consumer| consumer.name);
            for consumer in env.waiting_for(&message.kind).chain(asked) {
                let key = LaneKey { tenant: message.tenant, consumer, subject: message.subject.clone() };
                self.lanes.push(key, Pending { message: message.clone(), attempts: 0, version });
            }
        }
        self.cursor = last.try_get("seq")?;
        if let Some(tally) = &env.config.tally {
            let (tenants, counts): (Vec<TenantId>, Vec<i64>) =
                (last.try_get("tenants")?, last.try_get("counts")?);
            for (tenant, count) in tenants.into_iter().zip(counts) {
                tally.published(tenant, now, count.unsigned_abs());
            }
        }
        Ok(self.cursor)
    }
}
