//! What operators can switch about the till.

use jiff::civil::date;
use kernel::Flag;

/// Off: a sale is paid by one means. Sales that were made elsewhere and are taken in are not asked.
pub const SPLIT_TENDER: Flag = Flag {
    name: "split-tender",
    about: "A sale can be paid by several means at once. Off, one means pays the whole of a sale.",
    owner: "sales",
    expires: date(2027, 12, 31),
    default_on: true,
};

/// Every flag of this domain.
pub const FLAGS: &[Flag] = &[SPLIT_TENDER];
