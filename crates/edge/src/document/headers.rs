//! Headers and parameters that several operations share.

use utoipa::openapi::{
    Header, HeaderBuilder, ObjectBuilder, Required,
    path::{Parameter, ParameterBuilder, ParameterIn},
    schema::Type,
};

use crate::IdempotencyKey;

fn text(pattern: &str, description: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))))
        .description(Some(description))
        .build()
}

/// A list of policies by name, each with parameters.
const POLICIES: &str = "^\"[a-z]+\"(;[a-z]+=[0-9]+)+(, \"[a-z]+\"(;[a-z]+=[0-9]+)+)*$";

/// On every answer.
pub(super) fn always() -> [(&'static str, Header); 2] {
    [
        ("X-Correlation-Id", text("^[A-Za-z0-9._-]{1,64}$", "Names this request in logs; sent or made.")),
        ("X-Api-Versions", text("^v[0-9]+$", "The versions of the API that are served.")),
    ]
}

/// On every answer to a call that a rate limit counts; written down where somebody looks for them.
pub(super) fn rate_limits() -> [(&'static str, Header); 2] {
    [
        (
            "RateLimit",
            text(POLICIES, "How many more calls each rate limit allows (r), all of it in t seconds."),
        ),
        ("RateLimit-Policy", text(POLICIES, "The rate limits that count: q calls in w seconds.")),
    ]
}

pub(super) fn etag() -> Header {
    text("^\"[!#-~]{0,128}\"$", "The version of the resource, for If-Match and If-None-Match.")
}

pub(super) fn location() -> Header {
    text("^/", "Where the resource is found.")
}

pub(super) fn replayed() -> Header {
    text("^true$", "This answer was given before to the same request with the same key.")
}

pub(super) fn challenge() -> Header {
    text("^Bearer", "How to authenticate.")
}

pub(super) fn retry_after() -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(86_400))))
        .description(Some("Seconds after which another try makes sense."))
        .build()
}

fn parameter(name: &str, pattern: &str, required: bool, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(if required { Required::True } else { Required::False })
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))))
        .build()
}

pub(super) fn tenant_parameter() -> Parameter {
    let text = "The tenant's slug; may be left out when the token belongs to one tenant.";
    parameter("X-Tenant", "^[a-z0-9-]{2,40}$", false, text)
}

pub(super) fn correlation_parameter() -> Parameter {
    ParameterBuilder::new()
        .name("X-Correlation-Id")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Ties this request to others in logs, messages and audit. Kept when it is 1 to 64 characters of \
             A-Z, a-z, 0-9, dot, underscore and hyphen; replaced otherwise.",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

pub(super) fn key_parameter(key: IdempotencyKey) -> Parameter {
    let text = "A fresh key per intended effect, repeated unchanged when the same request is sent again.";
    parameter("Idempotency-Key", "^[!#-~]{1,255}$", key == IdempotencyKey::Required, text)
}

pub(super) fn if_none_match_parameter() -> Parameter {
    let text = "Answers 304 when the resource still has this version.";
    parameter("If-None-Match", "^(\\*|\"[!#-+.-~]{0,128}\")?$", false, text)
}

pub(super) fn if_match_parameter() -> Parameter {
    let text = "Refuses with 412 unless the resource still has this version.";
    parameter("If-Match", "^(\\*|\"[!#-+.-~]{0,128}\")?$", false, text)
}
