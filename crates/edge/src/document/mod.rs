//! The documents made from the declarations: OpenAPI 3.1 and the catalogue of problem codes.

mod catalogue;
mod headers;
mod openapi;
mod operation;
mod schema;
mod standard;
mod strict;

pub(crate) use catalogue::{Catalogue, catalogue};
pub(crate) use openapi::openapi;
pub(crate) use schema::{SchemaPart, schema_part};
pub(crate) use standard::{codes_of, declares};
