//! Use case: sell. The hottest path: set-based through the combiner, two round trips and one commit for a batch.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use catalog::{Sellable, TaxTable};
use customers::CustomerId;
use db::{Batch, BatchTx, DbError, Row, Stmt};
use edge::idempotency::Claim;
use inventory::{Applied, Guard, Movement};
use kernel::{Ctx, Quantity, TenantId, Timestamp};
use moka::sync::Cache;

use crate::{
    booking::{self, Booking, Receipt},
    error::SaleError,
    flags::SPLIT_TENDER,
    insert_sales::{decode_receipts, insert_sales_stmt},
    model::{Channel, NewSale, Sale, SaleId, SaleKind},
    price_sale::{BookedLine, policy, price_sale},
    problems::*,
    registers::Register,
};

/// One wanted sale with what was found out about it before it queued.
#[derive(Debug)]
pub struct SaleRequest {
    /// What is wanted.
    pub sale: NewSale,
    /// Where it came from.
    pub channel: Channel,
    /// The register it is booked on.
    pub register: Arc<Register>,
    /// The tenant's VAT rates.
    pub taxes: Arc<TaxTable>,
    /// The idempotency key; the sale's id is what it protects.
    pub claim: Claim,
}

/// Books sales in batches; see [`db::combiner`].
#[derive(Debug)]
pub struct SaleBatch {
    /// Shelves that lately had too little: looked at before a sale of them is written, so that a sold-out product
    /// does not take every batch apart.
    short: Cache<(TenantId, uuid::Uuid, String), ()>,
}

impl Default for SaleBatch {
    fn default() -> Self {
        let minute = std::time::Duration::from_secs(60);
        Self { short: Cache::builder().max_capacity(10_000).time_to_live(minute).build() }
    }
}

/// One request's own result.
pub(crate) type Outcome = Result<Sale, SaleError>;

type Job = (Ctx, SaleRequest);

/// What the first round trip found for one tenant.
struct Facts {
    claimed: HashSet<uuid::Uuid>,
    products: Vec<Sellable>,
    customers: Option<HashSet<CustomerId>>,
    available: HashMap<(uuid::Uuid, String), i64>,
}

impl Batch for SaleBatch {
    type Input = SaleRequest;
    type Output = Outcome;

    fn weight(&self, request: &SaleRequest) -> usize {
        request.sale.lines.len()
    }

    async fn run(&self, tx: &BatchTx, jobs: &[Job]) -> Result<Vec<Outcome>, DbError> {
        let groups: Vec<&[Job]> = jobs.chunk_by(|a, b| a.0.tenant_id() == b.0.tenant_id()).collect();
        let reads: Vec<_> = groups.iter().map(|group| (tenant(group), self.reads(group))).collect();
        let found = tx.run(&reads).await?;
        let mut decided = Vec::with_capacity(groups.len());
        for (group, rows) in groups.iter().zip(&found) {
            decided.push(decide(group, &self.facts(group, rows)?));
        }
        let writes: Vec<_> = groups
            .iter()
            .zip(&decided)
            .map(|(group, decided)| (tenant(group), writes(group, decided)))
            .filter(|(_, statements)| !statements.is_empty())
            .collect();
        let written = tx.run(&writes).await?;
        let mut written = written.iter();
        let mut alerts = Vec::new();
        let mut outcomes = Vec::with_capacity(jobs.len());
        for (group, decided) in groups.iter().zip(decided) {
            let rows = if wrote(&decided) { written.next().map(Vec::as_slice) } else { None };
            let (receipts, applied) = self.read_back(group, &decided, rows.unwrap_or_default())?;
            alerts.extend(low_stock(group, &applied));
            outcomes.extend(conclude(group, decided, &receipts));
        }
        if !alerts.is_empty() {
            tx.run(&alerts).await?;
        }
        Ok(outcomes)
    }
}

impl SaleBatch {
    /// Claims the idempotency keys, and reads products, customers and doubtful shelves.
    fn reads(&self, group: &[Job]) -> Vec<Stmt> {
        let ctx = &group[0].0;
        let claims: Vec<Claim> = group.iter().map(|(_, request)| request.claim).collect();
        let skus: Vec<&str> = all_lines(group).map(|(_, sku)| sku).collect();
        let mut statements =
            vec![edge::idempotency::claim_stmt(ctx, &claims, 201), catalog::sellable_stmt(ctx, &skus)];
        let buyers = buyers(group);
        if !buyers.is_empty() {
            statements.push(customers::exists_stmt(ctx, &buyers));
        }
        let doubtful = self.doubtful(group);
        if !doubtful.is_empty() {
            statements.push(inventory::levels_stmt(ctx, &doubtful));
        }
        statements
    }

