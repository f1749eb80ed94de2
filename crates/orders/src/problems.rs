//! What can be refused about orders, and the permissions of their routes.

use kernel::{Code, Permission};

/// See everybody's orders.
pub const ORDERS_READ: Permission = Permission::new("orders:read");
/// Change the status of orders, and take orders for customers.
pub const ORDERS_WRITE: Permission = Permission::new("orders:write");
/// See one's own orders.
pub const ORDERS_OWN: Permission = Permission::new("orders:own");

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $title:literal, $help:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code::new(stringify!($name), $status, $title, $help);)*

        /// Every code of this domain, for the catalogue of errors.
        pub const CODES: &[Code] = &[$($name),*];
    };
}

codes! {
    /// The order does not exist for this tenant, or for this customer.
    ORDER_NOT_FOUND = 404, "There is no such order.", "Check the id; it may be somebody else's.";
    /// The status does not follow from the present one.
    TRANSITION_NOT_ALLOWED = 409, "The order cannot take this status now.", "Take one of `allowed`.";
}
