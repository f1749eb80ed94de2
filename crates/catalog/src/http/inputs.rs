//! What clients send about products.

use std::collections::BTreeMap;

use edge::Problem;
use garde::Validate;
use kernel::{Money, Tenant};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    TaxTable,
    barcode::check_barcode,
    model::{
        DEFAULT_TAX_CATEGORY, DEFAULT_UNIT, ProductData, ProductId, attributes_schema, option_choice_schema,
        price_schema,
    },
    problems::{
        BARCODE_INVALID, CURRENCY_MISMATCH, OPTIONS_INVALID, PARENT_IMMUTABLE, SKU_IMMUTABLE,
        UNKNOWN_TAX_CATEGORY,
    },
    rules,
    variants::{ProductOption, Shape, has_doubles},
};

macro_rules! rule {
    ($name:ident, $type:ty, $check:path) => {
        fn $name(value: &$type, _: &()) -> garde::Result {
            $check(value).map_err(garde::Error::new)
        }
    };
}

rule!(sku_rule, str, rules::check_sku);
rule!(name_rule, str, rules::check_name);
rule!(description_rule, str, rules::check_description);
rule!(category_rule, str, rules::check_category);
rule!(tax_category_rule, str, rules::check_tax_category);
rule!(unit_rule, str, rules::check_unit);
rule!(options_rule, [ProductOption], rules::check_options);
rule!(option_values_rule, BTreeMap<String, String>, rules::check_option_values);
rule!(attributes_rule, BTreeMap<String, Value>, rules::check_attributes);

fn options_vec_rule(options: &[ProductOption], ctx: &()) -> garde::Result {
    options_rule(options, ctx)
}

fn barcode_form(barcode: &str, _: &()) -> garde::Result {
    let digits = barcode.bytes().all(|byte| byte.is_ascii_digit());
    if digits && matches!(barcode.len(), 8 | 12 | 13 | 14) {
        return Ok(());
    }
    Err(garde::Error::new("a barcode has 8, 12, 13 or 14 digits"))
}

fn price_rule(price: &Money, _: &()) -> garde::Result {
    if price.amount < 0 { Err(garde::Error::new("a price is not below zero")) } else { Ok(()) }
}

fn standard() -> String {
    DEFAULT_TAX_CATEGORY.to_owned()
}

fn pieces() -> String {
    DEFAULT_UNIT.to_owned()
}

fn yes() -> bool {
    true
}

/// One declaration for both bodies: serde cannot both share fields and refuse unknown ones.
macro_rules! product_body {
    ($(#[$doc:meta])* $name:ident, { $($sku:tt)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name {
            $($sku)*
            /// For people.
            #[garde(custom(name_rule))]
            #[schema(min_length = 1, max_length = 200, pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$")]
            pub name: String,
            /// More for people.
            #[garde(custom(description_rule))]
            #[schema(max_length = 4000)]
            #[serde(default)]
            pub description: String,
            /// Per unit, in the merchant's currency, not below zero.
            #[garde(custom(price_rule))]
            #[schema(schema_with = price_schema)]
            pub price: Money,
            /// Which of the tax rates applies.
            #[garde(custom(tax_category_rule))]
            #[schema(max_length = 32, pattern = "^[a-z][a-z0-9_-]{0,31}$", default = "standard")]
            #[serde(default = "standard")]
            pub tax_category: String,
            /// A path like `Food/Bread`, up to 6 levels; empty for none.
            #[garde(custom(category_rule))]
            #[schema(
            max_length = 200,
            pattern = r"^$|^[^/\x00-\x20\x7f]([^/\x00-\x1f\x7f]{0,62}[^/\x00-\x20\x7f])?(/[^/\x00-\x20\x7f]([^/\x00-\x1f\x7f]{0,62}[^/\x00-\x20\x7f])?){0,5}$"
            )]
            #[serde(default)]
            pub category: String,
            /// EAN, UPC or GTIN: 8, 12, 13 or 14 digits, the last of them the check digit.
            #[garde(inner(custom(barcode_form)))]
            #[schema(pattern = "^([0-9]{8}|[0-9]{12,14})$")]
            #[serde(default)]
            pub barcode: Option<String>,
            /// What a quantity counts, without blanks.
            #[garde(custom(unit_rule))]
            #[schema(min_length = 1, max_length = 16, pattern = r"^[^\x00-\x20\x7f\s]+$", default = "pcs")]
            #[serde(default = "pieces")]
            pub unit: String,
            /// Weight of one unit in grams.
            #[garde(inner(range(min = 0, max = rules::WEIGHT_GRAMS)))]
            #[schema(minimum = 0, maximum = 100_000_000)]
            #[serde(default)]
            pub weight_grams: Option<i32>,
            /// Free data, at most 32: names are a letter and up to 63 letters, digits, `-` and `_`.
            #[garde(custom(attributes_rule))]
            #[schema(schema_with = attributes_schema, required = false)]
            #[serde(default)]
            pub attributes: BTreeMap<String, Value>,
            /// Whether it may be sold.
            #[garde(skip)]
            #[serde(default = "yes")]
            pub active: bool,
        }

        impl $name {
            /// The product it describes, once the tenant's currency and taxes allow it.
            fn into_data(self, sku: String, shape: Shape, tenant: &Tenant, taxes: &TaxTable) -> Result<ProductData, Problem> {
                let data = ProductData {
                    sku,
                    name: self.name,
                    description: self.description,
                    price: self.price.amount,
                    tax_category: self.tax_category,
                    category: self.category,
                    barcode: self.barcode,
                    unit: self.unit,
                    weight_grams: self.weight_grams,
                    attributes: self.attributes,
                    active: self.active,
                    shape,
                    images: Vec::new(),
                };
                check_meaning(self.price, &data, tenant, taxes).map(|()| data)
            }
        }
    };
}

