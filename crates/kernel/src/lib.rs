//! The pure core: identifiers, money, quantities, value added tax, the context of a unit of work.
//!
//! Nothing here performs input or output, is asynchronous, or knows a business noun.
#![doc = include_str!("../README.md")]

mod clock;
mod code;
mod context;
mod flag;
mod id;
pub mod masked;
mod money;
mod permission;
mod quantity;
mod rate_limit;
mod spending;
mod tenant;
mod trace;
pub mod vat;
mod violation;

pub use clock::Clock;
pub use code::Code;
pub use context::{Actor, Caller, Ctx};
pub use flag::{FLAG_NAME_MOST, Flag, FlagRule, FlagTable, Flags, TenantFlags};
pub use id::{ParseIdError, decode_id, encode_id};
pub use jiff::Timestamp;
pub use money::{Currency, Money, MoneyError, Round, allocate, div_round};
pub use permission::{Permission, PermissionSet};
pub use quantity::Quantity;
pub use rate_limit::RateLimit;
pub use spending::{Spending, Spent};
pub use tenant::{
    CashRounding, Placement, ShortagePolicy, Tenant, TenantId, TenantSettings, TenantStatus, Tier,
    VatRounding,
};
pub use trace::{TraceIds, TraceParent};
pub use vat::Rate;
pub use violation::Violation;

#[doc(hidden)]
pub mod macros {
    pub use bytes::BytesMut;
    pub use postgres_types;
    pub use serde;
    pub use utoipa;
    pub use uuid::Uuid;
}
