//! What requests may hold, said in their schemas beyond the types: amounts that are not negative or above zero.

use kernel::Currency;
use utoipa::{
    PartialSchema as _,
    openapi::{
        ArrayBuilder, ObjectBuilder, RefOr, Schema,
        schema::{AdditionalProperties, SchemaType, Type},
    },
};

use crate::model::{MOST_AMOUNT, MOST_TENDERS, TenderMethod};

/// Minor units that a request may give, from `least` on.
fn money(least: i64, kind: SchemaType) -> ObjectBuilder {
    let amount = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(least))
        .maximum(Some(MOST_AMOUNT))
        .description(Some("Minor units."));
    ObjectBuilder::new()
        .schema_type(kind)
        .property("amount", amount)
        .required("amount")
        .property("currency", Currency::schema())
        .required("currency")
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
}

fn object() -> SchemaType {
    SchemaType::new(Type::Object)
}

fn or_null(kind: Type) -> SchemaType {
    SchemaType::Array(vec![kind, Type::Null])
}

/// An amount of zero or more.
pub(crate) fn not_negative() -> RefOr<Schema> {
    money(0, object()).into()
}

/// An amount of zero or more, or null.
pub(crate) fn not_negative_or_null() -> RefOr<Schema> {
    money(0, or_null(Type::Object)).into()
}

/// An amount above zero.
pub(crate) fn above_zero() -> RefOr<Schema> {
    money(1, object()).into()
}

fn tenders(least: usize, kind: SchemaType) -> RefOr<Schema> {
    let tender = ObjectBuilder::new()
        .property("method", TenderMethod::schema())
        .required("method")
        .property("amount", money(1, object()))
        .required("amount")
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    ArrayBuilder::new()
        .schema_type(kind)
        .items(RefOr::T(Schema::from(tender)))
        .min_items(Some(least))
        .max_items(Some(MOST_TENDERS))
        .into()
}

/// What is given for a sale.
pub(crate) fn given_tenders() -> RefOr<Schema> {
    tenders(0, SchemaType::new(Type::Array))
}

/// What is given back, or null for the usual way.
pub(crate) fn returned_tenders() -> RefOr<Schema> {
    tenders(1, or_null(Type::Array))
}
