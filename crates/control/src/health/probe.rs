//! Use case: ask the databases of some tenants whether they are there, bounded in number and time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use db::DbError;
use futures::{StreamExt as _, stream};
use kernel::{Ctx, Tenant, TenantId, Timestamp};
use messages::{Job, Schedule};

use crate::{Control, tenants::decode_tenant};

/// How tenants are asked.
#[derive(Debug, Clone, Copy)]
pub struct ProbePlan {
    /// How many at most.
    pub most: i64,
    /// How many at once.
    pub at_once: usize,
    /// How long one may take.
    pub patience: Duration,
    /// How long all of them may take; who is not done by then is asked first the next time.
    pub limit: Duration,
}

impl Default for ProbePlan {
    fn default() -> Self {
        Self { most: 50, at_once: 5, patience: Duration::from_secs(2), limit: Duration::from_secs(25) }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probed {
    /// How many were asked.
    pub asked: usize,
    /// How many answered.
    pub answered: usize,
}

/// Why there was no answer, in words that give nothing away.
const LATE: &str = "no answer in time";
const AWAY: &str = "cannot be reached";
const BROKEN: &str = "answers with an error";

struct Answer {
    tenant: TenantId,
    took_us: i32,
    reason: Option<&'static str>,
}

/// Asks those of the active tenants that have not been asked for longest, and notes how they answered.
///
/// # Errors
/// [`DbError`] when the control database fails; that of a tenant failing is a finding.
pub async fn probe_tenants(control: &Control, now: Timestamp, plan: ProbePlan) -> Result<Probed, DbError> {
    let tx = control.db().control().await?;
    let rows = tx.query(include_str!("pick_tenants.sql"), &[&plan.most.clamp(1, 1000)]).await?;
    tx.commit().await?;
    let tenants = rows.iter().map(|row| decode_tenant(row, control.flags()).map(Arc::new));
    let tenants = tenants.collect::<Result<Vec<_>, _>>()?;
    let asked = stream::iter(tenants).map(|tenant| ask(control, tenant, now, plan.patience));
    let end = tokio::time::sleep(plan.limit);
    let answers: Vec<Answer> = asked.buffer_unordered(plan.at_once.max(1)).take_until(end).collect().await;
    let probed = Probed {
        asked: answers.len(),
        answered: answers.iter().filter(|answer| answer.reason.is_none()).count(),
    };
    if !answers.is_empty() {
        save(control, now, &answers).await?;
    }
    Ok(probed)
}

/// One round trip, the way requests go: through the pool, as the application, inside the tenant.
async fn ask(control: &Control, tenant: Arc<Tenant>, now: Timestamp, patience: Duration) -> Answer {
    let id = tenant.id;
    let ctx = Ctx::system(tenant, "tenant-probe", now);
    let begun = Instant::now();
    let asked = async {
        let tx = control.db().begin_read(&ctx).await?;
        tx.query_one("select 1", &[]).await?;
        tx.commit().await
    };
    let reason = match tokio::time::timeout(patience, asked).await {
        Ok(Ok(())) => None,
        Ok(Err(DbError::Unavailable(_))) => Some(AWAY),
        Ok(Err(_)) => Some(BROKEN),
        Err(_) => Some(LATE),
    };
    if let Some(reason) = reason {
        tracing::warn!(tenant = %ctx.tenant.slug, reason, "the database of a tenant does not answer");
    }
    Answer { tenant: id, took_us: i32::try_from(begun.elapsed().as_micros()).unwrap_or(i32::MAX), reason }
}

async fn save(control: &Control, now: Timestamp, answers: &[Answer]) -> Result<(), DbError> {
    let tenants: Vec<TenantId> = answers.iter().map(|answer| answer.tenant).collect();
    let took: Vec<i32> = answers.iter().map(|answer| answer.took_us).collect();
    let reasons: Vec<Option<&str>> = answers.iter().map(|answer| answer.reason).collect();
    let tx = control.db().control().await?;
    tx.execute(include_str!("save_probes.sql"), &[&tenants, &took, &reasons, &now]).await?;
    tx.commit().await
}

/// Asks some tenants every minute, in one process.
pub(crate) fn probe_job(control: &Control) -> Job {
    let control = control.clone();
    Job::new(
        "control.probe_tenants",
        Schedule::Every(Duration::from_secs(60)),
        "Asks the databases of those tenants that have not been asked for longest.",
        move |job| {
            let control = control.clone();
            Box::pin(
                async move { Ok(probe_tenants(&control, job.now, ProbePlan::default()).await.map(drop)?) },
            )
        },
    )
}
