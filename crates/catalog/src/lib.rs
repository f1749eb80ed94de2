//! Products, categories, tax rates: what a merchant sells.
#![doc = include_str!("../README.md")]

mod barcode;
mod cache;
mod cache_counts;
mod catalog;
pub mod events;
mod export;
mod find_sellable;
mod fold;
mod get_product;
mod http;
mod images;
mod import;
mod invariants;
mod jobs;
mod list_cache;
mod list_categories;
mod list_products;
mod manage_products;
mod model;
pub mod problems;
mod read_list;
mod rules;
mod set_tax_rates;
mod shared_cache;
mod single_flight;
mod tax;
mod terms;
mod variants;
mod write_products;

pub use barcode::{BarcodeError, check_barcode};
pub use cache_counts::{CacheCounts, CacheKind};
pub use catalog::{Catalog, CatalogConfig, seed_tax_rates, tax_rates};
pub use export::{ExportError, export_products};
pub use find_sellable::{Sellable, decode_sellable, sellable_stmt};
pub use http::{
    CategoryQuery, ImageOrder, ImagePlace, ImageQuery, ProductCreate, ProductPage, ProductQuery,
    ProductUpdate, TaxRate, TaxRates, Total, routes,
};
pub use images::{Image, ImageId, ObjectsConfig, ObjectsError, SweepError, sweep_images};
pub use import::{
    ImportError, ImportId, ImportRun, ImportStatus, OldUploads, PRODUCT_COLUMNS, ProductImport,
    import_products, resume_imports,
};
pub use invariants::invariants;
pub use jobs::{consumers, jobs};
pub use list_categories::{CategoryNode, CategoryTree};
pub use list_products::{AttributeFacet, CategoryFacet, Facets, PriceFacet};
pub use model::{DEFAULT_TAX_CATEGORY, Product, ProductId};
pub use tax::TaxTable;
pub use variants::{ProductOption, Variant};

/// The tables of this domain, in every tenant database.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "catalog",
    steps: &[
        db::Migration { version: 1, name: "catalog", sql: include_str!("../migrations/0001_catalog.sql") },
        db::Migration { version: 2, name: "search", sql: include_str!("../migrations/0002_search.sql") },
        db::Migration { version: 3, name: "variants", sql: include_str!("../migrations/0003_variants.sql") },
        db::Migration {
            version: 4,
            name: "variant_unique",
            sql: include_str!("../migrations/0004_variant_unique.sql"),
        },
        db::Migration { version: 5, name: "images", sql: include_str!("../migrations/0005_images.sql") },
        db::Migration {
            version: 6,
            name: "generation",
            sql: include_str!("../migrations/0006_generation.sql"),
        },
    ],
};
