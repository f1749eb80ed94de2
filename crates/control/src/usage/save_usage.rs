//! Use case: hand in what this process has counted, in one statement, each batch once however often it is tried.

use db::DbError;
use kernel::{TenantId, Timestamp};

use super::meter::{Amounts, Handful, hour_start};
use crate::Control;

impl Control {
    /// Hands in what was counted so far; what cannot be handed in now is kept, and counting goes on.
    ///
    /// # Errors
    /// [`DbError`] when the control database fails.
    pub async fn flush_usage(&self) -> Result<(), DbError> {
        let meter = self.usage_meter();
        let mut unsure = meter.unsure.lock().await;
        loop {
            // Under the same name as before: whether it has arrived is for the database to say.
            let handful = unsure.take().or_else(|| meter.take());
            let Some(handful) = handful else { return Ok(()) };
            if let Err(error) = self.guarded(self.save_usage(&handful)).await {
                *unsure = Some(handful);
                return Err(error);
            }
        }
    }

    async fn save_usage(&self, handful: &Handful) -> Result<(), DbError> {
        fn column<T>(handful: &Handful, pick: impl Fn(&Amounts) -> T) -> Vec<T> {
            handful.rows.iter().map(|(_, amounts)| pick(amounts)).collect()
        }
        let tenants: Vec<TenantId> = handful.rows.iter().map(|((tenant, _), _)| *tenant).collect();
        let hours: Vec<Timestamp> = handful.rows.iter().map(|(place, _)| hour_start(*place)).collect();
        let tx = self.db().control().await?;
        tx.execute(
            include_str!("save_usage.sql"),
            &[
                &handful.id,
                &self.clock().now(),
                &tenants,
                &hours,
                &column(handful, |amounts| amounts.calls),
                &column(handful, |amounts| amounts.received_bytes),
                &column(handful, |amounts| amounts.sent_bytes),
                &column(handful, |amounts| amounts.worked_us),
                &column(handful, |amounts| amounts.messages),
                &column(handful, |amounts| amounts.database_us),
                &column(handful, |amounts| amounts.moved_rows),
            ],
        )
        .await?;
        tx.commit().await
    }
}