product_body!(
    /// A product to be created.
    ProductCreate,
    {
        /// The merchant's own key, unique and for ever: printable, without blanks at its ends.
        #[garde(custom(sku_rule))]
        #[schema(min_length = 1, max_length = 64, pattern = r"^[!-~]([ -~]{0,62}[!-~])?$")]
        pub sku: String,
        /// Of which product it is a variant; that one has options.
        #[garde(skip)]
        #[serde(default)]
        pub parent_id: Option<ProductId>,
        /// What buyers choose between its variants: a product with options is sold by its variants only.
        #[garde(custom(options_rule))]
        #[schema(max_items = 5)]
        #[serde(default)]
        pub options: Vec<ProductOption>,
        /// What the variant has of each option of its parent.
        #[garde(custom(option_values_rule))]
        #[schema(schema_with = option_choice_schema, required = false)]
        #[serde(default)]
        pub option_values: BTreeMap<String, String>,
    }
);
product_body!(
    /// What a product is to be from now on: the whole of it; what is left out gets its default.
    ProductUpdate,
    {
        /// If given, it must be the product's own: a SKU never changes.
        #[garde(inner(custom(sku_rule)))]
        #[schema(min_length = 1, max_length = 64, pattern = r"^[!-~]([ -~]{0,62}[!-~])?$")]
        #[serde(default)]
        pub sku: Option<String>,
        /// If given, it must be the product's own: a parent never changes.
        #[garde(skip)]
        #[serde(default)]
        pub parent_id: Option<ProductId>,
        /// The options from now on; left out, they stay. Values may be added at will, the rest only without variants.
        #[garde(inner(custom(options_vec_rule)))]
        #[schema(max_items = 5)]
        #[serde(default)]
        pub options: Option<Vec<ProductOption>>,
        /// What the variant has of each option of its parent; left out, it stays.
        #[garde(inner(custom(option_values_rule)))]
        #[schema(schema_with = option_choice_schema, required = false)]
        #[serde(default)]
        pub option_values: Option<BTreeMap<String, String>>,
    }
);

impl ProductCreate {
    /// The product it describes.
    pub(crate) fn into_product(mut self, tenant: &Tenant, taxes: &TaxTable) -> Result<ProductData, Problem> {
        let sku = std::mem::take(&mut self.sku);
        let shape = Shape {
            parent_id: self.parent_id,
            options: std::mem::take(&mut self.options),
            option_values: std::mem::take(&mut self.option_values),
        };
        self.into_data(sku, shape, tenant, taxes)
    }
}

impl ProductUpdate {
    /// The product it describes, which is `before` now.
    pub(crate) fn into_product(
        mut self,
        before: &ProductData,
        tenant: &Tenant,
        taxes: &TaxTable,
    ) -> Result<ProductData, Problem> {
        let sku = &before.sku;
        if self.sku.as_ref().is_some_and(|given| given != sku) {
            return Err(Problem::new(SKU_IMMUTABLE).pointer(
                "/sku",
                SKU_IMMUTABLE,
                format!("its SKU is {sku}"),
            ));
        }
        if self.parent_id.is_some_and(|given| Some(given) != before.shape.parent_id) {
            let detail = "a product keeps the parent that it was created with";
            return Err(Problem::new(PARENT_IMMUTABLE).pointer("/parentId", PARENT_IMMUTABLE, detail));
        }
        let shape = Shape {
            parent_id: before.shape.parent_id,
            options: self.options.take().unwrap_or_else(|| before.shape.options.clone()),
            option_values: self.option_values.take().unwrap_or_else(|| before.shape.option_values.clone()),
        };
        let data = self.into_data(sku.to_owned(), shape, tenant, taxes)?;
        Ok(ProductData { images: before.images.clone(), ..data })
    }
}

/// What the schema cannot say.
fn check_meaning(price: Money, data: &ProductData, tenant: &Tenant, taxes: &TaxTable) -> Result<(), Problem> {
    if price.currency != tenant.currency {
        let detail = format!("the merchant's currency is {}", tenant.currency);
        return Err(Problem::new(CURRENCY_MISMATCH).pointer("/price/currency", CURRENCY_MISMATCH, detail));
    }
    if !taxes.knows(&data.tax_category) {
        let detail = "no rate is set for this category";
        return Err(Problem::new(UNKNOWN_TAX_CATEGORY).pointer("/taxCategory", UNKNOWN_TAX_CATEGORY, detail));
    }
    if has_doubles(&data.shape.options) {
        let detail = "each name and each value is said once";
        return Err(Problem::new(OPTIONS_INVALID).pointer("/options", OPTIONS_INVALID, detail));
    }
    if data.barcode.as_deref().is_some_and(|barcode| check_barcode(barcode).is_err()) {
        let detail = "the last digit does not fit the others";
        return Err(Problem::new(BARCODE_INVALID).pointer("/barcode", BARCODE_INVALID, detail));
    }
    Ok(())
}
