//! Use cases: the addresses that a customer keeps, at most 20, at most one of them the default for each purpose.

use std::fmt;

use db::{DbError, Row, TenantTx};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Address, CountryCode};
use crate::{
    CustomerId,
    model::{is_plain, refuse},
};

kernel::id!(
    /// An address that a customer keeps.
    AddressId,
    "adr"
);

/// Addresses of one customer at most.
const MOST: usize = 20;

/// An address as a customer keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavedAddress {
    /// Identity.
    pub id: AddressId,
    /// What the customer calls it.
    pub label: String,
    /// The address itself.
    pub address: Address,
    /// Goods go here unless something else is said.
    pub default_shipping: bool,
    /// Bills go here unless something else is said.
    pub default_billing: bool,
}

impl SavedAddress {
    fn decode(row: &Row) -> Result<Self, DbError> {
        let country: &str = row.try_get("country")?;
        let country =
            CountryCode::new(country).ok_or_else(|| DbError::Other("a stored country is none".to_owned()))?;
        Ok(Self {
            id: row.try_get("id")?,
            label: row.try_get("label")?,
            address: Address {
                name: row.try_get("name")?,
                company: row.try_get("company")?,
                lines: row.try_get("lines")?,
                postal_code: row.try_get("postal_code")?,
                city: row.try_get("city")?,
                region: row.try_get("region")?,
                country,
                phone: row.try_get("phone")?,
            },
            default_shipping: row.try_get("default_shipping")?,
            default_billing: row.try_get("default_billing")?,
        })
    }
}

impl fmt::Debug for SavedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SavedAddress").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What is said about an address; the whole of it, also on update.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SavedAddressInput {
    /// What the customer calls it.
    #[garde(custom(label_rule))]
    #[schema(max_length = 80, pattern = r"^[^\x00-\x1f\x7f]*$")]
    #[serde(default)]
    label: String,
    /// The address itself.
    #[garde(dive)]
    address: Address,
    /// Goods go here unless something else is said; the one before loses this.
    #[garde(skip)]
    #[serde(default)]
    default_shipping: bool,
    /// Bills go here unless something else is said; the one before loses this.
    #[garde(skip)]
    #[serde(default)]
    default_billing: bool,
}

fn label_rule(text: &str, _: &()) -> garde::Result {
    let fine = text.chars().count() <= 80 && is_plain(text);
    refuse(fine, "must be at most 80 characters, without control characters")
}

/// Why an address was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddressError {
    /// The customer has no such address.
    #[error("there is no such address")]
    NotFound,
    /// The customer has as many as there may be.
    #[error("there are as many addresses as there may be")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A customer's addresses, oldest first.
pub(crate) async fn list_addresses(
    tx: &TenantTx,
    customer: CustomerId,
) -> Result<Vec<SavedAddress>, DbError> {
    let rows = tx.query(include_str!("list_addresses.sql"), &[&tx.tenant_id(), &customer]).await?;
    rows.iter().map(SavedAddress::decode).collect()
}

/// Adds an address of a customer who is locked.
pub(crate) async fn create_address(
    tx: &TenantTx,
    customer: CustomerId,
    input: &SavedAddressInput,
) -> Result<SavedAddress, AddressError> {
    if list_addresses(tx, customer).await?.len() >= MOST {
        return Err(AddressError::TooMany);
    }
    let id = AddressId::new();
    take_defaults(tx, customer, input).await?;
    let sql = include_str!("create_address.sql");
    Ok(SavedAddress::decode(&write(tx, sql, customer, id, input).await?.ok_or(AddressError::NotFound)?)?)
}

/// Replaces an address of a customer who is locked.
pub(crate) async fn update_address(
    tx: &TenantTx,
    customer: CustomerId,
    id: AddressId,
    input: &SavedAddressInput,
) -> Result<SavedAddress, AddressError> {
    take_defaults(tx, customer, input).await?;
    let sql = include_str!("update_address.sql");
    Ok(SavedAddress::decode(&write(tx, sql, customer, id, input).await?.ok_or(AddressError::NotFound)?)?)
}

async fn write(
    tx: &TenantTx,
    sql: &'static str,
    customer: CustomerId,
    id: AddressId,
    input: &SavedAddressInput,
) -> Result<Option<Row>, DbError> {
    let SavedAddressInput { label, address, default_shipping, default_billing } = input;
    let Address { name, company, lines, postal_code, city, region, country, phone } = address;
    let (tenant, now, country) = (tx.tenant_id(), tx.ctx().now(), country.as_str());
    tx.query_opt(
        sql,
        &[
            &tenant,
            &id,
            &customer,
            label,
            name,
            company,
            lines,
            postal_code,
            city,
            region,
            &country,
            phone,
            default_shipping,
            default_billing,
            &now,
        ],
    )
    .await
}

/// The defaults that `input` wants are no other address' any more.
async fn take_defaults(
    tx: &TenantTx,
    customer: CustomerId,
    input: &SavedAddressInput,
) -> Result<(), DbError> {
    if !input.default_shipping && !input.default_billing {
        return Ok(());
    }
    let sql = include_str!("take_defaults.sql");
    tx.execute(sql, &[&tx.tenant_id(), &customer, &input.default_shipping, &input.default_billing])
        .await
        .map(drop)
}

/// Removes an address.
pub(crate) async fn delete_address(
    tx: &TenantTx,
    customer: CustomerId,
    id: AddressId,
) -> Result<(), AddressError> {
    let sql = include_str!("delete_address.sql");
    match tx.execute(sql, &[&tx.tenant_id(), &customer, &id]).await? {
        0 => Err(AddressError::NotFound),
        _ => Ok(()),
    }
}

/// Gives the addresses of `from` to `into`, both locked. Defaults of `into` stay; what it has none of, it gets.
pub(crate) async fn move_addresses(
    tx: &TenantTx,
    from: CustomerId,
    into: CustomerId,
) -> Result<(), AddressError> {
    let (theirs, own) = (list_addresses(tx, from).await?, list_addresses(tx, into).await?);
    if theirs.len() + own.len() > MOST {
        return Err(AddressError::TooMany);
    }
    let has_shipping = own.iter().any(|address| address.default_shipping);
    let has_billing = own.iter().any(|address| address.default_billing);
    let sql = include_str!("move_addresses.sql");
    tx.execute(sql, &[&tx.tenant_id(), &from, &into, &has_shipping, &has_billing]).await?;
    Ok(())
}
