//! Requests by class of status: by tier, and by tenant for as many tenants as may have a name of their own.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use http::StatusCode;
use kernel::{Tenant, TenantId, Tier};
use metrics::Counter;

use super::{TIERS, tier_name, tier_place};

pub(super) const RESPONSES: &str = "markethall_http_responses_total";
pub(super) const OF_TENANTS: &str = "markethall_tenant_requests_total";
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];
/// All tenants without a name of their own; no tenant is called so, for slugs have no underscore.
const OTHERS: &str = "_other";

type Counts = [Counter; CLASSES.len()];

/// Counts answers for alerts and by tenant. Two atomic additions and a look into a table that hardly changes.
pub(crate) struct Responses {
    by_tier: [Counts; TIERS],
    most: usize,
    named: RwLock<HashMap<TenantId, Arc<Counts>>>,
    others: Counts,
}

impl Responses {
    /// Every series but those of named tenants exists from now on. The first `most` tenants that call get a name.
    pub(crate) fn new(most: usize) -> Self {
        let of_tier = |tier: Option<Tier>| {
            CLASSES.map(|class| metrics::counter!(RESPONSES, "class" => class, "tier" => tier_name(tier)))
        };
        let [free, standard, enterprise] = Tier::ALL.map(|tier| of_tier(Some(tier)));
        Self {
            by_tier: [of_tier(None), free, standard, enterprise],
            most,
            named: RwLock::default(),
            others: counts(OTHERS),
        }
    }

    pub(crate) fn record(&self, status: StatusCode, tenant: Option<&Tenant>) {
        let class = usize::from(status.as_u16() / 100).clamp(2, 5) - 2;
        self.by_tier[tier_place(tenant.map(|tenant| tenant.tier))][class].increment(1);
        if let Some(tenant) = tenant {
            self.record_tenant(tenant, class);
        }
    }

    fn record_tenant(&self, tenant: &Tenant, class: usize) {
        let named = self.named.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counts) = named.get(&tenant.id) {
            counts[class].increment(1);
            return;
        }
        let full = named.len() >= self.most;
        drop(named);
        match (!full).then(|| self.name(tenant)).flatten() {
            Some(counts) => counts[class].increment(1),
            None => self.others[class].increment(1),
        }
    }

    /// A name for `tenant`, unless others took the last ones meanwhile.
    fn name(&self, tenant: &Tenant) -> Option<Arc<Counts>> {
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        if named.len() >= self.most && !named.contains_key(&tenant.id) {
            return None;
        }
        Some(named.entry(tenant.id).or_insert_with(|| Arc::new(counts(&tenant.slug))).clone())
    }
}

fn counts(tenant: &str) -> Counts {
    CLASSES.map(|class| metrics::counter!(OF_TENANTS, "tenant" => tenant.to_owned(), "class" => class))
}

/// Counts what happens, by tier of the tenant; all tiers are there from the start, with zero.
#[derive(Clone)]
pub struct TierCounter([Counter; Tier::ALL.len()]);

impl TierCounter {
    /// The counter `name`, with further labels.
    #[must_use]
    pub fn new(name: &'static str, help: &'static str, labels: &[(&'static str, &'static str)]) -> Self {
        metrics::describe_counter!(name, help);
        Self(Tier::ALL.map(|tier| {
            let tier = [("tier", tier.as_str())];
            let labels = labels.iter().chain(&tier);
            let labels = labels.map(|(name, value)| metrics::Label::from_static_parts(name, value));
            metrics::counter!(name, labels.collect::<Vec<_>>())
        }))
    }

    /// It happened once for a tenant of `tier`.
    pub fn add(&self, tier: Tier) {
        self.0[tier as usize].increment(1);
    }
}

impl std::fmt::Debug for TierCounter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TierCounter")
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Currency, Flags, Placement, TenantSettings, TenantStatus};
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    fn tenant(slug: &str) -> Tenant {
        Tenant {
            id: TenantId::new(),
            slug: slug.into(),
            name: "A merchant".into(),
            tier: Tier::Free,
            status: TenantStatus::Active,
            currency: Currency::EUR,
            settings: TenantSettings::default(),
            placement: Placement { shard: "main".into(), database: "shared".into(), dedicated: false },
            rate_limit: None,
            flags: Flags::default(),
            spending: kernel::Spending::default(),
        }
    }

    // OBS-1
    #[test]
    fn the_first_tenants_have_names_of_their_own_and_the_rest_are_counted_together() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let shown = metrics::with_local_recorder(&recorder, || {
            let responses = Responses::new(2);
            let tenants = ["ant", "bee", "cat", "dog"].map(tenant);
            for tenant in tenants.iter().chain(&tenants) {
                responses.record(StatusCode::OK, Some(tenant));
            }
            responses.record(StatusCode::BAD_GATEWAY, Some(&tenants[3]));
            responses.record(StatusCode::NOT_FOUND, None);
            recorder.handle().render()
        });
        for line in [
            r#"markethall_tenant_requests_total{tenant="ant",class="2xx"} 2"#,
            r#"markethall_tenant_requests_total{tenant="bee",class="2xx"} 2"#,
            r#"markethall_tenant_requests_total{tenant="_other",class="2xx"} 4"#,
            r#"markethall_tenant_requests_total{tenant="_other",class="5xx"} 1"#,
            r#"markethall_http_responses_total{class="2xx",tier="free"} 8"#,
            r#"markethall_http_responses_total{class="4xx",tier="none"} 1"#,
            r#"markethall_http_responses_total{class="5xx",tier="enterprise"} 0"#,
        ] {
            assert!(shown.contains(line), "no {line} in {shown}");
        }
        assert!(!shown.contains("cat") && !shown.contains("dog"), "{shown}");
    }
}
