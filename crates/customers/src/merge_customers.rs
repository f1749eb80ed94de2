//! Use case: two customers who are one person become one.

use db::{DbError, TenantTx};

use crate::{
    accounts::{end_sessions, move_login},
    events::customers_merged,
    hooks::Hooks,
    loyalty::{LoyaltyError, move_points},
    manage_customers::{CustomerError, get_customer, lock_customer},
    model::{Customer, CustomerId, MOST_TAGS, tidy_tags},
    profile::{AddressError, move_addresses, move_notes},
};

/// Why two customers were not merged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MergeError {
    /// There is no customer who is to stay.
    #[error("there is no such customer")]
    NotFound,
    /// There is no duplicate.
    #[error("there is no such duplicate")]
    DuplicateNotFound,
    /// Both are the same.
    #[error("both are the same customer")]
    WithItself,
    /// One of the two was merged into this one.
    #[error("one of them was merged before")]
    Merged(CustomerId),
    /// The one who is to stay was merged into the duplicate.
    #[error("they are merged the other way round")]
    Cycle(CustomerId),
    /// The one who is to stay is deactivated.
    #[error("the customer is not active")]
    Inactive,
    /// Together they have more addresses than there may be.
    #[error("there would be too many addresses")]
    TooManyAddresses,
    /// Together they have more tags than there may be.
    #[error("there would be too many tags")]
    TooManyTags,
    /// Together they have more points than can be recorded.
    #[error("there would be too many points")]
    TooManyPoints,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<AddressError> for MergeError {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::TooMany => Self::TooManyAddresses,
            AddressError::NotFound => Self::NotFound,
            AddressError::Db(error) => Self::Db(error),
        }
    }
}

impl From<LoyaltyError> for MergeError {
    fn from(error: LoyaltyError) -> Self {
        match error {
            LoyaltyError::Db(error) => Self::Db(error),
            _ => Self::TooManyPoints,
        }
    }
}

/// Gives everything of `duplicate` to `into` and deactivates it; merging what is merged already changes nothing. Those
/// who were merged into the duplicate before are merged into `into` from then on, so that nobody has to follow chains.
pub(crate) async fn merge_customers(
    tx: &TenantTx,
    hooks: &Hooks,
    into: CustomerId,
    duplicate: CustomerId,
) -> Result<Customer, MergeError> {
    if into == duplicate {
        return Err(MergeError::WithItself);
    }
    let [target, from] = lock_both(tx, into, duplicate).await?;
    if from.merged_into == Some(into) {
        return Ok(target);
    }
    match (target.merged_into, from.merged_into) {
        (Some(survivor), _) if survivor == duplicate => return Err(MergeError::Cycle(survivor)),
        (Some(survivor), _) | (None, Some(survivor)) => return Err(MergeError::Merged(survivor)),
        (None, None) if !target.active => return Err(MergeError::Inactive),
        (None, None) => {}
    }
    let tags = tidy_tags([target.tags.clone(), from.tags.clone()].concat());
    if tags.len() > MOST_TAGS {
        return Err(MergeError::TooManyTags);
    }
    move_addresses(tx, duplicate, into).await?;
    move_notes(tx, duplicate, into).await?;
    move_points(tx, duplicate, into).await?;
    end_sessions(tx, duplicate).await?;
    move_login(tx, duplicate, into).await?;
    let (tenant, now) = (tx.tenant_id(), tx.ctx().now());
    tx.execute(include_str!("mark_merged.sql"), &[&tenant, &duplicate, &into, &now]).await?;
    tx.execute(include_str!("set_tags.sql"), &[&tenant, &into, &tags, &now]).await?;
    for hook in &hooks.customers {
        hook.merge(tx, duplicate, into).await?;
    }
    messages::publish(tx, &[customers_merged(duplicate, into)]).await?;
    get_customer(tx, into).await.map_err(|error| match error {
        CustomerError::Db(error) => MergeError::Db(error),
        _ => MergeError::NotFound,
    })
}

/// Both customers, locked in the order of their ids so that two merges of the same never wait for each other.
async fn lock_both(
    tx: &TenantTx,
    into: CustomerId,
    duplicate: CustomerId,
) -> Result<[Customer; 2], MergeError> {
    let lock = async |id: CustomerId| {
        lock_customer(tx, id).await.map_err(|error| match error {
            CustomerError::Db(error) => MergeError::Db(error),
            _ if id == duplicate => MergeError::DuplicateNotFound,
            _ => MergeError::NotFound,
        })
    };
    if into < duplicate {
        let target = lock(into).await?;
        Ok([target, lock(duplicate).await?])
    } else {
        let from = lock(duplicate).await?;
        Ok([lock(into).await?, from])
    }
}
