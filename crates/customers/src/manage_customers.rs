//! Use cases: create, read, list, change and deactivate customers.

use db::{DbError, TenantTx};
use uuid::Uuid;

use crate::{
    accounts::end_sessions,
    model::{Customer, CustomerId, CustomerInput, tidy_tags},
};

/// Why a customer was not written.
#[derive(Debug, thiserror::Error)]
pub enum CustomerError {
    /// No such customer of this tenant.
    #[error("there is no such customer")]
    NotFound,
    /// Another customer has the reference.
    #[error("another customer has this reference")]
    ReferenceExists,
    /// The customer was merged into this one and stays inactive.
    #[error("the customer was merged into another one")]
    Merged(Option<CustomerId>),
    /// The database failed.
    #[error(transparent)]
    Db(DbError),
}

impl From<DbError> for CustomerError {
    fn from(error: DbError) -> Self {
        if error.is_unique("customer_reference_unique") { Self::ReferenceExists } else { Self::Db(error) }
    }
}

/// Creates a customer.
pub(crate) async fn create_customer(tx: &TenantTx, input: &CustomerInput) -> Result<Customer, CustomerError> {
    let (id, now) = (CustomerId::new(), tx.ctx().now());
    let CustomerInput { reference, name, email, phone, note, tags, active } = input;
    let tags = tidy_tags(tags.clone().unwrap_or_default());
    let sql = include_str!("create_customer.sql");
    let row = tx
        .query_one(sql, &[&tx.tenant_id(), &id, reference, name, email, phone, note, &tags, active, &now])
        .await?;
    Ok(Customer::decode(&row)?)
}

/// One customer.
pub(crate) async fn get_customer(tx: &TenantTx, id: CustomerId) -> Result<Customer, CustomerError> {
    let row = tx.query_opt(include_str!("find_customer.sql"), &[&tx.tenant_id(), &id]).await?;
    Ok(Customer::decode(&row.ok_or(CustomerError::NotFound)?)?)
}

/// One customer, locked until the end of the transaction.
pub(crate) async fn lock_customer(tx: &TenantTx, id: CustomerId) -> Result<Customer, CustomerError> {
    let row = tx.query_opt(include_str!("lock_customer.sql"), &[&tx.tenant_id(), &id]).await?;
    Ok(Customer::decode(&row.ok_or(CustomerError::NotFound)?)?)
}

/// Replaces what is said about a locked customer; one that is so already stays at its version.
pub(crate) async fn update_customer(
    tx: &TenantTx,
    before: Customer,
    input: &CustomerInput,
) -> Result<Customer, CustomerError> {
    let CustomerInput { reference, name, email, phone, note, tags, active } = input;
    if before.merged_into.is_some() && *active {
        return Err(CustomerError::Merged(before.merged_into));
    }
    let tags = tags.clone().map_or_else(|| before.tags.clone(), tidy_tags);
    if before.active && !active {
        end_sessions(tx, before.id).await?;
    }
    let (now, version) = (tx.ctx().now(), before.version);
    let sql = include_str!("update_customer.sql");
    let row = tx
        .query_opt(
            sql,
            &[
                &tx.tenant_id(),
                &before.id,
                reference,
                name,
                email,
                phone,
                note,
                &tags,
                active,
                &now,
                &version,
            ],
        )
        .await?;
    Ok(match row {
        Some(row) => Customer::decode(&row)?,
        None => before,
    })
}

/// Marks a locked customer as no more one; the books keep pointing at the row.
pub(crate) async fn deactivate_customer(tx: &TenantTx, before: Customer) -> Result<(), CustomerError> {
    let input = CustomerInput {
        reference: before.reference.clone(),
        name: before.name.clone(),
        email: before.email.clone(),
        phone: before.phone.clone(),
        note: before.note.clone(),
        tags: None,
        active: false,
    };
    update_customer(tx, before, &input).await.map(drop)
}

/// What a list is narrowed to; all conditions hold together.
#[derive(Default)]
pub(crate) struct CustomerFilter {
    pub(crate) reference: Option<String>,
    pub(crate) active: Option<bool>,
    pub(crate) tag: Option<String>,
    /// What name or address of mail begin with.
    pub(crate) begins: Option<String>,
}

/// Customers in the order of their creation, behind `after`; at most `take`.
pub(crate) async fn list_customers(
    tx: &TenantTx,
    filter: &CustomerFilter,
    after: Option<CustomerId>,
    take: i64,
) -> Result<Vec<Customer>, DbError> {
    let after = after.unwrap_or(CustomerId(Uuid::nil()));
    let begins = filter.begins.as_ref().map(|text| text.to_lowercase());
    let rows = tx
        .query(
            include_str!("list_customers.sql"),
            &[&tx.tenant_id(), &after, &filter.reference, &filter.active, &filter.tag, &begins, &take],
        )
        .await?;
    rows.iter().map(Customer::decode).collect()
}
