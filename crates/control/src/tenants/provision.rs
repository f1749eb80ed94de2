//! Use case: set a tenant up, step by step; every step is repeatable and the row in `control.provisioning` says which
//! one is next. Whoever works on a tenant holds a claim that runs out, so that a crash leaves nothing locked.

use std::time::Duration;

use db::{ControlTx, DbError, migrate::MigrateError};
use kernel::{Ctx, Tenant, TenantId, TenantStatus};
use uuid::Uuid;

use super::{
    model::{decode_tenant, status_text},
    place::{Wanted, place},
};
use crate::{
    Control,
    accounts::{Admission, Admitted, admit},
    change::Change,
    counts::provisioning_failures,
    permissions::TENANT_ADMIN,
};

/// A claim lasts longer than any step usually takes; when it runs out, another process may do the step again.
pub(super) const CLAIM: Duration = Duration::from_secs(30);

/// The steps in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Place,
    CreateDatabase,
    Migrate,
    Seed,
    Admin,
    Activate,
    Done,
}

impl Step {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::CreateDatabase => "create_database",
            Self::Migrate => "migrate",
            Self::Seed => "seed",
            Self::Admin => "admin",
            Self::Activate => "activate",
            Self::Done => "done",
        }
    }

    const ALL: [Step; 7] = [
        Step::Place,
        Step::CreateDatabase,
        Step::Migrate,
        Step::Seed,
        Step::Admin,
        Step::Activate,
        Step::Done,
    ];

    fn read(text: &str) -> Result<Self, DbError> {
        let step = Self::ALL.into_iter().find(|step| step.as_str() == text);
        step.ok_or_else(|| DbError::Other(format!("unknown provisioning step {text}")))
    }

    /// A shared database is there already, and migrated with the program.
    fn next(self, dedicated: bool) -> Self {
        match self {
            Self::Place if dedicated => Self::CreateDatabase,
            Self::CreateDatabase => Self::Migrate,
            Self::Place | Self::Migrate => Self::Seed,
            Self::Seed => Self::Admin,
            Self::Admin => Self::Activate,
            Self::Activate | Self::Done => Self::Done,
        }
    }

    fn failure(self) -> TenantStatus {
        if self == Self::Migrate { TenantStatus::MigrationError } else { TenantStatus::ProvisionError }
    }
}

/// The names of the steps that may fail.
pub(crate) fn step_names() -> impl Iterator<Item = &'static str> {
    Step::ALL.into_iter().filter(|step| *step != Step::Done).map(Step::as_str)
}

/// Why a step failed; kept in the row for the operator.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error("no shard takes such a tenant: all are draining, in another region, or kept for others")]
    NoShard,
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error("seeding {0}: {1}")]
    Seed(&'static str, DbError),
    #[error("another process has taken over")]
    ClaimLost,
}

/// A tenant that we work on.
struct Work {
    tenant: Tenant,
    claim: Uuid,
    step: Step,
    attempts: i32,
    region: String,
    wanted_shard: Option<String>,
    admin_email: String,
    admin_password: Option<String>,
    /// How the first administrator was admitted, once that is done.
    admitted: Option<Admitted>,
}

/// Takes the tenant on, unless it is done or somebody else works on it, and goes on as far as it gets. Returns how the
/// first administrator was admitted, if that was done now.
///
/// A failing step is recorded with the time of the next try; that is not an error of this function.
///
/// # Errors
/// [`DbError`] when the control database fails.
pub(super) async fn provision(
    control: &Control,
    tenant: TenantId,
    claim: Uuid,
) -> Result<Option<Admitted>, DbError> {
    let Some(mut work) = take_on(control, tenant, claim).await? else { return Ok(None) };
    while work.step != Step::Done {
        let step = work.step;
        match run(control, &mut work).await {
            Ok(()) => {}
            Err(StepError::ClaimLost) => break,
            Err(error) => {
                record_failure(control, &work, step, &error).await?;
                break;
            }
        }
    }
    Ok(work.admitted)
}

async fn take_on(control: &Control, tenant: TenantId, claim: Uuid) -> Result<Option<Work>, DbError> {
    let now = control.clock().now();
    let tx = control.db().control().await?;
    let row = tx
        .query_opt(include_str!("claim_provisioning.sql"), &[&tenant, &claim, &(now + CLAIM), &now])
        .await?;
    tx.commit().await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Work {
        tenant: decode_tenant(&row, control.flags())?,
        claim,
        step: Step::read(row.try_get(11)?)?,
        attempts: row.try_get(12)?,
        region: row.try_get(13)?,
        wanted_shard: row.try_get(14)?,
        admin_email: row.try_get(15)?,
        admin_password: row.try_get(16)?,
        admitted: None,
    }))
}

