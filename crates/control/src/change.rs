//! What caches are told when something changes, in this process at once and in all others by notification.

use std::{fmt, str::FromStr};

use db::{ControlTx, DbError};
use kernel::{ParseIdError, TenantId};

use crate::{
    Control,
    accounts::{AccountId, SessionId},
    api_keys::ApiKeyId,
};

/// A fact that makes something held in memory wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A tenant's entry.
    Tenant(TenantId),
    /// The tokens of an account, in all its tenants.
    Account(AccountId),
    /// The tokens of an account in one tenant.
    Membership(TenantId, AccountId),
    /// The tokens of a sign-in.
    Session(SessionId),
    /// An API key.
    ApiKey(ApiKeyId),
    /// The external issuers.
    Issuers,
    /// A tenant's own roles.
    Roles(TenantId),
    /// The built-in issuer's keys.
    SigningKeys,
    /// All tokens of the command line.
    OperatorTokens,
    /// What is decided about features.
    Flags,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(id) => write!(f, "control/tenant/{id}"),
            Self::Account(id) => write!(f, "control/account/{id}"),
            Self::Membership(tenant, account) => write!(f, "control/membership/{tenant}/{account}"),
            Self::Session(id) => write!(f, "control/session/{id}"),
            Self::ApiKey(id) => write!(f, "control/api-key/{id}"),
            Self::Issuers => f.write_str("control/issuers"),
            Self::Roles(tenant) => write!(f, "control/roles/{tenant}"),
            Self::SigningKeys => f.write_str("control/signing-keys"),
            Self::OperatorTokens => f.write_str("control/operator-tokens"),
            Self::Flags => f.write_str("control/flags"),
        }
    }
}

impl FromStr for Change {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            ["control", "tenant", id] => id.parse().map(Self::Tenant),
            ["control", "account", id] => id.parse().map(Self::Account),
            ["control", "membership", tenant, account] => {
                Ok(Self::Membership(tenant.parse()?, account.parse()?))
            }
            ["control", "session", id] => id.parse().map(Self::Session),
            ["control", "api-key", id] => id.parse().map(Self::ApiKey),
            ["control", "issuers"] => Ok(Self::Issuers),
            ["control", "roles", tenant] => tenant.parse().map(Self::Roles),
            ["control", "signing-keys"] => Ok(Self::SigningKeys),
            ["control", "operator-tokens"] => Ok(Self::OperatorTokens),
            ["control", "flags"] => Ok(Self::Flags),
            _ => Err(ParseIdError),
        }
    }
}

impl Control {
    /// Tells every process of `change` once `tx` has committed; this one before the commit returns.
    pub(crate) async fn announce(&self, tx: &ControlTx, change: Change) -> Result<(), DbError> {
        tx.notify_invalidate(&change.to_string()).await?;
        let control = self.clone();
        tx.on_commit(move || control.apply(change));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_read_back_as_they_were_written() {
        let (tenant, account) = (TenantId::new(), AccountId::new());
        let changes = [
            Change::Tenant(tenant),
            Change::Account(account),
            Change::Membership(tenant, account),
            Change::Session(SessionId::new()),
            Change::ApiKey(ApiKeyId::new()),
            Change::Issuers,
            Change::Roles(tenant),
            Change::SigningKeys,
            Change::OperatorTokens,
            Change::Flags,
        ];
        for change in changes {
            assert_eq!(change.to_string().parse(), Ok(change));
        }
        assert!("catalog/product/prd_1".parse::<Change>().is_err());
    }
}
