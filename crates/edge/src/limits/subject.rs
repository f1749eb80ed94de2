//! Whose call it is, as the limits see it.

use std::net::IpAddr;

use kernel::{Actor, Tenant};
use sha2::{Digest, Sha256};

use super::{Few, LimitedAs, LimitsConfig, Rule};
use crate::{Principal, network::counted_as};

/// The names of all limits.
pub(super) const POLICIES: [&str; 5] = ["tenant", "user", "address", "registration", super::cost::POLICY];

/// Whose call it is: a known caller, else an address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) principal: Option<&'a Principal>,
    pub(crate) tenant: Option<&'a Tenant>,
    pub(crate) address: Option<IpAddr>,
}

impl Subject<'_> {
    /// The limits that count for this call, the widest first.
    pub(super) fn rules(&self, config: &LimitsConfig, as_what: LimitedAs) -> Few<Rule> {
        let mut rules = Few::new();
        if self.principal.is_some() {
            if let Some(tenant) = self.tenant {
                let limit = tenant.rate_limit.unwrap_or_else(|| config.of_tier(tenant.tier));
                rules.push(Rule { name: "tenant", limit });
            }
            if self.person().is_some() {
                rules.push(Rule { name: "user", limit: config.user });
            }
        } else {
            rules.push(Rule { name: "address", limit: config.address });
        }
        if as_what == LimitedAs::Registration {
            rules.push(Rule { name: "registration", limit: config.registration });
        }
        rules
    }

    /// The signed-in person, if it is one: programs and the operator count towards their tenant only.
    pub(super) fn person(&self) -> Option<&str> {
        match &self.principal?.actor {
            Actor::User(id) | Actor::Visitor(id) => Some(id),
            Actor::Key(_) | Actor::Operator | Actor::System => None,
        }
    }

    /// The caller under a rule's name, as bytes to be hashed: a name never reaches a store.
    pub(super) fn identify(&self, rule: &Rule, mut take: impl FnMut(&[u8])) {
        take(rule.name.as_bytes());
        // Another limit is another bucket: who is given more is not held to what the old one remembers.
        take(&rule.limit.limit.to_be_bytes());
        take(&rule.limit.window_seconds.to_be_bytes());
        match rule.name {
            "tenant" => {}
            "user" => take(self.person().unwrap_or_default().as_bytes()),
            "address" => take(self.network().as_bytes()),
            // Registration: of a person and of where they are.
            _ => {
                take(self.person().unwrap_or_default().as_bytes());
                take(self.network().as_bytes());
            }
        }
        if let Some(tenant) = self.tenant {
            take(tenant.id.0.as_bytes());
        }
    }

    /// The key of a rule in Redis, with the hash tag that keeps the keys of one call in one slot of a cluster.
    pub(super) fn shared_key(&self, rule: &Rule) -> String {
        let mut hash = Sha256::new();
        self.identify(rule, |bytes| hash.update(bytes));
        let hash = hash.finalize();
        let id = u128::from_be_bytes(hash[..16].try_into().unwrap_or_default());
        match self.tenant {
            Some(tenant) if self.principal.is_some() => format!("limit:{{{}}}:{id:x}", tenant.id),
            _ if self.principal.is_some() => format!("limit:{{platform}}:{id:x}"),
            _ => format!("limit:{{{}}}:{id:x}", self.network()),
        }
    }

    fn network(&self) -> String {
        self.address.map_or_else(String::new, |address| counted_as(address).to_string())
    }
}
