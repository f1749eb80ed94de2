//! Use case: a new tenant, from its name to its first administrator.

use db::{ControlTx, DbError};
use kernel::{Caller, Currency, TenantId, TenantSettings, TenantStatus, Tier};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{
    find_tenant::find_tenant,
    model::{PlacementKind, TenantView, settings_json},
    provision::{CLAIM, provision},
};
use crate::{
    Control,
    accounts::{PasswordError, check_email, first_password},
};

/// Names that are addresses of the program itself.
const RESERVED: [&str; 12] = [
    "admin", "api", "app", "auth", "console", "graphql", "health", "metrics", "platform", "register",
    "static", "www",
];

/// What a tenant is created from.
#[derive(Debug, Clone)]
pub struct CreateTenant {
    /// The name in addresses and headers: `[a-z0-9-]`, 2 to 40 characters; never changes.
    pub slug: String,
    /// The name for people.
    pub name: String,
    /// The tier.
    pub tier: Tier,
    /// The currency of its books; never changes.
    pub currency: Currency,
    /// How it trades.
    pub settings: TenantSettings,
    /// Shared or dedicated; by tier when `None`.
    pub placement: Option<PlacementKind>,
    /// Only a shard in this region; any when empty.
    pub region: String,
    /// This very shard; the best one when `None`.
    pub shard: Option<String>,
    /// The first administrator's address.
    pub admin_email: String,
    /// Their password; made up when `None`. An account that exists keeps its own.
    pub admin_password: Option<SecretString>,
}

/// A tenant that was asked for; `tenant.status` says whether it is trading yet.
#[derive(Debug)]
pub struct CreatedTenant {
    /// As it stands.
    pub tenant: TenantView,
    /// The made-up password of the first administrator, if their account is new; shown this once.
    pub admin_password: Option<SecretString>,
    /// The code by which an account from before takes the first administrator's place; shown this once.
    pub admin_invitation: Option<SecretString>,
}

/// Why a tenant was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateTenantError {
    /// There is one of that name, and it is not an unfinished one of the same making.
    #[error("tenant {0} exists")]
    Exists(String),
    /// The name cannot be had.
    #[error("{0} is a reserved name")]
    Reserved(String),
    /// The password could not be hashed now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// What a new tenant may be called, for callers that no request type has checked.
///
/// # Errors
/// A sentence naming the rule that is broken.
pub fn check_new_tenant(slug: &str, name: &str, admin_email: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let ends = !slug.starts_with('-') && !slug.ends_with('-');
    if !(2..=40).contains(&slug.len()) || !slug.bytes().all(plain) || !ends {
        return Err(
            "the slug must have 2 to 40 of a-z, 0-9 and -, and neither begin nor end with -".to_owned()
        );
    }
    if RESERVED.contains(&slug) {
        return Err(format!("{slug} is a reserved name"));
    }
    if !(1..=200).contains(&name.chars().count()) || name.contains('\0') {
        return Err("the name must have 1 to 200 characters".to_owned());
    }
    check_email(admin_email, &()).map_err(|error| format!("the administrator's address {error}"))
}

/// Creates a tenant and sets it up; repeated after a failure, it goes on where it stopped.
///
/// # Errors
/// [`CreateTenantError`]; a step that fails is no error but a status, and is tried again by a job.
pub async fn create_tenant(
    control: &Control,
    caller: &Caller,
    input: CreateTenant,
) -> Result<CreatedTenant, CreateTenantError> {
    if RESERVED.contains(&input.slug.as_str()) {
        return Err(CreateTenantError::Reserved(input.slug));
    }
    let (hash, made_up) = first_password(control, input.admin_password.clone()).await?;
    let claim = Uuid::now_v7();
    let tx = control.db().control().await?;
    let tenant = match find_tenant(&tx, &input.slug).await? {
        None => insert(&tx, caller, &input, &hash, claim).await?,
        Some(found) if is_same(&found, &input) => {
            set_admin(&tx, caller, found.id, &input, &hash, claim).await?;
            found.id
        }
        Some(_) => return Err(CreateTenantError::Exists(input.slug)),
    };
    tx.commit().await.map_err(|error| race(error, &input.slug))?;
    let admitted = provision(control, tenant, claim).await?;
    let tx = control.db().control().await?;
    let found = find_tenant(&tx, &input.slug).await?;
    let waits = admin_waits(&tx, tenant, &input, &hash).await?;
    tx.commit().await?;
    let tenant = found.ok_or_else(|| DbError::Other("the tenant just created is gone".to_owned()))?;
    let (admin_password, admin_invitation) = match admitted {
        Some(admitted) => (made_up.filter(|_| admitted.new_account), admitted.invitation),
        // A step before has stopped: the one that makes the account comes later, with this password.
        None => (made_up.filter(|_| waits), None),
    };
    Ok(CreatedTenant { tenant, admin_password, admin_invitation })
}