/// Does the step that is next and writes down that it is done.
async fn run(control: &Control, work: &mut Work) -> Result<(), StepError> {
    let placement = &work.tenant.placement;
    match work.step {
        Step::CreateDatabase => control.databases().create(placement).await?,
        Step::Migrate => control.databases().migrate(placement).await?,
        Step::Seed => seed(control, &work.tenant).await?,
        Step::Place | Step::Admin | Step::Activate | Step::Done => {}
    }
    let next = work.step.next(placement.dedicated);
    let tx = control.db().control().await?;
    let mut admitted = None;
    match work.step {
        Step::Place => place_tenant(control, &tx, work).await?,
        Step::Admin => admitted = Some(admit_admin(control, &tx, work).await?),
        Step::Activate => activate(control, &tx, work).await?,
        _ => {}
    }
    let now = control.clock().now();
    let kept = tx
        .execute(
            include_str!("advance_provisioning.sql"),
            &[&work.tenant.id, &work.claim, &next.as_str(), &(now + CLAIM), &now],
        )
        .await?;
    if kept == 0 {
        return Err(StepError::ClaimLost);
    }
    tx.commit().await?;
    work.admitted = admitted.or(work.admitted.take());
    if work.step == Step::Activate {
        report(control, &work.tenant).await;
    }
    work.step = next;
    Ok(())
}

async fn place_tenant(control: &Control, tx: &ControlTx, work: &mut Work) -> Result<(), StepError> {
    let tenant = &work.tenant;
    let wanted = Wanted {
        tenant: tenant.id,
        slug: &tenant.slug,
        dedicated: tenant.placement.dedicated,
        region: &work.region,
        shard: work.wanted_shard.as_deref(),
    };
    if !place(control, tx, wanted).await? {
        return Err(StepError::NoShard);
    }
    let row = tx.query_one(include_str!("find_placed.sql"), &[&tenant.id]).await?;
    work.tenant = decode_tenant(&row, control.flags())?;
    Ok(())
}

async fn seed(control: &Control, tenant: &Tenant) -> Result<(), StepError> {
    let ctx = Ctx::system(tenant.clone().into(), "provisioning", control.clock().now());
    for seeder in control.seeders() {
        let failed = |error| StepError::Seed(seeder.name(), error);
        let mut tx = control.db().begin(&ctx).await.map_err(failed)?;
        seeder.seed(&mut tx).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
    }
    Ok(())
}

/// An account that existed before is invited: nobody knows whose address it is, not even the operator.
async fn admit_admin(control: &Control, tx: &ControlTx, work: &Work) -> Result<Admitted, StepError> {
    let admission = Admission {
        tenant: work.tenant.id,
        email: &work.admin_email,
        name: "",
        role: TENANT_ADMIN,
        password: work.admin_password.as_deref(),
    };
    Ok(admit(control, tx, admission, control.clock().now()).await?)
}

async fn activate(control: &Control, tx: &ControlTx, work: &Work) -> Result<(), StepError> {
    tx.execute(include_str!("activate_tenant.sql"), &[&work.tenant.id, &control.clock().now()]).await?;
    control.announce(tx, Change::Tenant(work.tenant.id)).await?;
    Ok(())
}

/// PLT-1: the average time is `_sum / _count` of the histogram.
async fn report(control: &Control, tenant: &Tenant) {
    let kind = if tenant.placement.dedicated { "dedicated" } else { "shared" };
    let row = async {
        let tx = control.db().control().await?;
        let row = tx.query_one(include_str!("find_provisioning_time.sql"), &[&tenant.id]).await?;
        tx.commit().await?;
        Ok::<f64, DbError>(row.try_get(0)?)
    };
    if let Ok(seconds) = row.await {
        metrics::histogram!("markethall_tenant_provisioning_seconds", "placement" => kind).record(seconds);
        tracing::info!(tenant.id = %tenant.id, placement = kind, duration_s = seconds, "tenant provisioned");
    }
}

async fn record_failure(
    control: &Control,
    work: &Work,
    step: Step,
    error: &StepError,
) -> Result<(), DbError> {
    let now = control.clock().now();
    let exponent = u32::try_from(work.attempts.clamp(0, 6)).unwrap_or(0);
    let retry_at = now + Duration::from_secs(5 * 2_u64.pow(exponent));
    let reason: String = format!("{}: {error}", step.as_str()).chars().take(1000).collect();
    provisioning_failures(step.as_str()).increment(1);
    tracing::warn!(tenant.id = %work.tenant.id, step = step.as_str(), %error, "provisioning stopped");
    let tx = control.db().control().await?;
    tx.execute(
        include_str!("fail_provisioning.sql"),
        &[&work.tenant.id, &work.claim, &status_text(step.failure()), &reason, &retry_at, &now],
    )
    .await?;
    control.announce(&tx, Change::Tenant(work.tenant.id)).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    // PLT-1
    #[test]
    fn shared_tenants_skip_the_database_and_every_way_ends() {
        let way = |dedicated| {
            let mut steps = vec![Step::Place];
            while let Some(step) = steps.last().filter(|step| **step != Step::Done) {
                steps.push(step.next(dedicated));
            }
            steps.iter().map(|step| step.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(way(false), ["place", "seed", "admin", "activate", "done"]);
        assert_eq!(way(true), ["place", "create_database", "migrate", "seed", "admin", "activate", "done"]);
    }
}
