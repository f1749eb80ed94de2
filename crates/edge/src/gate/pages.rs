//! What answers where no operation is: unknown paths and wrong methods.

use http::HeaderValue;

use super::run::failing;
use crate::{Op, Problem, codes, routes::Endpoint};

/// Answers unknown paths.
pub(crate) fn not_found_endpoint() -> (Op, Endpoint) {
    let op = Op::get("", "unmatched", "Unknown paths").public().at_root().hidden();
    (op, failing(|| Problem::not_found().detail("There is nothing at this address.")))
}

/// Answers wrong methods on a known path.
pub(crate) fn not_allowed_endpoint(path: &'static str, at_root: bool, allow: HeaderValue) -> (Op, Endpoint) {
    let mut op = Op::get(path, "method_not_allowed", "Wrong methods").public().hidden();
    op.at_root = at_root;
    (op, failing(move || Problem::new(codes::METHOD_NOT_ALLOWED).allow(allow.clone())))
}
