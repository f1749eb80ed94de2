//! The routes of single products.

use axum::{extract::State, http::StatusCode};
use edge::{
    Idempotency, IdempotencyKey, IfMatch, Json, Op, Path, Problem, Reply, Routes, Tenanted,
    idempotency::run_once,
};

use kernel::Code;

use super::inputs::{ProductCreate, ProductUpdate};
use crate::{
    Catalog,
    cache::CachedProduct,
    get_product::{find_product, find_product_by_sku},
    manage_products::{create_product, deactivate_product, update_product},
    model::{Product, ProductId},
    problems::{
        BARCODE_INVALID, CATALOG_READ, CATALOG_WRITE, CURRENCY_MISMATCH, OPTION_VALUES_INVALID,
        OPTIONS_IN_USE, OPTIONS_INVALID, PARENT_IMMUTABLE, PARENT_INVALID, PRODUCT_NOT_FOUND, SKU_EXISTS,
        SKU_IMMUTABLE, TOO_MANY_VARIANTS, UNKNOWN_TAX_CATEGORY, VARIANT_EXISTS,
    },
    rules::check_sku,
};

/// Why a product is not created.
const CREATE_PROBLEMS: [Code; 9] = [
    SKU_EXISTS,
    CURRENCY_MISMATCH,
    UNKNOWN_TAX_CATEGORY,
    BARCODE_INVALID,
    PARENT_INVALID,
    OPTIONS_INVALID,
    OPTION_VALUES_INVALID,
    VARIANT_EXISTS,
    TOO_MANY_VARIANTS,
];
/// Why a product is not changed.
const UPDATE_PROBLEMS: [Code; 11] = [
    PRODUCT_NOT_FOUND,
    SKU_IMMUTABLE,
    CURRENCY_MISMATCH,
    UNKNOWN_TAX_CATEGORY,
    BARCODE_INVALID,
    PARENT_IMMUTABLE,
    PARENT_INVALID,
    OPTIONS_INVALID,
    OPTIONS_IN_USE,
    OPTION_VALUES_INVALID,
    VARIANT_EXISTS,
];

pub(super) fn routes(catalog: Catalog) -> Routes<()> {
    Routes::<Catalog>::new("Products")
        .add(
            Op::post("/products", "create_product", "Create a product")
                .permission(CATALOG_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<Product>(201)
                .etag()
                .problems(&CREATE_PROBLEMS),
            create,
        )
        .add(
            Op::get("/products/{id}", "get_product", "One product by id")
                .permission(CATALOG_READ)
                .returns::<Product>(200)
                .etag()
                .problems(&[PRODUCT_NOT_FOUND]),
            get,
        )
        .add(
            Op::get("/products/sku/{sku}", "get_product_by_sku", "One product by SKU")
                .permission(CATALOG_READ)
                .returns::<Product>(200)
                .etag()
                .problems(&[PRODUCT_NOT_FOUND]),
            get_by_sku,
        )
        .add(
            Op::put("/products/{id}", "update_product", "Replace what is said about a product")
                .description(
                    "What is left out gets its default, but options and values of variants stay. A product that is so \
                     already keeps its version.",
                )
                .permission(CATALOG_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<Product>(200)
                .etag()
                .problems(&UPDATE_PROBLEMS),
            update,
        )
        .add(
            Op::delete("/products/{id}", "delete_product", "Deactivate a product")
                .description("The product stays in the books and can be activated again. Twice is once.")
                .permission(CATALOG_WRITE)
                .returns_nothing(204)
                .problems(&[PRODUCT_NOT_FOUND]),
            delete,
        )
        .with_state(catalog)
}

/// A product with its entity tag.
pub(super) fn shown(product: &Product) -> Reply {
    Reply::ok(product).etag(&product.version.to_string())
}

fn cached(product: &CachedProduct) -> Reply {
    Reply::bytes(StatusCode::OK, product.body.clone(), Some(&product.etag))
}

async fn create(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(input): Json<ProductCreate>,
) -> Result<Reply, Problem> {
    let taxes = catalog.tax_table(&ctx).await?;
    run_once(catalog.clone().db(), &ctx, &key, async move |tx| {
        let product = create_product(&catalog, tx, &taxes, input.clone()).await?;
        let location = format!("{}/products/{}", edge::API_PREFIX, product.id);
        Ok(Reply::created(location, &product).etag(&product.version.to_string()))
    })
    .await
}

async fn get(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<ProductId>,
) -> Result<Reply, Problem> {
    let found = find_product(&catalog, &ctx, id).await?;
    found.map(|product| cached(&product)).ok_or_else(|| Problem::new(PRODUCT_NOT_FOUND))
}

async fn get_by_sku(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    Path(sku): Path<String>,
) -> Result<Reply, Problem> {
    if check_sku(&sku).is_err() {
        return Err(Problem::new(PRODUCT_NOT_FOUND));
    }
    let found = find_product_by_sku(&catalog, &ctx, &sku).await?;
    found.map(|product| cached(&product)).ok_or_else(|| Problem::new(PRODUCT_NOT_FOUND))
}

async fn update(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<ProductId>,
    if_match: IfMatch,
    key: Idempotency,
    Json(input): Json<ProductUpdate>,
) -> Result<Reply, Problem> {
    let taxes = catalog.tax_table(&ctx).await?;
    run_once(catalog.clone().db(), &ctx, &key, async move |tx| {
        Ok(shown(&update_product(&catalog, tx, &taxes, id, &if_match, input.clone()).await?))
    })
    .await
}

async fn delete(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<ProductId>,
    if_match: IfMatch,
    key: Idempotency,
) -> Result<Reply, Problem> {
    run_once(catalog.clone().db(), &ctx, &key, async move |tx| {
        deactivate_product(&catalog, tx, id, &if_match).await?;
        Ok(Reply::no_content())
    })
    .await
}
