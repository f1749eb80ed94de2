//! The problem codes that an operation has by its nature, besides those of its use case.

use kernel::Code;

use crate::{Access, IdempotencyKey, LimitedAs, Op, codes};

/// Every code that `op` can answer, in order of status, each once.
pub(crate) fn codes_of(op: &Op) -> Vec<Code> {
    let mut all = vec![codes::INTERNAL, codes::OVERLOADED, codes::REQUEST_TIMEOUT];
    if op.limited_as != LimitedAs::Unlimited {
        all.push(codes::RATE_LIMITED);
    }
    match op.access.unwrap_or(Access::Public) {
        Access::Public => all.extend([codes::VALIDATION_FAILED, codes::IDENTITY_UNAVAILABLE]),
        Access::Authenticated => {
            all.extend(TOKEN);
            all.extend(TENANT);
        }
        Access::Permission(_) | Access::Owned(..) => {
            all.extend(TOKEN);
            all.extend(TENANT);
            all.push(codes::PERMISSION_DENIED);
        }
        Access::Platform(_) | Access::OperatorNetwork(_) => {
            all.extend(TOKEN);
            all.push(codes::PERMISSION_DENIED);
        }
    }
    // Parameters that nobody declared are refused everywhere.
    all.push(codes::VALIDATION_FAILED);
    all.extend([codes::DATABASE_UNAVAILABLE, codes::DATABASE_BUSY]);
    if op.path.contains('{') || op.query.is_some() {
        all.push(codes::NOT_FOUND);
    }
    if let Some(body) = &op.body {
        if body.content_type == "application/json" {
            all.push(codes::MALFORMED_JSON);
        }
        all.extend([codes::BODY_TIMEOUT, codes::PAYLOAD_TOO_LARGE, codes::UNSUPPORTED_MEDIA_TYPE]);
    }
    if op.is_unsafe() {
        all.push(codes::CONFLICT);
    }
    if let Some(key) = op.idempotency {
        all.extend([codes::IDEMPOTENCY_IN_PROGRESS, codes::IDEMPOTENCY_KEY_REUSED]);
        if key == IdempotencyKey::Required {
            all.push(codes::IDEMPOTENCY_KEY_REQUIRED);
        }
    }
    if op.if_match {
        all.push(codes::PRECONDITION_FAILED);
    }
    all.extend_from_slice(&op.problems);
    all.sort_by_key(|code| (code.status, code.code));
    all.dedup_by_key(|code| code.code);
    all
}

const TOKEN: [Code; 3] = [codes::UNAUTHENTICATED, codes::TOKEN_EXPIRED, codes::IDENTITY_UNAVAILABLE];
const TENANT: [Code; 3] = [codes::TENANT_REQUIRED, codes::TENANT_MISMATCH, codes::TENANT_SUSPENDED];

/// Whether `op` says that it can answer `code`.
pub(crate) fn declares(op: &Op, code: Code) -> bool {
    codes_of(op).iter().any(|known| known.code == code.code)
}
