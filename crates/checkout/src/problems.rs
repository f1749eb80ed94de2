//! What can be refused about checkouts, and the permissions of their routes.

pub use cart::problems::{CART_IN_CHECKOUT, CART_NOT_FOUND};
pub use catalog::problems::{CURRENCY_MISMATCH, PRODUCT_INACTIVE};
pub use inventory::problems::{OUT_OF_STOCK, UNKNOWN_SHOP, UNKNOWN_SKU};
use kernel::{Code, Permission};
pub use sales::problems::{AMOUNT_OUT_OF_RANGE, TAX_RATE_MISSING, TOTAL_MISMATCH};

/// Check out anybody's cart, and see anybody's checkout.
pub const CHECKOUT_WRITE: Permission = Permission::new("checkout:write");
/// Check out one's own cart, and see one's own checkouts.
pub const CHECKOUT_OWN: Permission = Permission::new("checkout:own");
/// See and repair money that is stuck.
pub const PAYMENTS_REPAIR: Permission = Permission::new("payments:repair");

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $title:literal, $help:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code::new(stringify!($name), $status, $title, $help);)*

        /// Every code of this domain, for the catalogue of errors.
        pub const CODES: &[Code] = &[$($name),*];
    };
}

codes! {
    /// The checkout does not exist for this tenant, or for this customer.
    CHECKOUT_NOT_FOUND = 404, "There is no such checkout.", "Check the id; it may be somebody else's.";
    /// Nothing is in the cart.
    CART_EMPTY = 409, "The cart is empty.", "Put something into it first; if it was just paid, look at the orders.";
    /// Something in the cart costs something else than when it was put in.
    PRICE_CHANGED = 409, "Prices have changed since they were put into the cart.", "Show the customer `changes`, take them over with POST /carts/{customer}/accept, and check out again.";
    /// The merchant sells nowhere.
    NO_SHOP = 409, "The merchant has no shop to sell from.", "Create a shop of kind `web`.";
    /// Nobody takes money that way.
    PAYMENT_METHOD_UNKNOWN = 422, "The payment method is not known.", "Use a provider and method of this merchant.";
}
