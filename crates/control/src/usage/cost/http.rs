//! Routes of cost reports: any tenant's for the operator, a tenant's own for itself.

use axum::extract::State;
use edge::{FieldError, Op, Operator, Path, Problem, Query, Reply, Routes, Tenanted, codes};
use garde::Validate;
use http::{HeaderMap, StatusCode};
use jiff::civil::Date;
use kernel::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{CostReport, csv::of_costs, report_costs};
use crate::{
    Control,
    permissions::{PLATFORM_USAGE, USAGE_READ},
    usage::{
        Days,
        csv::{CSV, is_wanted},
    },
};

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct CostQuery {
    /// The first day (UTC); the first of the month when absent.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last day; today when absent.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
}

const ABOUT: &str = "Quantities, times the prices that were valid on each day for the tenant's tier of that day, are amounts; each line \
                     is rounded once, and the lines add up to the total. At most 366 days. `Accept: text/csv` gives the lines as CSV. \
                     Use is added up and facts are counted every few minutes.";

pub(crate) fn routes() -> Routes<Control> {
    Routes::new("Usage")
        .add(
            Op::get("/admin/tenants/{slug}/usage/cost", "get_cost_report", "What a tenant's use cost")
                .description(ABOUT)
                .platform(PLATFORM_USAGE)
                .returns::<CostReport>(200)
                .returns_raw(200, "text/csv"),
            get,
        )
        .add(
            Op::get("/usage/cost", "get_own_cost_report", "What the tenant's use cost")
                .description(ABOUT)
                .permission(USAGE_READ)
                .returns::<CostReport>(200)
                .returns_raw(200, "text/csv"),
            get_own,
        )
}

async fn get(
    State(control): State<Control>,
    Operator(caller): Operator,
    Path(slug): Path<String>,
    headers: HeaderMap,
    Query(query): Query<CostQuery>,
) -> Result<Reply, Problem> {
    show(&control, &slug, caller.now, &headers, query).await
}

async fn get_own(
    State(control): State<Control>,
    Tenanted(ctx): Tenanted,
    headers: HeaderMap,
    Query(query): Query<CostQuery>,
) -> Result<Reply, Problem> {
    show(&control, &ctx.tenant.slug, ctx.now(), &headers, query).await
}

async fn show(
    control: &Control,
    slug: &str,
    now: Timestamp,
    headers: &HeaderMap,
    query: CostQuery,
) -> Result<Reply, Problem> {
    let refused =
        |error: crate::usage::DaysError| FieldError::parameter("to", codes::INVALID_VALUE, error.to_string());
    let days = Days::new(query.from, query.to, now).map_err(|error| Problem::invalid([refused(error)]))?;
    let tx = control.db().control().await?;
    let report = report_costs(&tx, control.config(), slug, days).await?;
    tx.commit().await?;
    let report = report.ok_or_else(Problem::not_found)?;
    if is_wanted(headers) {
        let body = of_costs(&report).map_err(Problem::internal)?;
        return Ok(Reply::raw(StatusCode::OK, CSV, body));
    }
    Ok(Reply::ok(&report))
}
