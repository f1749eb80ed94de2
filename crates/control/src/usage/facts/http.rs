//! Routes of the facts behind a number: any tenant's for the operator, a tenant's own for itself.

use std::sync::Arc;

use axum::extract::State;
use edge::{
    FieldError, Op, Operator, Path, Problem, Query, Registry as _, Reply, Routes, Tenanted, codes,
    page::{Cursor, Limit, Page},
};
use garde::Validate;
use jiff::civil::Date;
use kernel::{Ctx, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{BillableFacts, Fact, list_facts};
use crate::{
    Control,
    permissions::{PLATFORM_USAGE, USAGE_READ},
    usage::Days,
};

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct FactsQuery {
    /// Which kind of facts: `sale` or `order`.
    #[garde(length(chars, min = 1, max = 50))]
    #[param(min_length = 1, max_length = 50)]
    kind: String,
    /// Of which day (UTC).
    #[param(value_type = String, format = Date)]
    day: Date,
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

const ABOUT: &str = "What a bill counts, line by line, read from the tenant's own books: as many as the cost report counts for that \
                     kind and day, once the day is settled (two days after it ended).";

pub(crate) fn routes() -> Routes<Control> {
    Routes::new("Usage")
        .add(
            Op::get(
                "/admin/tenants/{slug}/usage/facts",
                "list_facts",
                "A tenant's billable facts of one day",
            )
            .description(ABOUT)
            .platform(PLATFORM_USAGE)
            .returns::<Page<Fact>>(200),
            list,
        )
        .add(
            Op::get("/usage/facts", "list_own_facts", "The tenant's billable facts of one day")
                .description(ABOUT)
                .permission(USAGE_READ)
                .returns::<Page<Fact>>(200),
            list_own,
        )
}

async fn list(
    State(control): State<Control>,
    Operator(caller): Operator,
    Path(slug): Path<String>,
    Query(query): Query<FactsQuery>,
) -> Result<Reply, Problem> {
    let found = control.find_tenant(&slug).await;
    let unavailable = |error| Problem::new(codes::IDENTITY_UNAVAILABLE).because(error);
    let tenant = found.map_err(unavailable)?.ok_or_else(Problem::not_found)?;
    if tenant.placement.database.is_empty() {
        return Err(Problem::not_found());
    }
    show(&control, &Ctx { tenant, caller }, query).await
}

async fn list_own(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Query(query): Query<FactsQuery>,
) -> Result<Reply, Problem> {
    show(&control, &ctx, query).await
}

async fn show(control: &Control, ctx: &Ctx, query: FactsQuery) -> Result<Reply, Problem> {
    let FactsQuery { kind, day, limit, cursor } = query;
    let wrong =
        |name, text: String| Problem::invalid([FieldError::parameter(name, codes::INVALID_VALUE, text)]);
    let known = |facts: &&Arc<dyn BillableFacts>| facts.kind() == kind;
    let Some(facts) = control.facts().iter().find(known) else {
        let kinds: Vec<&str> = control.facts().iter().map(|facts| facts.kind()).collect();
        return Err(wrong("kind", format!("must be one of: {}", kinds.join(", "))));
    };
    let day = Days::new(Some(day), Some(day), ctx.now()).map_err(|error| wrong("day", error.to_string()))?;
    let after: Option<(Timestamp, Uuid)> = cursor.as_ref().map(Cursor::key).transpose()?;
    let after = after.map(|(at, key)| (db::storable(at), key));
    let tx = control.db().begin_read(ctx).await?;
    let found = list_facts(&tx, &**facts, day.from(), after, limit.sql()).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page::from_rows(found, limit, |fact| (fact.at, fact.key))))
}
