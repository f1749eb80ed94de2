//! The OpenAPI 3.1 document (HTTP-4).

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApiBuilder, PathItem, Paths, RefOr, Schema, ServerBuilder,
    path::HttpMethod,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};

use super::{operation::operation, strict};
use crate::Op;

/// Named schemas, each with one meaning.
#[derive(Default)]
pub(super) struct Named {
    schemas: BTreeMap<String, RefOr<Schema>>,
    conflicts: Vec<String>,
}

impl Named {
    pub(super) fn add(&mut self, name: String, schema: RefOr<Schema>, operation: &str) {
        match self.schemas.get(&name) {
            Some(known) if *known != schema => {
                self.conflicts.push(format!("schema {name} has two meanings, the other one in {operation}"));
            }
            Some(_) => {}
            None => {
                self.schemas.insert(name, schema);
            }
        }
    }
}

/// Writes the document.
///
/// # Errors
/// A sentence for each schema name with two meanings.
pub(crate) fn openapi<'a>(ops: impl Iterator<Item = &'a Op>) -> Result<Value, Vec<String>> {
    let mut named = Named::default();
    let mut paths = Paths::new();
    let mut tags = Vec::new();
    for op in ops.filter(|op| !op.hidden) {
        let method = match op.method {
            http::Method::POST => HttpMethod::Post,
            http::Method::PUT => HttpMethod::Put,
            http::Method::DELETE => HttpMethod::Delete,
            _ => HttpMethod::Get,
        };
        let item = PathItem::new(method, operation(op, &mut named));
        match paths.paths.get_mut(&op.full_path()) {
            Some(known) => known.merge_operations(item),
            None => {
                paths.paths.insert(op.full_path(), item);
            }
        }
        if !tags.contains(&op.tag) {
            tags.push(op.tag);
        }
    }
    named.add("Problem".to_owned(), strict::problem_schema(), "every operation");
    if !named.conflicts.is_empty() {
        return Err(named.conflicts);
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let components = ComponentsBuilder::new()
        .schemas_from_iter(named.schemas)
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .build();
    let info = InfoBuilder::new()
        .title("Markethall")
        .version(crate::API_VERSION)
        .description(Some(include_str!("about.md")))
        .build();
    let document = OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url("/").build()]))
        .tags(Some(tags.into_iter().map(|tag| TagBuilder::new().name(tag).build())))
        .paths(paths)
        .components(Some(components))
        .build();
    let mut document = serde_json::to_value(document).map_err(|error| vec![error.to_string()])?;
    strict::refuse_nul(&mut document);
    Ok(document)
}
