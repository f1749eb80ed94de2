//! The files of the study as they are.

use std::{collections::HashMap, fs::File, io::Read, path::Path};

use anyhow::{Context, Result, bail};
use flate2::read::MultiGzDecoder;
use serde::{Deserialize, de::DeserializeOwned};

/// A row of the products file. Empty fields are missing values.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Product {
    pub(super) product_id: String,
    pub(super) department: String,
    pub(super) brand: String,
    pub(super) product_category: String,
    pub(super) product_type: String,
    pub(super) package_size: String,
}

/// A row of the transactions file: one line of one basket, every number as it was written.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Line {
    pub(super) household_id: String,
    pub(super) store_id: String,
    pub(super) basket_id: String,
    pub(super) product_id: String,
    pub(super) quantity: String,
    pub(super) sales_value: String,
    pub(super) retail_disc: String,
    pub(super) coupon_disc: String,
    pub(super) coupon_match_disc: String,
    pub(super) transaction_timestamp: String,
}

/// Reads a CSV file, unpacked when its name ends in `.gz`.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let packed = path.extension().is_some_and(|extension| extension == "gz");
    let input: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    csv::Reader::from_reader(input)
        .deserialize()
        .enumerate()
        .map(|(at, row)| row.with_context(|| format!("{}, row {}", path.display(), at + 1)))
        .collect()
}

/// Products by id.
///
/// # Errors
/// When an id is there twice.
pub(super) fn by_id(products: &[Product]) -> Result<HashMap<&str, &Product>> {
    let mut all = HashMap::with_capacity(products.len());
    for product in products {
        if all.insert(product.product_id.as_str(), product).is_some() {
            bail!("product {} is there twice", product.product_id);
        }
    }
    Ok(all)
}
