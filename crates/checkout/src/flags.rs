//! What operators can switch about checkouts.

use jiff::civil::date;
use kernel::Flag;

/// Off: no checkout begins; what is under way goes on to its end, and the same request answers as before.
pub const WEB_CHECKOUT: Flag = Flag {
    name: "web-checkout",
    about: "Carts can be turned into paid orders. Off, no checkout begins; those under way go on. Asked for each buyer.",
    owner: "checkout",
    expires: date(2027, 12, 31),
    default_on: true,
};

/// Every flag of this domain.
pub const FLAGS: &[Flag] = &[WEB_CHECKOUT];
