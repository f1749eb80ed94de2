//! The routes.

use axum::extract::State;
use db::Db;
use edge::{FieldError, Op, Problem, Query, Reply, Routes, Tenanted, codes, page::Cursor};
use garde::Validate;
use http::{HeaderMap, StatusCode};
use inventory::ShopId;
use kernel::Ctx;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use crate::{
    csv,
    problems::{REPORT_TOO_LARGE, REPORTS_READ},
    range::{Range, RangeError, When},
    report_sales::{SalesGroupBy, SalesReport, SalesReportInput, report_sales},
    report_vat::{VatGroupBy, VatReport, VatReportInput, report_vat},
};

/// The most groups of a page, and how many it has when the caller does not say.
const MOST_GROUPS: u16 = 1000;
/// The most rows of a CSV file.
const MOST_CSV_ROWS: usize = 200_000;

/// What the routes need.
#[derive(Clone)]
pub struct Reporting {
    db: Db,
}

impl Reporting {
    /// Reports over `db`.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

/// Every route of this domain.
pub fn routes(state: Reporting) -> Routes<()> {
    const ABOUT: &str = "`from` and `to` are days of the merchant's time zone, both whole, or moments, `to` then not \
                         included; without them the month so far. `Accept: text/csv` gives the rows as CSV.";
    Routes::new("Reports")
        .add(
            Op::get(
                "/reports/sales",
                "report_sales",
                "What was sold, by day, month, shop, product or category",
            )
            .description(ABOUT)
            .permission(REPORTS_READ)
            .returns::<SalesReport>(200)
            .returns_raw(200, "text/csv")
            .problems(&[REPORT_TOO_LARGE]),
            get_sales,
        )
        .add(
            Op::get("/reports/vat", "report_vat", "The VAT taken, by rate and month, day, or rate alone")
                .description(ABOUT)
                .permission(REPORTS_READ)
                .returns::<VatReport>(200)
                .returns_raw(200, "text/csv")
                .problems(&[REPORT_TOO_LARGE]),
            get_vat,
        )
        .with_state(state)
}

/// Which sales report.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct SalesQuery {
    /// The first day, or the moment it begins at.
    #[param(inline)]
    from: Option<When>,
    /// The last day, or the moment it ends before.
    #[param(inline)]
    to: Option<When>,
    /// Day when absent.
    #[serde(default)]
    #[param(inline, required = false)]
    group_by: SalesGroupBy,
    /// Only this shop.
    #[param(inline)]
    shop: Option<ShopId>,
    /// Categories down to so many levels of their path: 1 gives departments.
    #[serde(default, deserialize_with = "depth")]
    #[param(minimum = 1, maximum = 20)]
    depth: Option<u16>,
    /// How many groups at most.
    #[serde(default = "most_groups", deserialize_with = "group_limit")]
    #[param(minimum = 1, maximum = 1000, required = false)]
    limit: u16,
    /// `nextCursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// Which VAT report.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct VatQuery {
    /// The first day, or the moment it begins at.
    #[param(inline)]
    from: Option<When>,
    /// The last day, or the moment it ends before.
    #[param(inline)]
    to: Option<When>,
    /// Month when absent.
    #[serde(default)]
    #[param(inline, required = false)]
    group_by: VatGroupBy,
    /// Only this shop.
    #[param(inline)]
    shop: Option<ShopId>,
}

fn most_groups() -> u16 {
    MOST_GROUPS
}

fn group_limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    within(u16::deserialize(deserializer)?, MOST_GROUPS)
}

fn depth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    within(u16::deserialize(deserializer)?, 20).map(Some)
}

fn within<E: serde::de::Error>(number: u16, most: u16) -> Result<u16, E> {
    if (1..=most).contains(&number) {
        Ok(number)
    } else {
        Err(E::custom(format!("must be between 1 and {most}")))
    }
}

async fn get_sales(
    State(state): State<Reporting>,
    Tenanted(ctx): Tenanted,
    headers: HeaderMap,
    Query(query): Query<SalesQuery>,
) -> Result<Reply, Problem> {
    let wants_csv = csv::is_wanted(&headers);
    let SalesQuery { from, to, group_by, shop, depth, limit, cursor } = query;
    let input = SalesReportInput {
        range: range(&ctx, from, to)?,
        group_by,
        shop,
        depth,
        after: cursor.as_ref().map(Cursor::key).transpose()?,
        limit: if wants_csv { MOST_CSV_ROWS } else { limit.into() },
    };
    let tx = state.db.begin_report(&ctx).await?;
    let (items, totals, more) = report_sales(&tx, &input).await?;
    tx.commit().await?;
    if wants_csv {
        return if more { Err(Problem::new(REPORT_TOO_LARGE)) } else { csv_reply(csv::of_sales(&items)) };
    }
    let next_cursor = items.last().filter(|_| more).map(|last| Cursor::encode(&last.key));
    let Range { from, to, .. } = input.range;
    let time_zone = ctx.tenant.settings.time_zone.clone();
    Ok(Reply::ok(&SalesReport { from, to, time_zone, group_by, items, totals, next_cursor }))
}

async fn get_vat(
    State(state): State<Reporting>,
    Tenanted(ctx): Tenanted,
    headers: HeaderMap,
    Query(query): Query<VatQuery>,
) -> Result<Reply, Problem> {
    let VatQuery { from, to, group_by, shop } = query;
    let input = VatReportInput { range: range(&ctx, from, to)?, group_by, shop };
    let tx = state.db.begin_report(&ctx).await?;
    let found = report_vat(&tx, &input).await?;
    tx.commit().await?;
    let (items, totals) = found.ok_or_else(|| Problem::new(REPORT_TOO_LARGE))?;
    if csv::is_wanted(&headers) {
        return csv_reply(csv::of_vat(&items));
    }
    let Range { from, to, .. } = input.range;
    let time_zone = ctx.tenant.settings.time_zone.clone();
    Ok(Reply::ok(&VatReport { from, to, time_zone, group_by, items, totals }))
}

fn range(ctx: &Ctx, from: Option<When>, to: Option<When>) -> Result<Range, Problem> {
    let zone = &ctx.tenant.settings.time_zone;
    Range::new(from, to, zone, ctx.now()).map_err(|error| match error {
        RangeError::Backwards => {
            Problem::invalid([FieldError::parameter("to", codes::INVALID_VALUE, "must not be before from")])
        }
        RangeError::UnknownZone => Problem::internal(format!("unknown time zone {zone}")),
    })
}

fn csv_reply(body: std::io::Result<bytes::Bytes>) -> Result<Reply, Problem> {
    Ok(Reply::raw(StatusCode::OK, csv::CSV, body.map_err(Problem::internal)?))
}
