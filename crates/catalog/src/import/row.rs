//! One row of a product file: what it says about a product.

use std::hash::{DefaultHasher, Hash, Hasher};

use csvio::{Column, Columns, Reader, Record, Reject};
use kernel::{Currency, Money};

use crate::{
    TaxTable,
    model::{Attributes, DEFAULT_TAX_CATEGORY, DEFAULT_UNIT, ProductData},
    rules,
};

/// The columns of a product file. Those that a file lacks leave existing products as they are.
pub const PRODUCT_COLUMNS: Columns = Columns {
    required: &["sku", "name", "price"],
    optional: &[
        "category",
        "currency",
        "tax_category",
        "barcode",
        "unit",
        "active",
        "description",
        "weight_grams",
        "attributes",
    ],
};

/// Where a file has its columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    sku: Column,
    name: Column,
    price: Column,
    category: Option<Column>,
    currency: Option<Column>,
    tax_category: Option<Column>,
    barcode: Option<Column>,
    unit: Option<Column>,
    active: Option<Column>,
    description: Option<Column>,
    weight_grams: Option<Column>,
    attributes: Option<Column>,
}

impl Places {
    /// `None` when a required column is missing, which the reader refuses before.
    pub(super) fn of<R: std::io::Read>(reader: &Reader<R>) -> Option<Self> {
        Some(Self {
            sku: reader.column("sku")?,
            name: reader.column("name")?,
            price: reader.column("price")?,
            category: reader.column("category"),
            currency: reader.column("currency"),
            tax_category: reader.column("tax_category"),
            barcode: reader.column("barcode"),
            unit: reader.column("unit"),
            active: reader.column("active"),
            description: reader.column("description"),
            weight_grams: reader.column("weight_grams"),
            attributes: reader.column("attributes"),
        })
    }
}

/// What a row says; the fields of columns that the file lacks are `None`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) sku: String,
    name: String,
    price: i64,
    category: Option<String>,
    tax_category: Option<String>,
    barcode: Option<Option<String>>,
    unit: Option<String>,
    active: Option<bool>,
    description: Option<String>,
    weight_grams: Option<Option<i32>>,
    attributes: Option<Attributes>,
}

type Checked<T> = Result<T, Reject>;

impl Row {
    /// Reads a row; the first field that breaks a rule is reported.
    pub(super) fn read(
        record: Record<'_>,
        places: &Places,
        currency: Currency,
        taxes: &TaxTable,
    ) -> Checked<Self> {
        if let Some(column) = places.currency {
            check_currency(record, column, currency)?;
        }
        let optional =
            |place: Option<Column>, read: &dyn Fn(Column) -> Checked<String>| place.map(read).transpose();
        Ok(Self {
            sku: text(record, places.sku, "SKU_INVALID", rules::check_sku, str::trim)?,
            name: text(record, places.name, "NAME_INVALID", rules::check_name, |name| name)?,
            price: price(record, places.price, currency)?,
            category: optional(places.category, &|column| category(record, column))?,
            tax_category: optional(places.tax_category, &|column| tax_category(record, column, taxes))?,
            barcode: places.barcode.map(|column| barcode(record, column)).transpose()?,
            unit: optional(places.unit, &|column| {
                let unit = text(
                    record,
                    column,
                    "UNIT_INVALID",
                    |unit| or_empty(unit, rules::check_unit),
                    str::trim,
                )?;
                Ok(if unit.is_empty() { DEFAULT_UNIT.to_owned() } else { unit })
            })?,
            active: places.active.map(|column| active(record, column)).transpose()?,
            description: optional(places.description, &|column| {
                text(record, column, "DESCRIPTION_INVALID", rules::check_description, |text| text)
            })?,
            weight_grams: places.weight_grams.map(|column| weight(record, column)).transpose()?,
            attributes: places.attributes.map(|column| attributes(record, column)).transpose()?,
        })
    }

    /// The product after this row: what the file does not say stays, or takes its default for a new product.
    pub(super) fn apply(self, before: Option<&ProductData>) -> ProductData {
        let kept = |of: fn(&ProductData) -> &str, usual: &str| {
            before.map_or_else(|| usual.to_owned(), |before| of(before).to_owned())
        };
        ProductData {
            sku: self.sku,
            name: self.name,
            description: self.description.unwrap_or_else(|| kept(|before| &before.description, "")),
            price: self.price,
            tax_category: self
                .tax_category
                .unwrap_or_else(|| kept(|before| &before.tax_category, DEFAULT_TAX_CATEGORY)),
            category: self.category.unwrap_or_else(|| kept(|before| &before.category, "")),
            barcode: self.barcode.unwrap_or_else(|| before.and_then(|before| before.barcode.clone())),
            unit: self.unit.unwrap_or_else(|| kept(|before| &before.unit, DEFAULT_UNIT)),
            weight_grams: self.weight_grams.unwrap_or_else(|| before.and_then(|before| before.weight_grams)),
            attributes: self
                .attributes
                .unwrap_or_else(|| before.map(|before| before.attributes.clone()).unwrap_or_default()),
            active: self.active.unwrap_or_else(|| before.is_none_or(|before| before.active)),
            shape: before.map(|before| before.shape.clone()).unwrap_or_default(),
            images: before.map(|before| before.images.clone()).unwrap_or_default(),
        }
    }

