//! Routes of a tenant's rate limit, for operators.

use axum::extract::State;
use edge::{IfMatch, Json, Op, Operator, Path, Problem, Reply, Routes};
use garde::{Report, Validate};
use kernel::RateLimit;
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{TenantView, http::id_of, set_rate_limit};
use crate::{Control, permissions::PLATFORM_TENANTS};

/// How often a tenant may call.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TenantRateLimit {
    /// Its own limit; null where that of its tier counts.
    own: Option<RateLimit>,
}

/// A limit as a request brings it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
struct NewRateLimit(RateLimit);

impl PartialSchema for NewRateLimit {
    fn schema() -> RefOr<Schema> {
        RateLimit::schema()
    }
}

impl ToSchema for NewRateLimit {
    fn name() -> std::borrow::Cow<'static, str> {
        RateLimit::name()
    }
}

impl Validate for NewRateLimit {
    type Context = ();

    fn validate_into(&self, _ctx: &(), parent: &mut dyn FnMut() -> garde::Path, report: &mut Report) {
        if let Err((field, wrong)) = self.0.validate() {
            report.append(parent().join(field), garde::Error::new(wrong));
        }
    }
}

pub(super) fn routes() -> Routes<Control> {
    Routes::new("Tenants")
        .add(
            Op::get("/admin/tenants/{slug}/rate-limit", "get_rate_limit", "A tenant's own rate limit")
                .platform(PLATFORM_TENANTS)
                .returns::<TenantRateLimit>(200)
                .etag(),
            get,
        )
        .add(
            Op::put("/admin/tenants/{slug}/rate-limit", "put_rate_limit", "Give a tenant a rate limit of its own")
                .description(
                    "All callers of the tenant together: `limit` calls per window in the long run, `burst` at once, and \
                     `queue` more wait for their turn. It counts from the next call on, in every process.",
                )
                .platform(PLATFORM_TENANTS)
                .returns::<TenantRateLimit>(200)
                .etag(),
            put,
        )
        .add(
            Op::delete("/admin/tenants/{slug}/rate-limit", "delete_rate_limit", "Let the tier's rate limit count again")
                .platform(PLATFORM_TENANTS)
                .returns_nothing(204),
            delete,
        )
}

async fn get(
    State(control): State<Control>,
    Operator(_): Operator,
    Path(slug): Path<String>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let tenant = super::find_tenant(&tx, &slug).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    Ok(reply(&tenant))
}

async fn put(
    State(control): State<Control>,
    Operator(caller): Operator,
    Path(slug): Path<String>,
    if_match: IfMatch,
    Json(NewRateLimit(limit)): Json<NewRateLimit>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let id = id_of(&tx, &slug).await?;
    let tenant = set_rate_limit(&control, caller.now, &tx, id, Some(limit), if_match.version()?).await?;
    tx.commit().await?;
    Ok(reply(&tenant))
}

async fn delete(
    State(control): State<Control>,
    Operator(caller): Operator,
    Path(slug): Path<String>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let id = id_of(&tx, &slug).await?;
    set_rate_limit(&control, caller.now, &tx, id, None, None).await?;
    tx.commit().await?;
    Ok(Reply::no_content())
}

fn reply(tenant: &TenantView) -> Reply {
    Reply::ok(&TenantRateLimit { own: tenant.rate_limit }).etag(&tenant.etag())
}
