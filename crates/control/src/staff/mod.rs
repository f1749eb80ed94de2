//! The staff of a tenant: accounts with a place and a role in it.

mod change_staff;
mod create_staff;
mod find_staff;
mod http;
mod take_on;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use change_staff::{ChangeStaff, ChangeStaffError, change_staff};
pub use create_staff::{CreateStaffError, create_staff};
pub(crate) use find_staff::lock_staff;
pub use find_staff::{find_staff, list_staff};
pub(crate) use http::routes;
pub use take_on::{TakeOn, TakeOnError, TakenOn, take_on};

use crate::accounts::AccountId;

/// Where somebody stands on the staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StaffStatus {
    /// Works.
    Active,
    /// Has an account from before and has not yet signed in to this tenant with the code of the invitation.
    Invited,
    /// Cannot sign in to this tenant.
    Inactive,
}

impl StaffStatus {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Invited => "invited",
            Self::Inactive => "inactive",
        }
    }
}

/// A member of the staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaffMember {
    /// The account.
    pub id: AccountId,
    /// The address they sign in with.
    pub email: String,
    /// Their name; until they accept an invitation, the one entered by whoever invited them.
    pub name: String,
    /// Their role in this tenant.
    pub role: String,
    /// Where they stand.
    pub status: StaffStatus,
    /// When they signed in last, in this tenant.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_sign_in_at: Option<Timestamp>,
    /// When they were taken on.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When their place was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// The version for `If-Match`.
    #[serde(skip)]
    pub version: i32,
    /// Whether the place has ever been theirs; until then it is an invitation at most.
    #[serde(skip)]
    pub accepted: bool,
}
