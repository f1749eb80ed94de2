//! What can be refused about money, and the permissions of its routes.

use kernel::{Code, Permission};

/// See payments and refunds.
pub const PAYMENTS_READ: Permission = Permission::new("payments:read");
/// Take payments without an order.
pub const PAYMENTS_WRITE: Permission = Permission::new("payments:write");
/// Give money back.
pub const PAYMENTS_REFUND: Permission = Permission::new("payments:refund");
/// Set the merchant's accounts with providers.
pub const PAYMENTS_PROVIDERS: Permission = Permission::new("payments:providers");
/// See and confirm one's own payments.
pub const PAYMENTS_OWN: Permission = Permission::new("payments:own");

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $title:literal, $help:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code::new(stringify!($name), $status, $title, $help);)*
    };
}

codes! {
    /// The payment does not exist for this caller.
    PAYMENT_NOT_FOUND = 404, "There is no such payment", "Check the id; it may belong to another merchant or customer.";
    /// The path names a provider that the installation does not have.
    PAYMENT_PROVIDER_NOT_FOUND = 404, "There is no such payment provider", "GET /payments/providers lists them.";
    /// The body names a provider that the installation does not have.
    UNKNOWN_PAYMENT_PROVIDER = 422, "The payment provider is not known", "GET /payments/providers lists them.";
    /// The provider does not take the method.
    UNKNOWN_PAYMENT_METHOD = 422, "The payment method is not known", "GET /payments/providers lists what each provider takes.";
    /// Another currency than the merchant's.
    PAYMENT_CURRENCY_MISMATCH = 422, "The amount is in another currency", "Charge in the merchant's currency, refund in that of the payment.";
    /// Nothing was taken.
    PAYMENT_NOT_CAPTURED = 409, "Nothing was taken with this payment", "Only a succeeded payment can be refunded; its `state` says where it stands.";
    /// More than is left of the payment.
    REFUND_EXCEEDS_PAYMENT = 409, "The refund exceeds what is left of the payment", "Refund at most what is `left`; other refunds may be on their way.";
    /// The payment has been given back in too many pieces.
    TOO_MANY_REFUNDS = 409, "The payment has too many refunds", "A payment is given back in at most 100 pieces.";
    /// Nothing waits for this confirmation.
    PAYMENT_NOT_CONFIRMABLE = 409, "The payment does not wait for a confirmation here", "Only payments of the test provider are confirmed here, once, while their state is requires_action.";
    /// The webhook is not by who it says.
    WEBHOOK_SIGNATURE_INVALID = 400, "The webhook's signature is missing or wrong", "Set the provider's signing secret with PUT /payments/providers/{provider}, and send to the right merchant.";
    /// The webhook was signed too long ago.
    WEBHOOK_TOO_OLD = 400, "The webhook was signed too long ago", "Signatures are taken within five minutes; check the clocks.";
    /// The webhook's body cannot be read.
    WEBHOOK_MALFORMED = 400, "The webhook is not an event of this provider", "Send the provider's events unchanged.";
    /// The provider has no credential of that name.
    UNKNOWN_CREDENTIAL = 422, "The provider has no credential of this name", "GET /payments/providers lists the names of each provider.";
}
