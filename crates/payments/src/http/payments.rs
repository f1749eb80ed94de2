//! Taking and looking at payments.

use std::time::Duration;

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, Json, Op, Path, Problem, Query, Reply, Routes, Tenanted,
    idempotency::{Claim, claim_stmt, decode_claims, find_claimed},
    page::{Cursor, Page},
};
use kernel::{Actor, Ctx, Timestamp};

use super::{
    inputs::{ChargeBody, ConfirmBody, DayQuery, PaymentQuery},
    outputs::{PaymentDay, PaymentDetails, PaymentView},
};
use crate::{
    Payments,
    find_payment::{find_history, find_payment, find_refunds},
    list_payments::{PaymentFilter, list_payments},
    model::{ChargeOrder, Payment, PaymentId, PaymentState, Source},
    open_payments::{NewPayment, open_payments_stmt},
    problems::{
        PAYMENT_CURRENCY_MISMATCH, PAYMENT_NOT_CONFIRMABLE, PAYMENT_NOT_FOUND, PAYMENTS_OWN, PAYMENTS_READ,
        PAYMENTS_WRITE, UNKNOWN_PAYMENT_METHOD, UNKNOWN_PAYMENT_PROVIDER,
    },
    report_day::{bounds_of, report_day},
    settle_payments::{Settlement, settle},
    test_provider::TEST_PROVIDER,
};

/// Two calls to a provider and some room.
const CHARGE_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn routes(state: Payments) -> Routes<()> {
    Routes::new("Payments")
        .add(
            Op::post("/payments/charge", "charge_payment", "Take money at once")
                .description(
                    "Without an order: a deposit, a voucher. Answers with the payment in whatever state it is: \
                     `unknown` is found out by itself. Never charged twice under one key.",
                )
                .permission(PAYMENTS_WRITE)
                .idempotency(IdempotencyKey::Required)
                .timeout(CHARGE_TIMEOUT)
                .returns::<PaymentView>(201)
                .problems(&[UNKNOWN_PAYMENT_PROVIDER, UNKNOWN_PAYMENT_METHOD, PAYMENT_CURRENCY_MISMATCH]),
            charge,
        )
        .add(
            Op::get("/payments", "list_payments", "Payments, latest first")
                .permission(PAYMENTS_READ)
                .returns::<Page<PaymentView>>(200),
            list,
        )
        .add(
            Op::get("/payments/reconciliation", "report_payments", "What was taken and given back on one day")
                .description("By provider and currency; the test provider's own ledger beside it.")
                .permission(PAYMENTS_READ)
                .returns::<PaymentDay>(200),
            report,
        )
        .add(
            Op::get("/payments/{id}", "get_payment", "One payment with its refunds and history")
                .description("Visitors see their own.")
                .owned(PAYMENTS_READ, PAYMENTS_OWN)
                .returns::<PaymentDetails>(200)
                .problems(&[PAYMENT_NOT_FOUND]),
            get,
        )
        .add(
            Op::post("/payments/{id}/confirm", "confirm_payment", "The payer's answer to a test payment")
                .description("What a bank's page does for real cards. Visitors confirm their own.")
                .owned(PAYMENTS_READ, PAYMENTS_OWN)
                .timeout(CHARGE_TIMEOUT)
                .returns::<PaymentView>(200)
                .problems(&[PAYMENT_NOT_FOUND, PAYMENT_NOT_CONFIRMABLE]),
            confirm,
        )
        .with_state(state)
}

async fn charge(
    State(payments): State<Payments>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(body): Json<ChargeBody>,
) -> Result<Reply, Problem> {
    check_charge(&payments, &ctx, &body)?;
    let order = ChargeOrder {
        payment: PaymentId::new(),
        provider: body.provider,
        method: body.method,
        amount: body.amount,
    };
    let claim = Claim::new(&key, order.payment.0)?;
    if !open(&payments, &ctx, &claim, &order, body.reference).await? {
        return replay(&payments, &ctx, &claim).await;
    }
    let outcome = payments.charge(&ctx, &order).await;
    let tx = payments.db().begin(&ctx).await?;
    settle(&tx, &[Settlement { payment: order.payment, outcome, source: Source::Api }]).await?;
    let payment = find_payment(&tx, order.payment).await?;
    tx.commit().await?;
    taken(payment)
}

fn check_charge(payments: &Payments, ctx: &Ctx, body: &ChargeBody) -> Result<(), Problem> {
    let refuse = |code, pointer: &'static str, detail: &'static str| {
        Err(Problem::new(code).pointer(pointer, code, detail))
    };
    let Some(provider) = payments.provider(&body.provider) else {
        return refuse(UNKNOWN_PAYMENT_PROVIDER, "/provider", "there is no such provider");
    };
    if !provider.takes(&body.method) {
        return refuse(UNKNOWN_PAYMENT_METHOD, "/method", "the provider does not take this");
    }
    if body.amount.currency != ctx.tenant.currency {
        return refuse(PAYMENT_CURRENCY_MISMATCH, "/amount/currency", "is not the merchant's currency");
    }
    Ok(())
}

