//! What a cart is. Prices in minor units of the tenant's currency.

use customers::Buyer;
use kernel::{Quantity, Timestamp};
use serde::{Deserialize, Serialize};

kernel::id!(
    /// The workflow that turns a cart into a paid order.
    CheckoutId,
    "chk"
);

/// Lines in one cart at most: as many as a sale has.
pub const MOST_LINES: usize = 500;
/// How long a cart lives after its last change, in seconds.
pub(crate) const LIFETIME_S: i64 = 24 * 3600;

/// Units of one SKU, with what they cost when they were put in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(String, i64, i64, String)", from = "(String, i64, i64, String)")]
pub struct Line {
    /// What.
    pub sku: String,
    /// How many, in thousandths.
    pub units: i64,
    /// The price of one when it was put in.
    pub unit_price: i64,
    /// The name when it was put in.
    pub name: String,
}

impl From<Line> for (String, i64, i64, String) {
    fn from(line: Line) -> Self {
        (line.sku, line.units, line.unit_price, line.name)
    }
}

impl From<(String, i64, i64, String)> for Line {
    fn from((sku, units, unit_price, name): (String, i64, i64, String)) -> Self {
        Self { sku, units, unit_price, name }
    }
}

impl Line {
    /// How many.
    #[must_use]
    pub fn quantity(&self) -> Quantity {
        Quantity::from_thousandths(self.units).unwrap_or_default()
    }
}

/// One buyer's cart; one without lines need not be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    /// Whose.
    pub owner: Buyer,
    /// What, in the order it was put in.
    pub lines: Vec<Line>,
    /// The checkout that is under way with it.
    pub checkout: Option<CheckoutId>,
    /// Counts changes; 0 for a cart that is not stored.
    pub version: i32,
    /// When it was last changed, and when it is gone; `None` for a cart that is not stored.
    pub times: Option<Times>,
}

/// The times of a stored cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Last changed.
    pub updated_at: Timestamp,
    /// From then on it is gone.
    pub expires_at: Timestamp,
}

impl Cart {
    /// A cart with nothing in it.
    #[must_use]
    pub fn empty(owner: Buyer) -> Self {
        Self { owner, lines: Vec::new(), checkout: None, version: 0, times: None }
    }
}
