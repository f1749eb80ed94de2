//! What can be refused at the shelf, and the permissions of its routes.

use kernel::{Code, Permission};

/// See shops.
pub const SHOPS_READ: Permission = Permission::new("shops:read");
/// Open and change shops.
pub const SHOPS_WRITE: Permission = Permission::new("shops:write");
/// See stock, movements and reservations.
pub const INVENTORY_READ: Permission = Permission::new("inventory:read");
/// Restock, adjust, transfer, count, set thresholds.
pub const INVENTORY_WRITE: Permission = Permission::new("inventory:write");
/// Reserve, release and confirm.
pub const INVENTORY_RESERVE: Permission = Permission::new("inventory:reserve");

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $title:literal, $help:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code::new(stringify!($name), $status, $title, $help);)*
    };
}

codes! {
    /// The shop does not exist for this tenant.
    SHOP_NOT_FOUND = 404, "There is no such shop", "Check the id; it may belong to another merchant.";
    /// Another shop of the tenant has the code.
    SHOP_CODE_TAKEN = 409, "The shop code is taken", "Choose another code, or leave it out to get the next free one.";
    /// A line names a shop that is not known.
    UNKNOWN_SHOP = 422, "The shop is not known", "Send the id of a shop of this merchant.";
    /// A line names a SKU that no product has.
    UNKNOWN_SKU = 422, "No product has this SKU", "Create the product first, or check the SKU.";
    /// There is less available than is wanted.
    OUT_OF_STOCK = 409, "Not enough in stock", "Sell less, restock, or count the shelf.";
    /// The level would leave what can be recorded.
    STOCK_OUT_OF_RANGE = 422, "The stock level is out of range", "A shelf holds at most 1000000000000 units; check the quantity.";
    /// A transfer from a shop to itself.
    SAME_SHOP = 422, "Both shops are the same", "Send goods to another shop than the one they come from.";
    /// The same SKU and shop twice where only once makes sense.
    DUPLICATE_LINE = 422, "The SKU and shop are named twice", "Send each SKU and shop once.";
    /// The reservation does not exist for this tenant.
    RESERVATION_NOT_FOUND = 404, "There is no such reservation", "Check the id; it may belong to another merchant.";
    /// The reservation has ended in another way.
    RESERVATION_CLOSED = 409, "The reservation has ended", "Its `state` says how; reserve again if the units are still wanted.";
    /// The reservation's time is up.
    RESERVATION_EXPIRED = 409, "The reservation has expired", "Reserve again; the units may have gone to somebody else.";
}
