//! What a shop is, and how its rows are read.

use db::{DbError, Row};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::ShopId;

/// Where the shop sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum ShopKind {
    /// A place people walk into.
    #[default]
    Store,
    /// The web shop.
    Web,
}

impl ShopKind {
    /// The stored and written form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Web => "web",
        }
    }
}

/// A place where a tenant sells; stock, registers and receipt numbers belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shop {
    /// Identity.
    pub id: ShopId,
    /// The first part of every receipt number; unique in the tenant and never changed.
    #[schema(pattern = "^[A-Z0-9]{1,12}$")]
    pub code: String,
    /// The name for people.
    #[schema(max_length = 200)]
    pub name: String,
    /// Where it sells.
    pub kind: ShopKind,
    /// Postal address, free text.
    #[schema(max_length = 500)]
    pub address: String,
    /// Whether it still trades.
    pub active: bool,
    /// Counts the changes; the `ETag`.
    #[schema(minimum = 1)]
    pub version: i32,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Whether `text` may be a shop's code: it has a place inside receipt numbers, so it is short and has no dash.
#[must_use]
pub fn is_shop_code(text: &str) -> bool {
    (1..=12).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Reads a row of id, code, name, kind, address, active, version, created_at, updated_at.
///
/// # Errors
/// [`DbError::Other`] when the row is of another shape.
pub(crate) fn decode_shop(row: &Row) -> Result<Shop, DbError> {
    let kind: &str = row.try_get(3)?;
    Ok(Shop {
        id: row.try_get(0)?,
        code: row.try_get(1)?,
        name: row.try_get(2)?,
        kind: if kind == "web" { ShopKind::Web } else { ShopKind::Store },
        address: row.try_get(4)?,
        active: row.try_get(5)?,
        version: row.try_get(6)?,
        created_at: row.try_get(7)?,
        updated_at: row.try_get(8)?,
    })
}
