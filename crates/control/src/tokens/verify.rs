//! Verifying a token of the built-in issuer: signature, times, and whether its account still stands behind it.

use std::sync::Arc;

use db::DbError;
use edge::{AuthError, Principal};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use kernel::{Actor, PermissionSet, TenantId, Timestamp};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    cache::{Anchor, Verified},
    claims::{Claims, OPERATOR, is_visitor},
    keys::KeyError,
    revoke_operator_tokens::find_generation,
};
use crate::{
    Control,
    accounts::{AccountId, SessionId},
    counts::TOKENS_UNSEEN,
    permissions::SUPER_ADMIN,
};

/// No token of ours, nor any sensible one, is longer.
const LONGEST: usize = 16 * 1024;

#[derive(Deserialize)]
struct Issued {
    iss: String,
}

/// The header and issuer as the token claims them; nothing is verified yet.
pub(crate) fn peek(bearer: &str) -> Result<(Header, String), AuthError> {
    if bearer.len() > LONGEST {
        return Err(AuthError::Invalid("too long"));
    }
    // Unknown algorithms, `none` among them, end here.
    let header = jsonwebtoken::decode_header(bearer).map_err(|_| AuthError::Invalid("not a token"))?;
    let issued: Issued = jsonwebtoken::dangerous::insecure_decode_claims(bearer)
        .map_err(|_| AuthError::Invalid("names no issuer"))?;
    Ok((header, issued.iss))
}

/// Checks signature, algorithm, issuer and audience; times are checked by [`check_times`] with our clock.
pub(crate) fn check_signature<C: DeserializeOwned + Clone>(
    bearer: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
    issuer: &str,
    audience: &str,
) -> Result<C, AuthError> {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    match jsonwebtoken::decode::<C>(bearer, key, &validation) {
        Ok(token) => Ok(token.claims),
        Err(error) => Err(AuthError::Invalid(reason(error.kind()))),
    }
}

fn reason(kind: &jsonwebtoken::errors::ErrorKind) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => "wrong signature",
        ErrorKind::InvalidIssuer => "wrong issuer",
        ErrorKind::InvalidAudience => "wrong audience",
        ErrorKind::InvalidAlgorithm => "wrong algorithm",
        ErrorKind::MissingRequiredClaim(_) => "lacks a claim",
        _ => "not a token",
    }
}

/// Whether a token is in its time, give or take `leeway_s`; returns when it stops being so.
pub(crate) fn check_times(
    exp: i64,
    nbf: Option<i64>,
    leeway_s: i64,
    now: Timestamp,
) -> Result<Timestamp, AuthError> {
    let until = Timestamp::from_second(exp.saturating_add(leeway_s))
        .map_err(|_| AuthError::Invalid("expires beyond all time"))?;
    if until <= now {
        return Err(AuthError::Expired);
    }
    if nbf.is_some_and(|nbf| nbf > now.as_second().saturating_add(leeway_s)) {
        return Err(AuthError::Invalid("not valid yet"));
    }
    Ok(until)
}

/// Verifies a token that names our own issuer.
pub(crate) async fn verify_own(
    control: &Control,
    bearer: &str,
    header: &Header,
    now: Timestamp,
) -> Result<Verified, AuthError> {
    if header.alg != Algorithm::EdDSA {
        return Err(AuthError::Invalid("wrong algorithm"));
    }
    let kid = header.kid.as_deref().ok_or(AuthError::Invalid("names no key"))?;
    let key = control.find_signing_key(kid, now).await.map_err(unavailable)?;
    let key = key.ok_or(AuthError::Invalid("unknown key"))?;
    let config = control.config();
    let claims: Claims =
        check_signature(bearer, &key.verifying, Algorithm::EdDSA, &config.issuer, &config.audience)?;
    let expires_at = check_times(claims.exp, Some(claims.nbf), 0, now)?;
    let permissions = PermissionSet::new(claims.permissions);
    if claims.sub == OPERATOR {
        let [generation, _] = claims.generations.unwrap_or_default();
        let confirmed = confirm(control, is_operator_generation(control, generation)).await?;
        let principal = Principal { actor: Actor::Operator, tenant: claims.tenant, permissions, expires_at };
        return Ok(Verified { principal: Arc::new(principal), anchor: Anchor::Operator, confirmed });
    }
    if is_visitor(&claims.sub) {
        let actor = Actor::Visitor(claims.sub.into());
        let principal = Principal { actor, tenant: claims.tenant, permissions, expires_at };
        return Ok(Verified { principal: Arc::new(principal), anchor: Anchor::Visitor, confirmed: true });
    }
    let account: AccountId = claims.sub.parse().map_err(|_| AuthError::Invalid("unknown subject"))?;
    let standing = Standing {
        account,
        tenant: claims.tenant,
        session: claims.sid,
        generations: claims.generations.unwrap_or_default(),
        platform: claims.role.as_deref() == Some(SUPER_ADMIN),
    };
    let confirmed = confirm(control, standing.ask(control)).await?;
    let actor = Actor::User(claims.sub.into());
    let principal = Principal { actor, tenant: claims.tenant, permissions, expires_at };
    let anchor = Anchor::Account { account, tenant: claims.tenant, session: claims.sid };
    Ok(Verified { principal: Arc::new(principal), anchor, confirmed })
}

