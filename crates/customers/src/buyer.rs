//! Whose a cart, an order or a payment is.

use std::{fmt, str::FromStr};

use kernel::{Actor, Ctx, ParseIdError};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::CustomerId;

kernel::id!(
    /// Somebody who buys without an account: known by the token they hold, and by nothing else.
    GuestId,
    "gst"
);
kernel::id!(
    /// Somebody of the merchant's own, or a program, who buys in the shop: stands for the subject of their token.
    MemberId,
    "mem"
);

/// Who buys, as the owner of a cart, a checkout, an order, a payment (IDN-7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Buyer {
    /// A customer with an account, or one that staff serves.
    Customer(CustomerId),
    /// A guest.
    Guest(GuestId),
    /// Whoever works here, buying for themselves.
    Member(MemberId),
}

impl Buyer {
    /// Who `me` is in a request.
    #[must_use]
    pub fn of(ctx: &Ctx) -> Self {
        match &ctx.caller.actor {
            Actor::Visitor(id) => id.parse().unwrap_or_else(|_| Self::member(id)),
            actor => Self::member(&actor.to_string()),
        }
    }

    /// The same subject is the same member, and no subject can be read back.
    fn member(subject: &str) -> Self {
        let digest = Sha256::digest(subject.as_bytes());
        let mut bytes = [0_u8; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self::Member(MemberId(Uuid::from_bytes(bytes)))
    }

    /// Who `text` names in a request: `me`, `cus_..`, `gst_..` or `mem_..`.
    ///
    /// # Errors
    /// [`ParseIdError`] when it is none of these.
    pub fn named(ctx: &Ctx, text: &str) -> Result<Self, ParseIdError> {
        if text == "me" { Ok(Self::of(ctx)) } else { text.parse() }
    }

    /// Whether the caller may reach what is this buyer's: visitors only what is theirs.
    #[must_use]
    pub fn is_open_to(self, ctx: &Ctx) -> bool {
        !matches!(ctx.caller.actor, Actor::Visitor(_)) || self == Self::of(ctx)
    }

    /// The customer, if it is one.
    #[must_use]
    pub fn customer(self) -> Option<CustomerId> {
        match self {
            Self::Customer(id) => Some(id),
            Self::Guest(_) | Self::Member(_) => None,
        }
    }
}

impl fmt::Display for Buyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer(id) => id.fmt(f),
            Self::Guest(id) => id.fmt(f),
            Self::Member(id) => id.fmt(f),
        }
    }
}

impl FromStr for Buyer {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        match text.split_once('_') {
            Some((CustomerId::PREFIX, _)) => text.parse().map(Self::Customer),
            Some((GuestId::PREFIX, _)) => text.parse().map(Self::Guest),
            _ => text.parse().map(Self::Member),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buyers_read_back_from_what_is_stored() {
        for buyer in
            [Buyer::Customer(CustomerId::new()), Buyer::Guest(GuestId::new()), Buyer::member("usr_1")]
        {
            assert_eq!(buyer.to_string().parse(), Ok(buyer));
        }
        assert!("usr_01J00000000000000000000001".parse::<Buyer>().is_err());
        assert_eq!(Buyer::member("a"), Buyer::member("a"));
        assert_ne!(Buyer::member("a"), Buyer::member("b"));
    }
}
