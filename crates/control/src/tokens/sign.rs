//! Signing access tokens, for people who signed in and for operators on the command line.

use std::time::Duration;

use jsonwebtoken::{Algorithm, Header};
use kernel::{PermissionSet, TenantId, Timestamp};
use uuid::Uuid;

use super::{
    claims::{Claims, OPERATOR, is_visitor},
    keys::KeyError,
    revoke_operator_tokens::find_generation,
};
use crate::{
    Control,
    accounts::SessionId,
    permissions::{CUSTOMER, built_in_role},
};

/// The longest life of any token that the built-in issuer signs (`markethall token --ttl`).
pub const MAX_TTL: Duration = Duration::from_secs(30 * 86_400);
/// Verifiers' clocks may be this much behind.
const NOT_BEFORE_SLACK_S: i64 = 5;

/// Whom an access token is for.
pub(crate) struct Grant {
    pub(crate) subject: String,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) role: Option<String>,
    pub(crate) permissions: PermissionSet,
    pub(crate) session: Option<SessionId>,
    pub(crate) generations: Option<[i32; 2]>,
    pub(crate) ttl: Duration,
}

/// Signs what `grant` says with the present key.
pub(crate) fn sign(control: &Control, grant: Grant, now: Timestamp) -> Result<String, KeyError> {
    let key = control.keys().signer(now)?;
    let issued = now.as_second();
    let life = i64::try_from(grant.ttl.min(MAX_TTL).as_secs()).unwrap_or(0);
    let claims = Claims {
        iss: control.config().issuer.clone(),
        aud: control.config().audience.clone(),
        sub: grant.subject,
        exp: issued + life,
        nbf: issued - NOT_BEFORE_SLACK_S,
        iat: issued,
        jti: Uuid::now_v7().simple().to_string(),
        tenant: grant.tenant,
        role: grant.role,
        permissions: grant.permissions.iter().map(str::to_owned).collect(),
        sid: grant.session,
        generations: grant.generations,
    };
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(key.kid.clone());
    jsonwebtoken::encode(&header, &claims, &key.signing).map_err(|_| KeyError::Unusable(key.kid.clone()))
}

/// What `markethall token` asks for.
#[derive(Debug, Clone)]
pub struct OperatorToken {
    /// The tenant it is bound to; `None` for the platform.
    pub tenant: Option<TenantId>,
    /// The role it names, for information.
    pub role: Option<String>,
    /// What it may do.
    pub permissions: PermissionSet,
    /// Its life; at most [`MAX_TTL`].
    pub ttl: Duration,
}

/// Signs a token for scripts and operators; it belongs to no account and ends with its time, its key, or all
/// others of its kind by `revoke_operator_tokens`.
///
/// # Errors
/// [`KeyError`] when the keys cannot be read.
pub async fn sign_operator_token(
    control: &Control,
    wanted: OperatorToken,
    now: Timestamp,
) -> Result<String, KeyError> {
    if control.keys().signer(now).is_err() {
        rotate_or_load(control, now).await?;
    }
    let tx = control.db().control().await?;
    let generation = find_generation(&tx).await?;
    tx.commit().await?;
    let grant = Grant {
        subject: OPERATOR.to_owned(),
        tenant: wanted.tenant,
        role: wanted.role,
        permissions: wanted.permissions,
        session: None,
        generations: Some([generation, 0]),
        ttl: wanted.ttl,
    };
    sign(control, grant, now)
}

/// Signs a token for somebody who does not work here: a customer (`cus_...`) or a guest (`gst_...`) of `tenant`, with the
/// rights of the built-in role `customer`. Nothing but its time ends it, at most [`MAX_TTL`].
///
/// # Errors
/// [`KeyError`] when there is no key to sign with.
pub fn sign_visitor_token(
    control: &Control,
    tenant: TenantId,
    visitor: &str,
    ttl: Duration,
    now: Timestamp,
) -> Result<String, KeyError> {
    debug_assert!(is_visitor(visitor), "{visitor} is no visitor");
    let rights = built_in_role(CUSTOMER).map(|role| role.permissions).unwrap_or_default();
    let grant = Grant {
        subject: visitor.to_owned(),
        tenant: Some(tenant),
        role: Some(CUSTOMER.to_owned()),
        permissions: PermissionSet::new(rights.iter().copied()),
        session: None,
        generations: None,
        ttl,
    };
    sign(control, grant, now)
}

async fn rotate_or_load(control: &Control, now: Timestamp) -> Result<(), KeyError> {
    control.load_signing_keys().await?;
    if matches!(control.keys().signer(now), Err(KeyError::Missing)) {
        super::rotate_signing_keys(control, now).await?;
    }
    Ok(())
}
