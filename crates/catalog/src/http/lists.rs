//! The routes of lists: products and the category tree.

use axum::{extract::State, http::StatusCode};
use edge::{
    FieldError, Op, Problem, Query, Reply, Routes, Tenanted,
    codes::INVALID_VALUE,
    page::{Cursor, Limit},
};
use garde::Validate;
use kernel::Ctx;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    Catalog,
    cache_counts::CacheKind,
    list_cache::ListQuery,
    list_categories::{CategoryTree, list_categories},
    list_products::{Extras, Facets, Key, ProductFilter, Sort, list_products},
    model::{Product, ProductId},
    problems::{CATALOG_READ, PRICE_RANGE_EMPTY, RELEVANCE_NEEDS_SEARCH},
    read_list::{count_uncached, read_list},
    rules::check_category,
};

/// Attributes that one list can be filtered by.
const ATTRIBUTES_MOST: usize = 5;

/// Whether the total is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Total {
    /// About how many there are: exact for all products and for one category, an upper bound for searches.
    Estimate,
}

fn visible(text: &str, _: &()) -> garde::Result {
    if text.trim().is_empty() { Err(garde::Error::new("must hold something visible")) } else { Ok(()) }
}

fn category_rule(path: &str, _: &()) -> garde::Result {
    check_category(path).map_err(garde::Error::new)
}

fn attributes_rule(text: &str, _: &()) -> garde::Result {
    let fine = text.split(';').all(|pair| pair.split_once('=').is_some_and(|(name, _)| !name.is_empty()));
    if fine && text.split(';').count() <= ATTRIBUTES_MOST {
        return Ok(());
    }
    Err(garde::Error::new("must be name=value, up to five of them joined by semicolons"))
}

/// Which products, in which order.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
pub struct ProductQuery {
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    pub limit: Limit,
    /// `nextCursor` of the page before, with the same filters and sort.
    #[param(inline)]
    pub cursor: Option<Cursor>,
    /// Words of name, description, attributes and category, typing errors forgiven; or a SKU or barcode, which may be
    /// its beginning. All words must be found.
    #[garde(inner(length(chars, min = 1, max = 200), custom(visible)))]
    #[param(min_length = 1, max_length = 200, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub search: Option<String>,
    /// Only products in this category or below it.
    #[garde(inner(length(chars, min = 1), custom(category_rule)))]
    #[param(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^/\x00-\x20\x7f]([^/\x00-\x1f\x7f]{0,62}[^/\x00-\x20\x7f])?(/[^/\x00-\x20\x7f]([^/\x00-\x1f\x7f]{0,62}[^/\x00-\x20\x7f])?){0,5}$"
    )]
    pub category: Option<String>,
    /// Only products with this attribute, `brand=Acme`; up to five, joined by `;`.
    #[garde(inner(length(chars, min = 2, max = 400), custom(attributes_rule)))]
    #[param(
        min_length = 2,
        max_length = 400,
        pattern = r"^[^=;\x00]+=[^;\x00]*(;[^=;\x00]+=[^;\x00]*){0,4}$"
    )]
    pub attribute: Option<String>,
    /// Only products that may, or may not, be sold.
    pub active: Option<bool>,
    /// Only products that cost at least this, in minor units.
    #[garde(inner(range(min = 0, max = 1_000_000_000_000_000)))]
    #[param(minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    pub min_price: Option<i64>,
    /// Only products that cost at most this, in minor units.
    #[garde(inner(range(min = 0, max = 1_000_000_000_000_000)))]
    #[param(minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    pub max_price: Option<i64>,
    /// Only products with this barcode.
    #[garde(inner(length(chars, min = 8, max = 14), ascii))]
    #[param(min_length = 8, max_length = 14, pattern = "^[ -~]{8,14}$")]
    pub barcode: Option<String>,
    /// Only the variants of this product.
    #[param(inline)]
    pub parent: Option<ProductId>,
    /// The order: by relevance for searches, by name otherwise.
    #[param(inline)]
    sort: Option<Sort>,
    /// Whether to count facets.
    #[serde(default)]
    #[param(required = false)]
    pub facets: bool,
    /// Whether to tell the total.
    #[param(inline)]
    pub total: Option<Total>,
}

/// One page of products.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductPage {
    /// The products, in the order of the list.
    #[schema(max_items = 200)]
    pub items: Vec<Product>,
    /// Where the next page begins; null on the last page.
    pub next_cursor: Option<String>,
    /// About how many there are, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// How the matches spread, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facets: Option<Facets>,
}

