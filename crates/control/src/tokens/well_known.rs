//! What other programs need to verify our tokens: the public keys and the discovery document.

use axum::extract::State;
use edge::{Op, Problem, Reply, Routes};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::Control;

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
struct Jwks {
    /// The public keys; verify with the one that a token's header names.
    #[schema(value_type = Vec<Object>)]
    keys: Value,
}

/// The part of an OpenID Provider's metadata that concerns verification.
#[derive(Debug, Serialize, ToSchema)]
struct Discovery {
    /// The issuer as it stands in tokens.
    issuer: String,
    /// Where the keys are.
    jwks_uri: String,
    /// Where tokens come from.
    token_endpoint: String,
    /// Everybody sees the same subject.
    subject_types_supported: [&'static str; 1],
    /// How tokens are signed.
    id_token_signing_alg_values_supported: [&'static str; 1],
    /// No pages of authorisation.
    response_types_supported: [&'static str; 1],
}

/// The two documents, outside `/api/v1`.
pub(crate) fn routes() -> Routes<Control> {
    Routes::new("Identity")
        .add(
            Op::get("/.well-known/jwks.json", "get_jwks", "Public keys of the built-in issuer")
                .at_root()
                .public()
                .returns::<Jwks>(200),
            get_jwks,
        )
        .add(
            Op::get("/.well-known/openid-configuration", "get_openid_configuration", "Discovery document")
                .at_root()
                .public()
                .returns::<Discovery>(200),
            get_discovery,
        )
}

async fn get_jwks(State(control): State<Control>) -> Result<Reply, Problem> {
    Ok(Reply::ok(&control.keys().published(control.clock().now())))
}

async fn get_discovery(State(control): State<Control>) -> Result<Reply, Problem> {
    let issuer = control.config().issuer.clone();
    Ok(Reply::ok(&Discovery {
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        token_endpoint: format!("{issuer}{}/auth/token", edge::API_PREFIX),
        issuer,
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["EdDSA"],
        response_types_supported: ["token"],
    }))
}
