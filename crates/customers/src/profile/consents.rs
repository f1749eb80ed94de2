//! Use cases: what a customer has allowed. Nothing is ever changed; the latest word on a purpose counts.

use db::{DbError, Row, TenantTx};
use garde::Validate;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    CustomerId,
    model::{is_plain, refuse},
};

kernel::id!(
    /// One word of a customer on a purpose.
    ConsentId,
    "con"
);

/// What data is used for only with consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConsentPurpose)]
pub enum Purpose {
    /// Advertising by mail.
    EmailMarketing,
    /// Advertising by text message.
    SmsMarketing,
    /// Conclusions from what was bought.
    Profiling,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::EmailMarketing => "email_marketing",
            Self::SmsMarketing => "sms_marketing",
            Self::Profiling => "profiling",
        }
    }

    fn read(text: &str) -> Result<Self, DbError> {
        [Self::EmailMarketing, Self::SmsMarketing, Self::Profiling]
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
            .ok_or_else(|| DbError::Other(format!("{text} is no purpose")))
    }
}

/// What a customer has said about a purpose, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Consent {
    /// Identity.
    pub id: ConsentId,
    /// What it is about.
    pub purpose: Purpose,
    /// Allowed or forbidden.
    pub granted: bool,
    /// Where it was said: a form, a till, a letter.
    pub source: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Timestamp,
}

impl Consent {
    fn decode(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.try_get("id")?,
            purpose: Purpose::read(row.try_get("purpose")?)?,
            granted: row.try_get("granted")?,
            source: row.try_get("source")?,
            recorded_at: row.try_get("recorded_at")?,
        })
    }
}

/// What a customer says about a purpose now.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsentInput {
    /// What it is about.
    #[garde(skip)]
    pub purpose: Purpose,
    /// Allowed or forbidden.
    #[garde(skip)]
    pub granted: bool,
    /// Where it was said: `web form`, `till`, `letter of 3 May`.
    #[garde(custom(source_rule))]
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    )]
    pub source: String,
}

fn source_rule(text: &str, _: &()) -> garde::Result {
    let fine = !text.trim().is_empty() && text.chars().count() <= 100 && is_plain(text);
    refuse(fine, "must be 1 to 100 characters, not all blank, without control characters")
}

/// Records what a customer says.
///
/// # Errors
/// [`DbError`]; also when there is no such customer.
pub async fn record_consent(
    tx: &TenantTx,
    customer: CustomerId,
    input: &ConsentInput,
) -> Result<Consent, DbError> {
    let (id, now) = (ConsentId::new(), tx.ctx().now());
    let ConsentInput { purpose, granted, source } = input;
    let row = tx
        .query_one(
            include_str!("record_consent.sql"),
            &[&tx.tenant_id(), &id, &customer, &purpose.as_str(), granted, source, &now],
        )
        .await?;
    Consent::decode(&row)
}

/// What a customer has said, latest first, before `before`; at most `take`.
pub(crate) async fn list_consents(
    tx: &TenantTx,
    customer: CustomerId,
    before: Option<ConsentId>,
    take: i64,
) -> Result<Vec<Consent>, DbError> {
    let before = before.unwrap_or(ConsentId(Uuid::max()));
    let sql = include_str!("list_consents.sql");
    let rows = tx.query(sql, &[&tx.tenant_id(), &customer, &before, &take]).await?;
    rows.iter().map(Consent::decode).collect()
}

/// Whether a customer allows `purpose` now. Nobody who has said nothing does, nor one who is no customer any more.
/// Of customers who became one, the latest word of any of them counts.
///
/// # Errors
/// [`DbError`].
pub async fn has_consent(tx: &TenantTx, customer: CustomerId, purpose: Purpose) -> Result<bool, DbError> {
    let sql = include_str!("has_consent.sql");
    let row = tx.query_one(sql, &[&tx.tenant_id(), &customer, &purpose.as_str()]).await?;
    Ok(row.try_get("granted")?)
}
