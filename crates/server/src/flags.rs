//! What can be switched while the program runs, of all domains.

use kernel::Flag;

/// Every feature flag of the program.
#[must_use]
pub(crate) fn all() -> Vec<Flag> {
    [checkout::FLAGS, sales::FLAGS].concat()
}
