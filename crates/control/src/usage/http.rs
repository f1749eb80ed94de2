//! Routes of usage: everybody's for the operator, a tenant's own for itself.

use axum::extract::State;
use edge::{
    FieldError, Op, Operator, Problem, Query, Reply, Routes, Tenanted, codes,
    page::{Cursor, Limit, Page},
};
use garde::Validate;
use http::{HeaderMap, StatusCode};
use jiff::civil::Date;
use kernel::Timestamp;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Days, DaysError, PeriodUsage, TenantUsage, UsageFilter, csv, list_own_usage, list_usage};
use crate::{
    Control,
    permissions::{PLATFORM_USAGE, USAGE_READ},
};

/// The most rows of a CSV file; more tenants than an installation can have in memory.
const MOST_CSV_ROWS: i64 = 100_000;

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct UsageQuery {
    /// The first day (UTC); the first of the month when absent.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last day; today when absent.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
    /// Only of the tenant of this slug.
    #[garde(inner(length(chars, min = 2, max = 40)))]
    #[param(min_length = 2, max_length = 40)]
    tenant: Option<String>,
    /// How many items at most; a CSV file has all.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// Into what the use of a tenant is broken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Period {
    /// Days in UTC.
    #[default]
    Day,
    /// Hours; kept for a quarter of a year.
    Hour,
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct OwnQuery {
    /// The first day (UTC); the first of the month when absent.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last day; today when absent.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
    /// Day when absent.
    #[serde(default)]
    #[param(inline, required = false)]
    group_by: Period,
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

const ABOUT: &str =
    "Counted by every process and handed in every five seconds; days are added up every five minutes.";

pub(crate) fn routes() -> Routes<Control> {
    Routes::new("Usage")
        .add(
            Op::get("/admin/usage", "list_usage", "What tenants used on some days, by slug")
                .description(
                    "Who used nothing is not there. At most 366 days. `Accept: text/csv` gives all rows as CSV. Counted by \
                     every process and handed in every five seconds; days are added up every five minutes.",
                )
                .platform(PLATFORM_USAGE)
                .returns::<Page<TenantUsage>>(200)
                .returns_raw(200, "text/csv"),
            list,
        )
        .add(
            Op::get("/usage", "list_own_usage", "What the tenant used, by day or hour")
                .description(ABOUT)
                .permission(USAGE_READ)
                .returns::<Page<PeriodUsage>>(200),
            list_own,
        )
}

async fn list(
    State(control): State<Control>,
    Operator(caller): Operator,
    headers: HeaderMap,
    Query(query): Query<UsageQuery>,
) -> Result<Reply, Problem> {
    let UsageQuery { from, to, tenant, limit, cursor } = query;
    let days = Days::new(from, to, caller.now).map_err(refused)?;
    let wants_csv = csv::is_wanted(&headers);
    let after = cursor.as_ref().map(Cursor::key).transpose()?;
    let most = if wants_csv { MOST_CSV_ROWS } else { limit.sql() };
    let tx = control.db().control().await?;
    let usage = list_usage(&tx, &UsageFilter { days, tenant, after, limit: most }).await?;
    tx.commit().await?;
    if wants_csv {
        let body = csv::of_usage(days, &usage).map_err(Problem::internal)?;
        return Ok(Reply::raw(StatusCode::OK, csv::CSV, body));
    }
    Ok(Reply::ok(&Page::from_rows(usage, limit, |row| row.tenant.clone())))
}

async fn list_own(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    Query(query): Query<OwnQuery>,
) -> Result<Reply, Problem> {
    let OwnQuery { from, to, group_by, limit, cursor } = query;
    let days = Days::new(from, to, ctx.now()).map_err(refused)?;
    let after: Option<Timestamp> = cursor.as_ref().map(Cursor::key).transpose()?;
    let by_hour = group_by == Period::Hour;
    let tx = control.db().control().await?;
    let usage = list_own_usage(&tx, ctx.tenant_id(), days, by_hour, after, limit.sql()).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page::from_rows(usage, limit, |row| row.from)))
}

fn refused(error: DaysError) -> Problem {
    Problem::invalid([FieldError::parameter("to", codes::INVALID_VALUE, error.to_string())])
}
