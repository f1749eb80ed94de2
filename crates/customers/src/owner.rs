//! Whose a cart, an order or a payment is: a customer's or a guest's.

use std::{fmt, str::FromStr};

use kernel::{Actor, Ctx, ParseIdError};

use crate::CustomerId;

kernel::id!(
    /// Somebody who shops without an account. Nothing is stored about them: the signed token is all there is.
    GuestId,
    "gst"
);

/// Whose something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// Somebody with an account, or known to the merchant.
    Customer(CustomerId),
    /// Somebody without.
    Guest(GuestId),
}

impl Owner {
    /// The customer or guest who asks; `None` for staff, programs and Markethall itself.
    #[must_use]
    pub fn of(ctx: &Ctx) -> Option<Self> {
        match &ctx.caller.actor {
            Actor::Visitor(id) => id.parse().ok(),
            Actor::User(_) | Actor::Key(_) | Actor::Operator | Actor::System => None,
        }
    }

    /// The customer, if it is one.
    #[must_use]
    pub fn customer(self) -> Option<CustomerId> {
        match self {
            Self::Customer(id) => Some(id),
            Self::Guest(_) => None,
        }
    }

    /// The written form, to be stored: `cus_...` or `gst_...`.
    #[must_use]
    pub fn text(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer(id) => id.fmt(f),
            Self::Guest(id) => id.fmt(f),
        }
    }
}

impl FromStr for Owner {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        match text.parse() {
            Ok(customer) => Ok(Self::Customer(customer)),
            Err(_) => text.parse().map(Self::Guest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // IDN-7
    #[test]
    fn an_owner_is_written_as_its_id_and_read_back() {
        for owner in [Owner::Customer(CustomerId::new()), Owner::Guest(GuestId::new())] {
            assert_eq!(owner.text().parse(), Ok(owner));
        }
        for text in ["", "cus_", "usr_01J00000000000000000000000", "unknown"] {
            assert_eq!(text.parse::<Owner>(), Err(ParseIdError), "{text}");
        }
    }
}