/// Whether the account of the first administrator is still to be made with this very password.
async fn admin_waits(
    tx: &ControlTx,
    tenant: TenantId,
    input: &CreateTenant,
    password: &str,
) -> Result<bool, DbError> {
    let row = tx.query_one(include_str!("find_admin.sql"), &[&tenant]).await?;
    let stored: Option<String> = row.try_get(1)?;
    let email = input.admin_email.to_lowercase();
    let known = tx.query_opt(include_str!("find_account_by_email.sql"), &[&email]).await?;
    Ok(known.is_none() && stored.as_deref() == Some(password))
}

/// Takes an unfinished tenant over with the administrator now wanted. When somebody is at work on it, or the
/// administrator has been made already, it stays as it is and cannot be another one any more.
async fn set_admin(
    tx: &ControlTx,
    caller: &Caller,
    tenant: TenantId,
    input: &CreateTenant,
    password: &str,
    claim: Uuid,
) -> Result<(), CreateTenantError> {
    let email = input.admin_email.to_lowercase();
    let ends = caller.now + CLAIM;
    let changed = tx
        .execute(include_str!("set_admin.sql"), &[&tenant, &email, &password, &claim, &ends, &caller.now])
        .await?;
    if changed == 1 {
        return Ok(());
    }
    let row = tx.query_one(include_str!("find_admin.sql"), &[&tenant]).await?;
    let decided: String = row.try_get(0).map_err(DbError::from)?;
    if decided == email { Ok(()) } else { Err(CreateTenantError::Exists(input.slug.clone())) }
}

/// Of two that create the same name at once, the later one is told that it exists.
fn race(error: DbError, slug: &str) -> CreateTenantError {
    if error.is_unique("tenant_slug_unique") {
        CreateTenantError::Exists(slug.to_owned())
    } else {
        error.into()
    }
}

/// Whether `found` is an unfinished tenant that `input` would have made.
fn is_same(found: &TenantView, input: &CreateTenant) -> bool {
    let unfinished = found.provisioning.step != "done" && found.status != TenantStatus::Suspended;
    let kind = input.placement.unwrap_or_else(|| PlacementKind::default_for(input.tier));
    unfinished
        && found.name == input.name
        && found.tier == input.tier
        && found.currency == input.currency
        && found.placement.kind == kind
        && found.region == input.region
}

async fn insert(
    tx: &ControlTx,
    caller: &Caller,
    input: &CreateTenant,
    password: &str,
    claim: Uuid,
) -> Result<TenantId, CreateTenantError> {
    let id = TenantId::new();
    let kind = input.placement.unwrap_or_else(|| PlacementKind::default_for(input.tier));
    let settings = settings_json(&input.settings)?;
    tx.execute(
        include_str!("create_tenant.sql"),
        &[
            &id,
            &input.slug,
            &input.name,
            &input.tier.as_str(),
            &input.currency.as_str(),
            &settings,
            &input.region,
            &(kind == PlacementKind::Dedicated),
            &caller.now,
            &input.admin_email.to_lowercase(),
            &password,
            &input.shard,
            &claim,
            &(caller.now + CLAIM),
        ],
    )
    .await
    .map_err(|error| race(error, &input.slug))?;
    Ok(id)
}

impl CreatedTenant {
    /// The made-up password, if any, to be shown once.
    #[must_use]
    pub fn shown_password(&self) -> Option<&str> {
        self.admin_password.as_ref().map(|password| password.expose_secret())
    }

    /// The code of the invitation, if any, to be shown once.
    #[must_use]
    pub fn shown_invitation(&self) -> Option<&str> {
        self.admin_invitation.as_ref().map(|code| code.expose_secret())
    }
}
