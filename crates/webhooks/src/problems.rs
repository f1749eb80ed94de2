//! What can be refused about webhooks, and the permissions of their routes.

use kernel::{Code, Permission};

/// See webhooks and what became of their deliveries.
pub const WEBHOOKS_READ: Permission = Permission::new("webhooks:read");
/// Make, change and test webhooks, replay deliveries.
pub const WEBHOOKS_WRITE: Permission = Permission::new("webhooks:write");

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $title:literal, $help:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code::new(stringify!($name), $status, $title, $help);)*
    };
}

codes! {
    /// The webhook does not exist for this tenant.
    WEBHOOK_NOT_FOUND = 404, "There is no such webhook", "Check the id; it may belong to another merchant.";
    /// The delivery does not exist for this tenant, or is too old to be kept.
    WEBHOOK_DELIVERY_NOT_FOUND = 404, "There is no such delivery", "Check the id; deliveries are kept for 30 days.";
    /// The tenant has as many webhooks as it may have.
    WEBHOOK_LIMIT = 409, "There are too many webhooks", "Delete a webhook that is no longer needed; a merchant has at most 50.";
    /// The address may not be called.
    WEBHOOK_URL_REFUSED = 422, "The address may not be called", "Give an https address of a host on the public internet, without user and fragment.";
    /// No message type has this name.
    UNKNOWN_MESSAGE_TYPE = 422, "No message type has this name", "Take names from GET /webhooks/types, or * alone for all of them.";
    /// The webhook is off.
    WEBHOOK_OFF = 409, "The webhook is off", "Switch it on with PUT /webhooks/{id} first.";
    /// The delivery is still on its way.
    WEBHOOK_DELIVERY_PENDING = 409, "The delivery is still on its way", "Wait for its next attempt, or until it has failed.";
}
