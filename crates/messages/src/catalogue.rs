//! The catalogue of message types: what each is called, what it means and what its data looks like.

use serde_json::{Map, Value};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// One message type. A contract: once published it may gain fields, never lose or change them.
#[derive(Debug, Clone, Copy)]
pub struct MessageType {
    /// `ThingCreated`: unique over the whole program.
    pub name: &'static str,
    /// One sentence: when it is published.
    pub summary: &'static str,
    schemas: fn() -> Schemas,
}

/// The JSON Schema of a message's data, and those it refers to, by name.
pub(crate) struct Schemas {
    pub(crate) data: Value,
    pub(crate) referenced: Map<String, Value>,
}

impl MessageType {
    /// A message type whose data is a `T`.
    #[must_use]
    pub const fn of<T: ToSchema>(name: &'static str, summary: &'static str) -> Self {
        Self { name, summary, schemas: schemas_of::<T> }
    }

    pub(crate) fn schemas(&self) -> Schemas {
        (self.schemas)()
    }
}

fn schemas_of<T: ToSchema>() -> Schemas {
    let mut found: Vec<(String, RefOr<Schema>)> = Vec::new();
    T::schemas(&mut found);
    let data = to_json(&<T as PartialSchema>::schema());
    let referenced = found.iter().map(|(name, schema)| (name.clone(), to_json(schema))).collect();
    Schemas { data, referenced }
}

fn to_json(schema: &RefOr<Schema>) -> Value {
    // A schema is plain data; it always serialises.
    serde_json::to_value(schema).unwrap_or(Value::Null)
}
