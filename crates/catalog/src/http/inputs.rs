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
    model::{DEFAULT_TAX_CATEGORY, DEFAULT_UNIT, ProductData, attributes_schema, price_schema},
    problems::{BARCODE_INVALID, CURRENCY_MISMATCH, SKU_IMMUTABLE, UNKNOWN_TAX_CATEGORY},
    rules,
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
rule!(attributes_rule, BTreeMap<String, Value>, rules::check_attributes);

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
            fn into_data(self, sku: String, tenant: &Tenant, taxes: &TaxTable) -> Result<ProductData, Problem> {
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
    }
);

impl ProductCreate {
    /// The product it describes.
    pub(crate) fn into_product(mut self, tenant: &Tenant, taxes: &TaxTable) -> Result<ProductData, Problem> {
        let sku = std::mem::take(&mut self.sku);
        self.into_data(sku, tenant, taxes)
    }
}

impl ProductUpdate {
    /// The product it describes, which has `sku`.
    pub(crate) fn into_product(
        self,
        sku: &str,
        tenant: &Tenant,
        taxes: &TaxTable,
    ) -> Result<ProductData, Problem> {
        if self.sku.as_ref().is_some_and(|given| given != sku) {
            return Err(Problem::new(SKU_IMMUTABLE).pointer(
                "/sku",
                SKU_IMMUTABLE,
                format!("its SKU is {sku}"),
            ));
        }
        self.into_data(sku.to_owned(), tenant, taxes)
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
    if data.barcode.as_deref().is_some_and(|barcode| check_barcode(barcode).is_err()) {
        let detail = "the last digit does not fit the others";
        return Err(Problem::new(BARCODE_INVALID).pointer("/barcode", BARCODE_INVALID, detail));
    }
    Ok(())
}
