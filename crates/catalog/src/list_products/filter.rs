//! What a list is asked for.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::model::{ProductId, StoredProduct};

/// The order of a list. Ties are broken by id, so that pages never overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub(crate) enum Sort {
    /// What fits a search best first.
    #[serde(rename = "relevance")]
    Relevance,
    /// By name, case and accents aside.
    #[serde(rename = "name")]
    Name,
    /// By name, backwards.
    #[serde(rename = "-name")]
    NameDown,
    /// The cheapest first.
    #[serde(rename = "price")]
    Price,
    /// The dearest first.
    #[serde(rename = "-price")]
    PriceDown,
    /// The longest unchanged first.
    #[serde(rename = "updatedAt")]
    UpdatedAt,
    /// The last changed first.
    #[serde(rename = "-updatedAt")]
    UpdatedAtDown,
    /// By SKU, byte by byte.
    #[serde(rename = "sku")]
    Sku,
}

impl Sort {
    /// The name that `search_products` knows it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Relevance => "relevance",
            Self::Name => "name",
            Self::NameDown => "-name",
            Self::Price => "price",
            Self::PriceDown => "-price",
            Self::UpdatedAt => "updatedAt",
            Self::UpdatedAtDown => "-updatedAt",
            Self::Sku => "sku",
        }
    }
}

/// How a page is found: from the matches, sorted, or along an index, filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Way {
    /// Few match: all of them are fetched and sorted.
    #[serde(rename = "g")]
    Gather,
    /// Many match: the index of the order is followed until the page is full.
    #[serde(rename = "w")]
    Walk,
}

/// Where a page ends. The way is kept, so that all pages of a list agree on the order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Key(pub(crate) Way, pub(crate) Sort, pub(crate) i64, pub(crate) String, pub(crate) Uuid);

/// Which products, in which order. Two that are equal are answered alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ProductFilter {
    pub(crate) search: Option<String>,
    pub(crate) category: Option<String>,
    /// `key=value`, all of them.
    pub(crate) attributes: Vec<String>,
    pub(crate) barcode: Option<String>,
    pub(crate) parent: Option<ProductId>,
    pub(crate) active: Option<bool>,
    pub(crate) price_min: Option<i64>,
    pub(crate) price_max: Option<i64>,
    pub(crate) sort: Sort,
    pub(crate) after: Option<Key>,
    /// Products on the page; one more is fetched to see whether another page follows.
    pub(crate) take: i64,
}

impl ProductFilter {
    /// Written in one way: blanks and the order of attributes change nothing of what is found.
    pub(crate) fn normalised(mut self) -> Self {
        self.search = self.search.map(|typed| typed.split_whitespace().collect::<Vec<_>>().join(" "));
        self.attributes.sort_unstable();
        self.attributes.dedup();
        self
    }

    /// The length of its texts.
    pub(crate) fn text_bytes(&self) -> usize {
        let texts = [&self.search, &self.category, &self.barcode].into_iter().flatten();
        texts.chain(&self.attributes).map(String::len).sum()
    }
}

/// A product with its place in the order.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) product: StoredProduct,
    pub(crate) number: i64,
    pub(crate) text: String,
}

impl Hit {
    pub(crate) fn decode(row: &db::Row) -> Result<Self, db::DbError> {
        Ok(Self {
            product: StoredProduct::decode(row)?,
            number: row.try_get("key_number")?,
            text: row.try_get("key_text")?,
        })
    }

    /// The key of the page that ends with it.
    pub(crate) fn key(&self, way: Way, sort: Sort) -> Key {
        let by_time = matches!(sort, Sort::UpdatedAt | Sort::UpdatedAtDown);
        let number = if way == Way::Walk && by_time { micros(self.product.updated_at) } else { self.number };
        Key(way, sort, number, self.text.clone(), self.product.id.0)
    }
}

/// PostgreSQL keeps whole microseconds.
pub(crate) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}
