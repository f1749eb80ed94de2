//! What can be refused, and the permission of the routes.

use kernel::{Code, Permission};

/// See reports.
pub const REPORTS_READ: Permission = Permission::new("reports:read");

/// A report has more rows than one answer may hold.
pub const REPORT_TOO_LARGE: Code = Code::new(
    "REPORT_TOO_LARGE",
    422,
    "The report has too many rows",
    "Choose a shorter period, one shop, or a coarser grouping.",
);
