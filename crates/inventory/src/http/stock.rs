//! Reading stock and its book.

use axum::extract::State;
use edge::{
    Op, Path, Problem, Query, Reply, Routes, Tenanted,
    page::{Cursor, Limit, Page, PageQuery},
};
use garde::Validate;
use kernel::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Inventory,
    inputs::in_our_era,
    outputs::{MovementEntry, ShopStock},
};
use crate::{
    list_levels::list_levels,
    list_movements::{MovementFilter, list_movements},
    model::{MovementId, Reason, ShopId},
    problems::INVENTORY_READ,
    targets::find_known_skus,
};

pub(super) fn routes(state: Inventory) -> Routes<()> {
    Routes::new("Inventory")
        .add(
            Op::get("/inventory/sku/{sku}", "list_stock_of_sku", "Units of a SKU in every shop")
                .description("A shop that never had the SKU is not listed.")
                .permission(INVENTORY_READ)
                .returns::<Page<ShopStock>>(200),
            list_stock_of_sku,
        )
        .add(
            Op::get("/inventory/movements", "list_movements", "The book of stock, latest first")
                .permission(INVENTORY_READ)
                .returns::<Page<MovementEntry>>(200),
            list_book,
        )
        .with_state(state)
}

/// Which movements are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MovementQuery {
    /// Only of this SKU.
    #[garde(inner(length(bytes, min = 1, max = 64)))]
    #[param(min_length = 1, max_length = 64)]
    sku: Option<String>,
    /// Only at this shop.
    #[garde(skip)]
    #[param(inline)]
    shop: Option<ShopId>,
    /// Only for this reason.
    #[garde(skip)]
    #[param(inline)]
    reason: Option<Reason>,
    /// Only from this time on.
    #[garde(inner(custom(in_our_era)))]
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only before this time.
    #[garde(inner(custom(in_our_era)))]
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// How many items at most.
    #[garde(skip)]
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[garde(skip)]
    #[param(inline)]
    cursor: Option<Cursor>,
}

async fn list_stock_of_sku(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    Path(sku): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let after: Option<ShopId> = page.after()?;
    let tx = state.db.begin_read(&ctx).await?;
    let levels = list_levels(&tx, &sku, after, page.limit.sql()).await?;
    if levels.is_empty() && find_known_skus(&tx, &[sku.as_str()].into()).await?.is_empty() {
        return Err(Problem::not_found());
    }
    tx.commit().await?;
    let page = Page::from_rows(levels, page.limit, |row| row.level.shop);
    let items: Vec<ShopStock> = page.items.into_iter().map(Into::into).collect();
    Ok(Reply::ok(&Page { items, next_cursor: page.next_cursor }))
}

async fn list_book(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    Query(query): Query<MovementQuery>,
) -> Result<Reply, Problem> {
    let before: Option<MovementId> = query.cursor.as_ref().map(Cursor::key).transpose()?;
    let MovementQuery { sku, shop, reason, from, to, limit, .. } = query;
    let filter = MovementFilter { sku, shop, reason, from, to };
    let tx = state.db.begin_read(&ctx).await?;
    let rows = list_movements(&tx, &filter, before, limit.sql()).await?;
    tx.commit().await?;
    let entries: Vec<MovementEntry> = rows.into_iter().map(Into::into).collect();
    Ok(Reply::ok(&Page::from_rows(entries, limit, MovementEntry::id)))
}
