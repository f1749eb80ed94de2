//! The problem codes of the edge itself; domains declare their own beside their use cases.

use kernel::Code;

macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident, $status:literal, $title:literal, $help:literal;)*) => {
        $($(#[$meta])* pub const $name: Code = Code::new(stringify!($name), $status, $title, $help);)*
        /// All of them, for the catalogue.
        pub(crate) const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    /// Input that breaks a rule of its schema.
    VALIDATION_FAILED, 400, "The request is not valid.",
        "Read `errors`: each entry names the place (`pointer` into the body, `parameter` or `header`) and what is wrong with it.";
    /// A body that is not JSON.
    MALFORMED_JSON, 400, "The body is not valid JSON.",
        "Send one UTF-8 JSON document without NUL characters and at most 32 levels deep.";
    /// A tenant route without a tenant.
    TENANT_REQUIRED, 400, "The request names no tenant.",
        "Send the tenant's slug in `X-Tenant` or use a token that belongs to a tenant.";
    /// A route with a required key, called without one.
    IDEMPOTENCY_KEY_REQUIRED, 400, "This request needs an Idempotency-Key header.",
        "Send a fresh random key (a UUID) per intended effect and repeat it unchanged when you try again.";
    /// No token.
    UNAUTHENTICATED, 401, "The request carries no valid credentials.",
        "Send `Authorization: Bearer <token>`; tokens come from `POST /api/v1/auth/token` or `markethall token`.";
    /// An old token.
    TOKEN_EXPIRED, 401, "The token has expired.",
        "Get a new token with the refresh token or sign in again.";
    /// Not allowed.
    PERMISSION_DENIED, 403, "The caller lacks the permission for this operation.",
        "Ask an administrator of the tenant for a role with the permission named in `detail`.";
    /// A token of another tenant, or a tenant that is none.
    TENANT_MISMATCH, 403, "The token does not belong to this tenant.",
        "Use a token of the tenant named in `X-Tenant`, or leave the header out.";
    /// A tenant that may not trade now.
    TENANT_SUSPENDED, 403, "The tenant is not active.",
        "The operator has stopped this tenant or is still setting it up; ask them.";
    /// The operator has switched it off.
    FEATURE_OFF, 403, "The feature is switched off.",
        "Ask the operator, who can switch the feature named in `detail` on; `GET /api/v1/feature-flags` tells what is on.";
    /// Nothing there.
    NOT_FOUND, 404, "There is no such thing.",
        "Check the address and the identifier; things of other tenants are never visible.";
    /// The path exists, the method does not.
    METHOD_NOT_ALLOWED, 405, "The method is not allowed here.",
        "Use one of the methods in the `Allow` header.";
    /// The client was too slow.
    BODY_TIMEOUT, 408, "The body did not arrive in time.",
        "Send the whole body at once; try again on a better connection.";
    /// The state of things forbids it.
    CONFLICT, 409, "The request conflicts with what is stored.",
        "Read the present state and decide again.";
    /// The first request with this key still runs.
    IDEMPOTENCY_IN_PROGRESS, 409, "A request with this Idempotency-Key is still running.",
        "Wait a moment, then repeat the same request with the same key.";
    /// The resource changed meanwhile.
    PRECONDITION_FAILED, 412, "The resource has changed since it was read.",
        "Read it again, apply the change to the new version and send its `ETag` in `If-Match`.";
    /// Too much.
    PAYLOAD_TOO_LARGE, 413, "The body is too large.",
        "Send less; the limit is 1 MiB unless the operation says otherwise.";
    /// Not JSON by its own account.
    UNSUPPORTED_MEDIA_TYPE, 415, "The body's media type is not supported.",
        "Send the media type that the operation documents, usually `Content-Type: application/json`.";
    /// A key with two meanings.
    IDEMPOTENCY_KEY_REUSED, 422, "This Idempotency-Key was used for another request.",
        "Use a new key for a new request; repeat a request only with the same body.";
    /// Too often.
    RATE_LIMITED, 429, "The caller has used up its rate limit.",
        "Wait for `Retry-After` seconds; `RateLimit` and `RateLimit-Policy` tell on every answer how much is left.";
    /// A defect.
    INTERNAL, 500, "The server failed.",
        "Try again later; tell the operator the `correlationId` if it persists.";
    /// The database is away.
    DATABASE_UNAVAILABLE, 503, "The database is not available.",
        "Try again after `Retry-After` seconds, with the same Idempotency-Key.";
    /// Transactions in each other's way.
    DATABASE_BUSY, 503, "Other transactions were in the way.",
        "Try again after `Retry-After` seconds, with the same Idempotency-Key.";
    /// Tokens or tenants cannot be checked now.
    IDENTITY_UNAVAILABLE, 503, "Credentials cannot be checked at the moment.",
        "Try again after `Retry-After` seconds.";
    /// It took too long.
    REQUEST_TIMEOUT, 503, "The request took too long and was stopped.",
        "Try again with the same Idempotency-Key; ask for less at once.";
    /// More requests than the server takes at once.
    OVERLOADED, 503, "The server is at its limit.",
        "Try again after `Retry-After` seconds.";

    /// In `errors[]`: a field that the schema does not know.
    UNKNOWN_FIELD, 400, "The field is not known.", "Leave it out; fields are case-sensitive camelCase.";
    /// In `errors[]`: a field that must be there.
    MISSING_FIELD, 400, "A required field is missing.", "Add it.";
    /// In `errors[]`: a field given twice.
    DUPLICATE_FIELD, 400, "The field is given twice.", "Give it once.";
    /// In `errors[]`: a value of another type.
    INVALID_TYPE, 400, "The value has the wrong type.", "Send the type that the schema names.";
    /// In `errors[]`: a value that is not allowed.
    INVALID_VALUE, 400, "The value is not allowed.", "Send a value that the schema allows.";
    /// In `errors[]`: too short.
    TOO_SHORT, 400, "The value is too short.", "Send at least what the schema asks for.";
    /// In `errors[]`: too long.
    TOO_LONG, 400, "The value is too long.", "Send at most what the schema allows.";
    /// In `errors[]`: below the minimum.
    TOO_SMALL, 400, "The value is too small.", "Send at least the minimum of the schema.";
    /// In `errors[]`: above the maximum.
    TOO_LARGE, 400, "The value is too large.", "Send at most the maximum of the schema.";
    /// In `errors[]`: a NUL character.
    NUL_CHARACTER, 400, "The text contains a NUL character.", "Remove it.";
}

/// Those that stand in `errors[]` only, never alone.
pub(crate) const FIELD: &[Code] = &[
    UNKNOWN_FIELD,
    MISSING_FIELD,
    DUPLICATE_FIELD,
    INVALID_TYPE,
    INVALID_VALUE,
    TOO_SHORT,
    TOO_LONG,
    TOO_SMALL,
    TOO_LARGE,
    NUL_CHARACTER,
];