/// Which part of the tree.
#[derive(Debug, Clone, Default, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
pub struct CategoryQuery {
    /// Only the categories below this one.
    #[garde(inner(length(chars, min = 1), custom(category_rule)))]
    #[param(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^/\x00-\x20\x7f]([^/\x00-\x1f\x7f]{0,62}[^/\x00-\x20\x7f])?(/[^/\x00-\x20\x7f]([^/\x00-\x1f\x7f]{0,62}[^/\x00-\x20\x7f])?){0,5}$"
    )]
    pub parent: Option<String>,
}

pub(super) fn routes(catalog: Catalog) -> Routes<()> {
    Routes::<Catalog>::new("Products")
        .add(
            Op::get("/products", "list_products", "Products, filtered, searched and sorted")
                .permission(CATALOG_READ)
                .returns::<ProductPage>(200)
                .problems(&[RELEVANCE_NEEDS_SEARCH, PRICE_RANGE_EMPTY]),
            products,
        )
        .add(
            Op::get("/categories", "list_categories", "The tree of categories with their products counted")
                .permission(CATALOG_READ)
                .returns::<CategoryTree>(200),
            categories,
        )
        .with_state(catalog)
}

async fn products(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    Query(query): Query<ProductQuery>,
) -> Result<Reply, Problem> {
    let extras = Extras { facets: query.facets, total: query.total.is_some() };
    let filter = filter_of(query)?.normalised();
    if filter.after.is_some() {
        count_uncached(&catalog, CacheKind::Products);
        let tx = catalog.db().begin_read(&ctx).await?;
        let found = list_products(&tx, &filter, extras).await?;
        tx.commit().await?;
        return Ok(Reply::ok(&page_of(&ctx, found)));
    }
    let query = ListQuery::Products(filter.clone(), extras);
    let body = read_list(&catalog, &ctx, query, async |tx| {
        Ok(page_of(&ctx, list_products(tx, &filter, extras).await?))
    })
    .await?;
    Ok(Reply::bytes(StatusCode::OK, body, None))
}

fn page_of(ctx: &Ctx, found: crate::list_products::Found) -> ProductPage {
    ProductPage {
        items: found.products.into_iter().map(|product| product.into_product(&ctx.tenant)).collect(),
        next_cursor: found.next.map(|key| Cursor::encode(&key)),
        total: found.total,
        facets: found.facets,
    }
}

fn filter_of(query: ProductQuery) -> Result<ProductFilter, Problem> {
    let usual = if query.search.is_some() { Sort::Relevance } else { Sort::Name };
    let sort = query.sort.unwrap_or(usual);
    if sort == Sort::Relevance && query.search.is_none() {
        let error = FieldError::parameter("sort", RELEVANCE_NEEDS_SEARCH, "there is no search");
        return Err(Problem::new(RELEVANCE_NEEDS_SEARCH).error(error));
    }
    if let (Some(lowest), Some(highest)) = (query.min_price, query.max_price)
        && lowest > highest
    {
        let error = FieldError::parameter("minPrice", PRICE_RANGE_EMPTY, "it is above maxPrice");
        return Err(Problem::new(PRICE_RANGE_EMPTY).error(error));
    }
    let after: Option<Key> = query.cursor.as_ref().map(Cursor::key).transpose()?;
    if after.as_ref().is_some_and(|key| key.1 != sort) {
        let error = FieldError::parameter("cursor", INVALID_VALUE, "it belongs to a list with another sort");
        return Err(Problem::not_found().detail("There is no page at this cursor.").error(error));
    }
    Ok(ProductFilter {
        search: query.search,
        category: query.category,
        attributes: query.attribute.iter().flat_map(|text| text.split(';')).map(str::to_owned).collect(),
        barcode: query.barcode,
        parent: query.parent,
        active: query.active,
        price_min: query.min_price,
        price_max: query.max_price,
        sort,
        after,
        take: query.limit.sql() - 1,
    })
}

async fn categories(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    Query(query): Query<CategoryQuery>,
) -> Result<Reply, Problem> {
    let parent = query.parent;
    let query = ListQuery::Categories(parent.clone());
    let body =
        read_list(&catalog, &ctx, query, async |tx| list_categories(tx, parent.as_deref()).await).await?;
    Ok(Reply::bytes(StatusCode::OK, body, None))
}
