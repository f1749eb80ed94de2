//! The routes of tax rates.

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, IfMatch, Json, Op, Problem, Reply, Routes, Tenanted, idempotency::run_once,
};
use garde::Validate;
use jiff::Timestamp;
use kernel::Rate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Catalog,
    problems::{CATALOG_READ, TAX_CATEGORY_IN_USE, TAX_PERIODS_OVERLAP, TAXES_WRITE},
    rules::check_tax_category,
    set_tax_rates::{find_tax_periods, lock_tax_rates, set_tax_rates},
    tax::TaxPeriod,
};

fn category_rule(category: &str, _: &()) -> garde::Result {
    check_tax_category(category).map_err(garde::Error::new)
}

fn in_bounds(time: &Timestamp) -> bool {
    (-62_135_596_800..253_370_764_800).contains(&time.as_second())
}

fn time_rule(time: &Timestamp, _: &()) -> garde::Result {
    if in_bounds(time) { Ok(()) } else { Err(garde::Error::new("must lie between the years 1 and 9998")) }
}

fn beginning() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

/// A rate of a tax category and when it is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaxRate {
    /// What products name.
    #[garde(custom(category_rule))]
    #[schema(max_length = 32, pattern = "^[a-z][a-z0-9_-]{0,31}$")]
    pub category: String,
    /// Basis points: 2000 is 20 %.
    #[garde(range(min = 0, max = 10_000))]
    #[schema(minimum = 0, maximum = 10_000)]
    pub rate: i32,
    /// Valid from this moment on; since 1970 when left out.
    #[garde(custom(time_rule))]
    #[serde(default = "beginning")]
    #[schema(required = false)]
    pub valid_from: Timestamp,
    /// Valid until just before this moment; null for no end.
    #[garde(inner(custom(time_rule)))]
    #[serde(default)]
    pub valid_to: Option<Timestamp>,
}

/// All tax rates of a merchant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxRates {
    /// The rates; those of one category never overlap.
    #[garde(length(max = 200), dive, custom(forward))]
    #[schema(max_items = 200)]
    pub rates: Vec<TaxRate>,
}

fn forward(rates: &[TaxRate], _: &()) -> garde::Result {
    let fine = rates.iter().all(|rate| rate.valid_to.is_none_or(|end| end > rate.valid_from));
    if fine { Ok(()) } else { Err(garde::Error::new("validTo must be later than validFrom")) }
}

impl From<TaxPeriod> for TaxRate {
    fn from(period: TaxPeriod) -> Self {
        let TaxPeriod { category, rate, valid_from, valid_to } = period;
        Self { category, rate: rate.0, valid_from, valid_to }
    }
}

impl From<TaxRate> for TaxPeriod {
    fn from(rate: TaxRate) -> Self {
        let whole = |time: Timestamp| Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time);
        let (valid_from, valid_to) = (whole(rate.valid_from), rate.valid_to.map(whole));
        Self { category: rate.category, rate: Rate(rate.rate), valid_from, valid_to }
    }
}

pub(super) fn routes(catalog: Catalog) -> Routes<()> {
    Routes::<Catalog>::new("Taxes")
        .add(
            Op::get("/tax-rates", "get_tax_rates", "The tax rates by category and time")
                .permission(CATALOG_READ)
                .returns::<TaxRates>(200)
                .etag(),
            get,
        )
        .add(
            Op::put("/tax-rates", "set_tax_rates", "Replace the tax rates")
                .description("Sales keep the rates they were made with.")
                .permission(TAXES_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<TaxRates>(200)
                .etag()
                .problems(&[TAX_PERIODS_OVERLAP, TAX_CATEGORY_IN_USE]),
            set,
        )
        .with_state(catalog)
}

fn shown(periods: Vec<TaxPeriod>) -> (TaxRates, String) {
    let rates = TaxRates { rates: periods.into_iter().map(TaxRate::from).collect() };
    let tag = tag_of(&rates);
    (rates, tag)
}

/// A tag that changes with any rate: FNV-1a over the written form.
fn tag_of(rates: &TaxRates) -> String {
    let written = serde_json::to_vec(rates).unwrap_or_default();
    let hash = written.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

async fn get(State(catalog): State<Catalog>, Tenanted(ctx): Tenanted) -> Result<Reply, Problem> {
    let tx = catalog.db().begin_read(&ctx).await?;
    let (rates, tag) = shown(find_tax_periods(&tx).await?);
    tx.commit().await?;
    Ok(Reply::ok(&rates).etag(&tag))
}

async fn set(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    if_match: IfMatch,
    key: Idempotency,
    Json(input): Json<TaxRates>,
) -> Result<Reply, Problem> {
    run_once(catalog.clone().db(), &ctx, &key, async move |tx| {
        lock_tax_rates(tx).await?;
        if_match.check(&shown(find_tax_periods(tx).await?).1)?;
        let periods: Vec<TaxPeriod> = input.rates.iter().cloned().map(TaxPeriod::from).collect();
        set_tax_rates(&catalog, tx, &periods).await?;
        let (rates, tag) = shown(find_tax_periods(tx).await?);
        Ok(Reply::ok(&rates).etag(&tag))
    })
    .await
}
