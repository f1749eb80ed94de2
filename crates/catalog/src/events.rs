//! The messages that the catalog publishes. Each carries the whole product as it is after the change.

use messages::MessageType;

use crate::model::Product;

/// A product was created.
pub const PRODUCT_CREATED: MessageType =
    MessageType::of::<Product>("ProductCreated", "A product was created, by hand or by an import.");
/// A product was changed and may be sold.
pub const PRODUCT_UPDATED: MessageType =
    MessageType::of::<Product>("ProductUpdated", "A product was changed; its version counts the changes.");
/// A product may no longer be sold.
pub const PRODUCT_DEACTIVATED: MessageType = MessageType::of::<Product>(
    "ProductDeactivated",
    "A product was taken out of the range; other fields may have changed with it.",
);

/// All of them.
pub const MESSAGE_TYPES: &[MessageType] = &[PRODUCT_CREATED, PRODUCT_UPDATED, PRODUCT_DEACTIVATED];
