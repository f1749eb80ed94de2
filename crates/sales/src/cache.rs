//! Sales by id, serialised, in memory: a sale changes only when it is corrected.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use db::Epochs;
use kernel::TenantId;
use moka::sync::Cache;

use crate::model::{Sale, SaleId};

/// The most bytes of JSON that are kept.
const MOST_BYTES: u64 = 32 << 20;

/// How long an entry lives at most: the bound on staleness should a notification be lost.
const LIFETIME: Duration = Duration::from_secs(600);

/// A serialised sale and its entity tag.
#[derive(Debug, Clone)]
pub struct CachedSale {
    /// JSON.
    pub body: Bytes,
    /// Changes with every correction.
    pub etag: Box<str>,
    epoch: u64,
}

/// Bounded by bytes; what is cold falls out, what was corrected is stale at once (see [`Epochs`]).
#[derive(Debug, Clone)]
pub struct SaleCache {
    sales: Cache<(TenantId, SaleId), CachedSale>,
    epochs: Arc<Epochs>,
}

impl Default for SaleCache {
    fn default() -> Self {
        let weigh = |_: &(TenantId, SaleId), sale: &CachedSale| {
            u32::try_from(sale.body.len() + 200).unwrap_or(u32::MAX)
        };
        let sales = Cache::builder().max_capacity(MOST_BYTES).weigher(weigh).time_to_live(LIFETIME).build();
        Self { sales, epochs: Arc::default() }
    }
}

/// Under which key other processes are told that a sale was corrected.
#[must_use]
pub fn key(tenant: TenantId, sale: SaleId) -> String {
    format!("sale:{tenant}:{sale}")
}

impl SaleCache {
    /// The sale if it is here and no correction is known since it was read.
    #[must_use]
    pub fn find(&self, tenant: TenantId, sale: SaleId) -> Option<CachedSale> {
        self.sales.get(&(tenant, sale)).filter(|found| found.epoch == self.epoch(tenant, sale))
    }

    /// To be taken before a sale is read that is to be kept.
    #[must_use]
    pub fn epoch(&self, tenant: TenantId, sale: SaleId) -> u64 {
        self.epochs.of(&(tenant, sale))
    }

    /// Keeps a sale that was read after `epoch` was taken.
    ///
    /// # Errors
    /// When it cannot be serialised, which no sale is.
    pub fn keep(&self, tenant: TenantId, sale: &Sale, epoch: u64) -> Result<CachedSale, serde_json::Error> {
        let cached = CachedSale { body: serde_json::to_vec(sale)?.into(), etag: etag(sale).into(), epoch };
        self.sales.insert((tenant, sale.id), cached.clone());
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
        self.epochs.move_on(&(tenant, sale));
    }

    /// Forgets everything: after a gap in the news nothing here can be trusted.
    pub fn clear(&self) {
        self.epochs.move_all_on();
    }
}

/// The version of a sale: booked sales change only in what was taken back, and that only grows.
#[must_use]
pub fn etag(sale: &Sale) -> String {
    let status = serde_json::to_string(&sale.status).unwrap_or_default();
    format!("{}-{}", status.trim_matches('"'), sale.refunded_total.amount)
}
