//! What providers tell.

use std::sync::Arc;

use axum::extract::State;
use edge::{LimitedAs, Op, Path, Problem, Query, RawBody, Reply, Routes, Visitor, codes};
use http::HeaderMap;
use kernel::{Actor, Caller, Ctx, PermissionSet, Tenant, TenantStatus};

use super::{inputs::WebhookQuery, outputs::WebhookReceipt};
use crate::{
    Payments,
    problems::{PAYMENT_PROVIDER_NOT_FOUND, WEBHOOK_MALFORMED, WEBHOOK_SIGNATURE_INVALID, WEBHOOK_TOO_OLD},
    provider::{WEBHOOK_SECRET, WebhookError},
    receive_webhook::Received,
};

/// The largest webhook, in bytes.
const MOST_BODY: usize = 256 * 1024;

pub(super) fn routes(state: Payments) -> Routes<()> {
    Routes::new("Payments")
        .add(
            Op::post("/payments/webhooks/{provider}", "receive_payment_webhook", "What a provider tells")
                .description(
                    "The merchant is named by `X-Tenant` or by `?tenant=`. Signed by the provider with the secret of \
                     the merchant's account, within five minutes. What happened is asked of the provider; a replay \
                     has no second effect.",
                )
                .public()
                // A provider tells of all its merchants' payments from a few addresses, and signs.
                .limited_as(LimitedAs::Unlimited)
                .body_raw("application/json")
                .body_limit(MOST_BODY)
                .returns::<WebhookReceipt>(200)
                .problems(&[
                    PAYMENT_PROVIDER_NOT_FOUND,
                    codes::TENANT_REQUIRED,
                    WEBHOOK_SIGNATURE_INVALID,
                    WEBHOOK_TOO_OLD,
                    WEBHOOK_MALFORMED,
                ]),
            receive,
        )
        .with_state(state)
}

async fn receive(
    State(payments): State<Payments>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(query): Query<WebhookQuery>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Reply, Problem> {
    let provider = payments.provider(&name).ok_or_else(|| Problem::new(PAYMENT_PROVIDER_NOT_FOUND))?;
    let ctx = context(&payments, visitor, query.tenant.as_deref()).await?;
    let account = payments.accounts().find(&ctx, provider.name()).await?;
    let secret = account.as_ref().and_then(|account| account.get(WEBHOOK_SECRET));
    let secret = secret.ok_or_else(|| Problem::from(WebhookError::Signature))?;
    let event = provider.parse_webhook(&headers, &body, secret, ctx.now())?;
    let received = payments.receive(&ctx, provider.name(), &event).await?;
    let known = received != Received::Foreign;
    Ok(Reply::ok(&WebhookReceipt { known, replayed: received == Received::Replayed }))
}

/// The merchant's context; a merchant who is not there answers like one with another secret.
async fn context(payments: &Payments, visitor: Visitor, named: Option<&str>) -> Result<Ctx, Problem> {
    let tenant: Arc<Tenant> = match (visitor.tenant, named) {
        (Some(tenant), _) => tenant,
        (None, Some(slug)) => {
            let found = payments.tenants().find_tenant(slug).await;
            let found = found.map_err(|error| Problem::new(codes::IDENTITY_UNAVAILABLE).because(error))?;
            let active = found.filter(|tenant| tenant.status == TenantStatus::Active);
            active.ok_or_else(|| Problem::from(WebhookError::Signature))?
        }
        (None, None) => return Err(Problem::new(codes::TENANT_REQUIRED)),
    };
    let caller = Caller {
        actor: Actor::System,
        permissions: PermissionSet::new(["*"]),
        correlation_id: visitor.correlation_id,
        trace: visitor.trace,
        now: visitor.now,
    };
    Ok(Ctx { tenant, caller })
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        Self::new(match error {
            WebhookError::Signature => WEBHOOK_SIGNATURE_INVALID,
            WebhookError::Stale => WEBHOOK_TOO_OLD,
            WebhookError::Malformed => WEBHOOK_MALFORMED,
            WebhookError::Unsupported => PAYMENT_PROVIDER_NOT_FOUND,
        })
    }
}
