//! What `markethall check` finds.

use serde::Serialize;

/// One broken invariant, named so that a person can go and look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// The invariant's stable name, `stock_equals_movements`.
    pub invariant: &'static str,
    /// The thing it is broken for, for example an identifier.
    pub subject: String,
    /// What was expected and what was found.
    pub detail: String,
}
