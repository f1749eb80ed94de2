//! Sales by id, serialised, in memory: a sale changes only when it is corrected.

use bytes::Bytes;
use kernel::TenantId;
use moka::sync::Cache;

use crate::model::{Sale, SaleId};

/// The most bytes of JSON that are kept.
const MOST_BYTES: u64 = 32 << 20;

/// A serialised sale and its entity tag.
#[derive(Debug, Clone)]
pub struct CachedSale {
    /// JSON.
    pub body: Bytes,
    /// Changes with every correction.
    pub etag: Box<str>,
}

/// Bounded by bytes; what is cold falls out.
#[derive(Debug, Clone)]
pub struct SaleCache(Cache<(TenantId, SaleId), CachedSale>);

impl Default for SaleCache {
    fn default() -> Self {
        let weigh = |_: &(TenantId, SaleId), sale: &CachedSale| {
            u32::try_from(sale.body.len() + 200).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(MOST_BYTES).weigher(weigh).build())
    }
}

/// Under which key other processes are told that a sale was corrected.
#[must_use]
pub fn key(tenant: TenantId, sale: SaleId) -> String {
    format!("sale:{tenant}:{sale}")
}

impl SaleCache {
    /// The sale if it is here.
    #[must_use]
    pub fn find(&self, tenant: TenantId, sale: SaleId) -> Option<CachedSale> {
        self.0.get(&(tenant, sale))
    }

    /// Keeps a sale as it was read.
    ///
    /// # Errors
    /// When it cannot be serialised, which no sale is.
    pub fn keep(&self, tenant: TenantId, sale: &Sale) -> Result<CachedSale, serde_json::Error> {
        let cached = CachedSale { body: serde_json::to_vec(sale)?.into(), etag: etag(sale).into() };
        self.0.insert((tenant, sale.id), cached.clone());
        Ok(cached)
    }

    /// Forgets what `key` names; other keys are not for this cache.
    pub fn forget_key(&self, key: &str) {
        let mut parts = key.split(':');
        if parts.next() != Some("sale") {
            return;
        }
        if let (Some(Ok(tenant)), Some(Ok(sale))) =
            (parts.next().map(str::parse), parts.next().map(str::parse))
        {
            self.forget(tenant, sale);
        }
    }

    /// Forgets a sale that was corrected.
    pub fn forget(&self, tenant: TenantId, sale: SaleId) {
        self.0.invalidate(&(tenant, sale));
    }

    /// Forgets everything: after a gap in the news nothing here can be trusted.
    pub fn clear(&self) {
        self.0.invalidate_all();
    }
}

/// The version of a sale: booked sales change only in what was taken back, and that only grows.
#[must_use]
pub fn etag(sale: &Sale) -> String {
    let status = serde_json::to_string(&sale.status).unwrap_or_default();
    format!("{}-{}", status.trim_matches('"'), sale.refunded_total.amount)
}
