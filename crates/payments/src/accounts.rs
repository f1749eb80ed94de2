//! Merchants' accounts with providers: credentials, sealed with the installation's master key.

use std::{collections::BTreeMap, fmt};

use control::MasterKey;
use db::{Db, DbError};
use kernel::{Ctx, TenantId, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

/// What the sealed bytes are for.
const PURPOSE: &str = "payments.provider_account";

/// The credentials of one merchant with one provider, by the provider's own names for them.
#[derive(Clone, Default)]
pub struct Credentials(BTreeMap<String, SecretString>);

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Credentials {
    /// From names and values.
    #[must_use]
    pub fn new(fields: impl IntoIterator<Item = (String, SecretString)>) -> Self {
        Self(fields.into_iter().collect())
    }

    /// The value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        self.0.get(name)
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// What is sealed; tenant and provider are inside, so that a row moved to another merchant does not open.
#[derive(Serialize, Deserialize)]
struct Sealed {
    tenant: TenantId,
    provider: String,
    fields: BTreeMap<String, String>,
}

/// An account as it is shown: never what is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The provider's name.
    pub provider: String,
    /// The names of the credentials that are set.
    pub fields: Vec<String>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The accounts of every merchant. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    db: Db,
    master_key: MasterKey,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}

impl Accounts {
    /// Accounts sealed with `master_key`.
    #[must_use]
    pub fn new(db: Db, master_key: MasterKey) -> Self {
        Self { db, master_key }
    }

    /// The merchant's credentials with `provider`, if there are any.
    ///
    /// # Errors
    /// [`DbError`]; [`DbError::Other`] when they were sealed with another master key.
    pub async fn find(&self, ctx: &Ctx, provider: &str) -> Result<Option<Credentials>, DbError> {
        let tx = self.db.begin_read(ctx).await?;
        let row = tx.query_opt(include_str!("find_account.sql"), &[&ctx.tenant_id(), &provider]).await?;
        tx.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let sealed: &[u8] = row.try_get(0)?;
        let refused = || DbError::Other("a provider account does not open with this master key".to_owned());
        let plain = self.master_key.open(PURPOSE, sealed).map_err(|_| refused())?;
        let opened: Sealed = serde_json::from_slice(&plain).map_err(|_| refused())?;
        if opened.tenant != ctx.tenant_id() || opened.provider != provider {
            return Err(refused());
        }
        Ok(Some(Credentials::new(opened.fields.into_iter().map(|(name, value)| (name, value.into())))))
    }

    /// Sets the merchant's credentials with `provider`.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn put(&self, ctx: &Ctx, provider: &str, credentials: &Credentials) -> Result<(), DbError> {
        let plain =
            |(name, value): (&String, &SecretString)| (name.clone(), value.expose_secret().to_owned());
        let fields: BTreeMap<_, _> = credentials.0.iter().map(plain).collect();
        let hint = fields.keys().map(String::as_str).collect::<Vec<_>>().join(",");
        let sealed = Sealed { tenant: ctx.tenant_id(), provider: provider.to_owned(), fields };
        let failed = || DbError::Other("a provider account cannot be sealed".to_owned());
        let bytes = serde_json::to_vec(&sealed).map_err(|_| failed())?;
        let bytes = self.master_key.seal(PURPOSE, &bytes).map_err(|_| failed())?;
        let tx = self.db.begin(ctx).await?;
        let now = ctx.now();
        let sql = include_str!("put_account.sql");
        tx.execute(sql, &[&ctx.tenant_id(), &provider, &bytes, &hint, &now]).await?;
        tx.commit().await
    }

    /// The merchant's accounts, without what is secret; there are few providers.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn list(&self, ctx: &Ctx) -> Result<Vec<Account>, DbError> {
        let tx = self.db.begin_read(ctx).await?;
        let rows = tx.query(include_str!("list_accounts.sql"), &[&ctx.tenant_id()]).await?;
        tx.commit().await?;
        rows.iter()
            .map(|row| {
                let fields: &str = row.try_get(1)?;
                let fields = fields.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
                Ok(Account { provider: row.try_get(0)?, fields, updated_at: row.try_get(2)? })
            })
            .collect()
    }
}
