//! The messages of this domain: a contract, fields are only ever added. They carry ids, never personal data.

use messages::{Draft, MessageType};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{CustomerId, GuestId};

/// A guest has signed in.
pub const GUEST_MERGED: MessageType = MessageType::of::<GuestMerged>(
    "GuestMerged",
    "What was a guest's is now a customer's; the subject is the customer.",
);
/// Duplicates have become one.
pub const CUSTOMERS_MERGED: MessageType = MessageType::of::<CustomersMerged>(
    "CustomersMerged",
    "What was a duplicate's is now another customer's; the subject is the customer who stays.",
);

/// All of them, for the catalogue.
pub const MESSAGE_TYPES: [MessageType; 2] = [GUEST_MERGED, CUSTOMERS_MERGED];

/// A guest has signed in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GuestMerged {
    /// Who they were.
    pub guest_id: GuestId,
    /// Who they are.
    pub customer_id: CustomerId,
}

/// Duplicates have become one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomersMerged {
    /// The duplicate, inactive from now on.
    pub from: CustomerId,
    /// The customer who stays.
    pub into: CustomerId,
}

pub(crate) fn guest_merged(guest_id: GuestId, customer_id: CustomerId) -> Draft {
    Draft::of(&GUEST_MERGED, customer_id, &GuestMerged { guest_id, customer_id })
}

pub(crate) fn customers_merged(from: CustomerId, into: CustomerId) -> Draft {
    Draft::of(&CUSTOMERS_MERGED, into, &CustomersMerged { from, into })
}
