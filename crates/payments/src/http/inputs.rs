//! What requests may say.

use std::collections::BTreeMap;

use edge::page::{Cursor, Limit};
use garde::Validate;
use jiff::civil::Date;
use kernel::{Currency, Money, Timestamp};
use serde::Deserialize;
use utoipa::{
    IntoParams, PartialSchema as _, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema,
        schema::{AdditionalProperties, Type},
    },
};

use crate::model::{PaymentId, PaymentState};

/// The most that one payment takes, in minor units.
const MOST_AMOUNT: i64 = 100_000_000_000;

/// An amount above zero.
fn above_zero_schema() -> RefOr<Schema> {
    let amount = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(MOST_AMOUNT))
        .description(Some("Minor units."));
    ObjectBuilder::new()
        .property("amount", amount)
        .required("amount")
        .property("currency", Currency::schema())
        .required("currency")
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
        .into()
}

fn above_zero(money: &Money, _: &()) -> garde::Result {
    if (1..=MOST_AMOUNT).contains(&money.amount) {
        Ok(())
    } else {
        Err(garde::Error::new(format!("must be between 1 and {MOST_AMOUNT} minor units")))
    }
}

/// Money to take from somebody at once.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ChargeBody {
    /// The provider's name.
    #[garde(length(chars, min = 1, max = 32))]
    #[schema(min_length = 1, max_length = 32, example = "test")]
    pub(super) provider: String,
    /// The means of payment, in the provider's words; never card data.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, example = "card_approved")]
    pub(super) method: String,
    /// How much, in the merchant's currency.
    #[garde(custom(above_zero))]
    #[schema(schema_with = above_zero_schema)]
    pub(super) amount: Money,
    /// What it is for, in the caller's words; ids of checkouts (`chk_..`) are for checkouts alone.
    #[garde(inner(length(chars, min = 1, max = 100), custom(no_checkout)))]
    #[schema(min_length = 1, max_length = 100, pattern = "^(?!chk_)")]
    pub(super) reference: Option<String>,
}

fn no_checkout(reference: &str, (): &()) -> garde::Result {
    match reference.starts_with("chk_") {
        true => Err(garde::Error::new("must not be the id of a checkout")),
        false => Ok(()),
    }
}

/// Money to give back.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RefundBody {
    /// Of which payment.
    #[garde(skip)]
    pub(super) payment_id: PaymentId,
    /// How much, in the currency of the payment.
    #[garde(custom(above_zero))]
    #[schema(schema_with = above_zero_schema)]
    pub(super) amount: Money,
    /// Why.
    #[garde(length(chars, min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    pub(super) reason: String,
}

/// The payer's answer.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(super) struct ConfirmBody {
    /// Whether the money may be taken.
    pub(super) approve: bool,
}

/// The merchant's account with a provider. Replaces what was set; nothing of it is ever shown again.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AccountBody {
    /// By the provider's names, which `GET /payments/providers` lists.
    #[garde(custom(few_and_short))]
    #[schema(schema_with = credentials_schema)]
    pub(super) credentials: BTreeMap<String, String>,
}

impl std::fmt::Debug for AccountBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountBody").finish_non_exhaustive()
    }
}

fn few_and_short(credentials: &BTreeMap<String, String>, _: &()) -> garde::Result {
    if credentials.len() > 10 {
        return Err(garde::Error::new("must be at most 10"));
    }
    match credentials.values().all(|value| (1..=500).contains(&value.chars().count())) {
        true => Ok(()),
        false => Err(garde::Error::new("must each have 1 to 500 characters")),
    }
}

fn credentials_schema() -> RefOr<Schema> {
    let value = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(500));
    ObjectBuilder::new()
        .additional_properties(Some(AdditionalProperties::from(RefOr::T(Schema::from(value)))))
        .max_properties(Some(10))
        .into()
}

/// Which payments are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PaymentQuery {
    /// Only in this state.
    #[garde(skip)]
    #[param(inline)]
    pub(super) state: Option<PaymentState>,
    /// Only of this provider.
    #[garde(inner(length(chars, min = 1, max = 32)))]
    #[param(min_length = 1, max_length = 32)]
    pub(super) provider: Option<String>,
    /// Only for this purpose: the id of a checkout, or a caller's reference.
    #[garde(inner(length(chars, min = 1, max = 100)))]
    #[param(min_length = 1, max_length = 100)]
    pub(super) purpose: Option<String>,
    /// Only opened from this time on.
    #[garde(skip)]
    #[param(value_type = Option<String>, format = DateTime)]
    pub(super) from: Option<Timestamp>,
    /// Only opened before this time.
    #[garde(skip)]
    #[param(value_type = Option<String>, format = DateTime)]
    pub(super) to: Option<Timestamp>,
    /// How many items at most.
    #[garde(skip)]
    #[serde(default)]
    #[param(inline, required = false)]
    pub(super) limit: Limit,
    /// `nextCursor` of the page before.
    #[garde(skip)]
    #[param(inline)]
    pub(super) cursor: Option<Cursor>,
}

/// Which day.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DayQuery {
    /// The day, in the merchant's time zone.
    #[garde(custom(reckonable))]
    #[param(value_type = String, format = Date)]
    pub(super) date: Date,
}

fn reckonable(date: &Date, _: &()) -> garde::Result {
    if (0..9999).contains(&date.year()) {
        Ok(())
    } else {
        Err(garde::Error::new("must be a day of a year from 0000 to 9998"))
    }
}

/// Whose webhook it is, for providers that cannot send a header.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WebhookQuery {
    /// The merchant's short name, where `X-Tenant` cannot be sent.
    #[garde(inner(length(bytes, min = 2, max = 40)))]
    #[param(min_length = 2, max_length = 40)]
    pub(super) tenant: Option<String>,
}