/// Opens the payment together with its key; whether the key was free.
async fn open(
    payments: &Payments,
    ctx: &Ctx,
    claim: &Claim,
    order: &ChargeOrder,
    purpose: Option<String>,
) -> Result<bool, Problem> {
    let tx = payments.db().begin(ctx).await?;
    let claimed = decode_claims(&tx.run(claim_stmt(ctx, &[*claim], 201)).await?)?;
    if claimed.is_empty() {
        return Ok(false);
    }
    let payment = NewPayment {
        id: order.payment,
        provider: order.provider.clone(),
        method: order.method.clone(),
        amount: order.amount,
        purpose,
        owner: None,
    };
    tx.run(open_payments_stmt(ctx, &[payment])).await?;
    tx.commit().await?;
    Ok(true)
}

/// The payment of the first request with this key, as it stands now.
async fn replay(payments: &Payments, ctx: &Ctx, claim: &Claim) -> Result<Reply, Problem> {
    let tx = payments.db().begin_read(ctx).await?;
    let resource = find_claimed(&tx, claim).await?;
    let payment = find_payment(&tx, PaymentId(resource)).await?;
    tx.commit().await?;
    taken(payment).map(Reply::replayed)
}

fn taken(payment: Option<Payment>) -> Result<Reply, Problem> {
    let payment = payment.ok_or_else(|| Problem::internal("a payment that was opened is not there"))?;
    Ok(Reply::created(format!("/api/v1/payments/{}", payment.id), &PaymentView::from(payment)))
}

async fn list(
    State(payments): State<Payments>,
    Tenanted(ctx): Tenanted,
    Query(query): Query<PaymentQuery>,
) -> Result<Reply, Problem> {
    let after: Option<(Timestamp, PaymentId)> = query.cursor.as_ref().map(Cursor::key).transpose()?;
    let PaymentQuery { state, provider, purpose, from, to, limit, .. } = query;
    let filter = PaymentFilter { state, provider, purpose, from, to };
    let tx = payments.db().begin_read(&ctx).await?;
    let rows = list_payments(&tx, &filter, after, limit.sql()).await?;
    tx.commit().await?;
    let page = Page::from_rows(rows, limit, |payment| (payment.created_at, payment.id));
    let items: Vec<PaymentView> = page.items.into_iter().map(Into::into).collect();
    Ok(Reply::ok(&Page { items, next_cursor: page.next_cursor }))
}

async fn report(
    State(payments): State<Payments>,
    Tenanted(ctx): Tenanted,
    Query(DayQuery { date }): Query<DayQuery>,
) -> Result<Reply, Problem> {
    let (from, to) = bounds_of(date, &ctx.tenant.settings.time_zone).map_err(Problem::internal)?;
    let tx = payments.db().begin_read(&ctx).await?;
    let totals = report_day(&tx, from, to).await?;
    tx.commit().await?;
    Ok(Reply::ok(&PaymentDay { date, from, to, totals }))
}

async fn get(
    State(payments): State<Payments>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<PaymentId>,
) -> Result<Reply, Problem> {
    let tx = payments.db().begin_read(&ctx).await?;
    let payment = own(&ctx, find_payment(&tx, id).await?)?;
    let refunds = find_refunds(&tx, id).await?;
    let history = find_history(&tx, id).await?;
    tx.commit().await?;
    Ok(Reply::ok(&PaymentDetails::new(payment, refunds, history, &ctx)))
}

async fn confirm(
    State(payments): State<Payments>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<PaymentId>,
    Json(ConfirmBody { approve }): Json<ConfirmBody>,
) -> Result<Reply, Problem> {
    let payment = own(&ctx, payments.read(&ctx, id).await?)?;
    let refused = || Problem::new(PAYMENT_NOT_CONFIRMABLE);
    let test = payments.test().filter(|_| payment.provider == TEST_PROVIDER).ok_or_else(refused)?;
    let answered = test.confirm(&ctx, id, approve).await?;
    let payment = payments.check(&ctx, id, Source::Api).await?.ok_or_else(refused)?;
    let wanted = if approve { PaymentState::Succeeded } else { PaymentState::Failed };
    if answered || payment.state == wanted {
        Ok(Reply::ok(&PaymentView::from(payment)))
    } else {
        Err(refused())
    }
}

/// The payment, unless the caller is a visitor and it is not theirs.
fn own(ctx: &Ctx, payment: Option<Payment>) -> Result<Payment, Problem> {
    let theirs = |payment: &Payment| match &ctx.caller.actor {
        Actor::Visitor(id) => payment.owner.as_deref() == Some(&**id),
        _ => true,
    };
    payment.filter(theirs).ok_or_else(|| Problem::new(PAYMENT_NOT_FOUND))
}
