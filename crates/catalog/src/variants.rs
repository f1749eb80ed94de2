//! Families of products: a parent with options, and variants that have one value for each of them.

use std::collections::{BTreeMap, BTreeSet};

use db::{DbError, Row, TenantTx};
use edge::Problem;
use kernel::{Currency, Money};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    model::{ProductData, ProductId},
    problems::{OPTION_VALUES_INVALID, OPTIONS_IN_USE, PARENT_INVALID, TOO_MANY_VARIANTS, VARIANT_EXISTS},
};

/// Variants of one parent.
pub(crate) const VARIANTS_MOST: i64 = 500;
/// The constraint that keeps combinations of values unique.
pub(crate) const VARIANT_UNIQUE: &str = "product_variant_unique";

/// Something that buyers choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductOption {
    /// What is chosen: `Size`.
    #[schema(
        min_length = 1,
        max_length = 40,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    )]
    pub name: String,
    /// Among what, in the order in which it is shown; no two alike.
    #[schema(schema_with = crate::model::option_values_schema)]
    pub values: Vec<String>,
}

/// What a variant has of each option, by name.
pub(crate) type OptionValues = BTreeMap<String, String>;

/// The place of a product in its family.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shape {
    pub(crate) parent_id: Option<ProductId>,
    pub(crate) options: Vec<ProductOption>,
    pub(crate) option_values: OptionValues,
}

impl Shape {
    /// Reads the columns `parent_id`, `options`, `option_values`.
    pub(crate) fn decode(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            parent_id: row.try_get("parent_id")?,
            options: from_json(row.try_get("options")?)?,
            option_values: from_json(row.try_get("option_values")?)?,
        })
    }
}

/// Reads a column that is null for nothing.
pub(crate) fn from_json<T: Default + for<'de> Deserialize<'de>>(value: Option<Value>) -> Result<T, DbError> {
    let Some(value) = value else { return Ok(T::default()) };
    serde_json::from_value(value).map_err(|error| DbError::Other(error.to_string()))
}

/// A variant as its parent shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Variant {
    /// The variant, a product of its own.
    pub id: ProductId,
    /// Its SKU.
    #[schema(min_length = 1, max_length = 64)]
    pub sku: String,
    /// What it has of each option.
    #[schema(schema_with = crate::model::option_choice_schema)]
    pub option_values: BTreeMap<String, String>,
    /// Per unit.
    pub price: Money,
    /// Its barcode.
    #[schema(pattern = "^([0-9]{8}|[0-9]{12,14})$")]
    pub barcode: Option<String>,
    /// Whether it may be sold, while its parent may.
    pub active: bool,
}

/// The variants of a product, by SKU, and a number that every change of any of them changes.
pub(crate) async fn find_variants(tx: &TenantTx, parent: ProductId) -> Result<(Vec<Variant>, i64), DbError> {
    let rows =
        tx.query(include_str!("find_variants.sql"), &[&tx.tenant_id(), &parent, &VARIANTS_MOST]).await?;
    let currency: Currency = tx.ctx().tenant.currency;
    let (mut variants, mut stamp) = (Vec::with_capacity(rows.len()), 0);
    for row in &rows {
        stamp += i64::from(row.try_get::<_, i32>("version")?);
        variants.push(Variant {
            id: row.try_get("id")?,
            sku: row.try_get("sku")?,
            option_values: from_json(row.try_get("option_values")?)?,
            price: Money::new(row.try_get("price")?, currency),
            barcode: row.try_get("barcode")?,
            active: row.try_get("active")?,
        });
    }
    Ok((variants, stamp))
}

/// The entity tag of a product that has options: its version and the sum of those of its variants.
pub(crate) fn family_tag(version: i32, stamp: i64) -> String {
    format!("{version}-{stamp}")
}

/// The number that [`find_variants`] gives, without the variants.
pub(crate) async fn stamp_variants(tx: &TenantTx, parent: ProductId) -> Result<i64, DbError> {
    let row = tx.query_one(include_str!("stamp_variants.sql"), &[&tx.tenant_id(), &parent]).await?;
    Ok(row.try_get("stamp")?)
}

