//! Verifying a token of an external issuer.

use std::sync::Arc;

use db::DbError;
use edge::{AuthError, Principal};
use jsonwebtoken::Header;
use kernel::{Actor, PermissionSet, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::{Issuer, key_set::Asked, mapping::Mapped};
use crate::{
    Control,
    permissions::is_tenant_permission,
    roles,
    tokens::{Anchor, Verified, check_signature, check_times},
};

/// Clocks may differ this much.
const LEEWAY_S: i64 = 30;

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Meant {
    aud: Audience,
}

/// Whom `bearer`, which says that it comes from `url`, stands for.
pub(crate) async fn verify_external(
    control: &Control,
    bearer: &str,
    header: &Header,
    url: &str,
    now: Timestamp,
) -> Result<Verified, AuthError> {
    let unavailable = |error: DbError| AuthError::Unavailable(error.to_string());
    let candidates = control.issuers_at(url, now).await.map_err(unavailable)?;
    let issuer = pick(&candidates, bearer)?;
    if !issuer.algorithms.iter().any(|algorithm| algorithm.is(header.alg)) {
        return Err(AuthError::Invalid("algorithm not allowed"));
    }
    let keys = control.issuers().key_set(url);
    let fetcher = &control.issuers().fetcher;
    let key = match keys.find(fetcher, url, header.kid.as_deref(), header.alg, now).await {
        Asked::Key(key) => key,
        Asked::Unknown => return Err(AuthError::Invalid("unknown key")),
        Asked::Unavailable(error) => return Err(AuthError::Unavailable(error.to_string())),
    };
    let claims: Value = check_signature(bearer, &key, header.alg, &issuer.url, &issuer.audience)?;
    let number = |name: &str| claims.get(name).and_then(|value| value.as_f64()).map(|value| value as i64);
    let exp = number("exp").ok_or(AuthError::Invalid("lacks a claim"))?;
    if claims.get("nbf").is_some() && number("nbf").is_none() {
        return Err(AuthError::Invalid("not a token"));
    }
    let expires_at = check_times(exp, number("nbf"), LEEWAY_S, now)?;
    let mapped = issuer.mapping.apply(&claims).ok_or(AuthError::Invalid("no usable subject"))?;
    check_tenant(issuer, &mapped)?;
    let permissions = resolve(control, issuer, &mapped).await.map_err(unavailable)?;
    let actor = Actor::User(format!("{}|{}", issuer.name, mapped.subject).into());
    let principal = Principal { actor, tenant: Some(issuer.tenant), permissions, expires_at };
    let anchor = Anchor::External(issuer.tenant);
    Ok(Verified { principal: Arc::new(principal), anchor, confirmed: true })
}

/// The entry whose audience the token is meant for; nothing is verified yet.
fn pick<'a>(candidates: &'a [Arc<Issuer>], bearer: &str) -> Result<&'a Issuer, AuthError> {
    if candidates.is_empty() {
        return Err(AuthError::Invalid("unknown issuer"));
    }
    let meant: Meant = jsonwebtoken::dangerous::insecure_decode_claims(bearer)
        .map_err(|_| AuthError::Invalid("names no audience"))?;
    let audiences = match meant.aud {
        Audience::One(one) => vec![one],
        Audience::Many(many) => many,
    };
    let mut fitting = candidates.iter().filter(|issuer| audiences.contains(&issuer.audience));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(AuthError::Invalid("wrong audience")),
        (Some(_), Some(_)) => Err(AuthError::Invalid("meant for several tenants")),
    }
}

fn check_tenant(issuer: &Issuer, mapped: &Mapped) -> Result<(), AuthError> {
    let id = issuer.tenant.to_string();
    match &mapped.tenants {
        Some(named) if !named.iter().any(|name| *name == issuer.tenant_slug || *name == id) => {
            Err(AuthError::Invalid("meant for another tenant"))
        }
        _ => Ok(()),
    }
}

/// Rights of the tenant only: an issuer of a tenant never makes operators.
async fn resolve(control: &Control, issuer: &Issuer, mapped: &Mapped) -> Result<PermissionSet, DbError> {
    let mut permissions = mapped.permissions.clone();
    if !mapped.roles.is_empty() {
        permissions.extend(control.guarded(resolve_roles(control, issuer, &mapped.roles)).await?);
    }
    permissions.retain(|name| is_tenant_permission(name));
    Ok(PermissionSet::new(permissions))
}

async fn resolve_roles(control: &Control, issuer: &Issuer, names: &[String]) -> Result<Vec<String>, DbError> {
    let mut permissions = Vec::new();
    let tx = control.db().control().await?;
    for name in names.iter().take(20) {
        let found = roles::resolve(&tx, issuer.tenant, name).await?;
        permissions.extend(found.iter().flat_map(PermissionSet::iter).map(str::to_owned));
    }
    tx.commit().await?;
    Ok(permissions)
}