fn unavailable(error: KeyError) -> AuthError {
    AuthError::Unavailable(error.to_string())
}

/// What must still be so for a signed token to be worth something.
struct Standing {
    account: AccountId,
    tenant: Option<TenantId>,
    session: Option<SessionId>,
    generations: [i32; 2],
    platform: bool,
}

/// Asks the database; false when it is away and the signature has to suffice: such tokens live for minutes, and tills
/// must trade on. That is counted.
async fn confirm(
    control: &Control,
    stands: impl Future<Output = Result<bool, DbError>>,
) -> Result<bool, AuthError> {
    match control.guarded(stands).await {
        Ok(true) => Ok(true),
        Ok(false) => Err(AuthError::Invalid("revoked")),
        Err(DbError::Unavailable(_)) => {
            TOKENS_UNSEEN.increment(1);
            Ok(false)
        }
        Err(error) => Err(AuthError::Unavailable(error.to_string())),
    }
}

async fn is_operator_generation(control: &Control, generation: i32) -> Result<bool, DbError> {
    let tx = control.db().control().await?;
    let present = find_generation(&tx).await?;
    tx.commit().await?;
    Ok(present == generation)
}

impl Standing {
    async fn ask(&self, control: &Control) -> Result<bool, DbError> {
        let tx = control.db().control().await?;
        let [account, membership] = self.generations;
        let row = tx
            .query_one(
                include_str!("check_standing.sql"),
                &[&self.account, &self.tenant, &self.session, &account, &membership, &self.platform],
            )
            .await?;
        tx.commit().await?;
        Ok(row.try_get(0)?)
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::EncodingKey;
    use serde_json::{Value, json};

    use super::*;
    use crate::tokens::keys::make_key;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    // IDN-1, IDN-2
    #[test]
    fn issuer_and_audience_are_checked_even_under_a_good_signature() {
        let key = make_key().unwrap();
        let verifying = DecodingKey::from_ed_components(&key.public_x).unwrap();
        let sign = |claims: Value| {
            let signing = EncodingKey::from_ed_der(&key.private);
            jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &signing).unwrap()
        };
        let check = |claims: Value| {
            check_signature::<Value>(&sign(claims), &verifying, Algorithm::EdDSA, "https://a", "us").map(drop)
        };
        assert_eq!(check(json!({ "iss": "https://a", "aud": "us", "sub": "x", "exp": 1 })), Ok(()));
        assert_eq!(check(json!({ "iss": "https://a", "aud": ["them", "us"], "sub": "x", "exp": 1 })), Ok(()));
        for (claims, reason) in [
            (json!({ "iss": "https://b", "aud": "us", "sub": "x", "exp": 1 }), "wrong issuer"),
            (json!({ "iss": "https://a/", "aud": "us", "sub": "x", "exp": 1 }), "wrong issuer"),
            (json!({ "iss": "https://a", "aud": "them", "sub": "x", "exp": 1 }), "wrong audience"),
            (json!({ "iss": "https://a", "aud": [], "sub": "x", "exp": 1 }), "wrong audience"),
            (json!({ "iss": "https://a", "sub": "x", "exp": 1 }), "lacks a claim"),
            (json!({ "iss": "https://a", "aud": "us", "exp": 1 }), "lacks a claim"),
            (json!({ "iss": "https://a", "aud": "us", "sub": "x" }), "lacks a claim"),
        ] {
            assert_eq!(check(claims.clone()), Err(AuthError::Invalid(reason)), "{claims}");
        }
        let other = DecodingKey::from_ed_components(&make_key().unwrap().public_x).unwrap();
        let good = sign(json!({ "iss": "https://a", "aud": "us", "sub": "x", "exp": 1 }));
        let refused = check_signature::<Value>(&good, &other, Algorithm::EdDSA, "https://a", "us");
        assert_eq!(refused, Err(AuthError::Invalid("wrong signature")));
    }

    #[test]
    fn a_token_is_good_from_nbf_to_exp_give_or_take_the_leeway() {
        assert_eq!(check_times(100, Some(50), 0, at(99)), Ok(at(100)));
        assert_eq!(check_times(100, None, 0, at(100)), Err(AuthError::Expired));
        assert_eq!(check_times(100, None, 30, at(129)), Ok(at(130)));
        assert_eq!(check_times(100, None, 30, at(130)), Err(AuthError::Expired));
        assert_eq!(check_times(100, Some(50), 30, at(20)), Ok(at(130)));
        assert!(check_times(100, Some(50), 30, at(19)).is_err());
        assert!(check_times(i64::MAX, None, 30, at(1)).is_err());
        assert!(check_times(i64::MIN, None, 30, at(1)).is_err());
    }
}
