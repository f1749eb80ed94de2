//! Carts in Redis, where there is one: what is shown of a cart is read from there.
//!
//! PostgreSQL has every cart as well, written and committed first, and says by a stamp which state of it is the present
//! one: a cart in Redis with another stamp counts as not there. So it does not matter what Redis has lost, kept too long
//! or was not told. See `docs/adr/0035`.

use std::{fmt, sync::LazyLock};

use cache::{Away, Redis, Script, cmd};
use customers::Buyer;
use kernel::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{Cart, CheckoutId, LIFETIME_S, Line, Times};

static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("put_cart.lua")));
static DROP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("drop_cart.lua")));

/// Larger carts stay in PostgreSQL alone.
const VALUE_BYTES: usize = 512 << 10;

/// A state of a stored cart: equal stamps of one owner, equal carts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Counts changes; begins anew with the next cart of the same owner.
    pub(crate) version: i32,
    /// The transaction that wrote the row, so that no two carts of one owner are taken for one.
    pub(crate) row_state: String,
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.version, self.row_state)
    }
}

/// A cart as it was found in Redis. Whether it is the present one is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// As Redis has it.
    pub(crate) cart: Cart,
    /// Of `cart`, as text.
    pub(crate) stamp: String,
}

/// What has become of a cart, after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Changed {
    /// It was written.
    Written(Cart, Stamp),
    /// It was removed.
    Removed(Buyer),
}

/// What stands behind the stamp.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    lines: Vec<Line>,
    checkout: Option<CheckoutId>,
    updated_at: Timestamp,
    expires_at: Timestamp,
}

/// The carts that all processes share; none without Redis. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct SharedCarts(Option<Redis>);

impl SharedCarts {
    /// In `redis`, if there is one.
    pub(crate) fn new(redis: Option<Redis>) -> Self {
        Self(redis)
    }

    /// The cart of `owner` as Redis has it; `None` also where Redis is away or says what nobody understands.
    pub(crate) async fn find(&self, tenant: TenantId, owner: Buyer) -> Option<Kept> {
        let redis = self.0.as_ref()?;
        let key = key(redis, tenant, owner);
        let found: Option<String> = redis.query(cmd("GET").arg(&key)).await.ok()?;
        let kept = decode(owner, &found?);
        if kept.is_none() {
            let _: Result<(), Away> = redis.query(cmd("DEL").arg(&key)).await;
        }
        kept
    }

    /// Tells Redis of a change, once it is committed. What it is not told it will be at the next read.
    pub(crate) async fn tell(&self, tenant: TenantId, change: &Changed, now: Timestamp) {
        match change {
            Changed::Written(cart, stamp) => self.put(tenant, cart, stamp, None, now).await,
            Changed::Removed(owner) => {
                if let Some(redis) = &self.0 {
                    // A cart that stays there is one of another stamp.
                    let _: Result<(), Away> = redis.query(cmd("DEL").arg(key(redis, tenant, *owner))).await;
                }
            }
        }
    }

    /// Puts a cart in the place of an earlier one, or of the one that was found with the stamp `wrong`.
    pub(crate) async fn put(
        &self,
        tenant: TenantId,
        cart: &Cart,
        stamp: &Stamp,
        wrong: Option<&str>,
        now: Timestamp,
    ) {
        let Some((redis, times)) = self.0.as_ref().zip(cart.times) else { return };
        let Some(value) = encode(cart, times, stamp).filter(|value| value.len() <= VALUE_BYTES) else {
            return;
        };
        let left_ms = times.expires_at.as_millisecond() - now.as_millisecond();
        // One that is being checked out outlives its time.
        let left_ms = if cart.checkout.is_some() { LIFETIME_S * 1000 } else { left_ms };
        if left_ms <= 0 {
            return;
        }
        let mut put = PUT.key(key(redis, tenant, cart.owner));
        put.arg(cart.version).arg(wrong.unwrap_or_default()).arg(value).arg(left_ms);
        let _: Result<u8, Away> = redis.invoke(&put).await;
    }

    /// Removes what was found with the stamp `wrong`.
    pub(crate) async fn remove(&self, tenant: TenantId, owner: Buyer, wrong: &str) {
        if let Some(redis) = &self.0 {
            let mut asked = DROP.key(key(redis, tenant, owner));
            let _: Result<u8, Away> = redis.invoke(asked.arg(wrong)).await;
        }
    }
}

fn key(redis: &Redis, tenant: TenantId, owner: Buyer) -> String {
    redis.key(&format!("cart:{}:{owner}", tenant.0))
}

fn encode(cart: &Cart, times: Times, stamp: &Stamp) -> Option<String> {
    let Times { updated_at, expires_at } = times;
    let document = Document { lines: cart.lines.clone(), checkout: cart.checkout, updated_at, expires_at };
    Some(format!("{stamp}\n{}", serde_json::to_string(&document).ok()?))
}

fn decode(owner: Buyer, value: &str) -> Option<Kept> {
    let (stamp, document) = value.split_once('\n')?;
    let version = stamp.split_once('.')?.0.parse().ok()?;
    let Document { lines, checkout, updated_at, expires_at } = serde_json::from_str(document).ok()?;
    let times = Some(Times { updated_at, expires_at });
    Some(Kept { cart: Cart { owner, lines, checkout, version, times }, stamp: stamp.to_owned() })
}

#[cfg(test)]
mod tests {
    use customers::GuestId;

    use super::*;

    // CRT-1
    #[test]
    fn a_cart_comes_back_as_it_went_in_and_whatever_else_stands_there_is_no_cart() {
        let owner = Buyer::Guest(GuestId::new());
        let line = Line { sku: "Ä\n1".to_owned(), units: 1500, unit_price: 99, name: "\"Ä\"".to_owned() };
        let times = Times {
            updated_at: Timestamp::constant(1_700_000_000, 123_456_000),
            expires_at: Timestamp::constant(1_700_086_400, 0),
        };
        let cart = Cart {
            owner,
            lines: vec![line],
            checkout: Some(CheckoutId::new()),
            version: 7,
            times: Some(times),
        };
        let stamp = Stamp { version: 7, row_state: "4711".to_owned() };
        let value = encode(&cart, times, &stamp).unwrap();
        assert_eq!(decode(owner, &value), Some(Kept { cart, stamp: stamp.to_string() }));
        for wrong in ["", "7.1", "7.1\n", "x.1\n{}", "7.1\n{}", "\n\n"] {
            assert_eq!(decode(owner, wrong), None, "{wrong:?}");
        }
    }
}