    /// Two rows that say the same have the same digest.
    pub(super) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.name, self.price, &self.category, &self.tax_category, &self.barcode).hash(&mut hasher);
        (&self.unit, self.active, &self.description, self.weight_grams).hash(&mut hasher);
        serde_json::to_string(&self.attributes).unwrap_or_default().hash(&mut hasher);
        hasher.finish()
    }
}

fn or_empty(text: &str, check: fn(&str) -> Result<(), &'static str>) -> Result<(), &'static str> {
    if text.is_empty() { Ok(()) } else { check(text) }
}

fn text(
    record: Record<'_>,
    column: Column,
    code: &'static str,
    check: impl Fn(&str) -> Result<(), &'static str>,
    tidy: impl Fn(&str) -> &str,
) -> Checked<String> {
    let text = tidy(record.text(column)?);
    check(text).map_err(|reason| record.reject(column.name, code, reason))?;
    Ok(text.to_owned())
}

fn check_currency(record: Record<'_>, column: Column, currency: Currency) -> Checked<()> {
    let given = record.raw(column).trim();
    if given.is_empty() || given == currency.as_str() {
        return Ok(());
    }
    let reason = format!("the merchant's currency is {currency}");
    Err(record.reject(column.name, "CURRENCY_MISMATCH", reason))
}

fn price(record: Record<'_>, column: Column, currency: Currency) -> Checked<i64> {
    let parsed = Money::parse_decimal(record.raw(column).trim(), currency).ok();
    parsed.map(|money| money.amount).filter(|amount| *amount >= 0).ok_or_else(|| {
        let places = currency.decimals();
        let reason = format!("a price is a decimal like 12.34 with at most {places} places, not below zero");
        record.reject(column.name, "PRICE_INVALID", reason)
    })
}

fn category(record: Record<'_>, column: Column) -> Checked<String> {
    let path: Vec<&str> = record.text(column)?.split('/').map(str::trim).collect();
    let path = path.join("/");
    rules::check_category(&path).map_err(|reason| record.reject(column.name, "CATEGORY_INVALID", reason))?;
    Ok(path)
}

fn tax_category(record: Record<'_>, column: Column, taxes: &TaxTable) -> Checked<String> {
    let name = match record.raw(column).trim() {
        "" => DEFAULT_TAX_CATEGORY,
        name => name,
    };
    if taxes.knows(name) {
        return Ok(name.to_owned());
    }
    let reason = "no rate is set for this tax category";
    Err(record.reject(column.name, "UNKNOWN_TAX_CATEGORY", reason))
}

fn barcode(record: Record<'_>, column: Column) -> Checked<Option<String>> {
    let code = record.raw(column).trim();
    if code.is_empty() {
        return Ok(None);
    }
    rules::check_barcode_rule(code)
        .map_err(|reason| record.reject(column.name, "BARCODE_INVALID", reason))?;
    Ok(Some(code.to_owned()))
}

fn active(record: Record<'_>, column: Column) -> Checked<bool> {
    match record.raw(column).trim().to_ascii_lowercase().as_str() {
        "" | "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(record.reject(column.name, "ACTIVE_INVALID", "active is true or false")),
    }
}

fn weight(record: Record<'_>, column: Column) -> Checked<Option<i32>> {
    let text = record.raw(column).trim();
    if text.is_empty() {
        return Ok(None);
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let grams = text.parse().ok().filter(|grams| plain && (0..=rules::WEIGHT_GRAMS).contains(grams));
    grams.map(Some).ok_or_else(|| {
        record.reject(column.name, "WEIGHT_INVALID", "a weight is whole grams, at most 100000000")
    })
}

fn attributes(record: Record<'_>, column: Column) -> Checked<Attributes> {
    let text = record.text(column)?;
    if text.trim().is_empty() {
        return Ok(Attributes::new());
    }
    let invalid = |reason: &'static str| record.reject(column.name, "ATTRIBUTES_INVALID", reason);
    let attributes: Attributes =
        serde_json::from_str(text).map_err(|_| invalid("attributes are one flat JSON object"))?;
    rules::check_attributes(&attributes).map_err(invalid)?;
    Ok(attributes)
}
