//! The route of the tenants' health, for operators.

use axum::extract::State;
use edge::{Op, Operator, Problem, Reply, Routes};

use super::{TenantHealth, tenant_health};
use crate::{Control, permissions::PLATFORM_TENANTS};

pub(crate) fn routes() -> Routes<Control> {
    Routes::new("Tenants").add(
        Op::get("/admin/tenants/health", "get_tenants_health", "How the tenants are, per tier")
            .description(
                "Who trades, whose setting up failed, whose database answers and who is slowest. Every minute the 50 active \
                 tenants that have not been asked for longest are asked; the figures are those of the last hour.",
            )
            .platform(PLATFORM_TENANTS)
            .returns::<TenantHealth>(200),
        get,
    )
}

async fn get(State(control): State<Control>, Operator(caller): Operator) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let health = tenant_health(&tx, caller.now).await?;
    tx.commit().await?;
    Ok(Reply::ok(&health))
}