/// Why a product does not fit into its family.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VariantError {
    /// It has a parent and options, or values and no parent.
    #[error("{0}")]
    Misshapen(&'static str),
    /// The parent is none.
    #[error("{0}")]
    NoParent(&'static str),
    /// The values are not those of the parent's options.
    #[error("the values do not fit the options")]
    Values,
    /// The parent has as many variants as it may have.
    #[error("the parent has 500 variants")]
    TooMany,
    /// A variant uses what would go away.
    #[error("variant {0} would not fit the options any more")]
    InUse(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<VariantError> for Problem {
    fn from(error: VariantError) -> Self {
        let detail = error.to_string();
        let at = |code, pointer: &'static str| Self::new(code).pointer(pointer, code, detail.clone());
        match error {
            VariantError::Misshapen(_) | VariantError::Values => at(OPTION_VALUES_INVALID, "/optionValues"),
            VariantError::NoParent(_) => at(PARENT_INVALID, "/parentId"),
            VariantError::TooMany => Self::new(TOO_MANY_VARIANTS),
            VariantError::InUse(_) => at(OPTIONS_IN_USE, "/options"),
            VariantError::Db(error) => from_db(error),
        }
    }
}

/// Another variant with the same values is told apart from other failures.
pub(crate) fn from_db(error: DbError) -> Problem {
    if error.is_unique(VARIANT_UNIQUE) {
        let detail = "another variant of this product has these values";
        return Problem::new(VARIANT_EXISTS).pointer("/optionValues", VARIANT_EXISTS, detail);
    }
    error.into()
}

/// Whether a new product fits into its family. Its parent stays locked until the end of the transaction.
pub(crate) async fn check_new(tx: &TenantTx, shape: &Shape) -> Result<(), VariantError> {
    check_form(shape)?;
    let Some(parent) = shape.parent_id else { return Ok(()) };
    check_values(tx, parent, shape).await?;
    let row = tx.query_one(include_str!("count_variants.sql"), &[&tx.tenant_id(), &parent]).await?;
    let variants: i64 = row.try_get("variants").map_err(DbError::from)?;
    if variants < VARIANTS_MOST { Ok(()) } else { Err(VariantError::TooMany) }
}

/// Whether a changed product still fits into its family, and its variants to it.
pub(crate) async fn check_change(
    tx: &TenantTx,
    id: ProductId,
    before: &ProductData,
    after: &ProductData,
) -> Result<(), VariantError> {
    check_form(&after.shape)?;
    if before.shape == after.shape {
        return Ok(());
    }
    if let Some(parent) = after.shape.parent_id {
        return check_values(tx, parent, &after.shape).await;
    }
    lock(tx, id).await?;
    for variant in find_variants(tx, id).await?.0 {
        if !fits(&after.shape.options, &variant.option_values) {
            return Err(VariantError::InUse(variant.sku));
        }
    }
    Ok(())
}

fn check_form(shape: &Shape) -> Result<(), VariantError> {
    match shape.parent_id {
        Some(_) if !shape.options.is_empty() => {
            Err(VariantError::Misshapen("a variant has no options of its own"))
        }
        None if !shape.option_values.is_empty() => {
            Err(VariantError::Misshapen("only a product with a parent has values"))
        }
        _ => Ok(()),
    }
}

async fn lock(tx: &TenantTx, id: ProductId) -> Result<Option<Shape>, DbError> {
    let row = tx.query_opt(include_str!("lock_product.sql"), &[&tx.tenant_id(), &id]).await?;
    let Some(row) = row else { return Ok(None) };
    let (parent_id, options) = (row.try_get("parent_id")?, from_json(row.try_get("options")?)?);
    Ok(Some(Shape { parent_id, options, ..Shape::default() }))
}

async fn check_values(tx: &TenantTx, parent: ProductId, shape: &Shape) -> Result<(), VariantError> {
    let Some(parent) = lock(tx, parent).await? else {
        return Err(VariantError::NoParent("there is no such product"));
    };
    if parent.parent_id.is_some() {
        return Err(VariantError::NoParent("it is a variant itself"));
    }
    if parent.options.is_empty() {
        return Err(VariantError::NoParent("it has no options"));
    }
    if fits(&parent.options, &shape.option_values) { Ok(()) } else { Err(VariantError::Values) }
}

/// Whether there is one value for each option, of those it has.
fn fits(options: &[ProductOption], values: &OptionValues) -> bool {
    options.len() == values.len()
        && options
            .iter()
            .all(|option| values.get(&option.name).is_some_and(|value| option.values.contains(value)))
}

/// Whether two options have one name, or two values of one are alike.
pub(crate) fn has_doubles(options: &[ProductOption]) -> bool {
    let doubled = |texts: Vec<&String>| texts.iter().collect::<BTreeSet<_>>().len() < texts.len();
    doubled(options.iter().map(|option| &option.name).collect())
        || options.iter().any(|option| doubled(option.values.iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(name: &str, values: &[&str]) -> ProductOption {
        ProductOption {
            name: name.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }
    }

    // CAT-1
    #[test]
    fn a_variant_has_one_known_value_for_each_option_and_no_more() {
        let options = [option("Size", &["S", "M"]), option("Colour", &["red"])];
        let of = |pairs: &[(&str, &str)]| -> OptionValues {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert!(fits(&options, &of(&[("Colour", "red"), ("Size", "M")])));
        for wrong in [
            &[("Size", "M")][..],
            &[("Size", "L"), ("Colour", "red")],
            &[("Size", "M"), ("Colour", "red"), ("Cut", "slim")],
            &[("Size", "M"), ("colour", "red")],
        ] {
            assert!(!fits(&options, &of(wrong)), "{wrong:?}");
        }
        assert!(!has_doubles(&options));
        assert!(has_doubles(&[option("Size", &["S"]), option("Size", &["M"])]));
        assert!(has_doubles(&[option("Size", &["S", "S"])]));
    }
}