    fn facts(&self, group: &[Job], rows: &[Vec<Row>]) -> Result<Facts, DbError> {
        let mut rows = rows.iter().map(Vec::as_slice);
        let mut next = || rows.next().unwrap_or_default();
        let claimed = edge::idempotency::decode_claims(next())?;
        let products = catalog::decode_sellable(next())?;
        let customers = match buyers(group).is_empty() {
            true => None,
            false => Some(customers::decode_exists(next())?),
        };
        let mut available = HashMap::new();
        if !self.doubtful(group).is_empty() {
            for level in inventory::decode_levels(next())?.into_iter().filter(|level| level.tracked) {
                available.insert((level.shop.0, level.sku.clone()), level.available());
            }
        }
        Ok(Facts { claimed, products, customers, available })
    }

    fn doubtful<'a>(&self, group: &'a [Job]) -> Vec<(inventory::ShopId, &'a str)> {
        if self.short.entry_count() == 0 || booking::guard(&group[0].0, SaleKind::Sale) == Guard::Allow {
            return Vec::new();
        }
        let tenant = tenant(group);
        let short =
            |shop: inventory::ShopId, sku: &str| self.short.contains_key(&(tenant, shop.0, sku.to_owned()));
        let mut pairs: Vec<_> = all_lines(group).filter(|(shop, sku)| short(*shop, sku)).collect();
        pairs.sort_unstable_by_key(|(shop, sku)| (shop.0, *sku));
        pairs.dedup();
        pairs
    }

    /// Reads receipts and stock; a shelf that refused fails the batch, which the combiner then takes apart.
    fn read_back(
        &self,
        group: &[Job],
        decided: &[Result<Booking, SaleError>],
        rows: &[Vec<Row>],
    ) -> Result<(HashMap<SaleId, Receipt>, Vec<Applied>), DbError> {
        let [receipts, applied, ..] = rows else { return Ok(Default::default()) };
        let receipts = decode_receipts(receipts)?;
        let applied = inventory::decode_applied(applied)?;
        let done: HashSet<_> =
            applied.iter().map(|applied| (applied.level.shop.0, applied.level.sku.as_str())).collect();
        let wanted = decided
            .iter()
            .flatten()
            .flat_map(|booking| booking.priced.lines.iter().map(|line| (booking.shop.0, line.sku.as_str())));
        for (shop, sku) in wanted {
            if !done.contains(&(shop, sku)) {
                self.short.insert((tenant(group), shop, sku.to_owned()), ());
                self.short.run_pending_tasks();
                return Err(DbError::Check { constraint: format!("{SHORT}{sku}") });
            }
        }
        Ok((receipts, applied))
    }
}

/// How a batch says that a shelf refused; followed by the SKU.
const SHORT: &str = "out_of_stock ";

/// What a failed submission means for its request.
#[must_use]
pub(crate) fn submission_error(error: DbError) -> SaleError {
    match &error {
        DbError::Check { constraint } => match constraint.strip_prefix(SHORT) {
            Some(sku) => SaleError::OutOfStock { sku: sku.to_owned(), left: None },
            None => SaleError::Db(error),
        },
        _ => SaleError::Db(error),
    }
}

fn tenant(group: &[Job]) -> TenantId {
    group[0].0.tenant_id()
}

fn all_lines(group: &[Job]) -> impl Iterator<Item = (inventory::ShopId, &str)> {
    group.iter().flat_map(|(_, request)| {
        request.sale.lines.iter().map(|line| (request.register.shop_id, line.sku.as_str()))
    })
}

fn buyers(group: &[Job]) -> Vec<CustomerId> {
    group.iter().filter_map(|(_, request)| request.sale.customer_id).collect()
}

/// Pure: what becomes of each request of one tenant.
fn decide(group: &[Job], facts: &Facts) -> Vec<Result<Booking, SaleError>> {
    let products: HashMap<&str, &Sellable> =
        facts.products.iter().map(|product| (product.sku.as_str(), product)).collect();
    let mut available = facts.available.clone();
    let latest = group.iter().map(|(ctx, _)| ctx.now()).max();
    let decide = |(ctx, request): &Job| {
        let mut booking = decide_one(ctx, request, facts, &products, &mut available)?;
        booking.booked_at = latest.unwrap_or(booking.booked_at);
        Ok(booking)
    };
    group.iter().map(decide).collect()
}

fn decide_one(
    ctx: &Ctx,
    request: &SaleRequest,
    facts: &Facts,
    products: &HashMap<&str, &Sellable>,
    available: &mut HashMap<(uuid::Uuid, String), i64>,
) -> Result<Booking, SaleError> {
    let id = SaleId(request.claim.resource);
    if !facts.claimed.contains(&request.claim.resource) {
        return Err(SaleError::Replay { sale: id });
    }
    if request.sale.tenders.len() > 1 && !ctx.flags().on(SPLIT_TENDER) {
        let detail = format!("{} is switched off", SPLIT_TENDER.name);
        return Err(SaleError::at(FEATURE_OFF, "/tenders", detail));
    }
    let at = occurred_at(ctx, &request.sale)?;
    if let (Some(customer), Some(known)) = (request.sale.customer_id, &facts.customers)
        && !known.contains(&customer)
    {
        let detail = format!("there is no customer {customer}");
        return Err(SaleError::at(UNKNOWN_CUSTOMER, "/customerId", detail));
    }
    let priced = price_sale(&ctx.tenant, &request.sale, products, &request.taxes, at)?;
    let shop = request.register.shop_id;
    take_from_shelves(available, shop.0, &priced.lines)?;
    Ok(Booking {
        id,
        kind: SaleKind::Sale,
        channel: request.channel,
        shop,
        register: request.register.id,
        receipt_prefix: request.register.receipt_prefix.clone(),
        cashier: ctx.caller.actor.to_string(),
        customer: request.sale.customer_id,
        original: None,
        reason: None,
        policy: policy(&ctx.tenant),
        priced,
        tenders: request.sale.tenders.clone(),
        occurred_at: at,
        booked_at: ctx.now(),
        in_shift: true,
    })
}

