//! One operation as OpenAPI describes it.

use std::collections::{BTreeMap, btree_map::Entry};

use kernel::Code;
use serde_json::json;
use utoipa::openapi::{
    AllOfBuilder, Content, ContentBuilder, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
    Schema,
    extensions::ExtensionsBuilder,
    path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
    request_body::RequestBodyBuilder,
    schema::Type,
    security::SecurityRequirement,
};

use super::{SchemaPart, codes_of, headers, openapi::Named};
use crate::{Access, IdempotencyKey, LimitedAs, Op, op::Success};

/// Describes `op`; the named schemas it uses go to `named`.
pub(super) fn operation(op: &Op, named: &mut Named) -> Operation {
    let mut builder = OperationBuilder::new()
        .operation_id(Some(op.id))
        .summary(Some(op.summary))
        .description(Some(description(op)))
        .tag(op.tag)
        .extensions(Some(ExtensionsBuilder::new().add("x-permission", permission(op)).build()));
    for parameter in parameters(op, named) {
        builder = builder.parameter(parameter);
    }
    if let Some(body) = &op.body {
        let content = match body.schema {
            Some(schema) => Content::new(Some(named.take(schema(), op.id))),
            None => Content::new(Some(ObjectBuilder::new().schema_type(Type::String))),
        };
        let body =
            RequestBodyBuilder::new().content(body.content_type, content).required(Some(Required::True));
        builder = builder.request_body(Some(body.build()));
    }
    for (status, response) in responses(op, named) {
        builder = builder.response(status.to_string(), response);
    }
    let needs: Vec<SecurityRequirement> = match op.access.unwrap_or(Access::Public) {
        Access::Public => vec![SecurityRequirement::default()],
        _ => vec![SecurityRequirement::new::<_, [&str; 0], &str>("bearer", [])],
    };
    builder.securities(Some(needs)).build()
}

fn permission(op: &Op) -> serde_json::Value {
    match op.access.unwrap_or(Access::Public) {
        Access::Public => json!("public"),
        Access::Authenticated => json!("authenticated"),
        Access::Permission(it)
        | Access::Owned(it, _)
        | Access::Platform(it)
        | Access::OperatorNetwork(it) => json!(it.as_str()),
    }
}

fn description(op: &Op) -> String {
    let mut text = op.description.map(|text| format!("{text}\n\n")).unwrap_or_default();
    text.push_str(&match op.access.unwrap_or(Access::Public) {
        Access::Public => "Needs no token.".to_owned(),
        Access::Authenticated => "Needs a valid token.".to_owned(),
        Access::Permission(it) => format!("Needs the permission `{it}` in the tenant."),
        Access::Owned(all, own) => {
            format!("Needs the permission `{all}` in the tenant; customers and guests reach their own with `{own}`.")
        }
        Access::Platform(it) => format!("Needs the permission `{it}` of the platform."),
        Access::OperatorNetwork(it) => {
            format!("Needs the permission `{it}`, or the operator's network.")
        }
    });
    text
}

fn parameters(op: &Op, named: &mut Named) -> Vec<Parameter> {
    let mut all = Vec::new();
    for (place, name) in op.path_names().enumerate() {
        let schema = match op.path_schemas.get(place) {
            Some(schema) => path_schema(named.take(schema(), op.id), name),
            None => ObjectBuilder::new().schema_type(Type::String).into(),
        };
        let parameter =
            ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
        all.push(parameter.schema(Some(schema)).build());
    }
    all.extend(op.query.map(|query| query()).unwrap_or_default());
    if op.names_tenant
        || matches!(op.access, Some(Access::Permission(_) | Access::Owned(..) | Access::Authenticated))
    {
        all.push(headers::tenant_parameter());
    }
    all.push(headers::correlation_parameter());
    if let Some(key) = op.idempotency {
        all.push(headers::key_parameter(key));
    }
    if op.is_cacheable() {
        all.push(headers::if_none_match_parameter());
    }
    if op.if_match {
        all.push(headers::if_match_parameter());
    }
    all
}

