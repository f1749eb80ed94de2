//! Schemas of inputs and outputs, and the named parts they refer to.

use utoipa::{
    ToSchema,
    openapi::{Ref, RefOr, Schema},
};

/// A schema as it stands in an operation, with the named schemas that it needs.
pub(crate) struct SchemaPart {
    pub(crate) here: RefOr<Schema>,
    pub(crate) named: Vec<(String, RefOr<Schema>)>,
}

/// The schema of `T`: a reference for structures and unions, written out for plain values and lists.
pub(crate) fn schema_part<T: ToSchema>() -> SchemaPart {
    let mut named = Vec::new();
    T::schemas(&mut named);
    let schema = T::schema();
    if is_structure(&schema) {
        let name = T::name().into_owned();
        let here = RefOr::Ref(Ref::from_schema_name(&name));
        named.push((name, schema));
        SchemaPart { here, named }
    } else {
        SchemaPart { here: schema, named }
    }
}

fn is_structure(schema: &RefOr<Schema>) -> bool {
    match schema {
        RefOr::T(Schema::Object(object)) => !object.properties.is_empty() || object.enum_values.is_some(),
        RefOr::T(Schema::OneOf(_) | Schema::AllOf(_) | Schema::AnyOf(_)) => true,
        _ => false,
    }
}
