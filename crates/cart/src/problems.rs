//! What can be refused about carts, and the permissions of their routes.

pub use catalog::problems::PRODUCT_INACTIVE;
pub use inventory::problems::UNKNOWN_SKU;
use kernel::{Code, Permission};

/// See anybody's cart.
pub const CARTS_READ: Permission = Permission::new("carts:read");
/// Change anybody's cart.
pub const CARTS_WRITE: Permission = Permission::new("carts:write");
/// See and change one's own cart.
pub const CARTS_OWN: Permission = Permission::new("carts:own");

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $title:literal, $help:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code::new(stringify!($name), $status, $title, $help);)*

        /// Every code of this domain, for the catalogue of errors.
        pub const CODES: &[Code] = &[$($name),*];
    };
}

codes! {
    /// Nobody of that id, or somebody else's.
    CART_NOT_FOUND = 404, "There is no such cart.", "Use `me`, or the id of a customer of this merchant.";
    /// The SKU is not in the cart.
    LINE_NOT_FOUND = 404, "The SKU is not in the cart.", "Add it with POST .../lines.";
    /// More lines than a cart holds.
    CART_TOO_LARGE = 422, "The cart holds too much.", "A cart holds 500 lines, and what can be paid; order the rest in a second one.";
    /// A quantity of zero or below.
    QUANTITY_NOT_POSITIVE = 422, "The quantity must be above zero.", "Remove a line with DELETE .../lines/{sku}.";
    /// More of one SKU than a cart holds.
    QUANTITY_TOO_LARGE = 422, "The quantity is too large.", "A line holds at most 1000000 units.";
    /// One SKU twice in one cart.
    SKU_REPEATED = 422, "The SKU is named twice.", "Send each SKU once, with the whole quantity.";
    /// A checkout is under way with it.
    CART_IN_CHECKOUT = 409, "The cart is being checked out.", "Wait for the checkout in `checkoutId` to end; if it fails the cart is yours again.";
}