/// A path type may be a structure with a member per parameter; then the member is meant.
fn path_schema(schema: RefOr<Schema>, name: &str) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Object(object)) => match object.properties.get(name) {
            Some(member) => member.clone(),
            None => RefOr::T(Schema::Object(object)),
        },
        other => other,
    }
}

fn responses(op: &Op, named: &mut Named) -> BTreeMap<u16, Response> {
    let mut all = BTreeMap::new();
    for success in &op.success {
        let response = success_response(op, success, named);
        // A status may be answered in several media types.
        match all.entry(success.status) {
            Entry::Vacant(entry) => drop(entry.insert(response)),
            Entry::Occupied(mut entry) => entry.get_mut().content.extend(response.content),
        }
    }
    if op.is_cacheable() {
        let unchanged = ResponseBuilder::new().description("The client has the present version already.");
        all.insert(304, with_headers(unchanged.header("ETag", headers::etag())).build());
    }
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes_of(op) {
        by_status.entry(code.status).or_default().push(code);
    }
    for (status, codes) in by_status {
        all.insert(status, problem_response(status, &codes));
    }
    all
}

fn success_response(op: &Op, success: &Success, named: &mut Named) -> Response {
    let mut builder = ResponseBuilder::new().description(match success.status {
        201 => "Created.",
        202 => "Accepted; not finished yet.",
        204 => "Done.",
        _ => "As asked.",
    });
    if let Some(schema) = success.schema {
        builder = builder.content(success.content_type, Content::new(Some(named.take(schema(), op.id))));
    } else if !success.content_type.is_empty() {
        builder = builder.content(success.content_type, ContentBuilder::new().build());
    }
    if op.etag || op.if_match {
        builder = builder.header("ETag", headers::etag());
    }
    if matches!(success.status, 201 | 202) {
        builder = builder.header("Location", headers::location());
    }
    if op.idempotency.is_some_and(|key| matches!(key, IdempotencyKey::Required | IdempotencyKey::Optional)) {
        builder = builder.header("Idempotency-Replayed", headers::replayed());
    }
    if op.limited_as != LimitedAs::Unlimited {
        builder = with_limits(builder);
    }
    with_headers(builder).build()
}

fn problem_response(status: u16, codes: &[Code]) -> Response {
    let names: Vec<&str> = codes.iter().map(|code| code.code).collect();
    let lines: Vec<String> = codes.iter().map(|code| format!("- `{}`: {}", code.code, code.title)).collect();
    // The codes are part of the schema, so that a code nobody documented is a broken contract.
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
    let schema = AllOfBuilder::new()
        .item(Ref::from_schema_name("Problem"))
        .item(ObjectBuilder::new().schema_type(Type::Object).property("code", code));
    let mut builder = ResponseBuilder::new()
        .description(lines.join("\n"))
        .content("application/problem+json", Content::new(Some(schema)));
    match status {
        401 => builder = builder.header("WWW-Authenticate", headers::challenge()),
        409 | 503 => builder = builder.header("Retry-After", headers::retry_after()),
        429 => builder = with_limits(builder).header("Retry-After", headers::retry_after()),
        _ => {}
    }
    with_headers(builder).build()
}

fn with_limits(mut builder: ResponseBuilder) -> ResponseBuilder {
    for (name, header) in headers::rate_limits() {
        builder = builder.header(name, header);
    }
    builder
}

fn with_headers(mut builder: ResponseBuilder) -> ResponseBuilder {
    for (name, header) in headers::always() {
        builder = builder.header(name, header);
    }
    builder
}

impl Named {
    /// Keeps the named parts and returns the schema as it stands in the operation.
    fn take(&mut self, part: SchemaPart, operation: &str) -> RefOr<Schema> {
        for (name, schema) in part.named {
            self.add(name, schema, operation);
        }
        part.here
    }
}
