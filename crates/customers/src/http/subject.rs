//! Which customer a path means, and whether the caller may.

use std::borrow::Cow;

use db::TenantTx;
use edge::Problem;
use kernel::{Actor, Ctx};
use serde::{Deserialize, Deserializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use super::problem;
use crate::{
    Buyer, CustomerId,
    manage_customers::{get_customer, lock_customer},
    model::Customer,
    problems::{CUSTOMER_MERGED, CUSTOMER_NOT_FOUND},
};

/// A customer by id, or `me`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject {
    Me,
    Of(CustomerId),
}

impl Subject {
    /// The customer meant. Whoever is no staff means themselves or nobody; staff is nobody's `me`.
    pub(super) fn resolve(self, ctx: &Ctx) -> Result<CustomerId, Problem> {
        let unknown = || Problem::new(CUSTOMER_NOT_FOUND);
        match (self, &ctx.caller.actor) {
            (Self::Me, _) => own_id(ctx),
            (Self::Of(id), Actor::Visitor(_)) if own_id(ctx)? != id => Err(unknown()),
            (Self::Of(id), _) => Ok(id),
        }
    }

    /// The customer meant, as they are now.
    pub(super) async fn read(self, tx: &TenantTx) -> Result<Customer, Problem> {
        let customer = get_customer(tx, self.resolve(tx.ctx())?).await.map_err(problem)?;
        seen_by(tx.ctx(), customer)
    }

    /// The customer meant, locked, to be changed: nobody who was merged.
    pub(super) async fn lock(self, tx: &TenantTx) -> Result<Customer, Problem> {
        let customer = lock_customer(tx, self.resolve(tx.ctx())?).await.map_err(problem)?;
        let customer = seen_by(tx.ctx(), customer)?;
        match customer.merged_into {
            Some(into) => Err(Problem::new(CUSTOMER_MERGED).extension("mergedInto", into.to_string())),
            None => Ok(customer),
        }
    }
}

/// A token outlives its customer by minutes; it shows nothing then.
fn seen_by(ctx: &Ctx, customer: Customer) -> Result<Customer, Problem> {
    match ctx.caller.actor {
        Actor::Visitor(_) if !customer.active => Err(Problem::new(CUSTOMER_NOT_FOUND)),
        _ => Ok(customer),
    }
}

/// The customer who asks.
pub(super) fn own_id(ctx: &Ctx) -> Result<CustomerId, Problem> {
    Buyer::of(ctx).customer().ok_or_else(|| Problem::new(CUSTOMER_NOT_FOUND))
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        if text == "me" {
            return Ok(Self::Me);
        }
        text.parse().map(Self::Of).map_err(|_| serde::de::Error::custom("must be me or cus_..."))
    }
}

impl PartialSchema for Subject {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^(me|cus_[0-7][0-9A-HJKMNP-TV-Z]{25})$"))
            .description(Some("A customer by id; `me` is the customer who asks."))
            .into()
    }
}

impl ToSchema for Subject {
    fn name() -> Cow<'static, str> {
        "CustomerSubject".into()
    }
}