/// Takes the lines of one sale from what is known to be left, all or none, so that a sale that is refused leaves the
/// rest to those behind it.
fn take_from_shelves(
    available: &mut HashMap<(uuid::Uuid, String), i64>,
    shop: uuid::Uuid,
    lines: &[BookedLine],
) -> Result<(), SaleError> {
    let key = |line: &BookedLine| (shop, line.sku.clone());
    for (index, line) in lines.iter().enumerate() {
        let Some(left) = available.get_mut(&key(line)) else { continue };
        *left -= line.quantity.thousandths();
        if *left >= 0 {
            continue;
        }
        let left = Quantity::from_thousandths((*left + line.quantity.thousandths()).max(0));
        for line in &lines[..=index] {
            if let Some(left) = available.get_mut(&key(line)) {
                *left += line.quantity.thousandths();
            }
        }
        return Err(SaleError::OutOfStock { sku: line.sku.clone(), left });
    }
    Ok(())
}

/// When the sale happened; tills may run up to five minutes ahead.
fn occurred_at(ctx: &Ctx, sale: &NewSale) -> Result<Timestamp, SaleError> {
    let now = ctx.now();
    let Some(at) = sale.occurred_at else { return Ok(now) };
    if at.as_second() > now.as_second() + 300 {
        let detail = format!("it is {now} here");
        return Err(SaleError::at(OCCURRED_IN_FUTURE, "/occurredAt", detail));
    }
    let micros = Timestamp::from_microsecond(at.as_microsecond());
    micros.map_err(|_| SaleError::at(AMOUNT_OUT_OF_RANGE, "/occurredAt", "the time is out of range"))
}

fn wrote(decided: &[Result<Booking, SaleError>]) -> bool {
    decided.iter().any(|decision| match decision {
        Ok(_) => true,
        Err(error) => !matches!(error, SaleError::Replay { .. }),
    })
}

/// Books what was decided for one tenant, and gives back the keys of what was refused.
fn writes(group: &[Job], decided: &[Result<Booking, SaleError>]) -> Vec<Stmt> {
    let ctx = &group[0].0;
    let bookings: Vec<Booking> = decided.iter().flatten().cloned().collect();
    let mut statements = Vec::with_capacity(4);
    if !bookings.is_empty() {
        let movements: Vec<Movement> = bookings.iter().flat_map(booking::movements).collect();
        let own =
            group.iter().zip(decided).filter_map(|((own, _), decision)| Some((own, decision.as_ref().ok()?)));
        let news: Vec<_> = own.map(|(own, booked)| crate::events::booked(own, booked)).collect();
        statements.push(insert_sales_stmt(ctx, &bookings));
        let guard = booking::guard(ctx, SaleKind::Sale);
        statements.push(inventory::post_movements_stmt(ctx, &movements, guard));
        statements.push(messages::publish_stmt(ctx, &news));
    }
    let refused: Vec<uuid::Uuid> = group
        .iter()
        .zip(decided)
        .filter(|(_, decision)| matches!(decision, Err(error) if !matches!(error, SaleError::Replay { .. })))
        .map(|((_, request), _)| request.claim.key)
        .collect();
    if !refused.is_empty() {
        statements.push(edge::idempotency::release_stmt(ctx, &refused));
    }
    statements
}

fn low_stock(group: &[Job], applied: &[Applied]) -> Option<(TenantId, Vec<Stmt>)> {
    let ctx = &group[0].0;
    let alerts = inventory::low_stock_alerts(applied);
    (!alerts.is_empty()).then(|| (ctx.tenant_id(), vec![messages::publish_stmt(ctx, &alerts)]))
}

fn conclude(
    group: &[Job],
    decided: Vec<Result<Booking, SaleError>>,
    receipts: &HashMap<SaleId, Receipt>,
) -> Vec<Outcome> {
    let missing = || SaleError::Db(DbError::Other("a booking came back without a receipt".to_owned()));
    group
        .iter()
        .zip(decided)
        .map(|((ctx, _), decision)| {
            let booking = decision?;
            let receipt = receipts.get(&booking.id).ok_or_else(missing)?;
            Ok(booking::booked_sale(ctx, &booking, *receipt))
        })
        .collect()
}
