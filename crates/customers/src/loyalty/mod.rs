//! Points: how they are earned and spent, a ledger that is only ever written on, and its sums.

mod burn;
mod earn;
mod earn_purchases;
mod expire_points;
mod ledger;
mod rule;

pub use burn::{Burned, burn};
pub use earn::{earn, reverse};
pub use earn_purchases::{Purchase, Purchases, earn_purchases};
pub use expire_points::expire_points;
pub(crate) use ledger::{AdjustInput, adjust, list_entries, move_points};
pub use ledger::{LoyaltyEntry, LoyaltyEntryId, LoyaltyError, LoyaltyReason, find_balance};
pub use rule::{LoyaltyRule, find_rule};
pub(crate) use rule::{LoyaltyRuleInput, get_rule, set_rule};
