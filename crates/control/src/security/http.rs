//! Routes of security events.

use axum::extract::State;
use edge::{
    Op, Operator, Problem, Query, Reply, Routes, Tenanted,
    page::{Cursor, Limit, Page},
};
use garde::Validate;
use kernel::{TenantId, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{EventFilter, EventKind, SecurityEventView, list_events};
use crate::{
    Control,
    permissions::{PLATFORM_SECURITY, SECURITY_READ},
};

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct EventQuery {
    /// Only of this kind.
    #[param(inline)]
    kind: Option<EventKind>,
    /// Only by this user, key, customer or guest, as `actor` says.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    #[param(min_length = 1, max_length = 255)]
    actor: Option<String>,
    /// At or after.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct PlatformEventQuery {
    /// Only of this tenant.
    #[param(inline)]
    tenant: Option<TenantId>,
    /// Only of this kind.
    #[param(inline)]
    kind: Option<EventKind>,
    /// Only by this user, key, customer or guest, as `actor` says.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    #[param(min_length = 1, max_length = 255)]
    actor: Option<String>,
    /// At or after.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

pub(crate) fn routes() -> Routes<Control> {
    Routes::new("Security events")
        .add(
            Op::get(
                "/security-events",
                "list_security_events",
                "The tenant's security events, the youngest first",
            )
            .description("Kept for 90 days. What happens again at once is one event with `times`.")
            .permission(SECURITY_READ)
            .returns::<Page<SecurityEventView>>(200),
            list,
        )
        .add(
            Op::get(
                "/admin/security-events",
                "list_all_security_events",
                "Everybody's security events, the youngest first",
            )
            .description("Those of no tenant among them. Kept for 90 days.")
            .platform(PLATFORM_SECURITY)
            .returns::<Page<SecurityEventView>>(200),
            list_all,
        )
}

async fn list(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Query(query): Query<EventQuery>,
) -> Result<Reply, Problem> {
    let EventQuery { kind, actor, from, to, limit, cursor } = query;
    let filter =
        EventFilter { tenant: Some(ctx.tenant_id()), kind, actor, from, to, ..EventFilter::default() };
    page(&control, filter, limit, cursor).await
}

async fn list_all(
    State(control): State<Control>,
    Operator(_): Operator,
    Query(query): Query<PlatformEventQuery>,
) -> Result<Reply, Problem> {
    let PlatformEventQuery { tenant, kind, actor, from, to, limit, cursor } = query;
    page(&control, EventFilter { tenant, kind, actor, from, to, ..EventFilter::default() }, limit, cursor)
        .await
}

async fn page(
    control: &Control,
    filter: EventFilter,
    limit: Limit,
    cursor: Option<Cursor>,
) -> Result<Reply, Problem> {
    let after = cursor.as_ref().map(Cursor::key).transpose()?;
    let tx = control.db().control().await?;
    let events = list_events(&tx, &EventFilter { after, limit: limit.sql(), ..filter }).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page::from_rows(events, limit, |event| (event.occurred_at, event.id))))
}
