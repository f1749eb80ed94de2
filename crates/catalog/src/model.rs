//! Products as they are kept and shown.

use std::collections::BTreeMap;

use db::{DbError, Row};
use jiff::Timestamp;
use kernel::{Currency, Money, Tenant};
use serde::Serialize;
use serde_json::Value;
use utoipa::{
    PartialSchema as _, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema,
        schema::{AdditionalProperties, AnyOfBuilder, ArrayBuilder, Type},
    },
};

use crate::{
    images::{Image, StoredImage, images_from},
    rules,
    variants::{ProductOption, Shape, Variant, from_json},
};

kernel::id!(
    /// A product: one SKU.
    ProductId,
    "prd"
);

/// The tax category of products that name none.
pub const DEFAULT_TAX_CATEGORY: &str = "standard";
/// What quantities count when nothing is said.
pub(crate) const DEFAULT_UNIT: &str = "pcs";

/// Free data about a product: a flat object of texts, numbers and flags.
pub(crate) type Attributes = BTreeMap<String, Value>;

/// What a merchant says about a product; everything but identity, version and times. Already within the rules.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProductData {
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// Minor units of the tenant's currency.
    pub(crate) price: i64,
    pub(crate) tax_category: String,
    pub(crate) category: String,
    pub(crate) barcode: Option<String>,
    pub(crate) unit: String,
    pub(crate) weight_grams: Option<i32>,
    pub(crate) attributes: Attributes,
    pub(crate) active: bool,
    pub(crate) shape: Shape,
    /// Changed by their own use cases; a new product has none.
    pub(crate) images: Vec<StoredImage>,
}

/// A product as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredProduct {
    pub(crate) id: ProductId,
    pub(crate) data: ProductData,
    pub(crate) version: i32,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl StoredProduct {
    /// Reads a row with the columns of `find_products.sql`.
    pub(crate) fn decode(row: &Row) -> Result<Self, DbError> {
        let attributes: Value = row.try_get("attributes")?;
        let attributes = match attributes {
            Value::Object(members) => members.into_iter().collect(),
            _ => Attributes::new(),
        };
        Ok(Self {
            id: row.try_get("id")?,
            data: ProductData {
                sku: row.try_get("sku")?,
                name: row.try_get("name")?,
                description: row.try_get("description")?,
                price: row.try_get("price")?,
                tax_category: row.try_get("tax_category")?,
                category: row.try_get("category")?,
                barcode: row.try_get("barcode")?,
                unit: row.try_get("unit")?,
                weight_grams: row.try_get("weight_grams")?,
                attributes,
                active: row.try_get("active")?,
                shape: Shape::decode(row)?,
                images: from_json(row.try_get("images")?)?,
            },
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }

    /// As the API and messages show it.
    pub(crate) fn into_product(self, tenant: &Tenant) -> Product {
        let data = self.data;
        Product {
            id: self.id,
            sku: data.sku,
            name: data.name,
            description: data.description,
            price: Money::new(data.price, tenant.currency),
            tax_category: data.tax_category,
            category: data.category,
            barcode: data.barcode,
            unit: data.unit,
            weight_grams: data.weight_grams,
            attributes: data.attributes,
            active: data.active,
            options: data.shape.options,
            parent_id: data.shape.parent_id,
            option_values: data.shape.option_values,
            variants: None,
            images: images_from(tenant.id, data.images),
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// A product: what is sold, one SKU.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// Identity.
    pub id: ProductId,
    /// The merchant's own key, unique and for ever.
    #[schema(min_length = 1, max_length = 64)]
    pub sku: String,
    /// For people.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// More for people.
    #[schema(max_length = 4000)]
    pub description: String,
    /// Per unit, in the merchant's currency; with or without VAT as the merchant's settings say.
    pub price: Money,
    /// Which of the tax rates applies.
    #[schema(max_length = 32)]
    pub tax_category: String,
    /// A path, `Food/Bread`; empty for none.
    #[schema(max_length = 200)]
    pub category: String,
    /// EAN, UPC or GTIN with its check digit.
    #[schema(pattern = "^([0-9]{8}|[0-9]{12,14})$")]
    pub barcode: Option<String>,
    /// What a quantity counts: `pcs`, `kg`.
    #[schema(max_length = 16)]
    pub unit: String,
    /// Weight of one unit in grams.
    #[schema(minimum = 0, maximum = 100_000_000)]
    pub weight_grams: Option<i32>,
    /// Free data: texts, numbers and flags.
    #[schema(schema_with = attributes_schema)]
    pub attributes: BTreeMap<String, Value>,
    /// Whether it may be sold; of a product with options, whether its variants may.
    pub active: bool,
    /// What buyers choose between its variants; a product with options is sold by its variants only.
    #[schema(max_items = 5)]
    pub options: Vec<ProductOption>,
    /// Of which product it is a variant.
    pub parent_id: Option<ProductId>,
    /// What it has of each option of its parent.
    #[schema(schema_with = option_choice_schema)]
    pub option_values: BTreeMap<String, String>,
    /// The variants, by SKU; only where one product with options is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 500)]
    pub variants: Option<Vec<Variant>>,
    /// Its images, in the order in which they are shown.
    #[schema(max_items = 20)]
    pub images: Vec<Image>,
    /// Counts changes; the entity tag.
    #[schema(minimum = 1)]
    pub version: i32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The schema of a price: an amount of zero or more.
pub(crate) fn price_schema() -> RefOr<Schema> {
    let amount = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .maximum(Some(Money::MAX_AMOUNT))
        .description(Some("Minor units."));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("Per unit, in the merchant's currency, not below zero."))
        .property("amount", amount)
        .required("amount")
        .property("currency", Currency::schema())
        .required("currency")
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
        .into()
}

/// The schema of [`Attributes`]: at most 32 bounded texts, numbers and flags.
pub(crate) fn attributes_schema() -> RefOr<Schema> {
    let of = |kind: Type| ObjectBuilder::new().schema_type(kind);
    let text = of(Type::String).max_length(Some(rules::ATTRIBUTE_CHARS)).pattern(Some(r"^[^\u0000]*$"));
    let number = of(Type::Number).minimum(Some(-1e15)).maximum(Some(1e15));
    let value = AnyOfBuilder::new().item(text).item(number).item(of(Type::Boolean));
    of(Type::Object)
        .description(Some("Free data: texts, numbers and flags."))
        .max_properties(Some(rules::ATTRIBUTES))
        .property_names(Some(of(Type::String).pattern(Some("^[A-Za-z][A-Za-z0-9_-]{0,63}$"))))
        .additional_properties(Some(RefOr::T(Schema::AnyOf(value.build()))))
        .into()
}

/// A visible text of so many characters at most, on one line.
fn label_schema(most: usize) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(most))
        .pattern(Some(r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"))
}

/// The schema of the values of an option.
pub(crate) fn option_values_schema() -> RefOr<Schema> {
    ArrayBuilder::new()
        .items(label_schema(rules::OPTION_VALUE_CHARS))
        .min_items(Some(1))
        .max_items(Some(rules::OPTION_VALUES))
        .unique_items(true)
        .into()
}

/// The schema of what a variant has of each option.
pub(crate) fn option_choice_schema() -> RefOr<Schema> {
    let value: Schema = label_schema(rules::OPTION_VALUE_CHARS).into();
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("One value for each option of the parent, by the option's name."))
        .max_properties(Some(rules::OPTIONS))
        .property_names(Some(label_schema(rules::OPTION_NAME_CHARS)))
        .additional_properties(Some(RefOr::T(value)))
        .into()
}
