//! The routes of the catalog.

mod images;
mod imports;
mod inputs;
mod lists;
mod products;
mod taxes;

use edge::Routes;

pub use images::{ImageOrder, ImagePlace, ImageQuery};
pub use inputs::{ProductCreate, ProductUpdate};
pub use lists::{CategoryQuery, ProductPage, ProductQuery, Total};
pub use taxes::{TaxRate, TaxRates};

use crate::Catalog;

/// Every route of this domain.
pub fn routes(catalog: Catalog) -> Routes<()> {
    products::routes(catalog.clone())
        .merge(lists::routes(catalog.clone()))
        .merge(images::routes(catalog.clone()))
        .merge(taxes::routes(catalog.clone()))
        .merge(imports::routes(catalog))
}
