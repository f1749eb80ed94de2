//! Where the workflow can be broken on purpose, for the proofs that it cannot be broken by accident.

use cart::CheckoutId;
use db::DbError;
use serde::Deserialize;

use crate::model::Step;

/// When, relative to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Before anything of it was done.
    Before,
    /// Done, not yet committed or noted.
    After,
    /// Done, and durable with all that belongs to the same transaction or call.
    Committed,
}

/// Asked at every step; what it answers is what happens. A test's fault may also end the process.
pub trait Faults: Send + Sync {
    /// The failure that shall happen at this place, if one shall.
    ///
    /// # Errors
    /// The failure.
    fn at(&self, checkout: CheckoutId, step: Step, when: When) -> Result<(), DbError>;
}

/// No faults but real ones.
impl Faults for () {
    fn at(&self, _checkout: CheckoutId, _step: Step, _when: When) -> Result<(), DbError> {
        Ok(())
    }
}
