//! What can be refused about customers, and the permissions of their routes.

use kernel::{Code, Permission};

/// See customers.
pub const CUSTOMERS_READ: Permission = Permission::new("customers:read");
/// Create, change, merge and deactivate customers; set the rules of points.
pub const CUSTOMERS_WRITE: Permission = Permission::new("customers:write");
/// See and change one's own profile.
pub const CUSTOMERS_OWN: Permission = Permission::new("customers:own");

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $title:literal, $help:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code::new(stringify!($name), $status, $title, $help);)*

        /// Every code of this domain, for the catalogue of errors.
        pub const CODES: &[Code] = &[$($name),*];
    };
}

codes! {
    /// The customer does not exist for this tenant.
    CUSTOMER_NOT_FOUND = 404, "There is no such customer.",
        "Check the id; it may belong to another merchant. `me` is for customers who have signed in.";
    /// Another customer has the reference.
    CUSTOMER_REFERENCE_EXISTS = 409, "A customer with this reference exists.",
        "Find that customer with GET /customers?reference=..., or choose another reference.";
    /// Somebody has registered with the address of mail.
    ACCOUNT_EXISTS = 409, "This address of mail has an account.", "Sign in instead.";
    /// What was sent as a guest's token is none of this merchant's.
    GUEST_TOKEN_INVALID = 422, "The guest token is not valid.",
        "Send a token of POST /customers/guest of the same merchant that has not expired, or leave it out.";
    /// The address does not exist for this customer.
    ADDRESS_NOT_FOUND = 404, "There is no such address.", "List the customer's addresses.";
    /// The customer has as many addresses as there may be.
    TOO_MANY_ADDRESSES = 409, "There are as many addresses as there may be.",
        "A customer has at most 20; remove one that is not needed any more.";
    /// The customer has as many tags as there may be.
    TOO_MANY_TAGS = 409, "There are as many tags as there may be.",
        "A customer has at most 50; remove those that are not needed any more.";
    /// The merchant has no points now.
    LOYALTY_INACTIVE = 409, "Points are not in use.", "Activate them with PUT /customers/loyalty-rule.";
    /// Fewer points than wanted.
    INSUFFICIENT_POINTS = 409, "There are not enough points.", "`balance` says how many there are.";
    /// More points than can be recorded.
    POINTS_OUT_OF_RANGE = 422, "The number of points is out of range.",
        "A customer has at most 1000000000000 points.";
    /// The customer was merged into another one.
    CUSTOMER_MERGED = 409, "The customer was merged into another one.",
        "Use the customer named in `mergedInto`.";
    /// The two are merged the other way round already.
    MERGE_CYCLE = 409, "The two are merged the other way round.",
        "The customer named in `mergedInto` has everything of both.";
    /// A customer cannot be merged with itself.
    MERGE_WITH_ITSELF = 422, "Both are the same customer.", "Name two customers.";
    /// The customer who is to stay is deactivated.
    CUSTOMER_INACTIVE = 409, "The customer is not active.", "Activate the customer first, or merge the other way round.";
}
