//! What can be refused about customers, and the permissions of their routes.

use kernel::{Code, Permission};

/// See customers.
pub const CUSTOMERS_READ: Permission = Permission::new("customers:read");
/// Create, change and deactivate customers.
pub const CUSTOMERS_WRITE: Permission = Permission::new("customers:write");

/// The customer does not exist for this tenant.
pub const CUSTOMER_NOT_FOUND: Code = Code::new(
    "CUSTOMER_NOT_FOUND",
    404,
    "There is no such customer.",
    "Check the id; it may belong to another merchant.",
);
/// Another customer has the reference.
pub const CUSTOMER_REFERENCE_EXISTS: Code = Code::new(
    "CUSTOMER_REFERENCE_EXISTS",
    409,
    "A customer with this reference exists.",
    "Find that customer with GET /customers?reference=..., or choose another reference.",
);

/// Every code of this domain, for the catalogue of errors.
pub const CODES: &[Code] = &[CUSTOMER_NOT_FOUND, CUSTOMER_REFERENCE_EXISTS];
