//! The definition of the workflow: its steps in order, where the data of each lives, and what undoes it. Pure.
//!
//! Adjacent steps whose data lives in the tenant's database are one transaction (CHK-3). A step whose home is elsewhere
//! is a call with an idempotency key, made while no transaction is open, with what is known before it committed.

use crate::model::Step;

/// Where the data of a step lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// In the tenant's database.
    Tenant,
    /// With somebody who is called: a payment provider, a service of its own.
    Elsewhere,
}

/// One step of the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// The step.
    pub step: Step,
    /// Where its data lives.
    pub home: Home,
    /// What undoes it when a later one fails.
    pub undone_by: Option<Step>,
}

/// The workflow.
pub const STEPS: [Definition; 6] = [
    Definition { step: Step::ValidateCart, home: Home::Tenant, undone_by: None },
    Definition { step: Step::ReserveStock, home: Home::Tenant, undone_by: Some(Step::ReleaseStock) },
    Definition { step: Step::Charge, home: Home::Elsewhere, undone_by: Some(Step::Refund) },
    Definition { step: Step::CreateOrder, home: Home::Tenant, undone_by: None },
    Definition { step: Step::ClearCart, home: Home::Tenant, undone_by: None },
    Definition { step: Step::ConfirmStock, home: Home::Tenant, undone_by: None },
];

/// Steps that are done together: one transaction, or one call.
#[must_use]
pub fn segments(steps: &[Definition]) -> Vec<&[Definition]> {
    steps.chunk_by(|a, b| a.home == Home::Tenant && b.home == Home::Tenant).collect()
}

/// What undoes the steps before `failed`, the last one first.
#[must_use]
pub fn compensation(failed: Step) -> Vec<Step> {
    let before: Vec<&Definition> = STEPS.iter().take_while(|definition| definition.step != failed).collect();
    before.into_iter().rev().filter_map(|definition| definition.undone_by).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // CHK-3
    #[test]
    fn adjacent_steps_of_one_database_are_one_transaction() {
        let names: Vec<Vec<Step>> = segments(&STEPS)
            .iter()
            .map(|segment| segment.iter().map(|definition| definition.step).collect())
            .collect();
        assert_eq!(
            names,
            [
                vec![Step::ValidateCart, Step::ReserveStock],
                vec![Step::Charge],
                vec![Step::CreateOrder, Step::ClearCart, Step::ConfirmStock],
            ]
        );
        let mut remote = STEPS;
        remote[1].home = Home::Elsewhere;
        assert_eq!(segments(&remote).len(), 4, "a step that moved away stands alone");
    }

    // CHK-2
    #[test]
    fn what_was_done_is_undone_in_reverse() {
        assert_eq!(compensation(Step::CreateOrder), [Step::Refund, Step::ReleaseStock]);
        assert_eq!(compensation(Step::Charge), [Step::ReleaseStock]);
        assert_eq!(compensation(Step::ReserveStock), []);
    }
}
