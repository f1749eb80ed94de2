//! Routes of a tenant's own settings.

use axum::extract::State;
use edge::{IfMatch, Json, Op, Problem, Reply, Routes, Tenanted};
use kernel::TenantSettings;

use super::{Settings, UpdateTenant, find_tenant_by_id, update_tenant};
use crate::{Control, permissions::TENANT_SETTINGS};

pub(super) fn routes() -> Routes<Control> {
    Routes::new("Settings")
        .add(
            Op::get("/settings", "get_settings", "How the tenant trades")
                .permission(TENANT_SETTINGS)
                .returns::<TenantSettings>(200)
                .etag(),
            get,
        )
        .add(
            Op::put("/settings", "put_settings", "Change how the tenant trades, from the next sale on")
                .description("The whole settings; what is left out gets its default.")
                .permission(TENANT_SETTINGS)
                .returns::<TenantSettings>(200)
                .etag(),
            put,
        )
}

async fn get(State(control): State<Control>, Tenanted(ctx): Tenanted) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let tenant = find_tenant_by_id(&tx, ctx.tenant_id()).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    Ok(Reply::ok(&tenant.settings).etag(&tenant.etag()))
}

async fn put(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    if_match: IfMatch,
    Json(Settings(settings)): Json<Settings>,
) -> Result<Reply, Problem> {
    let wanted =
        UpdateTenant { settings: Some(settings), version: if_match.version()?, ..UpdateTenant::default() };
    let tx = control.db().control().await?;
    let tenant = update_tenant(&control, ctx.now(), &tx, ctx.tenant_id(), wanted).await?;
    tx.commit().await?;
    Ok(Reply::ok(&tenant.settings).etag(&tenant.etag()))
}
